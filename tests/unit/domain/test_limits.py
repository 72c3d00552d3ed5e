"""How often a yes may be used: which limits there are, which is within which, and what is left of one."""

import pytest

from broker.domain.errors import BadAsk
from broker.domain.limits import Limit, limit_of

ONCE, TWICE, FOUR = Limit(1), Limit(2, monthly=True), Limit(4, monthly=True)


@pytest.mark.parametrize(("times", "monthly"), [(0, False), (2, False), (-1, True), (0, True), (32, True)])
def test_no_other_limit_exists(times: int, monthly: bool) -> None:
    """Once in all, or one to thirty-one times a month."""
    with pytest.raises(BadAsk):
        Limit(times, monthly=monthly)


@pytest.mark.parametrize("limit", [ONCE, TWICE, Limit(31, monthly=True)])
def test_a_word_is_read_back(limit: Limit) -> None:
    """The word that a log or a page has of a limit is that limit."""
    assert limit_of(limit.code) == limit


@pytest.mark.parametrize(
    "code", ["", "twice", "monthly", "monthly-", "monthly-0", "monthly-032", "monthly-٣", "once-1"]
)
def test_no_other_word_is_read(code: str) -> None:
    """Anything else is no limit, and never read as none at all."""
    with pytest.raises(BadAsk):
        limit_of(code)


def test_only_what_is_seldomer_is_within() -> None:
    """Once is within all; a month's times within as many or more; nothing monthly is within once."""
    assert ONCE.within(None)
    assert ONCE.within(TWICE)
    assert TWICE.within(FOUR)
    assert TWICE.within(TWICE)
    assert not FOUR.within(TWICE)
    assert not Limit(1, monthly=True).within(ONCE)


def test_what_is_left() -> None:
    """Once is once for ever; a month begins anew, and one that was already used in is not left by a clock set back."""
    assert [ONCE.left(0, 0, 20190301), ONCE.left(201903, 1, 20250301)] == [1, 0]
    assert [TWICE.left(201903, used, 20190331) for used in (1, 2, 3)] == [1, 0, 0]
    assert TWICE.left(201903, 2, 20190401) == 2
    assert TWICE.left(201903, 2, 20190228) == 0
