"""Ways to choose which accesses are reviewed; each is an arm of the trial and gets the same budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.year.chance import chance
from broker.domain.accesses import Access

CHANCE = "by chance"


class Arm(Protocol):
    """Choose accesses to review from those of a day; it is told nothing but them."""

    @property
    def name(self) -> str:
        """Name the arm in figures."""
        ...

    def choose(self, fresh: Sequence[Access], now: int, budget: int) -> list[Access]:
        """Choose at most so many of them, at an epoch second in the morning of the next working day."""
        ...


@dataclass(frozen=True, slots=True)
class ByChance:
    """Draw them, each as likely: what supervision is without a ranking."""

    seed: int
    name: str = CHANCE

    def choose(self, fresh: Sequence[Access], now: int, budget: int) -> list[Access]:
        """Choose so many at random."""
        return chance(self.seed, "sample", now).sample(list(fresh), min(budget, len(fresh)))
