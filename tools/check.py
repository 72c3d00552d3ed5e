"""The checks that change nothing, and the fixes for what can be fixed by a program."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import parts
from tools.places import IN_CI, PYTHON, ROOT, environment

POLICIES = ROOT / "policies"
CAPABILITIES = POLICIES / "capabilities.json"
SCHEMAS = ("--ignore", "*.schema.json", "--ignore", "capabilities.json")  # Not data for the policies.
TYPED = ["broker", "audit", "connectors", "demo", "bench", "deploy", "tools", "run.py"]


@dataclass(frozen=True)
class Step:
    """One check: its name on the screen and its command; without a command the reason why it cannot run."""

    name: str
    command: tuple[str | Path, ...] = ()
    missing: str = ""
    silent: bool = False  # Any output is a failure, whatever the exit code says.


def check() -> int:
    """Run every check and tell each outcome in a line; 1 when any failed."""
    return _run(_checks())


def fix() -> int:
    """Repair what ruff and OPA can repair; 1 when any of them failed."""
    return _run(_fixes())


def _checks() -> Iterator[Step]:
    yield Step("ruff check", (PYTHON, "-m", "ruff", "check", "--quiet"))
    yield Step("ruff format", (PYTHON, "-m", "ruff", "format", "--check", "--quiet"))
    yield Step("mypy --strict", (PYTHON, "-m", "mypy", "--strict", "--no-error-summary", *TYPED))
    yield Step(
        "mypy, calls in tests", (PYTHON, "-m", "mypy", "--config-file", "tests/mypy.ini", "--no-error-summary", "tests")
    )
    yield Step("import contracts", (PYTHON.with_name("lint-imports"), "--no-cache"))
    if any(POLICIES.glob("*.rego")):
        yield from _policy_checks()
    if (ROOT / "docs" / "generate.py").exists():
        yield Step("docs current", (PYTHON, "-m", "docs.generate", "--check"))


def _policy_checks() -> Iterator[Step]:
    yield _with("opa", "opa fmt", "fmt", "--diff", POLICIES, silent=True)
    yield _with("opa", "opa check", "check", "--strict", "--capabilities", CAPABILITIES, *SCHEMAS, POLICIES)
    yield _with("opa", "opa test", "test", *SCHEMAS, POLICIES)
    yield _with("regal", "regal lint", "lint", POLICIES)
    if (ROOT / "broker" / "policy_lint.py").exists():
        yield Step("policy profile", (PYTHON, "-m", "broker", "policy", "check"))
    yield Step("golden vectors", (PYTHON, "-m", "tools.vectors", "--check"))


def _fixes() -> Iterator[Step]:
    yield Step("ruff check --fix", (PYTHON, "-m", "ruff", "check", "--fix", "--quiet"))
    yield Step("ruff format", (PYTHON, "-m", "ruff", "format", "--quiet"))
    if any(POLICIES.glob("*.rego")):
        yield _with("opa", "opa fmt", "fmt", "--write", POLICIES)


def _with(program: str, name: str, *arguments: str | Path, silent: bool = False) -> Step:
    """Make a step of a program that may be missing."""
    path = parts.found(program)
    if path is None:
        return Step(name, missing=f"{program} is not here: `python3 run.py test` gets it where there is Go")
    return Step(name, (path, *arguments), silent=silent)


def _run(steps: Iterator[Step]) -> int:
    """Run steps in order, all of them, with the output of those that failed."""
    outcomes = [_passes(step) for step in steps]
    return 0 if all(outcomes) else 1


def _passes(step: Step) -> bool:
    if not step.command:
        # On a developer's machine a missing tool is said; in CI it is a failure, or the check would rot unseen.
        print(f"{'FAILED ' if IN_CI else 'skipped'} {step.name}: {step.missing}", flush=True)
        return not IN_CI
    began = time.monotonic()
    told = subprocess.run(
        step.command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    output = (told.stdout + told.stderr).strip()
    passed = told.returncode == 0 and not (step.silent and output)
    print(f"{'ok     ' if passed else 'FAILED '} {step.name} ({time.monotonic() - began:.1f} s)", flush=True)
    if not passed:
        print(output, flush=True)
    return passed
