"""Builders for view tests: small items, and Annette's items of scenario 1 as the road gives them to Lene."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from broker.domain.directory import Directory, SourceEntry, Trial
from broker.domain.items import Item, ItemPerson, LawRef, Visit
from broker.domain.personal import Personal

TODAY = 20190304
ANNETTE = "annette"
VIKTOR = "viktor"


def an_item(kind: str = "intervention", source: str = "jobcentre", category: str = "B03", **fields: Any) -> Item:
    """Make an item about Annette; tests name only what matters to them."""
    given: dict[str, Any] = {
        "source": source,
        "category": category,
        "subject": ANNETTE,
        "kind": kind,
        "id": Personal("X1"),
        "fetched_at": datetime(2019, 3, 4, 9, tzinfo=UTC),
        "unit": f"{source}-unit",
        "from_day": 20190101,
    }
    return Item(**(given | fields))


def weekly(start: str, end: str, *weekdays: int) -> tuple[Visit, ...]:
    """Lay out weekly visits from clock times such as `07:30`."""
    return tuple(Visit(minutes(start), minutes(end), weekday=weekday) for weekday in weekdays)


def on_day(start: str, end: str, day: int) -> tuple[Visit, ...]:
    """Lay out one visit on one day."""
    return (Visit(minutes(start), minutes(end), day=day),)


def minutes(clock: str) -> int:
    """Read `07:30` as minutes after midnight."""
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def helper(name: str, role: str = "helper") -> tuple[ItemPerson, ...]:
    """Name one person of an item."""
    return (ItemPerson(role, Personal(name)),)


MENTOR = an_item(
    id=Personal("J1"),
    from_day=20181105,
    need="struktur",
    law=(LawRef("LAB", "§ 31 b"),),
    kle="15.20.36",
    decision=Personal("JC-AFG-301"),
    visits=weekly("07:30", "08:30", 1, 3),
    people=helper("Mona Mentor Test"),
    status="active",
)
PRACTICE = an_item(
    id=Personal("J2"),
    from_day=20190401,
    to_day=20190628,
    need="job",
    demands=("staaende",),
    law=(LawRef("LAB", "§ 42"),),
    kle="15.20.04",
    decision=Personal("JC-AFG-322"),
    status="planned",
    hours_per_week=25.0,
)
MIN_PLAN = an_item(
    "plan",
    category="B01",
    id=Personal("J3"),
    from_day=20181101,
    law=(LawRef("LAB", "§ 27"),),
    plan_type="min_plan",
    next_follow_up=20190318,
    status="active",
)
SUPPORT = an_item(
    source="social_centre",
    category="S01",
    id=Personal("S1"),
    from_day=20190311,
    need="struktur",
    law=(LawRef("SEL", "§ 85"),),
    kle="27.36.12",
    decision=Personal("SO-771"),
    visits=weekly("07:15", "08:00", 1, 2, 3, 4, 5),
    people=helper("Hanne Vejleder Test"),
    status="planned",
)
HANDLEPLAN = an_item(
    "plan",
    "social_centre",
    "S02",
    id=Personal("S2"),
    from_day=20190115,
    law=(LawRef("SEL", "§ 141"),),
    plan_type="handleplan_voksen",
    next_follow_up=20190615,
    status="active",
)
FAMILY = an_item(
    source="family_centre",
    category="F01",
    subject=VIKTOR,
    id=Personal("F1"),
    from_day=20180813,
    need="komme_ud",
    law=(LawRef("SEL", "§ 52, stk. 3, nr. 2"),),
    kle="27.27.06",
    decision=Personal("FC-AFG-51"),
    visits=weekly("07:00", "08:00", 1, 2, 3, 4, 5),
    people=(*helper("Torben Støtte Test"), ItemPerson("child", label="barn i hjemmet")),
    status="active",
)
LIMITS = an_item(
    "limitation", "health", "H01", id=Personal("H1"), from_day=20190227, limits=("d415", "d450"), status="active"
)
SCENARIO_1 = (MENTOR, PRACTICE, MIN_PLAN, SUPPORT, HANDLEPLAN, FAMILY, LIMITS)


def a_directory(*trials: Trial) -> Directory:
    """Make a directory that knows Korsbæk's sources and these trials, and nothing else."""
    sources = {
        name: SourceEntry(name, f"{name}-unit", "korsbaek", "rest_json", frozenset(), name, name)
        for name in ("jobcentre", "social_centre", "family_centre", "health")
    }
    return Directory("1", {}, {}, sources, {}, {}, {}, {}, {trial.id: trial for trial in trials})


def a_trial(**fields: Any) -> Trial:
    """Make Korsbæk's trial "En handleplan", 2018 and 2019."""
    given: dict[str, Any] = {
        "id": "en_handleplan",
        "network": "en_plan",
        "municipality": "korsbaek",
        "kind": "en_handleplan",
        "from_day": 20180101,
        "to_day": 20191231,
        "replaces": frozenset({"min_plan", "handleplan_voksen", "rehab_forberedende_del"}),
    }
    return Trial(**(given | fields))
