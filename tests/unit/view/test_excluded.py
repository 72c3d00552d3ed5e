"""What stands outside (C23, C40), whom a trial exempts (C27), where a trial holds (C08, C09): by hand, day by day."""

from __future__ import annotations

import pytest

from broker.domain.items import LawRef
from broker.view.excluded import Excluded, excluded
from broker.view.plans import is_exempt, replacing_trial
from tests.unit.view.annette import HANDLEPLAN, SCENARIO_1, a_directory, a_trial, an_item

FLEXIBLE = {"kind": "processuel_fleksibilitet", "replaces": frozenset()}


def test_what_is_left_out_is_named() -> None:
    """The preparing part of the rehabilitation plan and BPA are shown, each with why; nothing else is."""
    part = an_item("plan", category="B01", plan_type="rehab_forberedende_del")
    bpa = an_item(category="S01", kle="27.39.20", law=(LawRef("SEL", "§ 96"),))

    assert excluded((*SCENARIO_1, part, bpa)) == (
        Excluded(len(SCENARIO_1), "EXCLUDED_PLAN_PART"),
        Excluded(len(SCENARIO_1) + 1, "EXCLUDED_INTERVENTION"),
    )
    assert excluded(SCENARIO_1) == ()


@pytest.mark.parametrize(
    ("today", "start", "exempt"),
    [
        (20190304, 20200302, False),
        (20190304, 20200303, False),
        (20190304, 20200304, True),
        (20190304, 20190304, False),
        (20190304, None, False),
        (20190228, 20200228, False),
        (20190228, 20200229, True),
        (20200229, 20210228, False),
        (20200229, 20210301, True),
    ],
)
def test_more_than_a_year_to_the_education(today: int, start: int | None, exempt: bool) -> None:
    """364 and 365 days to the start are no exemption, 366 are; over a leap day it is days that count."""
    order = an_item("plan", category="B01", plan_type="uddannelsespaalaeg", from_day=start)
    directory = a_directory(a_trial(**FLEXIBLE, from_day=20180101, to_day=20211231))

    assert is_exempt(order, directory, today) is exempt


def test_only_the_trial_that_was_granted_exempts() -> None:
    """Another trial, another municipality's, or one that has ended exempts nobody."""
    order = an_item("plan", category="B01", plan_type="uddannelsespaalaeg", from_day=20210101)
    granted = a_trial(**FLEXIBLE, from_day=20180101, to_day=20190304)

    assert is_exempt(order, a_directory(granted), 20190304)
    assert not is_exempt(order, a_directory(granted), 20190305)
    assert not is_exempt(order, a_directory(a_trial(**FLEXIBLE, municipality="norrestrand")), 20190304)
    assert not is_exempt(order, a_directory(a_trial()), 20190304)
    assert not is_exempt(order, a_directory(), 20190304)


@pytest.mark.parametrize(("today", "held"), [(20180630, False), (20180701, True), (20190630, True), (20190701, False)])
def test_a_trial_holds_on_its_days(today: int, held: bool) -> None:
    """One plan may replace others from the trial's first day to its last, both included, in its municipality alone."""
    days = {"from_day": 20180701, "to_day": 20190630}

    assert (replacing_trial(HANDLEPLAN, a_directory(a_trial(**days)), today) is not None) is held
    elsewhere = a_directory(a_trial(**days, municipality="norrestrand"))
    assert replacing_trial(HANDLEPLAN, elsewhere, today) is None
