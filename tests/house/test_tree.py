"""What holds for every file, the lock and the contracts: portable, pinned, nothing left out."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.house.source import ROOT, files

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
CORE = {"domain", "ports", "exchange", "break_glass", "consents", "evaluation", "transparency", "oversight", "view"}
ROOMS = PYPROJECT["tool"]["importlinter"]["root_packages"]
# Written apart, so that this file does not find itself.
REGISTRY_HOSTS = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs.org", "proxy." + "golang.org"]


def traces_of_a_machine(text: str) -> list[str]:
    """Give each path of this machine and each package registry that a text names."""
    places = [f"{path}/" for path in (ROOT.parent, Path.home()) if len(path.parts) > 1]
    return [trace for trace in [*places, *REGISTRY_HOSTS] if trace in text]


def readable(path: Path) -> str:
    """Give a file's text, or nothing when it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_machine_or_a_registry() -> None:
    """Nobody's folder and no package host stands anywhere in the tree."""
    found = {str(path.relative_to(ROOT)): traces_of_a_machine(readable(path)) for path in files("*")}
    assert {path: traces for path, traces in found.items() if traces} == {}


def test_a_trace_of_a_machine_is_found() -> None:
    """The search sees a planted path and a planted host."""
    planted = f"see {ROOT}/x and https://{REGISTRY_HOSTS[2]}/x"
    assert len(traces_of_a_machine(planted)) >= 2


def direct_dependencies() -> list[str]:
    """Give every requirement that pyproject.toml names, groups and extras too."""
    groups = [*PYPROJECT["dependency-groups"].values(), *PYPROJECT["project"]["optional-dependencies"].values()]
    return [*PYPROJECT["project"]["dependencies"], *(line for group in groups for line in group)]


def is_locked(requirement: str, lock: str) -> bool:
    """Tell whether the lock pins this requirement, at its version where it names one."""
    match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:==([^\s;]+))?", requirement)
    if match is None:
        return False
    name = re.sub(r"[-_.]+", "-", match[1]).lower()
    version = re.escape(match[2]) if match[2] else r"[^\s;\\]+"
    return re.search(rf"^{re.escape(name)}=={version}[\s;]", lock, re.MULTILINE) is not None


@pytest.mark.parametrize("requirement", direct_dependencies())
def test_the_lock_follows_from_the_project(requirement: str) -> None:
    """Each direct dependency stands in the lock, at the pinned version."""
    assert is_locked(requirement, LOCK)


@pytest.mark.parametrize("requirement", ["fastapi==0.0.1", "no-such-package", "authlib>"])
def test_a_stale_lock_is_found(requirement: str) -> None:
    """Another version, or a package that is not locked, is noticed."""
    assert not is_locked(requirement.rstrip(">") + ("==0" if requirement.endswith(">") else ""), LOCK)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-uv.lock"])
def test_every_locked_package_has_its_hashes(name: str) -> None:
    """No package can be installed whose bytes are not named."""
    packages = re.split(r"^(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert packages
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def contract(name: str) -> dict[str, list[str]]:
    """Give one import contract by its name."""
    (found,) = [entry for entry in PYPROJECT["tool"]["importlinter"]["contracts"] if entry["name"] == name]
    return found  # type: ignore[no-any-return]  # TOML has no types.


def test_every_room_of_the_core_is_kept_from_technology() -> None:
    """A use case that is added is named in the contract that keeps frameworks out of the core."""
    rooms = {
        path.stem for path in (ROOT / "broker").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    named = set(contract("The core knows no technology")["source_modules"])
    assert {f"broker.{room}" for room in rooms & CORE} == named


def test_every_kind_of_source_is_kept_from_the_others() -> None:
    """A connector that is added is named in the contract that keeps connectors apart."""
    (layer,) = contract("Connectors do not know one another")["layers"]
    kinds = {path.stem for path in (ROOT / "connectors").glob("*.py") if "(Connector):" in path.read_text("utf-8")}
    assert kinds
    assert kinds <= set(re.findall(r"\w+", layer))


FORBIDDEN = [
    ("broker/domain/x.py", "import broker.ports", "The house is built in layers"),
    ("broker/web/x.py", "import broker.adapters.x", "The house is built in layers"),
    ("broker/adapters/x.py", "import connectors.x", "The house is built in layers"),
    ("broker/main.py", "import demo", "The house is built in layers"),
    ("broker/exchange/x.py", "import broker.view", "The house is built in layers"),
    ("broker/attic.py", "", "Every room of the broker has its place in the layers"),
    ("broker/exchange/x.py", "import sqlalchemy.orm", "The core knows no technology"),
    ("connectors/x.py", "import fastapi", "Only the web speaks HTTP to callers"),
    ("audit/x.py", "import broker.domain", "The audit log stands on its own"),
    ("broker/web/x.py", "import audit.x", "Only its adapter touches the audit log"),
    ("demo/systems/x.py", "import broker.domain", "Department systems know nothing of the broker"),
    ("broker/web/x.py", "import broker.settings", "Settings are read where a node is opened alone"),
    ("connectors/fhir.py", "import connectors.odata", "Connectors do not know one another"),
]


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """Give a house with every room of ours and no furniture, under the project's own contracts."""
    modules = {path.relative_to(ROOT) for path in files("*.py") if path.relative_to(ROOT).parts[0] in ROOMS}
    extra = {Path("broker/main.py"), Path("broker/adapters/x.py"), Path("connectors/x.py"), Path("audit/x.py")}
    for module in modules | extra:
        place = tmp_path / module
        place.parent.mkdir(parents=True, exist_ok=True)
        (place.parent / "__init__.py").touch()
        place.touch()
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def broken_contracts(folder: Path) -> list[str]:
    """Judge a folder's imports by its contracts, and name those that are broken."""
    program = ROOT / ".venv" / "bin" / "lint-imports"
    told = subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)
    kept = re.findall(r"^(.*) KEPT$", told.stdout, re.MULTILINE)
    broken = re.findall(r"^(.*) BROKEN$", told.stdout, re.MULTILINE)
    assert len(kept) + len(broken) == len(PYPROJECT["tool"]["importlinter"]["contracts"]), told.stdout[-200:]
    assert bool(broken) == (told.returncode != 0)
    return broken


def test_a_house_without_imports_keeps_every_contract(skeleton: Path) -> None:
    """The contracts hold over an empty house, so that what breaks them below is the planted import."""
    assert broken_contracts(skeleton) == []


def test_only_the_adapter_may_use_the_log(skeleton: Path) -> None:
    """The log's adapter imports the log, and connectors their guard."""
    (skeleton / "broker/adapters/audit_log.py").write_text("import audit.x")
    (skeleton / "connectors/fhir.py").write_text("import connectors.guard")
    assert broken_contracts(skeleton) == []


@pytest.mark.parametrize(("path", "line", "broken"), FORBIDDEN, ids=lambda value: str(value)[:50])
def test_a_forbidden_import_breaks_its_contract(skeleton: Path, path: str, line: str, broken: str) -> None:
    """One planted import is refused by the contract that is meant for it."""
    (skeleton / path).write_text(line)
    assert broken in broken_contracts(skeleton)
