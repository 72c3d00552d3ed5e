"""Rules O1 to O9 as tables, each with its boundaries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.items import Item, ItemPerson, LawRef
from broker.domain.personal import Personal
from broker.view.finding import Finding
from broker.view.findings import findings
from broker.view.week import IsoWeek, upcoming
from broker.view.weeks import week_view
from tests.unit.view.annette import (
    FAMILY,
    LIMITS,
    MENTOR,
    MIN_PLAN,
    PRACTICE,
    SUPPORT,
    TODAY,
    VIKTOR,
    an_item,
    helper,
    on_day,
    weekly,
)

LAB = (LawRef("LAB", "§ 31 b"),)
SEL = (LawRef("SEL", "§ 85"),)


def found(*items: Item, rule: str, today: int = TODAY, **options: Any) -> list[Finding]:
    """List the findings of one rule over these items, for this week and the next four."""
    weeks = tuple(week_view(items, week, today) for week in upcoming(today))
    return [finding for finding in findings(items, weeks, today, **options) if rule in finding.rules]


def figures(*items: Item, week: IsoWeek, today: int = TODAY) -> tuple[int, ...]:
    """Give a week's five figures."""
    return tuple(week_view(items, week, today).overlap.figures.values())


W10 = IsoWeek(2019, 10)
HOUR = an_item(visits=weekly("08:00", "09:00", 1), from_day=20180101)
# Another visit beside a Monday 08-09, the week, and: total, union, excess, two, three.
OVERLAPS = [
    ("touching after", an_item(visits=weekly("09:00", "10:00", 1)), W10, (120, 120, 0, 0, 0)),
    ("touching before", an_item(visits=weekly("07:00", "08:00", 1)), W10, (120, 120, 0, 0, 0)),
    ("one minute", an_item(visits=weekly("08:59", "10:00", 1)), W10, (121, 120, 1, 1, 0)),
    ("another day", an_item(visits=weekly("08:00", "09:00", 2)), W10, (120, 120, 0, 0, 0)),
    ("one booked day", an_item("visit", visits=on_day("08:30", "09:30", 20190304)), W10, (120, 90, 30, 30, 0)),
    ("booked another week", an_item("visit", visits=on_day("08:30", "09:30", 20190311)), W10, (60, 60, 0, 0, 0)),
    ("begins the day after", an_item(from_day=20190305, visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    ("begins that day", an_item(from_day=20190304, visits=weekly("08:00", "09:00", 1)), W10, (120, 60, 60, 60, 0)),
    ("ends that day", an_item(to_day=20190304, visits=weekly("08:00", "09:00", 1)), W10, (120, 60, 60, 60, 0)),
    ("ended the day before", an_item(to_day=20190303, visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    ("cancelled", an_item(status="cancelled", visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    ("finished", an_item(status="finished", visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    (
        "no start yet",
        an_item(from_day=None, status="planned", visits=weekly("08:00", "09:00", 1)),
        W10,
        (60, 60, 0, 0, 0),
    ),
    (
        "start unknown",
        an_item(from_day=None, status="active", visits=weekly("08:00", "09:00", 1)),
        W10,
        (120, 60, 60, 60, 0),
    ),
    ("BPA by KLE", an_item(kle="27.39.20", visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    ("BPA by law", an_item(law=(LawRef("SEL", "§ 96"),), visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    ("BPA § 95, stk. 3", an_item(law=(LawRef("SEL", "§ 95, stk. 3"),), visits=HOUR.visits), W10, (60, 60, 0, 0, 0)),
    ("not § 96 of another act", an_item(law=(LawRef("LAB", "§ 96"),), visits=HOUR.visits), W10, (120, 60, 60, 60, 0)),
    ("sanctions", an_item(category="B04", visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    ("support at school", an_item(category="K03", visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    ("a meeting is O7's", an_item("meeting", visits=weekly("08:00", "09:00", 1)), W10, (60, 60, 0, 0, 0)),
    ("over midnight", an_item(visits=weekly("23:00", "01:00", 7)), W10, (180, 180, 0, 0, 0)),
    ("clocks go forward", an_item(visits=weekly("01:00", "04:00", 7)), IsoWeek(2019, 13), (240, 240, 0, 0, 0)),
    ("clocks go back", an_item(visits=weekly("01:00", "04:00", 7)), IsoWeek(2019, 43), (240, 240, 0, 0, 0)),
    (
        "new year, week 1",
        an_item(from_day=20181231, visits=weekly("08:00", "09:00", 1)),
        IsoWeek(2019, 1),
        (120, 60, 60, 60, 0),
    ),
]


@pytest.mark.parametrize("row", OVERLAPS, ids=lambda row: row[0])
def test_overlap_of_visits(row: tuple[Any, ...]) -> None:
    """O1: each case beside a helper who comes Mondays 8 to 9 gives these minutes."""
    _, other, week, expected = row

    assert figures(HOUR, other, week=week) == expected


def test_a_night_over_midnight_falls_in_both_weeks() -> None:
    """Sunday 23 to Monday 1: an hour belongs to each week, and overlaps there."""
    night = an_item(visits=weekly("23:00", "01:00", 7))
    early = an_item(visits=weekly("00:30", "02:00", 1))

    assert figures(night, early, week=W10) == (210, 180, 30, 30, 0)


def test_one_person_with_two_items_is_one_helper() -> None:
    """C29: the mentor who also gives § 85 support at the same hour does not overlap with herself."""
    mentor = replace(HOUR, people=helper("Mona Mentor Test"))
    support = an_item(source="social_centre", visits=HOUR.visits, people=helper("Mona Mentor Test"))

    assert figures(mentor, support, week=W10) == (60, 60, 0, 0, 0)


def test_five_helpers_count_as_three_or_more() -> None:
    """The sum grows with each helper; minutes with three or more stay minutes of the clock."""
    assert figures(HOUR, HOUR, HOUR, HOUR, HOUR, week=W10) == (300, 60, 240, 60, 60)


# Need, law and kind of another grant beside a LAB intervention for structure; the rules of the finding.
NEEDS = [
    ("same need, other act", an_item(need="struktur", law=SEL), ("O2", "O6")),
    ("same need, same act", an_item(need="struktur", law=LAB), ("O2",)),
    ("same need, no law told", an_item(need="struktur"), ("O2",)),
    ("shared act among two", an_item(need="struktur", law=SEL + LAB), ("O2",)),
    ("a benefit, other act", an_item("benefit", category="Y01", need="struktur", law=SEL), ("O6",)),
    ("a benefit, same act", an_item("benefit", category="Y01", need="struktur", law=LAB), None),
    ("another need", an_item(need="angst", law=SEL), None),
    ("no need", an_item(law=SEL), None),
    ("a goal", an_item("goal", need="struktur", law=SEL), None),
    ("BPA", an_item(need="struktur", law=SEL, kle="27.39.20"), None),
    ("over", an_item(need="struktur", law=SEL, to_day=20190303), None),
    ("last day today", an_item(need="struktur", law=SEL, to_day=TODAY), ("O2", "O6")),
    ("finished", an_item(need="struktur", law=SEL, status="finished"), None),
    ("begins after the other ends", an_item(need="struktur", law=SEL, from_day=20190701), None),
    ("begins the day the other ends", an_item(need="struktur", law=SEL, from_day=20190630), ("O2", "O6")),
    ("the child's own", an_item(need="struktur", law=SEL, subject=VIKTOR, category="K03"), None),
    ("help to the family", an_item(need="struktur", law=SEL, subject=VIKTOR, category="F01"), ("O2", "O6")),
]


@pytest.mark.parametrize("row", NEEDS, ids=lambda row: row[0])
def test_the_same_need_twice(row: tuple[Any, ...]) -> None:
    """O2 and O6: a pair is found where need, period and person agree, and is one finding whatever rules see it."""
    _, other, expected = row
    granted = an_item(need="struktur", law=LAB, to_day=20190630)

    seen = found(granted, other, rule="O2") or found(granted, other, rule="O6")

    assert [finding.rules for finding in seen] == ([expected] if expected else [])


def test_two_children_with_one_need_are_two_needs() -> None:
    """Help to two children of the family for the same need is not one need met twice."""
    one, other = (an_item(category="F01", subject=name, need="angst") for name in ("viktor", "sofie"))

    assert found(one, other, rule="O2") == []


def test_support_without_a_start_is_still_to_come() -> None:
    """A pair where one has no start yet is future, without a day."""
    [finding] = found(MENTOR, replace(SUPPORT, from_day=None), rule="O2")

    assert (finding.future, finding.from_day) == (True, None)


CONFLICTS = [
    ("standing, d415", ("staaende",), ("d415",), ("staaende", "d415")),
    (
        "standing and walking, both limits",
        ("gaaende", "staaende"),
        ("d450", "d415"),
        ("gaaende", "d450", "staaende", "d415"),
    ),
    ("walking, d415 only", ("gaaende",), ("d415",), None),
    ("lifting, d430", ("loefte",), ("d430",), ("loefte", "d430")),
    ("sitting, cannot stand", ("siddende",), ("d415", "d4154"), None),
    ("sitting, cannot sit", ("siddende",), ("d4153",), ("siddende", "d4153")),
    ("unknown words", ("svaevende",), ("d999",), None),
]


@pytest.mark.parametrize("row", CONFLICTS, ids=lambda row: row[0])
def test_demands_against_limitations(row: tuple[Any, ...]) -> None:
    """O3: a demand meets the ICF codes of its row, and no other."""
    _, demands, limits, expected = row

    seen = found(replace(PRACTICE, demands=demands), replace(LIMITS, limits=limits), rule="O3")

    assert [finding.codes for finding in seen] == ([expected] if expected else [])


def test_a_childs_limitation_does_not_limit_the_mother() -> None:
    """O3 compares one person's demands with the same person's limitations."""
    assert found(PRACTICE, replace(LIMITS, subject=VIKTOR), rule="O3") == []


def test_a_limitation_that_is_over_or_a_job_that_ended_conflicts_with_nothing() -> None:
    """O3 looks at today and later; the last common day still counts."""
    assert found(PRACTICE, replace(LIMITS, to_day=20190331), rule="O3") == []
    assert found(replace(PRACTICE, status="cancelled"), LIMITS, rule="O3") == []
    assert len(found(PRACTICE, replace(LIMITS, to_day=20190401), rule="O3")) == 1


def test_a_limitation_without_a_day_tells_none() -> None:
    """The day a limitation was told is a figure only where the source says it."""
    [finding] = found(PRACTICE, replace(LIMITS, from_day=None), rule="O3")

    assert finding.figures == {"conflicts": 1}


def assessment(from_day: int | None, to_day: int | None = None, status: str | None = None, **fields: str) -> Item:
    """Make an assessment of anxiety."""
    given = {"topic": "angst", "source": "social_centre", "category": "S03"} | fields
    return an_item("assessment", from_day=from_day, to_day=to_day, status=status, **given)


DONE = assessment(20180305, 20180310, "finished")
ASSESSMENTS = [
    ("365 days later", DONE, assessment(20190310, status="planned"), 365),
    ("366 days later", DONE, assessment(20190311, status="planned"), None),
    ("ordered today without a day", DONE, assessment(None, status="requested"), 359),
    ("both finished", DONE, assessment(20180601, 20180620, "finished"), None),
    ("both under way", assessment(20160101, status="active"), assessment(20190301, status="active"), 0),
    ("under way, overdue end", assessment(20160101, 20161231, "active"), assessment(20190301, status="planned"), 0),
    ("cancelled", DONE, assessment(20190301, status="cancelled"), None),
    ("no status, no end", DONE, assessment(20190301), 356),
    ("no status, ended", DONE, assessment(20180401, 20180501), None),
    ("no status, ends later", DONE, assessment(20180401, 20190401), 22),
    ("only an end is told", assessment(None, 20180310, "finished"), assessment(20190301, status="active"), 356),
    ("other topic", DONE, assessment(20190301, status="planned", topic="ryg"), None),
    ("one of two topics", DONE, assessment(20190301, status="planned", topic="ryg, angst"), 356),
    ("no topic", DONE, assessment(20190301, status="planned", topic=""), None),
    ("another person", DONE, assessment(20190301, status="planned", subject=VIKTOR), None),
]


@pytest.mark.parametrize("row", ASSESSMENTS, ids=lambda row: row[0])
def test_assessments_made_twice(row: tuple[Any, ...]) -> None:
    """O4: one topic within 365 days from the end of one to the start of the other, at least one not finished."""
    _, one, other, expected = row

    for pair in ((one, other), (other, one)):
        seen = found(*pair, rule="O4")
        assert [finding.figures["days_between"] for finding in seen] == ([] if expected is None else [expected])
        assert all(finding.codes == ("angst",) for finding in seen)


def statement(from_day: int | None, status: str | None = None, topic: str | None = "hofte") -> Item:
    """Make a medical statement, known by its metadata."""
    return an_item("statement", "health", "H04", from_day=from_day, status=status, topic=topic)


STATEMENTS = [
    ("180 days apart", statement(20180905), statement(20190304), 2),
    ("181 days apart", statement(20180904), statement(20190304), None),
    ("asked for, 180 days after", statement(20180905), statement(None, "requested"), 2),
    ("asked for, 181 days after", statement(20180904), statement(None, "requested"), None),
    ("planned later", statement(20190201), statement(20190601, "planned"), 2),
    ("a later day without status", statement(20190201), statement(20190601), 2),
    ("both long ago", statement(20170101), statement(20170201), None),
    ("later one 180 days old", statement(20180801), statement(20180905), 2),
    ("later one 181 days old", statement(20180801), statement(20180904), None),
    ("other topic", statement(20190201), statement(20190301, topic="angst"), None),
    ("no topic", statement(20190201, topic=None), statement(20190301, topic=None), None),
    ("cancelled", statement(20190201), statement(20190301, "cancelled"), None),
]


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: row[0])
def test_medical_statements_made_twice(row: tuple[Any, ...]) -> None:
    """O5: overlapping topic within 180 days, while something can still be done about it."""
    _, one, other, expected = row

    for pair in ((one, other), (other, one)):
        seen = found(*pair, rule="O5")
        assert [finding.figures["statements"] for finding in seen] == ([] if expected is None else [expected])


def test_three_statements_are_one_list() -> None:
    """C33: LÆ 285 in January, LÆ 145 in February and a planned LÆ 125 are one warning before it is ordered."""
    three = statement(20190110), statement(20190201), statement(None, "planned")

    [finding] = found(*three, rule="O5")

    assert finding.items == (0, 1, 2)
    assert finding.figures == {"statements": 3, "requested": 1, "first_day": 20190110, "last_day": TODAY}


def meeting(start: str, end: str, day: int) -> Item:
    """Make a meeting on one day."""
    return an_item("meeting", category="B02", from_day=day, to_day=day, visits=on_day(start, end, day))


FOUR = tuple(meeting("10:00", "11:00", day) for day in (20190304, 20190305, 20190306, 20190307))


def test_more_meetings_than_the_limit() -> None:
    """O7: three a week is not too many, four is; the limit may be set."""
    [finding] = found(*FOUR, rule="O7")

    assert found(*FOUR[:3], rule="O7") == []
    assert (finding.figures, finding.weeks) == ({"meetings": 4, "collisions": 0, "most": 3}, ("2019-W10",))
    assert found(*FOUR, rule="O7", meetings_a_week=4) == []


def test_meetings_known_by_day_only_are_counted() -> None:
    """O7: a meeting without a time counts in its week, unless it is cancelled or lasts for longer than a day."""
    bare = an_item("meeting", category="B02", from_day=20190308)

    assert len(found(*FOUR[:3], bare, rule="O7")) == 1
    assert found(*FOUR[:3], replace(bare, status="cancelled"), rule="O7") == []
    assert found(*FOUR[:3], replace(bare, to_day=20190408), rule="O7") == []
    assert found(*FOUR[:3], replace(bare, from_day=20190311), rule="O7") == []


def test_colliding_meetings() -> None:
    """O7: two meetings at once are found; two that touch are not."""
    first = meeting("10:00", "11:00", 20190312)

    [finding] = found(first, meeting("10:30", "11:30", 20190312), rule="O7")

    assert (finding.figures["collisions"], finding.weeks, finding.future) == (1, ("2019-W11",), True)
    assert [(one.start_minute, one.end_minute) for one in finding.stretches] == [(630, 660)]
    assert found(first, meeting("11:00", "12:00", 20190312), rule="O7") == []


def test_a_meeting_at_school_collides_like_any_other() -> None:
    """A child's support at school is not at home, but a meeting there takes the parent's time."""
    at_school = an_item("meeting", "school", "K02", visits=on_day("10:00", "11:00", 20190312))

    assert len(found(at_school, meeting("10:30", "11:30", 20190312), rule="O7")) == 1


SECOND_PLAN = an_item("plan", "social_centre", "S02", from_day=20190415, to_day=20190630, plan_type="handleplan_voksen")
PLANS = [
    ("one ends the day before the other begins", replace(MIN_PLAN, to_day=20190414), None),
    ("one ends the day the other begins", replace(MIN_PLAN, to_day=20190415), 20190415),
    ("finished", replace(MIN_PLAN, status="finished"), None),
    ("a goal is no plan", replace(MIN_PLAN, kind="goal"), None),
    ("without an end", MIN_PLAN, 20190415),
]


@pytest.mark.parametrize("row", PLANS, ids=lambda row: row[0])
def test_many_plans(row: tuple[Any, ...]) -> None:
    """O8: two plans in force on one day are found, from that day."""
    _, plan, expected = row

    seen = found(plan, SECOND_PLAN, rule="O8")

    assert [finding.from_day for finding in seen] == ([] if expected is None else [expected])


def contact(name: str | None, role: str = "contact", **fields: Any) -> Item:
    """Make a contact person of a department."""
    who = ItemPerson(role, None if name is None else Personal(name))
    return an_item("contact", category="P03", people=(who,), **fields)


CONTACTS = [
    ("two", (contact("A"), contact("B")), None),
    ("three", (contact("A"), contact("B"), contact("C")), 3),
    ("one of them twice", (contact("A"), contact("B"), contact("B", role="helper")), None),
    ("two unnamed", (contact("A"), contact(None), contact(None)), 3),
    ("one is the coordinator", (contact("A"), contact("B"), contact("C", role="coordinator")), None),
    ("one is the child", (contact("A"), contact("B"), contact("C", role="child")), None),
    ("one has gone", (contact("A"), contact("B"), contact("C", to_day=20190303)), None),
    ("one is BPA", (contact("A"), contact("B"), contact("C", kle="27.39.20")), None),
    ("helpers who come unnamed", (replace(MENTOR, people=()), replace(FAMILY, people=()), contact("A")), 3),
]


@pytest.mark.parametrize("row", CONTACTS, ids=lambda row: row[0])
def test_many_contacts(row: tuple[Any, ...]) -> None:
    """O9: three people and no coordinator are found; one person with two roles is one."""
    _, items, expected = row

    seen = found(*items, rule="O9")

    assert [finding.figures["people"] for finding in seen] == ([] if expected is None else [expected])
    assert found(*items, rule="O9", coordinator_present=True) == []
