"""The trial of reviews: who is found, when, and that an arm is given nothing it could cheat with."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.year.arms import CHANCE, ByChance
from bench.year.page import page
from bench.year.size import Size
from bench.year.telling import figures, missed, rows_of_arms, rows_of_honest, rows_of_kinds, wilson
from bench.year.trial import Tally, play
from bench.year.year import Year
from broker.domain.accesses import Access

SEED = 9
SMALL = Size(citizens=3_000, staff=30, units=8, snoopers=24, days=60)


@dataclass
class Told:
    """An arm that was told the key beforehand: what the best ranking could do."""

    key: frozenset[int]
    name: str = "told"
    given: list[int] = field(default_factory=list)

    def choose(self, fresh: Sequence[Access], now: int, budget: int) -> list[Access]:
        """Choose what the key names."""
        self.given += [access.entry for access in fresh]
        return [access for access in fresh if access.entry in self.key][:budget]


@dataclass
class Greedy:
    """An arm that chooses more than it may."""

    name: str = "greedy"

    def choose(self, fresh: Sequence[Access], now: int, budget: int) -> list[Access]:
        """Choose everything."""
        return list(fresh)


def key_of_year() -> dict[int, int]:
    """Play the year once for its key."""
    return {entry: number for played in Year(SEED, SMALL).days() for entry, number in played.key.snoopers.items()}


def tallies(*arms: object, eye: float = 1.0) -> list[Tally]:
    """Play the year for some arms."""
    return list(play(Year(SEED, SMALL), arms, eye, SEED, 20, lambda _: None))


def test_whoever_is_reviewed_is_found() -> None:
    """An arm that is told the key finds all but those who looked after the last review, within a long weekend."""
    (told,) = tallies(Told(frozenset(key_of_year())))
    found = [one for one in told.hunted if one.found is not None]

    assert len(found) >= len(told.hunted) - 2 > 15
    assert all(1 <= one.took <= 6 for one in found)
    assert told.false_alarms == 0


def test_a_blind_reviewer_finds_nobody() -> None:
    """Where no review sees through a snooper, none is found, whatever was reviewed."""
    (told,) = tallies(Told(frozenset(key_of_year())), eye=0.0)

    assert [one.found for one in told.hunted] == [None] * len(told.hunted)


def test_who_was_found_looks_no_more() -> None:
    """After a snooper was found an arm is given no access of theirs."""
    key = key_of_year()
    arm = Told(frozenset(key))
    (told,) = tallies(arm)
    given = [entry for entry in arm.given if entry in key]

    assert len(given) < len(key)
    assert len(set(arm.given)) == len(arm.given)
    assert told.reviews == len(given) or told.reviews < len(given)


def test_nobody_reviews_more_than_the_budget() -> None:
    """An arm that chooses everything has twenty reviewed a working day, like every other."""
    (greedy,) = tallies(Greedy())

    assert greedy.reviews <= 20 * greedy.days
    assert 0 < greedy.false_alarms <= 20


def test_chance_draws_the_same_again() -> None:
    """Chance is the same in every run of a seed, and reviews its budget where there is so much."""
    (one,), (other,) = tallies(ByChance(SEED)), tallies(ByChance(SEED))

    assert one == other
    assert 0.8 * 20 * one.days < one.reviews <= 20 * one.days


def test_figures_add_up() -> None:
    """Every snooper of every year is counted once an arm, by kind and by tie, and told in rows."""
    row = tallies(ByChance(SEED), Told(frozenset(key_of_year())))
    found = figures(SMALL, 20, 1.0, [(SEED, {"accesses": 1000, "snoopers_accesses": 10}, row)])

    for arm in found["arms"].values():
        assert arm["hidden"] == arm["live"]["hidden"] + arm["without"]["hidden"]
        assert arm["hidden"] == sum(kind["hidden"] for kind in arm["kinds"].values())
        assert arm["found"] == sum(kind["found"] for kind in arm["kinds"].values())
    assert [line[0] for line in rows_of_arms(found)] == [line[0] for line in rows_of_honest(found)] == [CHANCE, "told"]
    assert all(len(line) == 8 for line in rows_of_kinds(found))
    assert dict(missed(found))["told"] == []


def test_the_page_says_what_was_played() -> None:
    """The page holds the span, every arm and every kind that was hidden, and names what was mostly missed."""
    row = tallies(ByChance(SEED), Greedy())
    told = figures(SMALL, 20, 1.0, [(SEED, {"accesses": 1000, "snoopers_accesses": 10}, row)])
    written = page(told | {"measured_on": "2026-01-01"})

    assert "60 days of one year of 3,000 citizens" in written
    assert all(f"| {kind} |" in written for kind in {one.kind for one in row[0].hunted})
    assert "Reviews chosen greedy found fewer than half of: " in written


def test_an_interval_holds_its_share() -> None:
    """The interval is about the share, narrower with more, and everything is possible before anything is seen."""
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(80, 100)
    assert 0.7 < low < 0.8 < high < 0.9
    assert wilson(800, 1000)[0] > low
