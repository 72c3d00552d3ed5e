"""A breaker leaves a failing source alone, lets one try at a time, and closes on a success."""

from __future__ import annotations

from connectors.breaker import Breaker


class Ticks:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the moment."""
        return self.now


def failing(ticks: Ticks, times: int) -> Breaker:
    """Give a breaker of three failures and ten seconds, after some failures."""
    breaker = Breaker(3, 10.0, ticks)
    for _ in range(times):
        breaker.failed()
    return breaker


def test_a_few_failures_change_nothing() -> None:
    """Below the limit the source is asked."""
    assert failing(Ticks(), 2).may_ask()


def test_failures_in_a_row_open_it() -> None:
    """At the limit the source is left alone, until the rest is over."""
    ticks = Ticks()
    breaker = failing(ticks, 3)
    assert not breaker.may_ask()
    ticks.now += 9.9
    assert not breaker.may_ask()
    ticks.now += 0.2
    assert breaker.may_ask()


def test_one_try_at_a_time() -> None:
    """After the rest one read may try; the others wait another rest, also when the try never says how it went."""
    ticks = Ticks()
    breaker = failing(ticks, 3)
    ticks.now += 10.0
    assert [breaker.may_ask() for _ in range(3)] == [True, False, False]
    ticks.now += 10.0
    assert breaker.may_ask()


def test_a_success_closes_it() -> None:
    """After one answer the count begins anew."""
    ticks = Ticks()
    breaker = failing(ticks, 3)
    ticks.now += 10.0
    assert breaker.may_ask()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.may_ask()


def test_a_failed_try_rests_again() -> None:
    """A try that fails opens it for another rest."""
    ticks = Ticks()
    breaker = failing(ticks, 3)
    ticks.now += 10.0
    assert breaker.may_ask()
    breaker.failed()
    ticks.now += 9.0
    assert not breaker.may_ask()
