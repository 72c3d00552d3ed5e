"""Annette's view, figure by figure (`domain.md` 6, scenario 1)."""

from __future__ import annotations

from typing import Any

import pytest

from broker.domain.items import Item
from broker.view.finding import Finding
from broker.view.week import IsoWeek
from broker.view.whole_person import View, whole_person
from tests.unit.view.annette import (
    FAMILY,
    HANDLEPLAN,
    LIMITS,
    MENTOR,
    MIN_PLAN,
    PRACTICE,
    SCENARIO_1,
    SUPPORT,
    TODAY,
    VIKTOR,
    a_directory,
    a_trial,
    an_item,
)

WEEK_10 = IsoWeek(2019, 10)
WEEK_11 = IsoWeek(2019, 11)
# Items, week, and: total, union, excess, two or more, three or more.
FIGURES = [
    ("all, week 11", SCENARIO_1, WEEK_11, (645, 360, 285, 225, 60)),
    ("all, week 10", SCENARIO_1, WEEK_10, (420, 360, 60, 60, 0)),
    ("without F1", tuple(item for item in SCENARIO_1 if item is not FAMILY), WEEK_11, (345, 285, 60, 60, 0)),
    ("without the mentor", tuple(item for item in SCENARIO_1 if item is not MENTOR), WEEK_11, (525, 300, 225, 225, 0)),
]


def view_of(items: tuple[Item, ...] = SCENARIO_1) -> View:
    """Make Lene's view: she coordinates."""
    return whole_person(items, (), a_directory(), TODAY, coordinator_present=True)


def one(view: View, rule: str) -> Finding:
    """Give the only finding of a rule."""
    [finding] = [finding for finding in view.findings if rule in finding.rules]
    return finding


@pytest.mark.parametrize("row", FIGURES, ids=lambda row: row[0])
def test_the_figures_of_a_week_are_those_of_the_scenario(row: tuple[Any, ...]) -> None:
    """Each row of the scenario's table of overlap comes out to the minute."""
    _, items, week, expected = row

    [found] = [shown for shown in view_of(items).weeks if shown.week == week]

    assert tuple(found.overlap.figures.values()) == expected


def test_this_week_and_the_next_four_are_shown() -> None:
    """Without a choice of weeks, the view has five, from the week of today."""
    assert [str(shown.week) for shown in view_of().weeks] == [f"2019-W{number}" for number in (10, 11, 12, 13, 14)]


def test_three_helpers_are_told_with_weekdays_and_times() -> None:
    """The stretch with three helpers is Monday and Wednesday 7.30 to 8.00, with the items behind it."""
    later = [finding for finding in view_of().findings if finding.rules == ("O1",)][1]

    three = [stretch for stretch in later.stretches if stretch.helpers == 3]

    assert [(stretch.weekday, stretch.start_minute, stretch.end_minute) for stretch in three] == [
        (1, 450, 480),
        (3, 450, 480),
    ]
    assert {stretch.items for stretch in three} == {(0, 3, 5)}


def test_an_overlap_to_come_is_future_from_the_day_the_support_starts() -> None:
    """Week 10 is now; weeks 11 to 14 look alike and are one finding, from 11 March (C17)."""
    now, later = [finding for finding in view_of().findings if finding.rules == ("O1",)]

    assert (now.weeks, now.future, now.from_day) == (("2019-W10",), False, 20190304)
    assert (later.weeks[0], later.weeks[-1], later.future, later.from_day) == ("2019-W11", "2019-W14", True, 20190311)
    assert later.figures["excess_minutes"] == 285


def test_mentor_and_support_are_one_finding_that_names_both_decisions() -> None:
    """The same need under LAB and SEL is one finding of O2 and O6, with two decisions kept apart (C15, C29)."""
    finding = one(view_of(), "O2")

    assert finding.rules == ("O2", "O6")
    assert finding.items == (0, 3)
    assert finding.decisions == (MENTOR.decision, SUPPORT.decision)
    assert finding.acts == ("LAB", "SEL")
    assert finding.sources == ("jobcentre", "social_centre")
    assert (finding.codes, finding.future, finding.from_day) == (("struktur",), True, 20190311)


def test_standing_work_conflicts_with_the_limitation() -> None:
    """J2 demands standing work, H1 says no long standing; the day it was told is there, the diagnosis is not (C18)."""
    finding = one(view_of(), "O3")

    assert finding.items == (1, 6)
    assert finding.codes == ("staaende", "d415")
    assert finding.figures == {"conflicts": 1, "limitation_day": 20190227}
    assert (finding.future, finding.from_day) == (True, 20190401)


def test_two_plans_are_seen_and_not_three() -> None:
    """Min plan and the § 141 plan are counted; the withheld plan of the child is not (C21)."""
    finding = one(view_of(), "O8")

    assert finding.figures == {"plans": 2}
    assert finding.codes == ("handleplan_voksen", "min_plan")


def test_annette_herself_sees_three_plans() -> None:
    """With the child's plan among the items, as on her own page, three are counted."""
    child = an_item("plan", "family_centre", "F02", subject=VIKTOR, plan_type="handleplan_barn", status="active")

    assert one(view_of((*SCENARIO_1, child)), "O8").figures == {"plans": 3}


def test_a_coordinator_is_enough() -> None:
    """Three helpers and a coordinator make no O9; without her they do, from the day the third begins."""
    without = whole_person(SCENARIO_1, (), a_directory(), TODAY)

    assert not [finding for finding in view_of().findings if finding.rules == ("O9",)]
    assert (one(without, "O9").figures["people"], one(without, "O9").from_day) == (3, 20190311)


def test_no_other_finding_is_made() -> None:
    """The scenario gives O1 twice (now and later), O2 with O6, O3 and O8, and nothing else."""
    assert [finding.rules for finding in view_of().findings] == [("O1",), ("O1",), ("O2", "O6"), ("O3",), ("O8",)]


def test_plans_may_be_replaced_inside_the_trial_only() -> None:
    """S1c: Min plan and the § 141 plan are marked on a trial day, and on no day outside (C22)."""
    items = (MIN_PLAN, HANDLEPLAN)
    inside = whole_person(items, (), a_directory(a_trial()), TODAY)
    after = whole_person(items, (), a_directory(a_trial()), 20200101)

    assert [(plan.replaceable, plan.trial) for plan in inside.plans] == [(True, "en_handleplan")] * 2
    assert [(plan.replaceable, plan.trial) for plan in after.plans] == [(False, None)] * 2


def test_the_view_is_whole() -> None:
    """Four areas are at work, so nothing is reduced, and work has its section without a gap."""
    view = view_of()

    assert view.areas == ("employment", "family", "health", "social")
    assert (view.reduced, view.employment, view.gaps, view.computed_without) == (False, (0, 1, 2), (), ())
    assert [person.supports[0].item for person in view.people if person.comes] == [0, 3, 5]
    assert LIMITS in SCENARIO_1
    assert PRACTICE in SCENARIO_1
