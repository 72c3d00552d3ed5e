"""`broker registry check`: every fault of a registry at its line, with what is wrong and what would mend it."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner

from broker.cli.commands import app
from tests.builders import NOON, ROOT
from tests.registry_files import (
    ENVIRON,
    MAPPING,
    SMALL,
    certificate,
    demo_registry,
    faults_in,
    key_set,
    public_key,
    small_folder,
    written,
)

# What is replaced in the small registry by what, and the fault that must be named.
BROKEN: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(
    (ROOT / "tests" / "registry_faults.yaml").read_text("utf-8")
)


def broken(row: dict[str, Any]) -> tuple[str, int]:
    """Replace in the small registry and give the line to be named: the marked one, or where the change begins."""
    old, new = row["old"], row["new"]
    at = SMALL.index(old)
    changed = SMALL[:at] + new + SMALL[at + len(old) :]
    marked = [number for number, line in enumerate(changed.splitlines(), 1) if line.endswith("# !")]
    return changed, row.get("line") or (marked[0] if marked else SMALL[:at].count("\n") + 1)


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row["name"])
def test_each_kind_of_fault_is_named_at_its_line(tmp_path: Path, row: dict[str, Any]) -> None:
    """One change, one place: the fault names its entry, its line, what is wrong and what would mend it."""
    text, line = broken(row)
    (tmp_path / "twin.json").write_text(key_set("twin"), "utf-8")

    found = [f for f in faults_in(small_folder(tmp_path, text)) if f.where == row["where"] and row["what"] in f.what]

    assert [(fault.place.file, fault.place.line) for fault in found] == [("registry.yaml", line)]
    assert row["remedy"] in found[0].remedy
    assert "hunter2" not in str(found[0])


def test_a_whole_registry_has_no_fault(tmp_path: Path) -> None:
    """What the other tests break is whole before: also the demo's, as the broker reads it."""
    assert faults_in(small_folder(tmp_path)) == []
    assert faults_in(written(tmp_path, demo_registry(tmp_path)), demo=True) == []


def test_faults_of_every_kind_are_said_at_once(tmp_path: Path) -> None:
    """A misspelt field hides no loose end, a loose end no window, and the file's own faults none of the others'."""
    text = SMALL.replace("kind: rest_json", "kjnd: rest_json").replace("unit: jobcentre", "unit: library")
    text = text.replace("to_day: 2021-12-31", "to_day: 2015-01-01").replace('code: "0998"', 'code: "0999"')
    text = text.replace("client_id: broker", "client_id: broker\n    client_id: again")

    found = {fault.where for fault in faults_in(small_folder(tmp_path, text, MAPPING.replace("B01", "B99")))}

    assert found == {
        "sources.jobs", "sources.jobs.unit", "delegations.employment.to_day", "municipalities.noerrestrand.code",
        "providers.caseworker.client_id", "sources.jobs.reads",
    }  # fmt: skip


def test_a_fault_in_a_file_that_is_named_stands_in_that_file(tmp_path: Path) -> None:
    """A mapping's fault is named by the mapping's own file and line."""
    (fault,) = faults_in(small_folder(tmp_path, mapping=MAPPING + MAPPING.replace("B01", "B99")))

    assert (fault.place.file, fault.place.line) == ("mapping.yaml", 6)


# --- what entries need to open --------------------------------------------------------------------------------------

EC = public_key("momentum")
SHORT = {"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xa5" * 128).decode().rstrip("=")}
KEYS: list[tuple[str, Any, str]] = [
    ("too weak", SHORT, "2048 bits"),
    ("a curve nobody takes", ECKey.generate_key("P-384").as_dict(private=False), "curve not accepted"),
    ("a shared secret", {"kty": "oct", "k": "aHVudGVyMg"}, "key type not accepted"),
    ("a private key", {**EC, "d": "aHVudGVyMg"}, "a private key where a public one belongs"),
    ("half a key", {"kty": "EC", "crv": "P-256", "x": "aHVudGVyMg"}, "a member of the key is missing"),
    ("ended", {**EC, "exp": int(NOON.timestamp())}, "holds a key that has ended"),
    ("a certificate that ended", {**EC, "x5c": [certificate(days=-1)]}, "holds a key that has ended"),
]


@pytest.mark.parametrize("row", KEYS, ids=lambda row: row[0])
def test_a_key_that_cannot_be_used_is_named(tmp_path: Path, row: tuple[str, Any, str]) -> None:
    """A key file with a weak, private, foreign or ended key stands at the owner's `jwks_file`; the key is not told."""
    _, key, what = row
    file = small_folder(tmp_path)
    (tmp_path / "momentum.json").write_text(json.dumps({"keys": [key]}), "utf-8")

    (fault,) = faults_in(file)

    assert (fault.where, fault.place.line) == ("systems.momentum.jwks_file", 33)
    assert what in fault.what
    assert "aHVudGVyMg" not in str(fault)


