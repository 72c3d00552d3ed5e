"""A finding: something seen across items that is worth a talk with the citizen. Advice, never a decision.

Rules kept here:
- It points at items by their place in the answer, and holds codes and numbers; decision ids stay `Personal`.
- It is born `new`. Who confirms or rejects it, and where that is kept, is not the broker's to say (`design.md` 6b q).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from broker.domain.days import NO_END
from broker.domain.items import Item
from broker.domain.personal import Personal
from broker.view.activity import period
from broker.view.overlap import Stretch


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """One finding. `rules` names one rule, or two that see the same pair (`("O2", "O6")`).

    `figures` hold whole numbers by name; `codes` are needs, demands and limits, topics, plan types or acts of law,
    as the rule has them. `from_day` is the first day it holds; `future` means that day has not come.
    `weeks` and `stretches` are filled by rules about time (O1, O7).
    """

    rules: tuple[str, ...]
    items: tuple[int, ...]
    sources: tuple[str, ...]
    figures: Mapping[str, int] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    decisions: tuple[Personal[str], ...] = ()
    weeks: tuple[str, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    from_day: int | None = None
    future: bool = False
    state: str = "new"

    @property
    def order(self) -> tuple[tuple[str, ...], int, tuple[str, ...], tuple[int, ...]]:
        """Where the finding stands in a list: by rule, then by day, then by items."""
        return self.rules, self.from_day or NO_END, self.weeks, self.items


def sources_of(items: tuple[Item, ...], indices: Iterable[int]) -> tuple[str, ...]:
    """Name the sources behind some items, each once, in alphabetical order."""
    return tuple(sorted({items[index].source for index in indices}))


def acts_of(item: Item) -> frozenset[str]:
    """Name the acts of law an item rests on."""
    return frozenset(law.act for law in item.law)


def common_start(pair: Iterable[Item], today: int) -> int | None:
    """Give the first day from today on that all of these are in force, or None when there is none.

    `NO_END` means that they will be together, but one has no start yet.
    """
    periods = [period(item, today) for item in pair]
    first = max([today, *(start for start, _ in periods)])
    return first if first <= min(end for _, end in periods) else None


def start_fields(first: int, today: int) -> tuple[int | None, bool]:
    """Split a first day into `from_day` and `future`: no day is told for what has none yet."""
    return (None if first == NO_END else first), first > today
