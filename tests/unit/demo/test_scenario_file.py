"""Scenario files and registries: what is wrong is said at once, each with its place; what is left out is filled in."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from demo.scenario.file import SCHEMA, ScenarioFaults, read_scenario
from demo.scenario.pages import PAGES
from demo.world.casting import Cast, case_records, login_persons, register_records
from demo.world.children import ROOT, WorldBroken
from demo.world.template import DEMO_REGISTRY, Places, chosen_template, filled, merged, read_template
from demo.world.yaml_file import read_yaml

SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
WHOLE = """
version: 1
title: Kort
clock: 2019-03-04T10:00:00+01:00
people:
  anna: {cpr: 710180-0003, name: Anna Test, born: 1980-01-11, municipality: korsbaek}
caseworkers:
  lene: {name: Lene, unit: korsbaek-jobcentre}
cases:
  JC-1: {unit: korsbaek-jobcentre, citizen: anna, kle: "15.00.00", caseworkers: [lene]}
steps:
  - ask: {by: lene, citizen: anna, purpose: jobplan, case: JC-1}
"""


def written(folder: Path, text: str, name: str = "scenario.yaml") -> Path:
    """Write a file and give its path."""
    file = folder / name
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_every_shipped_scenario_can_be_read(file: Path) -> None:
    """All files in `scenarios/` keep to the schema and name only what is there."""
    scenario = read_scenario(file)

    assert scenario.steps
    chosen_template(scenario.registry, file.parent)


def test_both_schemas_are_schemas() -> None:
    """The schemas of scenario and output keep to JSON Schema 2020-12 themselves."""
    for schema in (SCHEMA, SCHEMA.with_name("output.schema.json")):
        Draft202012Validator.check_schema(json.loads(schema.read_text("utf-8")))


def test_a_day_stays_the_text_it_is(tmp_path: Path) -> None:
    """Days and moments need no quotes, and are no other kind of value."""
    assert read_yaml(written(tmp_path, "a: 2019-03-01\nb: 2019-03-04T10:00:00+01:00\nc: 07:15\n")) == {
        "a": "2019-03-01",
        "b": "2019-03-04T10:00:00+01:00",
        "c": "07:15",
    }


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("version: 1", "version: 2", "$.version: 1 was expected"),
        ("title: Kort", "titel: Kort", "'titel' was unexpected"),
        ("by: lene", "by: lone", "step 1: no caseworker here is called lone"),
        ("citizen: anna, purpose", "citizen: hanna, purpose", "step 1: no person here is called hanna"),
        ("citizen: anna, kle", "citizen: hanna, kle", "cases.JC-1.citizen: no person here is called hanna"),
        ("  - ask:", "  - start:", "step 1: an ask that is started needs a name"),
        ("  - ask:", "  - clock: 2019-03-05T10:00:00Z\n    ask:", "step 1: says ask and clock; exactly one of"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """A file that is no scenario is refused with every reason, before anything is started."""
    with pytest.raises(ScenarioFaults) as caught:
        read_scenario(written(tmp_path, WHOLE.replace(old, new)))

    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("look", "fault"),
    [
        ("{page: my_dog, as_who: anna}", "$.steps[1].look.page: 'my_dog' is not one of ['my_consents', "),
        ("{page: my_week, as_who: anna, language: de}", "$.steps[1].look.language: 'de' is not one of ['da', 'en']"),
        ("{page: my_week, as_who: hanna}", "step 2: no person here is called hanna"),
        ("{page: desk, as_who: anna, citizen: anna}", "step 2: no caseworker here is called anna"),
        ("{page: desk, as_who: lene, citizen: hanna}", "step 2: no person here is called hanna"),
        ("{page: my_request, as_who: anna}", "step 2: the page my_request needs `request`"),
        ("{page: my_receipt, as_who: anna, request: c1}", "step 2: the page my_receipt needs `of`"),
        ("{page: my_week, as_who: anna, citizen: anna}", "step 2: the page my_week has no `citizen`"),
        ("{page: my_week, as_who: anna, filter: {}}", "step 2: the page my_week is no list, so no `filter`"),
        ("{page: my_week, as_who: anna}, expect: {rows: 0}", "step 2: the page my_week is no list, so no `rows`"),
        ("{page: my_week, as_who: anna}, expect: {no_trace_of: [x]}", "so no `no_trace_of`; say `text` and `not_text`"),
    ],
)
def test_a_look_at_no_page_of_ours_is_a_fault(tmp_path: Path, look: str, fault: str) -> None:
    """A page that is not there, or is asked for what it does not have, is said so before anything is started."""
    with pytest.raises(ScenarioFaults) as caught:
        read_scenario(written(tmp_path, f"{WHOLE}  - {{look: {look}}}\n"))

    assert fault in str(caught.value)


@pytest.mark.parametrize("name", ["text", "not_text"])
def test_words_of_a_page_are_expected_of_a_look_alone(tmp_path: Path, name: str) -> None:
    """Held against an answer without a page they would prove nothing."""
    asked = f"{WHOLE}    expect: {{{name}: [Anna]}}\n"
    with pytest.raises(ScenarioFaults, match=f"step 1: `{name}` is of a page; only a `look` shows one"):
        read_scenario(written(tmp_path, asked))


def test_every_page_is_named_in_the_schema_and_told_of() -> None:
    """The schema offers the pages that can be opened, no more and no fewer; the guide names each."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    guide = (ROOT / "scenarios" / "README.md").read_text("utf-8").partition("## Pages to look at")[2]

    assert sorted(schema["$defs"]["step"]["properties"]["look"]["properties"]["page"]["enum"]) == sorted(PAGES)
    assert [name for name in PAGES if f"`{name}`" not in guide] == []


