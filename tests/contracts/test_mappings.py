"""The shipped mappings turn scenario 1's own records into the items that the view's figures rest on (domain.md 6)."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from broker.domain.items import Item, LawRef, Visit
from broker.domain.personal import Personal
from broker.view.codes import DEMANDS as VIEWED_DEMANDS
from broker.view.phrases import PLANS
from connectors import Dropped, Limits, build
from connectors.codes import DEMANDS, PLAN_TYPES
from tests.fakes.systems import RECORDS, reads_of, running, settings_for

ANNETTE, VIKTOR = Personal("7102740022"), Personal("8009064011")
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)
KINDS = {
    "jobcentre": "rest_json",
    "social_centre": "sql_view",
    "family_centre": "odata",
    "health": "fhir",
    "school": "rest_json",
}
WORKDAYS = (1, 2, 3, 4, 5)
Told = tuple[dict[str, Item], list[Dropped]]


@pytest.fixture(scope="module")
def told() -> Told:
    """Read every category of every system about mother and son, over real processes."""
    items: dict[str, Item] = {}
    dropped: list[Dropped] = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="borgerbro-cluster-"))
        addresses = {
            name: stack.enter_context(
                running(name, RECORDS[name], *(("--folder", folder) if kind == "sql_view" else ()))
            ).address
            for name, kind in KINDS.items()
        }
        asyncio.run(_read_all(addresses, items, dropped))
    return items, dropped


async def _read_all(addresses: dict[str, str], items: dict[str, Item], dropped: list[Dropped]) -> None:
    for name, kind in KINDS.items():
        settings, secrets = settings_for(name, addresses[name])
        source = build(kind, name, settings, reads_of(name), secrets, Limits(), now=lambda: NOW, report=dropped.append)
        async with source:
            for subject, handle in ((ANNETTE, "annette"), (VIKTOR, "viktor")):
                items |= {item.id.disclose(): item for item in await source.read(subject, handle, source.categories)}


@pytest.fixture
def items(told: Told) -> dict[str, Item]:
    """The items by their source's own id."""
    return told[0]


def names(item: Item) -> list[tuple[str, str | None]]:
    """Lay open whom an item names."""
    return [(person.role, person.name.disclose() if person.name else None) for person in item.people]


def weekly(start: int, end: int, *weekdays: int) -> tuple[Visit, ...]:
    """Write weekly visits."""
    return tuple(Visit(start, end, weekday=one) for one in weekdays)


def test_nothing_of_the_scenario_is_lost(told: Told) -> None:
    """Every record fits its mapping: nothing is dropped, nothing left out."""
    items, dropped = told
    assert dropped == []
    assert {"J1", "J2", "J3", "S1", "S2", "S3", "S4", "F1", "F2", "F3", "H1", "H2", "K1"} <= set(items)


@pytest.mark.parametrize(
    ("id", "category", "kind", "subject"),
    [
        ("J1", "B03", "intervention", "annette"),
        ("J2", "B03", "intervention", "annette"),
        ("J3", "B01", "plan", "annette"),
        ("S1", "S01", "intervention", "annette"),
        ("S2", "S02", "plan", "annette"),
        ("S3", "S04", "assessment", "annette"),
        ("S4", "S03", "assessment", "annette"),
        ("F1", "F01", "intervention", "viktor"),
        ("F2", "F02", "plan", "viktor"),
        ("F3", "F04", "assessment", "viktor"),
        ("H1", "H01", "limitation", "annette"),
        ("H2", "H02", "assessment", "annette"),
        ("H-LAE125", "H04", "statement", "annette"),
        ("K1", "K01", "absence", "viktor"),
    ],
)
def test_each_record_has_its_place(items: dict[str, Item], id: str, category: str, kind: str, subject: str) -> None:  # noqa: A002
    """Category, kind and subject are those of the scenario."""
    assert (items[id].category, items[id].kind, items[id].subject) == (category, kind, subject)


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        (
            "J1",
            {
                "kle": "15.20.36",
                "need": "struktur",
                "visits": weekly(450, 510, 1, 3),
                "from_day": 20181105,
                "status": "active",
                "law": (LawRef("LAB", "§ 31 b"),),
                "decision": Personal("JC-AFG-301"),
                "hours_per_week": 2.0,
            },
        ),
        (
            "J2",
            {
                "kle": "15.20.04",
                "demands": ("staaende",),
                "hours_per_week": 25.0,
                "from_day": 20190401,
                "to_day": 20190628,
                "status": "planned",
                "people": (),
            },
        ),
        ("J3", {"plan_type": "min_plan", "next_follow_up": 20190318, "title": Personal("Min plan")}),
        (
            "S1",
            {
                "kle": "27.36.12",
                "need": "struktur",
                "visits": weekly(435, 480, *WORKDAYS),
                "from_day": 20190311,
                "decision": Personal("SO-771"),
                "law": (LawRef("SEL", "§ 85"),),
                "status": "active",
            },
        ),
        (
            "S2",
            {
                "plan_type": "handleplan_voksen",
                "text": Personal("komme ud ad døren om morgenen"),
                "next_follow_up": 20190615,
                "law": (LawRef("SEL", "§ 141"),),
            },
        ),
        ("S4", {"topic": "morgenrutiner,angst", "from_day": 20181203, "to_day": 20181220, "status": "finished"}),
        (
            "F1",
            {
                "kle": "27.27.06",
                "need": "komme_ud",
                "visits": weekly(420, 480, *WORKDAYS),
                "decision": Personal("FC-AFG-51"),
                "unit": "Familiecenter Korsbæk",
            },
        ),
        ("F2", {"plan_type": "handleplan_barn"}),
        ("H1", {"limits": ("d415", "d450"), "from_day": 20190227, "to_day": None, "need": None}),
        ("H-LAE125", {"topic": "bevaegelse", "from_day": 20190227, "status": "finished"}),
        ("K1", {"title": Personal("Fravær 18 %"), "kle": "17.00.00", "from_day": 20181201, "to_day": 20190228}),
    ],
)
def test_each_record_says_what_the_scenario_says(items: dict[str, Item], id: str, expected: dict[str, Any]) -> None:  # noqa: A002
    """Days, visits, needs, demands, limits, laws, decisions and plans come out exactly."""
    assert {name: getattr(items[id], name) for name in expected} == expected


def test_who_helps_is_named_by_role(items: dict[str, Item]) -> None:
    """Helpers, the coordinator and the child are told apart; a work place is nobody's helper."""
    assert names(items["J1"]) == [("helper", "Mona Mentor Test")]
    assert names(items["J3"]) == [("coordinator", "Lene Krogh")]
    assert names(items["S1"]) == [("helper", "Hanne Vejleder Test")]
    assert names(items["F1"]) == [("helper", "Torben Støtte Test"), ("child", "Viktor Holm Test")]


def test_connectors_and_view_know_the_same_codes() -> None:
    """A demand or plan type that a mapping may give is one that the view can weigh and name."""
    assert set(VIEWED_DEMANDS) == DEMANDS
    assert set(PLANS) == PLAN_TYPES
