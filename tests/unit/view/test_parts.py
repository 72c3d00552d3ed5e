"""The parts of the view beside the findings: weeks, plans, people, gaps, areas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.items import Item, ItemPerson, Silent
from broker.domain.personal import Personal
from broker.view.gaps import Gap
from broker.view.people import people
from broker.view.plans import replacing_trial
from broker.view.week import IsoWeek, Presence, presences, upcoming
from broker.view.whole_person import areas_at_work, whole_person
from tests.unit.view.annette import (
    FAMILY,
    HANDLEPLAN,
    LIMITS,
    MENTOR,
    MIN_PLAN,
    SUPPORT,
    TODAY,
    VIKTOR,
    a_directory,
    a_trial,
    an_item,
    helper,
    weekly,
)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (20181230, "2018-W52"),
        (20181231, "2019-W01"),
        (20190304, "2019-W10"),
        (20210103, "2020-W53"),
        (20210104, "2021-W01"),
    ],
)
def test_a_day_falls_in_its_iso_week(day: int, name: str) -> None:
    """ISO 8601: the week of a day may belong to another year; its name reads back."""
    assert str(IsoWeek.of(day)) == name
    assert IsoWeek.read(name) == IsoWeek.of(day)


@pytest.mark.parametrize("name", ["2019-W53", "2019-W00", "2019-11", "2019-W1", "0000-W01", "9999-W52", "", "٢٠١٩-W11"])
def test_what_is_no_week_is_refused(name: str) -> None:
    """A week that does not exist, or is written otherwise, is an error that echoes nothing."""
    with pytest.raises(ValueError, match=r"^a week is written YYYY-Www$"):
        IsoWeek.read(name)


def test_weeks_go_on_over_new_year() -> None:
    """The weeks after 2020-W53 are those of 2021."""
    assert [str(week) for week in upcoming(20201230, 3)] == ["2020-W53", "2021-W01", "2021-W02"]


def test_a_visit_over_midnight_is_cut_there() -> None:
    """A picture of the week can draw each part on its own day; Sunday's part goes on in the next week."""
    night = an_item(visits=weekly("23:00", "01:00", 7))

    parts = presences((night,), frozenset({"intervention"}), IsoWeek(2019, 10), TODAY)

    assert parts == (Presence(0, 1, 0, 60), Presence(0, 7, 1380, 1440))


def test_what_is_shown_but_not_weighed_is_marked() -> None:
    """BPA stays in the picture of the week, marked as not counted, and on the list of people as outside the trial."""
    bpa = replace(MENTOR, kle="27.39.20")
    view = whole_person((bpa, SUPPORT, FAMILY), (), a_directory(), TODAY)

    assert {(visit.item, visit.counted) for visit in view.weeks[0].visits} == {(0, False), (2, True)}
    assert [row.supports[0].outside_trial for row in view.people] == [True, False, False]


TRIALS = [
    ("inside", MIN_PLAN, a_trial(), TODAY, "en_handleplan"),
    ("first day", MIN_PLAN, a_trial(), 20180101, "en_handleplan"),
    ("day before", MIN_PLAN, a_trial(), 20171231, None),
    ("last day", MIN_PLAN, a_trial(), 20191231, "en_handleplan"),
    ("day after", MIN_PLAN, a_trial(), 20200101, None),
    ("another municipality's trial", MIN_PLAN, a_trial(municipality="norrestrand"), TODAY, None),
    ("not among its plans", MIN_PLAN, a_trial(replaces=frozenset({"handleplan_voksen"})), TODAY, None),
    ("a source not registered", replace(MIN_PLAN, source="elsewhere"), a_trial(), TODAY, None),
    ("type unknown", replace(MIN_PLAN, plan_type=None), a_trial(), TODAY, None),
    ("never the preparing part", replace(MIN_PLAN, plan_type="rehab_forberedende_del"), a_trial(), TODAY, None),
]


@pytest.mark.parametrize("row", TRIALS, ids=lambda row: row[0])
def test_a_plan_may_be_replaced_under_its_own_trial_only(row: tuple[Any, ...]) -> None:
    """C08, C22, C23: municipality, days and plan type must agree; the preparing part is never replaced."""
    _, plan, trial, today, expected = row

    assert replacing_trial(plan, a_directory(trial), today) == expected


def test_plans_tell_their_owner_law_and_next_follow_up() -> None:
    """C21: each plan in force or to come stands with law, unit and follow-up; one that is over does not."""
    later = replace(HANDLEPLAN, from_day=20190401)
    over = replace(HANDLEPLAN, to_day=20190303)

    now, coming = whole_person((MIN_PLAN, later, over), (), a_directory(), TODAY).plans

    assert (now.item, now.law, now.unit, now.next_follow_up, now.future) == (
        0,
        MIN_PLAN.law,
        "jobcentre-unit",
        20190318,
        False,
    )
    assert (coming.item, coming.from_day, coming.future, coming.replaceable) == (1, 20190401, True, False)


def test_a_shared_provider_stands_once_with_two_decisions() -> None:
    """C29: one employee who is mentor and gives § 85 support is one row with two laws and two decisions."""
    support = replace(SUPPORT, people=helper("Mona Mentor Test"))

    [row] = people((MENTOR, support), TODAY)

    assert [one.decision for one in row.supports] == [MENTOR.decision, SUPPORT.decision]
    assert [one.law for one in row.supports] == [MENTOR.law, SUPPORT.law]
    assert [(one.from_day, one.future) for one in row.supports] == [(20181105, False), (20190311, True)]