def test_what_is_not_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    """A file that cannot be read is one clear line."""
    with pytest.raises(WorldBroken, match=r"line \d"):
        read_scenario(written(tmp_path, "version: 1\ntitle: [\nclock: x"))
    with pytest.raises(WorldBroken, match="No such file"):
        read_scenario(tmp_path / "nowhere.yaml")


def test_an_extended_file_takes_over_all_but_the_steps(tmp_path: Path) -> None:
    """What a file says is merged over the one it extends; null takes out; steps are its own."""
    written(tmp_path, WHOLE)
    over = """
extends: scenario.yaml
title: Andet
people: {anna: {municipality: noerrestrand}, bo: {cpr: 710180-0011, name: Bo, born: 1980-01-11, municipality: "0101"}}
cases: {JC-1: null}
steps: [{clock: 2019-03-05T10:00:00Z}]
"""
    scenario = read_scenario(written(tmp_path, over, "over.yaml"))

    assert scenario.cast.people["anna"] == {
        "cpr": "710180-0003",
        "name": "Anna Test",
        "born": "1980-01-11",
        "municipality": "noerrestrand",
    }
    assert set(scenario.cast.people) == {"anna", "bo"}
    assert not scenario.cast.cases
    assert [step.verb for step in scenario.steps] == ["clock"]


def test_files_that_extend_one_another_are_refused(tmp_path: Path) -> None:
    """A circle is a fault, not an endless reading."""
    written(tmp_path, "extends: two.yaml", "one.yaml")
    written(tmp_path, "extends: one.yaml", "two.yaml")

    with pytest.raises(ScenarioFaults, match="circle"):
        read_scenario(tmp_path / "one.yaml")


def test_changes_are_merged_entry_by_entry() -> None:
    """A change reaches as deep as it says; null takes an entry out, also a deep one."""
    below = {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2]}

    assert merged(below, {"a": {"c": {"d": 3}}, "e": [4]}) == {"a": {"b": 1, "c": {"d": 3}}, "e": [4]}
    assert merged(below, {"a": {"b": None}, "e": None, "f": {"g": 5}}) == {"a": {"c": {"d": 2}}, "f": {"g": 5}}
    assert below == {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2]}


def places() -> Places:
    """Say where everything is, for the demo's registry."""
    template = read_template(DEMO_REGISTRY)
    return Places(
        sources=dict.fromkeys(template.sources, "http://127.0.0.1:1"),
        people="http://127.0.0.1:2",
        cases=dict.fromkeys(template.case_registers, "http://127.0.0.1:3"),
        provider="http://127.0.0.1:4",
        secret_files=lambda name: {"api_key": f"s/{name}", "client_secret": f"c/{name}"},
        system_keys=lambda name: f"k/{name}",
        employer_keys=lambda cvr: f"e/{cvr}",
        employer_certificates=lambda cvr: f"x/{cvr}",
    )