@pytest.mark.parametrize("key", [{**EC, "exp": int(NOON.timestamp()) + 1}, {**EC, "x5c": [certificate(days=1)]}])
def test_a_key_that_has_not_ended_stands(tmp_path: Path, key: Any) -> None:
    """A key is good until its last moment, and two keys of one owner stand side by side (rotation)."""
    file = small_folder(tmp_path)
    (tmp_path / "momentum.json").write_text(json.dumps({"keys": [key, public_key("next")]}), "utf-8")

    assert faults_in(file) == []


def test_a_secret_that_is_missing_or_open_is_named(tmp_path: Path) -> None:
    """A file that is not there or that others may read, and a variable that is not set, each at its entry."""
    file = small_folder(tmp_path, SMALL.replace("LOGIN_SECRET", "NO_SUCH_SECRET"))
    (tmp_path / "secret").chmod(0o644)

    opened, unset = faults_in(file)

    assert (opened.where, opened.place.line) == ("sources.jobs.secrets.api_key", 22)
    assert "only its owner may read" in opened.what
    assert (unset.where, unset.what) == (
        "providers.caseworker.secret",
        "the environment variable it names is not set",
    )
    (tmp_path / "secret").unlink()
    assert "cannot be read" in faults_in(file)[0].what


def test_elsewhere_no_secret_is_looked_for(tmp_path: Path) -> None:
    """A colleague without the secrets can check all the rest: `--without-secrets`."""
    file = small_folder(tmp_path)
    (tmp_path / "secret").unlink()

    assert run(file)[0] == 1
    assert run(file, "--without-secrets")[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [("person: cpr", "persn: cpr", 4, "no field persn"), ("title: title", "title: 'ti tle['", 5, "not JMESPath"),
     ("{value: intervention}", "{value: dance}", 5, "not a code of ours")],
)  # fmt: skip
def test_a_mapping_that_cannot_be_read_is_named_in_its_own_file(
    tmp_path: Path, old: str, new: str, line: int, what: str
) -> None:
    """A mapping's unknown field, broken expression or unknown code stands at its line of the mapping."""
    found = faults_in(small_folder(tmp_path, mapping=MAPPING.replace(old, new)))

    assert [(fault.place.file, fault.place.line) for fault in found if what in fault.what] == [("mapping.yaml", line)]


def test_a_mapping_that_two_sources_share_is_told_once(tmp_path: Path) -> None:
    """One broken mapping is one fault, in the one file it stands in, however many sources name it."""
    twin = (
        SMALL[SMALL.index("  jobs:") : SMALL.index("registers:")]
        .replace("jobs", "twin")
        .replace("https://twin", "https://a")
    )
    text = SMALL.replace("registers:", f"{twin}registers:", 1)

    (fault,) = faults_in(small_folder(tmp_path, text, MAPPING.replace("person: cpr", "persn: cpr")))

    assert (fault.place.file, fault.place.line) == ("mapping.yaml", 4)


# --- every field of the demo's registry, left out or misspelt -------------------------------------------------------

NEEDED = {
    "municipalities": ["cvr", "name", "code"],
    "units": ["municipality", "kind", "name"],
    "sources": ["unit", "kind", "name", "settings"],
    "systems": ["municipality", "units", "employers", "jwks_file"],
    "employers": ["issuer", "municipality", "jwks_file"],
    "providers": ["issuer", "client_id", "secret"],
    "delegations": ["from", "to", "kle", "from_day", "to_day"],
    "networks": ["name", "members"],
}


# A field of every section at a time, so that each file has many faults at once.
ROUNDS = [
    {section: field for section, field in zip(NEEDED, fields, strict=True) if field}
    for fields in zip_longest(*NEEDED.values())
]


def lines(file: Path) -> Any:
    """Read the file once more, by the library's own way of keeping lines."""
    return YAML(typ="rt").load(file.read_text("utf-8"))


@pytest.mark.parametrize("fields", ROUNDS, ids=lambda fields: "-".join(fields.values()))
def test_every_field_that_is_left_out_is_named_at_its_entry(tmp_path: Path, fields: dict[str, str]) -> None:
    """In every entry of the demo's registry at once: each lack is told, where the entry stands, and how to mend it."""
    raw = demo_registry(tmp_path)
    rows = [(section, name, field) for section, field in fields.items() for name in raw[section]]
    # Who signs assertions as SAML needs no other key.
    rows = [row for row in rows if not (row[2] == "jwks_file" and "saml" in raw[row[0]][row[1]])]
    for section, name, field in rows:
        del raw[section][name][field]
    file = written(tmp_path, raw)
    tree = lines(file)

    found = {(f.where, f.what): (f.place.line, f.place.column, f.remedy) for f in faults_in(file, demo=True)}

    for section, name, field in rows:
        line, column = tree[section].lc.key(name)
        remedy = f"add {field}: under {section}.{name}:"
        assert found[f"{section}.{name}", f"{field} is missing"] == (line + 1, column + 1, remedy)


