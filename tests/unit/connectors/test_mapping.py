"""A mapping is checked before it is used, and a record either fits it or is left out."""

from __future__ import annotations

import copy
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from broker.domain.items import Item, LawRef, Visit
from connectors import SettingsUnusable
from connectors.mapping import SCHEMA, Mapped, Origin, compile_reads, expression
from connectors.values import Malformed, cpr_digits, day, hours, minute

ORIGIN = Origin("jobcentre", "person-1", datetime(2019, 3, 4, 9, 0, tzinfo=UTC))
READ: dict[str, Any] = {
    "ask": {"method": "POST", "path": "/x", "body": {"cpr": "{cpr}"}},
    "records": "data",
    "person": "cpr",
    "keep": "art == 'x'",
    "item": {
        "kind": {"value": "intervention"},
        "id": "id",
        "unit": {"value": "Enheden"},
        "title": "titel",
        "from": "fra",
        "to": "til",
        "kle": "kle",
        "need": {"path": "behov", "codes": {"A": "struktur", "B": "job"}},
        "demands": {"path": "krav", "codes": {"STAA": "staaende", "GAA": "gaaende"}},
        "limits": "graenser",
        "topic": {"path": "emner", "codes": {"Angst": "angst", "Søvn": "soevn"}},
        "status": {"path": "status", "codes": {"i gang": "active"}},
        "hours_per_week": "timer",
        "next_follow_up": "naeste",
        "visits": [{"each": "tider", "weekdays": "dage", "start": "start", "end": "slut"}],
        "people": [{"each": "folk", "role": {"path": "rolle", "codes": {"H": "helper"}}, "name": "navn"}],
        "law": [{"each": "love", "act": "lov", "paragraph": "p"}],
    },
}
RECORD = {"id": "1"}


def item(record: Any, **changed: Any) -> Item:
    """Map one record."""
    return mapped(record, **changed)[0]


def mapped(record: Any, **changed: Any) -> tuple[Item, int]:
    """Map one record, and count what was not understood in it."""
    read = deepcopy(READ)
    read["item"] |= changed
    work = Mapped(compile_reads("rest_json", {"B01": [read]})[0], record)
    return work.item(ORIGIN), work.not_understood


def test_the_schema_is_one() -> None:
    """What describes mappings is itself valid JSON Schema, with settings and reads for each kind."""
    Draft202012Validator.check_schema(SCHEMA)
    for kind in ("rest_json", "odata", "fhir", "sql_view"):
        assert {kind, f"{kind}_reads"} <= set(SCHEMA["$defs"])


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"titel": None}, {"title": None}),
        ({"fra": "2019-03", "til": "2019-03"}, {"from_day": 20190301, "to_day": 20190331}),
        ({"fra": "2019", "til": "2020-02"}, {"from_day": 20190101, "to_day": 20200229}),
        ({"fra": "2019-03-03T23:30:00Z"}, {"from_day": 20190304}),
        ({"fra": "2019-07-03T22:30:00+00:00"}, {"from_day": 20190704}),
        ({"behov": "A"}, {"need": "struktur"}),
        ({"behov": ["Z", "B"]}, {"need": "job"}),
        ({"krav": ["STAA", "STAA", "GAA"]}, {"demands": ("staaende", "gaaende")}),
        ({"graenser": "d450"}, {"limits": ("d450",)}),
        ({"emner": ["Angst", "Søvn"]}, {"topic": "angst,soevn"}),
        ({"timer": "7.5"}, {"hours_per_week": 7.5}),
        ({"kle": "27"}, {"kle": "27"}),
        ({"naeste": "2019-03-18"}, {"next_follow_up": 20190318}),
        ({"love": [{"lov": "SEL", "p": "§ 85"}, {"lov": "SEL"}]}, {"law": (LawRef("SEL", "§ 85"),)}),
        ({"love": {"lov": "LAB", "p": "§ 31 b"}}, {"law": (LawRef("LAB", "§ 31 b"),)}),
    ],
)
def test_values_are_read_as_they_mean(record: dict[str, Any], expected: dict[str, Any]) -> None:
    """Days, codes, numbers and laws; an instant by the Danish calendar, a month from its first to its last day."""
    told = item(RECORD | record)
    assert {name: getattr(told, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"dage": [1, 3], "start": "07:30", "slut": "08:30"}, (Visit(450, 510, weekday=1), Visit(450, 510, weekday=3))),
        ({"dage": 5, "start": "22:00:00", "slut": "24:00"}, (Visit(1320, 1440, weekday=5),)),
        ({"dage": "2", "start": "23:00", "slut": "00:00"}, (Visit(1380, 1440, weekday=2),)),
        ({"dage": [1], "start": 450, "slut": 510}, (Visit(450, 510, weekday=1),)),
        ({"dage": [1, 9, "x"], "start": "07:30", "slut": "08:30"}, (Visit(450, 510, weekday=1),)),
        ({"dage": [1], "start": "07:30", "slut": None}, ()),
        ({"dage": [], "start": "07:30", "slut": "08:30"}, ()),
    ],
)
def test_weekly_visits(times: dict[str, Any], expected: tuple[Visit, ...]) -> None:
    """One visit a weekday, in minutes after midnight; without an end there is none."""
    assert item(RECORD | {"tider": [times]}).visits == expected


