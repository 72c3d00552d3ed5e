"""What trials came to: as figures for machines, as a table, and as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import sqrt
from statistics import median
from typing import Any

from bench.year.kinds import KINDS
from bench.year.size import Size
from bench.year.trial import Hunted, Tally

WITHIN = 30
GOAL_FOUND, GOAL_DAYS = 0.8, 30
Figures = dict[str, Any]


def figures(size: Size, budget: int, eye: float, years: Sequence[tuple[int, Figures, list[Tally]]]) -> Figures:
    """Put everything into one value: what was played, each seed's tallies, and all seeds together by arm and kind."""
    arms = [tally.name for tally in years[0][2]]
    return {
        "format": "borgerbro/supervision-proof/1",
        "size": asdict(size),
        "reviews_a_day": budget,
        "reviewer_sees_through": eye,
        "seeds": [{"seed": seed, **played, "arms": {tally.name: _seed(tally) for tally in tallies}}
                  for seed, played, tallies in years],
        "arms": {arm: _arm([tally for _, _, row in years for tally in row if tally.name == arm]) for arm in arms},
    }  # fmt: skip


def _seed(tally: Tally) -> Figures:
    return {**_share(tally.hunted), "false_alarms_a_day": round(tally.false_alarms, 2), "reviews": tally.reviews}


def _arm(tallies: Sequence[Tally]) -> Figures:
    hunted = [one for tally in tallies for one in tally.hunted]
    days = sum(tally.days for tally in tallies)
    honest: Counter[str] = Counter()
    for tally in tallies:
        honest.update(tally.honest)
    return {
        **_share(hunted),
        "false_alarms_a_day": round(sum(honest.values()) / days, 2) if days else 0.0,
        "live": _share(one for one in hunted if one.live),
        "without": _share(one for one in hunted if not one.live),
        "looked_on_after_the_first_reviews": _share(one for one in hunted if one.accesses > 3),
        "kinds": {kind.name: _share(one for one in hunted if one.kind == kind.name) for kind in KINDS},
        "honest_reviewed": dict(honest.most_common()),
    }


def _share(hunted: Iterable[Hunted]) -> Figures:
    """Give how many were hidden and found, with a 95 % interval (Wilson), and how long it took."""
    rows = list(hunted)
    days = [one.took for one in rows if one.took is not None]
    low, high = wilson(len(days), len(rows))
    return {
        "hidden": len(rows),
        "found": len(days),
        "share": round(len(days) / len(rows), 3) if rows else None,
        "share_low": round(low, 3),
        "share_high": round(high, 3),
        "found_within_30_days": sum(one <= WITHIN for one in days),
        "median_days": median(days) if days else None,
        "accesses": sum(one.accesses for one in rows),
    }


def wilson(found: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Give the interval a share lies in, 95 times of a hundred."""
    if of == 0:
        return 0.0, 1.0
    share, square = found / of, z * z / of
    middle, wide = share + square / 2, z * sqrt(share * (1 - share) / of + square / of / 4)
    return max(0.0, (middle - wide) / (1 + square)), min(1.0, (middle + wide) / (1 + square))


def rows_of_arms(told: Figures) -> list[list[str]]:
    """Give a row for each arm: found, days, false alarms."""
    return [
        [name, f"{arm['found']} of {arm['hidden']}", percent(arm), took(arm), f"{arm['found_within_30_days']}",
         f"{arm['false_alarms_a_day']:.1f}", percent(arm["live"]), percent(arm["without"])]
        for name, arm in told["arms"].items()
    ]  # fmt: skip


ARMS = ("chosen", "found", "share (95 %)", "median days", "within 30 days", "honest ones reviewed a day",
        "with a live tie", "without")  # fmt: skip


def rows_of_kinds(told: Figures) -> list[list[str]]:
    """Give a row for each kind: what it does, and what each arm found of it."""
    arms = told["arms"].values()
    return [
        [kind.name, "yes" if kind.live else "no", kind.says, f"{hidden[kind.name]['accesses']}",
         *(cell for arm in arms for cell in (_of(arm["kinds"][kind.name]), took(arm["kinds"][kind.name])))]
        for kind in KINDS
        for hidden in [next(iter(told["arms"].values()))["kinds"]]
        if hidden[kind.name]["hidden"]
    ]  # fmt: skip


def head_of_kinds(told: Figures) -> list[str]:
    """Give the heads of that table's columns."""
    return ["kind", "live tie", "what they do", "accesses", *(c for arm in told["arms"] for c in (arm, "days"))]


def percent(row: Figures) -> str:
    """Write a share with its interval."""
    if row["share"] is None:
        return "–"
    return f"{row['share']:.0%} ({row['share_low']:.0%} to {row['share_high']:.0%})"


def took(row: Figures) -> str:
    """Write the median of days; a dash where nobody was found."""
    return "–" if row["median_days"] is None else f"{row['median_days']:g}"


def _of(row: Figures) -> str:
    return f"{row['found']} of {row['hidden']}"


def missed(told: Figures) -> list[tuple[str, list[str]]]:
    """Name, for each arm, the kinds of which fewer than half were found."""
    return [
        (name, [kind for kind, row in arm["kinds"].items() if row["hidden"] and row["found"] * 2 < row["hidden"]])
        for name, arm in told["arms"].items()
    ]


HONEST = ("chosen", "most often")


def rows_of_honest(told: Figures) -> list[list[str]]:
    """Give a row for each arm: why the honest accesses it had reviewed were made."""
    made = []
    for name, arm in told["arms"].items():
        total = sum(arm["honest_reviewed"].values()) or 1
        parts = [f"{why} {count / total:.0%}" for why, count in arm["honest_reviewed"].items() if count / total >= 0.01]
        made.append([name, ", ".join(parts)])
    return made