@pytest.mark.parametrize("fields", ROUNDS, ids=lambda fields: "-".join(fields.values()))
def test_every_field_that_is_misspelt_is_named_where_it_stands(tmp_path: Path, fields: dict[str, str]) -> None:
    """In every entry at once: each misspelt field is told once, with the one that was meant, and not as missing too."""
    raw = demo_registry(tmp_path)
    rows = [(section, name, field) for section, field in fields.items() for name in raw[section]]
    for section, name, field in rows:
        raw[section][name][field[:-1] + "x"] = raw[section][name].pop(field)
    file = written(tmp_path, raw)
    tree = lines(file)

    found = {(f.where, f.what): (f.place.line, f.place.column, f.remedy) for f in faults_in(file, demo=True)}

    assert not any(what.endswith("is missing") for _, what in found)
    for section, name, field in rows:
        wrong = field[:-1] + "x"
        line, column = tree[section][name].lc.key(wrong)
        told = found[f"{section}.{name}", f"there is no field {wrong}"]
        assert told == (line + 1, column + 1, f"did you mean {field}?")


def test_every_reference_that_leads_nowhere_is_named_where_it_stands(tmp_path: Path) -> None:
    """All at once, in lists too: as many faults as there are references, each at its own line."""
    raw = demo_registry(tmp_path)
    expected: set[str] = set()

    def break_one(section: str, name: str, field: str, change: Callable[[Any], Any]) -> None:
        raw[section][name][field] = change(raw[section][name][field])
        listed = isinstance(raw[section][name][field], list)
        spots = [f"[{n}]" for n in range(len(raw[section][name][field]))] if listed else [""]
        expected.update(f"{section}.{name}.{field}{spot}" for spot in spots)

    def astray(value: Any) -> Any:
        return [f"{one}-x" for one in value] if isinstance(value, list) else f"{value}-x"

    for section, fields in {
        "units": ["municipality", "cases"], "sources": ["unit"], "systems": ["municipality", "units", "employers"],
        "employers": ["municipality"], "delegations": ["from", "to"], "networks": ["members"],
    }.items():  # fmt: skip
        for name in raw[section]:
            for field in fields:
                break_one(section, name, field, astray)
    file = written(tmp_path, raw)

    found = {fault.where for fault in faults_in(file, demo=True) if "there is no" in fault.what}

    assert found == expected | {f for f in found if f.startswith("providers.")}
    text = file.read_text("utf-8").splitlines()
    for fault in faults_in(file, demo=True):
        assert "-x" in text[fault.place.line - 1] or not fault.what.startswith("there is no")


# --- the command ----------------------------------------------------------------------------------------------------

SAID = Draft202012Validator(json.loads((ROOT / "broker" / "registry_check.schema.json").read_text("utf-8")))


def run(file: Path, *options: str) -> tuple[int, str, str]:
    """Run `broker registry check` and give exit code and both outputs."""
    told = CliRunner().invoke(app, ["registry", "check", str(file), *options], env=ENVIRON)
    return told.exit_code, told.stdout, told.stderr


def test_a_good_registry_ends_with_zero_and_its_hash(tmp_path: Path) -> None:
    """What is there is counted, and the revision named: the one that the node will write on the log."""
    code, told, _ = run(small_folder(tmp_path))

    assert code == 0
    assert told.startswith("ok: 2 municipalities, 2 units, 1 sources")
    assert "revision " in told


def test_a_bad_registry_ends_with_one_and_a_line_for_each_fault(tmp_path: Path) -> None:
    """Faults go to standard error, one a line, and nothing to standard output."""
    code, told, wrong = run(small_folder(tmp_path, SMALL.replace("unit: jobcentre", "unit: library")))

    assert (code, told) == (1, "")
    assert wrong.splitlines()[0].startswith("registry.yaml:17:11: sources.jobs.unit: there is no library")
    assert wrong.splitlines()[-1] == "1 fault"


def test_no_law_tables_are_wrong_use(tmp_path: Path) -> None:
    """A folder without tables is the reader's mistake, not the registry's: exit 2."""
    assert run(small_folder(tmp_path), "--policies", str(tmp_path))[0] == 2


@pytest.mark.parametrize("old", ["", "unit: jobcentre", "version: 1"])
def test_json_keeps_to_its_schema(tmp_path: Path, old: str) -> None:
    """Good or bad, `--json` prints one object that fits `registry_check.schema.json`."""
    file = small_folder(tmp_path, SMALL.replace(old, "unit: library") if old else SMALL)
    code, told, _ = run(file, "--json")
    found = json.loads(told)

    SAID.validate(found)
    assert found["ok"] is (code == 0) is (not old)


def test_json_schema_notices() -> None:
    """The schema is no open door: a good answer with a fault, or a bad one without, does not fit."""
    fault = {"file": "a", "line": 1, "column": 1, "where": "", "what": "x", "remedy": "y"}
    good = {"ok": True, "faults": [], "revision": "0" * 64, "counts": {}}
    assert SAID.is_valid(good)
    for change in ({"faults": [fault]}, {"ok": False}, {"revision": "x"}):
        assert not SAID.is_valid(copy.deepcopy(good) | change)
