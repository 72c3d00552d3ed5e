"""The registry file: what is usable, and every fault of what is not, said at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.registry import RegistryFaults, read_registry
from tests.builders import POLICIES, REGISTRY
from tests.registry_files import MAPPING, examined, key_set, small_folder

Change = Callable[[dict[str, Any]], None]


def faults_of(folder: Path, change: Change) -> list[str]:
    """Change the little registry and give what is wrong with it."""
    raw = copy.deepcopy(REGISTRY)
    change(raw)
    file = folder / "registry.yaml"
    file.write_text(json.dumps(raw), "utf-8")
    with pytest.raises(RegistryFaults) as caught:
        read_registry(file, POLICIES / "tables")
    return caught.value.faults


def delegation(**changes: Any) -> Any:
    """A delegation from Nørrestrand to Korsbæk."""
    row = {"from": "norrestrand", "to": "korsbaek", "kle": ["15.*"], "from_day": "2019-01-01", "to_day": "2019-12-31"}
    return row | changes


def approval(**changes: Any) -> Any:
    """A standing yes of the health centre to the jobcentre's call-outs."""
    days = {"from_day": "2019-01-01", "to_day": "2019-12-31"}
    return {"unit": "health-centre", "to_units": ["jobcentre"], **days, **changes}


BROKEN: list[tuple[str, Change, str]] = [
    ("an unknown member", lambda r: r.update(extra=1), "extra"),
    ("a unit of nowhere", lambda r: r["units"]["jobcentre"].update(municipality="atlantis"), "units.jobcentre.municip"),
    ("a source of no unit", lambda r: r["sources"]["job"].update(unit="none"), "sources.job.unit"),
    ("cases of no register", lambda r: r["units"]["jobcentre"].update(cases="none"), "units.jobcentre.cases"),
    ("a delegation backwards", lambda r: r.update(delegations={"d": delegation(to_day="2018-01-01")}), "ends before"),
    ("no such day", lambda r: r.update(delegations={"d": delegation(to_day="2019-02-30")}), "no calendar day"),
    ("a delegation to nobody", lambda r: r.update(delegations={"d": delegation(to="atlantis")}), "delegations.d.to"),
    ("an approval of nobody", lambda r: r.update(standing_approvals={"s": approval(unit="none")}), "approvals.s.unit"),
    ("an approval to nobody", lambda r: r.update(standing_approvals={"s": approval(to_units=["none"])}), "s.to_units"),
    (
        "a unit's yes to itself",
        lambda r: r.update(standing_approvals={"s": approval(unit="jobcentre")}),
        "says yes to itself",
    ),
    ("no such approval", lambda r: r.update(standing_approvals={"s": approval(to_day="2018-01-01")}), "ends before"),
    ("a broken KLE", lambda r: r.update(delegations={"d": delegation(kle=["x"])}), "kle"),
    (
        "a network over its cap",
        lambda r: r.update(networks={"n": {"name": "n", "max_members": 1, "members": ["korsbaek", "norrestrand"]}}),
        "at most 1",
    ),
]


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row[0])
def test_a_fault_is_named_with_its_place(tmp_path: Path, row: tuple[str, Change, str]) -> None:
    """Each fault says where it stands."""
    _, change, expected = row

    assert any(expected in fault for fault in faults_of(tmp_path, change))


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    """Two loose ends give two faults, not the first alone."""

    def break_two(raw: dict[str, Any]) -> None:
        raw["units"]["jobcentre"]["municipality"] = "atlantis"
        raw["sources"]["job"]["unit"] = "none"

    assert len(faults_of(tmp_path, break_two)) == 2


def test_a_network_without_a_cap_takes_everybody(tmp_path: Path) -> None:
    """The cap on members is nullable configuration, never a constant (X1, C06)."""
    raw = copy.deepcopy(REGISTRY)
    raw["networks"] = {"n": {"name": "n", "max_members": None, "members": ["korsbaek", "norrestrand"]}}
    file = tmp_path / "registry.yaml"
    file.write_text(json.dumps(raw), "utf-8")

    assert read_registry(file, POLICIES / "tables").directory.municipalities


def test_the_forbidden_plan_part_is_refused_in_a_trial(tmp_path: Path) -> None:
    """What was not granted (forberedende del) cannot be written into a registry as replaceable (C23)."""

    def change(raw: dict[str, Any]) -> None:
        raw["networks"] = {"n": {"name": "n", "members": ["korsbaek"]}}
        raw["trials"] = {
            "t": {
                "network": "n", "municipality": "korsbaek", "kind": "en_handleplan", "from_day": "2018-01-01",
                "to_day": "2019-12-31", "replaces": ["rehab_forberedende_del"],
            }
        }  # fmt: skip

    assert any("never replaced" in fault for fault in faults_of(tmp_path, change))


def test_one_key_cannot_be_a_systems_and_an_employers(tmp_path: Path) -> None:
    """A stolen key must not make one thief both the system and the employer (design 6b l)."""
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    (tmp_path / "one.json").write_text(json.dumps({"keys": [key | {"kid": "a"}]}))
    (tmp_path / "two.json").write_text(json.dumps({"keys": [key | {"kid": "b"}]}))

    def change(raw: dict[str, Any]) -> None:
        raw["systems"] = {
            "sys": {"municipality": "korsbaek", "units": ["jobcentre"], "employers": ["boss"], "jwks_file": "one.json"}
        }
        raw["employers"] = {"boss": {"issuer": "https://boss", "municipality": "korsbaek", "jwks_file": "two.json"}}

    (fault,) = faults_of(tmp_path, change)
    assert "employers.boss.jwks_file: has the same key as systems.sys" in fault