def test_what_a_machine_must_know_is_filled_into_the_registry() -> None:
    """The written registry keeps to the broker's schema, with addresses, secrets, keys and providers in it."""
    raw = filled(read_template(DEMO_REGISTRY), places())
    schema = json.loads((ROOT / "broker" / "registry.schema.json").read_text("utf-8"))

    assert not [*Draft202012Validator(schema).iter_errors(raw)]
    assert raw["sources"]["korsbaek-family"]["settings"] == {
        "base_url": "http://127.0.0.1:1/odata",
        "auth": {"bearer": True},
    }
    assert raw["systems"]["korsbaek-jobcentre"]["jwks_file"] == "k/korsbaek-jobcentre"
    assert raw["employers"]["korsbaek"]["jwks_file"] == "e/11111111"
    assert raw["providers"]["citizen"]["issuer"] == "http://127.0.0.1:4"


def test_what_an_author_says_of_a_source_stays_as_said() -> None:
    """Own settings win over the filled-in ones; `{address}` in them becomes the system's address."""
    changes = {"sources": {"korsbaek-school": {"settings": {"base_url": "{address}/v2"}, "secrets": {}}}}
    raw = filled(chosen_template({"changes": changes}, Path()), places())

    assert raw["sources"]["korsbaek-school"]["settings"] == {"base_url": "http://127.0.0.1:1/v2"}
    assert raw["sources"]["korsbaek-school"]["secrets"] == {}


def cast(**anna: Any) -> Cast:
    """Cast Anna, her child and a caseworker."""
    person = {"cpr": "710180-0003", "name": "Anna Test", "born": "1980-01-11", "municipality": "korsbaek"}
    child = {"cpr": "800906-4011", "name": "Barn Test", "born": "2006-09-20", "municipality": "korsbaek"}
    custody = {"custody": [{"holder": "anna", "kind": "mother"}]}
    lene = {"name": "Lene", "unit": "korsbaek-jobcentre", "roles": [{"name": "sagsbehandler", "kle": ["15.*"]}]}
    case = {"unit": "korsbaek-jobcentre", "citizen": "anna", "kle": "15", "team": ["lene"]}
    return Cast({"anna": person | anna, "barn": child | custody}, {"lene": lene}, {"JC-1": case})


def test_a_parent_is_known_by_custody_both_ways() -> None:
    """The child has its custody holders, the holder has the child."""
    anna, barn = register_records(cast(), read_template(DEMO_REGISTRY), "2019-03-04")["personer"]

    assert anna["boern"] == [{"personnummer": "8009064011"}]
    assert barn["foraeldremyndighed"] == [
        {"type": 3, "relationPersonnummer": "7101800003", "startdato": "2006-09-20", "slutdato": None}
    ]
    assert anna["kommunekode"] == "0999"


@pytest.mark.parametrize(
    ("said", "protected"),
    [
        ({}, None),
        ({"protected": True}, True),
        ({"protected_until": "2019-03-04"}, True),
        ({"protected_until": "2019-03-03"}, False),
    ],
)
def test_protection_ends_with_its_last_day(said: dict[str, Any], protected: bool | None) -> None:
    """The register tells of protection as it stands on the day."""
    anna = register_records(cast(**said), read_template(DEMO_REGISTRY), "2019-03-04")["personer"][0]

    assert anna.get("adressebeskyttelse", {}).get("beskyttet") is protected


def test_a_case_register_holds_its_own_units_cases_and_employees() -> None:
    """A team on a case is a team of its members; another unit's register holds none of it."""
    template = read_template(DEMO_REGISTRY)
    held = case_records("korsbaek-jobcentre-cases", cast(), template)

    assert held["sager"][0]["team"] == held["medarbejdere"][0]["teams"] != []
    assert case_records("korsbaek-social-cases", cast(), template) == {"sager": [], "medarbejdere": []}


def test_everybody_can_log_in_once_and_each_municipality_has_a_dpo() -> None:
    """Citizens carry their number, caseworkers their unit and roles, officers their privilege."""
    persons = {row["id"]: row for row in login_persons(cast(), read_template(DEMO_REGISTRY))}

    officers = {f"{role}-{home}" for role in ("dpo", "kontrol", "leder") for home in ("korsbaek", "noerrestrand")}
    assert set(persons) == {"anna", "barn", "lene"} | officers
    assert {"privilege": "teamleder", "unit": "korsbaek-social", "cvr": "11111111"} in persons["leder-korsbaek"][
        "privileges"
    ]
    assert {row["cvr"] for row in persons["leder-korsbaek"]["privileges"]} == {"11111111"}
    assert persons["lene"]["roles"] == [
        {"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3, "attested_on": "today"}
    ]
    assert persons["dpo-korsbaek"]["privileges"] == [{"privilege": "dpo", "cvr": "11111111"}]
