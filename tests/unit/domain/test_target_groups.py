"""Whom a trial is for: what the asker's own case states decides, and nothing else does."""

from typing import Any

import pytest

from broker.domain.target_groups import Stated, TargetGroup

BALLERUP = TargetGroup(benefits=frozenset({"uddannelseshjaelp"}), child_ages=(0, 15))
FREDERIKSSUND = TargetGroup(ages=(16, 22))
TODAY = 20190304


def stated(**told: Any) -> Stated:
    """State what the test is about, a month ago."""
    return Stated(**{"on": 20190204, **told})


@pytest.mark.parametrize(
    ("told", "ballerup", "frederikssund"),
    [
        ({"age": 30, "benefit": "uddannelseshjaelp", "child_ages": (15,)}, True, False),
        ({"age": 30, "benefit": "uddannelseshjaelp", "child_ages": (16,)}, False, False),
        ({"age": 30, "benefit": "uddannelseshjaelp", "child_ages": (0, 16)}, True, False),
        ({"age": 30, "benefit": "kontanthjaelp", "child_ages": (4,)}, False, False),
        ({"age": 30, "child_ages": (4,)}, False, False),
        ({"age": 15}, False, False),
        ({"age": 16}, False, True),
        ({"age": 22}, False, True),
        ({"age": 23}, False, False),
        ({"age": 20, "benefit": "uddannelseshjaelp", "child_ages": (1,)}, True, True),
        ({}, False, False),
    ],
)
def test_each_trial_has_its_own_group(told: dict[str, Any], ballerup: bool, frederikssund: bool) -> None:
    """Both ends of a span are in the group; what is not stated is not so."""
    assert BALLERUP.covers(stated(**told), TODAY) is ballerup
    assert FREDERIKSSUND.covers(stated(**told), TODAY) is frederikssund


@pytest.mark.parametrize(
    ("on", "today", "held"),
    [
        (20180304, 20190303, True),
        (20180304, 20190304, False),
        (20190304, 20190304, True),
        (20190305, 20190304, False),
        (20200229, 20210228, True),
        (20200229, 20210301, False),
    ],
)
def test_a_statement_holds_a_year(on: int, today: int, held: bool) -> None:
    """From its day until the same date next year; one of a day to come is none."""
    assert FREDERIKSSUND.covers(stated(on=on, age=20), today) is held


def test_a_case_that_states_nothing() -> None:
    """Is in no trial that asks for anything, and in every one that does not."""
    assert not BALLERUP.covers(None, TODAY)
    assert TargetGroup().covers(None, TODAY)
    assert TargetGroup().covers(stated(on=20100101), TODAY)
