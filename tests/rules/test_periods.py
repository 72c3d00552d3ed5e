"""Periods of the data: a line that names one opens what is asked of its days, and says which they are."""

from typing import Any

import pytest

from broker.domain.errors import PolicyBroken
from broker.domain.periods import Period
from tests.model.engines import Engines
from tests.model.questions import (
    ANNETTE,
    BO,
    GRETHE,
    NO_END,
    VIKTOR,
    child,
    days,
    key,
    line,
    person,
    question,
    representative,
)

S01, F01 = key("socialcenter", "S01"), key("familiecenter", "F01", VIKTOR)
YEAR = (20180101, 20181231)
MONTH = (20190101, 20190131)
SIXTEEN = 20030201
EVERY = (0, NO_END)


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


def of_viktor(place: tuple[str, str], *said: tuple[str, tuple[int, int]], **changes: Any) -> dict[str, Any]:
    """Let a yes be given to one category of Viktor's by each, for their days."""
    lines = [line(*place, VIKTOR, giver, **days(*period)) for giver, period in said]
    viktor = child(VIKTOR, ANNETTE, BO, **changes)
    return question(key(*place, VIKTOR), subjects=[person(ANNETTE), viktor], consents=lines)


def of_annette(*said: tuple[str, tuple[int, int]], **changes: Any) -> dict[str, Any]:
    """Let a yes be given to Annette's help by each, for their days."""
    lines = [line("socialcenter", "S01", giver=giver, **days(*period)) for giver, period in said]
    return question(S01, subjects=[person(ANNETTE, **changes)], consents=lines)


# Whose days bound: a question of one key with a complete yes, and the one period that goes out; None where every day.
TABLE = {
    "what takes the young person's yes as well goes out for the days they said": (
        of_viktor(("socialcenter", "S01"), (ANNETTE, EVERY), (BO, EVERY), (VIKTOR, YEAR), born=SIXTEEN),
        YEAR,
    ),
    "SUL § 17: their health is theirs alone, whatever days the parents named": (
        of_viktor(("sundhed", "H01"), (ANNETTE, MONTH), (BO, MONTH), (VIKTOR, YEAR), born=SIXTEEN),
        YEAR,
    ),
    "a child of twelve has no word in it, so the days it named are none": (
        of_viktor(("familiecenter", "F01"), (ANNETTE, EVERY), (BO, EVERY), (VIKTOR, YEAR)),
        None,
    ),
    "a register that still names a grown-up's holder changes nothing": (
        of_annette((ANNETTE, YEAR), (BO, MONTH), custody=[{"holder": BO, "from": 0, "to": NO_END}]),
        YEAR,
    ),
    "a guardian's days bound what lies within the guardianship": (
        of_annette((GRETHE, YEAR), representatives=[representative(GRETHE, "guardian_5", "personal")]),
        YEAR,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_whose_days_bound(engines: Engines, engine: str, name: str) -> None:
    """Those of each whose yes it takes, and nobody's else."""
    asked, period = TABLE[name]

    verdict = engines.verdict(engine, asked)

    assert verdict.released
    assert verdict.periods == (() if period is None else ((Period(*period),),))


def test_every_engine_gives_the_rows_the_same_decision(engines: Engines, engine: str) -> None:
    """Obligations and what is missing too: the whole decision is the model's."""
    assert engines.differing(engine, {name: asked for name, (asked, _) in TABLE.items()}) == []