def test_a_visit_on_one_day() -> None:
    """Instants give the Danish day and time, summer and winter; a length stands for an end."""
    one = [{"each": "m", "day": "s", "start": "s", "end": "e"}]
    told = item(RECORD | {"m": {"s": "2019-03-18T08:00:00Z", "e": "2019-03-18T09:00:00Z"}}, visits=one)
    assert told.visits == (Visit(540, 600, day=20190318),)

    told = item(RECORD | {"m": {"s": "2019-07-18T08:00:00Z", "e": "2019-07-18T11:00:00+02:00"}}, visits=one)
    assert told.visits == (Visit(600, 660, day=20190718),)

    weekly = [{"each": "m", "weekdays": {"path": "d", "codes": {"mon": "1"}}, "start": "s", "minutes": "l"}]
    assert item(RECORD | {"m": {"d": ["mon"], "s": "07:00", "l": 45}}, visits=weekly).visits == (
        Visit(420, 465, weekday=1),
    )


@pytest.mark.parametrize(
    ("record", "count"),
    [
        ({"behov": "Z"}, 1),
        ({"krav": ["STAA", "Z", "Y"]}, 2),
        ({"graenser": ["d450", "not a code"]}, 1),
        ({"emner": ["Hun er bange for sin eksmand"]}, 1),
        ({"status": "?"}, 1),
        ({"tider": [{"dage": [1], "start": "07:30"}]}, 1),
        ({"folk": [{"rolle": "X", "navn": "N"}]}, 1),
        ({}, 0),
    ],
)
def test_what_is_not_understood_is_left_out_and_counted(record: dict[str, Any], count: int) -> None:
    """An unknown code never becomes a code of ours, and free text never passes for one; the item stays."""
    told, not_understood = mapped(RECORD | record)
    assert not_understood == count
    assert "eksmand" not in str(told.topic)


@pytest.mark.parametrize(
    "record",
    [
        {"id": None},
        {"id": ""},
        {"id": True},
        {"id": {"x": 1}},
        {"fra": "04-03-2019"},
        {"fra": "2019-02-30"},
        {"fra": 20190304},
        {"fra": "2019-03-05", "til": "2019-03-04"},
        {"fra": "2019-03-04Tx"},
        {"kle": "27.36.12.9"},
        {"kle": "BPA"},
        {"timer": "mange"},
        {"timer": -1},
        {"timer": 169},
        {"timer": "inf"},
        {"timer": True},
        {"titel": ["x"]},
        {"krav": [{"x": 1}]},
        {"krav": ["STAA"] * 101},
        {"tider": [{"dage": [1], "start": "08:30", "slut": "07:30"}]},
        {"tider": [{"dage": [1], "start": "08:30", "slut": "08:30"}]},
        {"tider": [{"dage": [1], "start": "25:00", "slut": "26:00"}]},
        {"tider": [{"dage": [1], "start": "8:30", "slut": "9:00"}]},
        {"tider": [{}] * 101},
        {"folk": [{"rolle": "H", "navn": {"x": 1}}]},
    ],
)
def test_a_record_that_does_not_fit_is_malformed(record: dict[str, Any]) -> None:
    """It is said so, with nothing of the record in the error."""
    with pytest.raises(Malformed) as caught:
        item(RECORD | record)
    assert caught.value.args == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
own_names = ["id", "cpr", "titel", "fra", "til", "kle", "behov", "krav", "graenser", "emner", "tider", "folk", "love"]


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(own_names), json_values) | json_values)
def test_no_record_breaks_the_mapping(record: Any) -> None:
    """Whatever JSON a source tells becomes an item or is malformed: there is no third way."""
    read = compile_reads("rest_json", {"B01": [READ]})[0]
    try:
        concerns = read.concerns(record, frozenset({"7102740022"}))
        kept = read.is_of_category(record)
        told = Mapped(read, record).item(ORIGIN)
    except Malformed:
        return
    assert isinstance(concerns, bool)
    assert isinstance(kept, bool)
    assert told.category == "B01"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["a", "a.b", "a.b.c", "_x9", "@"]),
    json_values | st.dictionaries(st.sampled_from("abc"), json_values),
)
def test_plain_names_mean_what_jmespath_means(text: str, record: Any) -> None:
    """The short way for plain names gives what JMESPath gives, over any record."""
    told, meant = expression(text, "here")(record), jmespath.search(text, record)
    assert repr(told) == repr(meant)


