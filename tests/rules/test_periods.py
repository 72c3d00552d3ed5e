"""Periods of the data: a line that names one opens what is asked of its days, and says which they are."""

from typing import Any

import pytest

from broker.domain.errors import PolicyBroken
from broker.domain.periods import Period
from tests.model.engines import Engines
from tests.model.questions import ANNETTE, BO, NO_END, VIKTOR, child, days, key, line, person, question

S01, F01 = key("socialcenter", "S01"), key("familiecenter", "F01", VIKTOR)
YEAR = (20180101, 20181231)


def said(*periods: tuple[int, int], wanted: tuple[int, int] = (0, NO_END), **changes: Any) -> dict[str, Any]:
    """Let Annette have said yes to her help once for each period."""
    lines = [
        line("socialcenter", "S01", **days(*period), **changes) | {"id": f"l{n}"} for n, period in enumerate(periods)
    ]
    return question(S01, consents=lines, ask=days(*wanted))


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        ((0, NO_END), True),
        ((20181231, NO_END), True),
        ((20190101, NO_END), False),
        ((0, 20180101), True),
        ((0, 20171231), False),
        ((20180601, 20180601), True),
        ((20170101, 20190101), True),
    ],
)
def test_a_yes_to_other_days_opens_nothing(engines: Engines, engine: str, wanted: tuple[int, int], met: bool) -> None:
    """RSL § 11 a: one day in common and it is released, none and it is withheld for its period."""
    verdict = engines.verdict(engine, said(YEAR, wanted=wanted))

    assert verdict.released is met
    assert verdict.reasons == verdict.shown == (() if met else ("OUT_OF_SCOPE_PERIOD",))
    assert verdict.periods == (((Period(*YEAR),),) if met else ())
    assert [row.giver for row in verdict.missing] == ([] if met else ["citizen"])


@pytest.mark.parametrize(
    ("periods", "bound"),
    [
        ([(0, NO_END)], ()),
        ([YEAR, (0, NO_END)], ()),
        ([YEAR, (20190101, 20190131)], ((Period(*YEAR), Period(20190101, 20190131)),)),
        ([(20180101, NO_END)], ((Period(20180101, NO_END),),)),
        ([(0, 20181231)], ((Period(0, 20181231),),)),
        ([(1, NO_END)], None),
    ],
)
def test_one_giver_bounds_by_all_their_periods(
    engines: Engines, engine: str, periods: list[tuple[int, int]], bound: Any
) -> None:
    """Either of two periods is enough, and a yes without one bounds nothing; a day that is none voids the answer."""
    if bound is None:
        with pytest.raises(PolicyBroken):
            engines.verdict(engine, said(*periods))
    else:
        assert engines.verdict(engine, said(*periods)).periods == bound


def test_a_period_that_is_not_met_hides_no_other_line(engines: Engines, engine: str) -> None:
    """Where another yes reaches the days asked for, it is that one it rests on."""
    verdict = engines.verdict(engine, said(YEAR, (20190101, 20190131), wanted=(20190110, 20190110)))

    assert verdict.released
    assert verdict.periods == ((Period(20190101, 20190131),),)


@pytest.mark.parametrize(
    ("state", "why"), [({"state": "withdrawn"}, "CONSENT_REVOKED"), ({"to": 20190303}, "CONSENT_EXPIRED")]
)
def test_what_no_longer_holds_is_told_as_that(engines: Engines, engine: str, state: dict[str, Any], why: str) -> None:
    """A yes that is withdrawn or over is no matter of its period."""
    assert engines.verdict(engine, said(YEAR, wanted=(20190101, NO_END), **state)).reasons == (why,)


@pytest.mark.parametrize(
    ("hers", "his", "bounds"),
    [
        (YEAR, (0, NO_END), 1),
        (YEAR, (20180601, 20190131), 2),
        (YEAR, YEAR, 1),
        ((0, NO_END), (0, NO_END), 0),
    ],
)
def test_each_holder_of_custody_bounds(
    engines: Engines, engine: str, hers: tuple[int, int], his: tuple[int, int], bounds: int
) -> None:
    """What takes both parents is bounded by both; two equal bounds are one, so nobody is counted by them."""
    lines = [line("familiecenter", "F01", VIKTOR, ANNETTE, **days(*hers))]
    lines += [line("familiecenter", "F01", VIKTOR, BO, **days(*his))]
    asked = question(F01, subjects=[person(ANNETTE), child(VIKTOR, ANNETTE, BO)], consents=lines)

    verdict = engines.verdict(engine, asked)

    assert verdict.released
    assert len(verdict.periods) == bounds


def test_where_one_parent_did_not_reach_the_days_the_yes_is_incomplete(engines: Engines, engine: str) -> None:
    """A parent whose yes is to other days has not said yes to these."""
    lines = [line("familiecenter", "F01", VIKTOR, ANNETTE), line("familiecenter", "F01", VIKTOR, BO, **days(*YEAR))]
    asked = question(
        F01, subjects=[person(ANNETTE), child(VIKTOR, ANNETTE, BO)], consents=lines, ask=days(20190101, NO_END)
    )

    assert engines.verdict(engine, asked).reasons == ("CUSTODY_INCOMPLETE",)


def test_own_data_and_statutes_have_no_period(engines: Engines, engine: str) -> None:
    """What rests on no yes is bounded by none."""
    own = engines.verdict(engine, question(key("jobcenter", "B01"), ask=days(*YEAR)))

    assert own.released
    assert own.periods == ()