def test_who_helps_is_told_and_who_is_helped_is_not() -> None:
    """C16: the child is no helper; a masked helper keeps the label; visits without a name still have somebody."""
    masked = replace(SUPPORT, people=(ItemPerson("helper", label="medarbejder"),))
    unnamed = replace(MENTOR, people=())

    rows = people((FAMILY, masked, unnamed), TODAY)

    assert [(row.role, row.name, row.label) for row in rows] == [
        ("helper", Personal("Torben Støtte Test"), None),
        ("helper", None, "medarbejder"),
        ("helper", None, None),
    ]
    assert all(row.comes for row in rows)


def test_a_phone_number_is_found_where_any_item_has_it() -> None:
    """A person named twice keeps the phone number that one of the sources tells."""
    with_phone = ItemPerson("helper", Personal("Mona Mentor Test"), Personal("43 00 00 11"))

    [row] = people((MENTOR, replace(SUPPORT, people=(with_phone,))), TODAY)

    assert row.phone == Personal("43 00 00 11")


def test_a_silent_source_is_a_gap_and_is_named_with_the_findings() -> None:
    """C47, 6b m: who did not answer stands among the gaps, and the findings say that they were made without it."""
    silent = (Silent("school", "timeout"), Silent("health", "refused"))

    view = whole_person((MENTOR, SUPPORT), silent, a_directory(), TODAY)

    assert view.gaps == (
        Gap("source_silent", source="health", why="refused"),
        Gap("source_silent", source="school", why="timeout"),
    )
    assert view.computed_without == ("health", "school")


@pytest.mark.parametrize(
    "items",
    [
        (SUPPORT, FAMILY),
        (SUPPORT, FAMILY, replace(MENTOR, to_day=20190303)),
        (SUPPORT, FAMILY, replace(MENTOR, category="B04")),
    ],
    ids=["no item", "one that is over", "sanctions only"],
)
def test_work_is_spoken_of_even_when_there_is_none(items: tuple[Item, ...]) -> None:
    """C25: a view without a current effort towards a job says so."""
    view = whole_person(items, (), a_directory(), TODAY)

    assert view.employment == ()
    assert view.gaps == (Gap("no_employment", area="employment"),)


AREAS = [
    ("nothing", (), ()),
    ("one area", (MENTOR, MIN_PLAN), ("employment",)),
    ("benefits are no area", (MENTOR, an_item("benefit", category="Y01")), ("employment",)),
    ("contacts are no area", (MENTOR, an_item("contact", category="P03")), ("employment",)),
    ("BPA is no area", (MENTOR, replace(SUPPORT, kle="27.39.20")), ("employment",)),
    (
        "one that is over",
        (MENTOR, replace(SUPPORT, to_day=20190310, from_day=20180101, status="finished")),
        ("employment",),
    ),
    ("one to come", (MENTOR, SUPPORT), ("employment", "social")),
    ("a limitation", (MENTOR, LIMITS), ("employment", "health")),
    ("absence", (MENTOR, an_item("absence", category="K01", subject=VIKTOR)), ("employment",)),
    ("fresh statement", (MENTOR, an_item("statement", category="H04", from_day=20180905)), ("employment", "health")),
    ("old statement", (MENTOR, an_item("statement", category="H04", from_day=20180904)), ("employment",)),
    (
        "fresh assessment",
        (MENTOR, an_item("assessment", category="S03", to_day=20180304, status="finished")),
        ("employment", "social"),
    ),
    (
        "old assessment",
        (MENTOR, an_item("assessment", category="S03", to_day=20180303, status="finished")),
        ("employment",),
    ),
    ("cancelled", (MENTOR, replace(SUPPORT, status="cancelled")), ("employment",)),
]


@pytest.mark.parametrize("row", AREAS, ids=lambda row: row[0])
def test_areas_at_work(row: tuple[Any, ...]) -> None:
    """C12: an area counts when the asker sees it at work now, or something of it that is still fresh."""
    _, items, expected = row

    assert areas_at_work(items, TODAY) == expected


def test_one_area_is_reduced() -> None:
    """C12: with one area there are plans and people, but no weeks and no findings."""
    view = whole_person((MENTOR, MIN_PLAN, replace(MENTOR, people=())), (), a_directory(), TODAY)

    assert (view.reduced, view.weeks, view.findings) == (True, (), ())
    assert len(view.plans) == 1
    assert len(view.people) == 2


def test_weeks_may_be_chosen() -> None:
    """The asker may name the weeks; the view holds those."""
    weeks = (IsoWeek(2019, 11),)

    view = whole_person((MENTOR, SUPPORT), (), a_directory(), TODAY, weeks=weeks)

    assert [shown.week for shown in view.weeks] == list(weeks)


def test_nothing_personal_is_in_a_repr() -> None:
    """The view and its parts show neither names nor times when printed."""
    item: Item = MENTOR
    view = whole_person((item, SUPPORT, FAMILY, MIN_PLAN), (), a_directory(), TODAY)

    printed = repr((view, view.people, view.people[0].supports, view.plans, view.weeks, view.findings))

    assert not any(word in printed for word in ("Mona", "SO-771", "struktur", "450"))