@pytest.mark.parametrize(
    ("person", "concerns"),
    [
        ("7102740022", True),
        ("710274-0022", True),
        ("urn:oio:cpr-nr:7102740022", True),
        (["8009064011", "7102740022"], True),
        ("own-id", True),
        ("8009064011", False),
        (7102740022, False),
        (None, False),
        ("", False),
        ("x7102740022", False),
    ],
)
def test_whom_a_record_concerns(person: Any, concerns: bool) -> None:
    """The number in any form, or the source's own id; anything else is somebody else."""
    read = compile_reads("rest_json", {"B01": [READ]})[0]
    assert read.concerns({"cpr": person}, frozenset({"7102740022", "own-id"})) is concerns


def spoiled(change: dict[str, Any]) -> dict[str, Any]:
    """Give the mapping with something wrong in it."""
    return {"B01": [deepcopy(READ) | change]}


@pytest.mark.parametrize(
    ("reads", "place"),
    [
        ({}, "reads"),
        ({"b1": [READ]}, "reads"),
        ({"B01": []}, "reads.B01"),
        (spoiled({"person": True}), "reads.B01[0]"),
        ({"B01": [{name: value for name, value in READ.items() if name != "person"}]}, "person"),
        (spoiled({"keep": "a =="}), "reads.B01[0].keep"),
        (spoiled({"records": "data["}), "reads.B01[0].records"),
        (spoiled({"item": READ["item"] | {"kind": {"value": "gossip"}}}), "item.kind"),
        (spoiled({"item": READ["item"] | {"need": {"path": "x", "codes": {"a": "hygge"}}}}), "item.need"),
        (spoiled({"item": READ["item"] | {"demands": {"value": ["flyvende"]}}}), "item.demands"),
        (spoiled({"item": READ["item"] | {"colour": "x"}}), "item"),
        (spoiled({"item": {"kind": "x", "id": "y"}}), "item"),
        (spoiled({"item": READ["item"] | {"visits": [{"start": "a", "end": "b"}]}}), "visits"),
        (spoiled({"item": READ["item"] | {"people": [{"role": {"value": "spy"}, "name": "x"}]}}), "role"),
        (spoiled({"ask": {"method": "DELETE", "path": "/x"}}), "ask"),
        (spoiled({"ask": {"method": "GET", "path": "/x/../y"}}), "ask"),
        (spoiled({"ask": {"method": "GET", "path": "/x", "body": {}}}), "ask"),
    ],
)
def test_a_mapping_that_is_none_is_refused_with_its_place(reads: dict[str, Any], place: str) -> None:
    """What is wrong is said at the start, with where it stands."""
    with pytest.raises(SettingsUnusable) as caught:
        compile_reads("rest_json", reads)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("read", "value"), [(day, []), (day, 1), (minute, "7"), (minute, True), (minute, -1), (minute, 1441), (hours, [])]
)
def test_a_value_of_another_kind_is_malformed(read: Any, value: Any) -> None:
    """Single values are read strictly."""
    with pytest.raises(Malformed):
        read(value)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("710274-0022", "7102740022"),
        ("7102740022", "7102740022"),
        ("710274 0022", None),
        ("７１０２７４００２２", None),
    ],
)
def test_a_number_is_read_in_its_written_forms_only(text: str, digits: str | None) -> None:
    """Bare, with a hyphen, as a URN; nothing else."""
    assert cpr_digits(text) == digits


def test_sources_with_the_same_mapping_share_what_is_made_of_it() -> None:
    """A country's 300 sources have a handful of mappings; compiling each again took most of a node's start."""
    first = compile_reads("rest_json", {"B01": [READ]})

    assert compile_reads("rest_json", copy.deepcopy({"B01": [READ]})) is first


def test_a_mapping_that_differs_is_made_anew() -> None:
    """What is shared is shared by every word: another kind, or a mapping changed afterwards, is another."""
    reads = {"B01": [copy.deepcopy(READ)]}
    first = compile_reads("rest_json", reads)
    reads["B02"] = reads.pop("B01")

    assert [read.category for read in compile_reads("rest_json", reads)] == ["B02"]
    assert [read.category for read in first] == ["B01"]