def test_broken_yaml_says_on_which_line(tmp_path: Path) -> None:
    """A file that is no YAML is named with the line, not with its content."""
    file = tmp_path / "registry.yaml"
    file.write_text("version: 1\nunits: [secret-word\n", "utf-8")
    with pytest.raises(RegistryFaults) as caught:
        read_registry(file, POLICIES / "tables")

    assert caught.value.faults[0].startswith(
        "registry.yaml:3:1: not YAML from here on (it belongs to what begins on line 2)"
    )
    assert "secret-word" not in caught.value.faults[0]


def test_a_registry_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    """A missing file is named by its name alone, without the path."""
    with pytest.raises(RegistryFaults) as caught:
        read_registry(tmp_path / "none.yaml", POLICIES / "tables")

    assert caught.value.faults == ["none.yaml: cannot be read (FileNotFoundError); look at its name and its rights"]


def test_the_revision_changes_with_any_word(tmp_path: Path) -> None:
    """The directory's revision is a hash over registry and law tables alike (P10)."""

    def revision(name: str) -> str:
        raw = copy.deepcopy(REGISTRY)
        raw["municipalities"]["korsbaek"]["name"] = name
        file = tmp_path / "registry.yaml"
        file.write_text(json.dumps(raw), "utf-8")
        return read_registry(file, POLICIES / "tables").directory.revision

    assert revision("Korsbæk Kommune") != revision("Korsbæk")
    assert revision("Korsbæk") == revision("Korsbæk")


def test_the_revision_changes_with_a_key_and_a_mapping_in_a_file(tmp_path: Path) -> None:
    """Another key under the same file's name is another registry, which the log must name; so is another mapping."""

    def revision() -> str:
        registry = examined(tmp_path / "registry.yaml").registry
        assert registry is not None
        return registry.directory.revision

    small_folder(tmp_path)
    before = revision()
    (tmp_path / "momentum.json").write_text(key_set("a thief"), "utf-8")
    after = revision()
    small_folder(tmp_path)
    again = revision()
    (tmp_path / "mapping.yaml").write_text(MAPPING.replace("/help", "/other"), "utf-8")

    assert len({before, after, revision()}) == 3
    assert before == again


def test_a_mapping_that_many_sources_share_is_read_once(tmp_path: Path) -> None:
    """A country's 300 sources have a handful of mappings: reading each file again for each took 14 seconds of start."""
    raw = copy.deepcopy(REGISTRY)
    source = next(iter(raw["sources"].values()))
    reads = source.pop("reads")
    (tmp_path / "mapping.yaml").write_text(json.dumps(reads), "utf-8")
    shared = source | {"reads_file": "mapping.yaml"}
    raw["sources"] = {"one": shared, "other": copy.deepcopy(shared)}
    file = tmp_path / "registry.yaml"
    file.write_text(json.dumps(raw), "utf-8")

    registry = read_registry(file, POLICIES / "tables")

    assert registry.sources["one"].reads == reads
    assert registry.sources["one"].reads is registry.sources["other"].reads


def test_a_key_set_may_stand_in_yaml_too(tmp_path: Path) -> None:
    """Key sets are read as JSON first, which is quick; one written as YAML is read all the same."""
    raw = copy.deepcopy(REGISTRY)
    (tmp_path / "keys.yaml").write_text("keys:\n  - {kty: OKP, crv: Ed25519, kid: a, x: abc}\n", "utf-8")
    unit = next(iter(raw["units"]))
    home = raw["units"][unit]["municipality"]
    raw["systems"] = {"sys": {"municipality": home, "units": [unit], "employers": [], "jwks_file": "keys.yaml"}}
    file = tmp_path / "registry.yaml"
    file.write_text(json.dumps(raw), "utf-8")

    registry = read_registry(file, POLICIES / "tables")

    assert registry.systems["sys"].jwks["keys"][0]["kid"] == "a"


def test_each_unit_says_how_many_systems_act_for_it(tmp_path: Path) -> None:
    """Every registered system that names it counts, but the broker's own page; one that none names counts as one."""
    raw = copy.deepcopy(REGISTRY)
    row = {"municipality": "korsbaek", "units": ["jobcentre"], "employers": []}
    page = {"issuer": "https://login.example", "client_id": "broker", "secret": {"env": "LOGIN_SECRET"}}
    raw["providers"] = {"caseworker": page | {"system": "page", "employer": "town"}}
    raw["employers"] = {
        "town": {"issuer": "https://town.example", "municipality": "korsbaek", "jwks_file": "town.json"}
    }
    for name in ("one", "two", "page", "town"):
        (tmp_path / f"{name}.json").write_text(key_set(name), "utf-8")
        raw["systems"] |= {} if name == "town" else {name: row | {"jwks_file": f"{name}.json"}}
    raw["systems"]["two"]["units"] = ["jobcentre", "social-centre"]
    file = tmp_path / "registry.yaml"
    file.write_text(json.dumps(raw), "utf-8")
    units = read_registry(file, POLICIES / "tables").directory.units

    assert {name: units[name].systems for name in ("jobcentre", "social-centre", "health-centre")} == {
        "jobcentre": 2, "social-centre": 1, "health-centre": 1,
    }  # fmt: skip
