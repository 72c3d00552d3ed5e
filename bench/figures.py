"""All that was measured, a figure of each round, so that whatever is compared is compared round by round."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from bench.plan import Case, Plan

Place = tuple[str, ...]


@dataclass(slots=True)
class Figures:
    """For each place a figure of each round, in the order of the rounds; `facts` are counts that no round changes."""

    plan: Plan
    cases: tuple[Case, ...]
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    series: dict[Place, list[float]] = field(default_factory=lambda: defaultdict(list))
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, *place: str, value: float | None) -> None:
        """Note a figure; None is none."""
        if value is not None:
            self.series[place].append(value)

    def answers(self, *place: str, outcome: dict[str, Any]) -> None:
        """Note a round of the load: asks a second, p50 and p99 in milliseconds, and what was no answer."""
        name = ", ".join(reversed(place))
        self.faults.update({f"{name}: {why}": count for why, count in outcome["faults"].items()})
        took = [one * 1000 for one in outcome["took"]]
        self.add(*place, "rate", value=len(took) / outcome["seconds"])
        self.add(*place, "p50", value=median(took))
        self.add(*place, "p99", value=percentile_99(took))

    def of(self, *place: str) -> list[float]:
        """Give the figures of a place, a round each; empty where nothing was measured."""
        return self.series.get(place, [])

    def mid(self, *place: str) -> float | None:
        """Give the median of a place; None where nothing was measured."""
        row = self.of(*place)
        return median(row) if row else None

    def ratio(self, above: Place, below: Place) -> list[float]:
        """Give the ratio of two places, round by round."""
        return [one / other for one, other in zip(self.of(*above), self.of(*below), strict=False) if other]

    def added(self, above: Place, below: Place) -> list[float]:
        """Give the difference of two places, round by round."""
        return [one - other for one, other in zip(self.of(*above), self.of(*below), strict=False)]


def percentile_99(row: list[float]) -> float:
    """Give the 99th percentile; of one value, that value."""
    return quantiles(row, n=100, method="inclusive")[98] if len(row) > 1 else row[0]
