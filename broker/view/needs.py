"""Rules O2, O3 and O6: the same need met twice, grants under two laws, work against what the body can do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from broker.domain.items import Item
from broker.view.codes import FAMILY, area_of, conflicting, is_counted
from broker.view.finding import Finding, acts_of, common_start, sources_of, start_fields

# What can be a grant: each stands on a decision of its own, with its own way to complain (C29).
_GRANTS = frozenset({"intervention", "benefit"})


def same_need(items: tuple[Item, ...], today: int) -> Iterator[Finding]:
    """Find pairs for one need: two interventions (O2), two grants under different acts (O6), or both at once.

    A pair counts when both are in force on the same day, today or later. The decisions stay two.
    """
    candidates = [
        index for index, item in enumerate(items) if item.kind in _GRANTS and item.need is not None and is_counted(item)
    ]
    for one, other in combinations(candidates, 2):
        pair = (items[one], items[other])
        first = common_start(pair, today)
        if first is None or not _one_need(*pair):
            continue
        rules = _rules(*pair)
        if rules:
            from_day, future = start_fields(first, today)
            decisions = tuple(item.decision for item in pair if item.decision is not None)
            yield Finding(
                rules=rules,
                items=(one, other),
                sources=sources_of(items, (one, other)),
                figures={"grants": 2, "decisions": len(decisions)},
                codes=(items[one].need or "",),
                acts=tuple(sorted(acts_of(pair[0]) | acts_of(pair[1]))),
                decisions=decisions,
                from_day=from_day,
                future=future,
            )


def demands_against_limits(items: tuple[Item, ...], today: int) -> Iterator[Finding]:
    """Find interventions that demand what a limitation of the same person rules out (O3)."""
    working = [index for index, item in enumerate(items) if item.demands and is_counted(item)]
    limiting = [index for index, item in enumerate(items) if item.limits and is_counted(item)]
    for work, limit in product(working, limiting):
        clash = conflicting(items[work].demands, items[limit].limits)
        first = common_start((items[work], items[limit]), today)
        if not clash or first is None or items[work].subject != items[limit].subject:
            continue
        told = items[limit].from_day
        from_day, future = start_fields(first, today)
        yield Finding(
            rules=("O3",),
            items=(work, limit),
            sources=sources_of(items, (work, limit)),
            figures={"conflicts": len(clash)} | ({} if told is None else {"limitation_day": told}),
            codes=tuple(dict.fromkeys(code for pair in clash for code in pair)),
            from_day=from_day,
            future=future,
        )


def _one_need(one: Item, other: Item) -> bool:
    """Tell whether two items meet one need of one person, or of a family: help to a child's family is help at home."""
    if one.need != other.need:
        return False
    return one.subject == other.subject or (area_of(one) == FAMILY) != (area_of(other) == FAMILY)


def _rules(one: Item, other: Item) -> tuple[str, ...]:
    both_interventions = one.kind == other.kind == "intervention"
    acts, more = acts_of(one), acts_of(other)
    different_acts = bool(acts and more) and acts.isdisjoint(more)
    return (("O2",) if both_interventions else ()) + (("O6",) if different_acts else ())
