"""The figures as a table for people and as JSON for machines: medians, least and most, ratios, and the goals."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Figures

LEFT_OUT = (
    "Left out: TLS. Load, servers, PostgreSQL (fsync on), registers and sources share these cores, so asks a second"
    " are what the whole machine does. The floor looks up twice in the registers, the broker three times. Ratios are"
    " round by round."
)
WIDTH = 160
BUSY, SLOW = "at once, 16 callers", "source of 20 ms, 1 caller"


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, what was measured, and whether it is reached."""

    what: str
    goal: str
    measured: float
    unit: str
    reached: bool


def machine() -> str:
    """Say on what was measured."""
    busy = f"load {os.getloadavg()[0]:.1f} at the end"
    return (
        f"{os.cpu_count()} cores, {busy}, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    )


def told(figures: Figures) -> dict[str, Any]:
    """Lay out every figure."""
    return {
        "version": 1,
        "machine": machine(),
        "plan": asdict(figures.plan),
        "rounds": figures.rounds,
        "left_out": ["TLS"],
        "not_200": dict(figures.faults),
        "figures": [
            {"place": list(place), "median": median(row), "least": min(row), "most": max(row), "rounds": row}
            for place, row in figures.series.items()
        ],
        "goals": [asdict(goal) for goal in goals(figures)],
    }


def show(figures: Figures) -> None:
    """Print the tables."""
    console = Console()
    # A table that is broken up says nothing; a pipe takes any width.
    out = console if console.is_terminal else Console(width=WIDTH)
    plan = figures.plan
    out.print(
        f"{machine()}; {figures.rounds} rounds of {plan.seconds} s for each row, after a warm-up; median (least–most)"
    )
    out.print(_asks(figures), _parts(figures), _goals(figures))
    out.print(LEFT_OUT, style="dim")
    for place, count in figures.faults.items():
        out.print(f"not 200: {count} × {place}", markup=False)


def _asks(figures: Figures) -> Table:
    table = Table(
        "", "asks/s", "p50 ms", "p99 ms", "CPU ms/ask", "+ children", "of floor", "of direct", title="One ask"
    )
    for case in figures.cases:
        table.add_section()
        table.add_row(case.name, style="bold")
        for target in case.targets:
            rate = (case.name, target, "rate")
            table.add_row(
                f"  {target}",
                _shown(figures.of(*rate), 0),
                *(_shown(figures.of(case.name, target, name), 2) for name in ("p50", "p99", "cpu", "cpu children")),
                _times(figures.ratio(rate, (case.name, "floor", "rate")) if target != "floor" else []),
                _times(figures.ratio(rate, (case.name, "direct", "rate")) if target != "direct" else []),
            )
    return table


def _parts(figures: Figures) -> Table:
    table = Table("", "measured", "compared with", "ratio", title="Parts")

    def row(name: str, place: tuple[str, ...], other: tuple[str, ...], places: int) -> None:
        ratio = _times(figures.ratio(place, other)) if place != other else ""
        table.add_row(name, *(_shown(figures.of(*one), places) for one in (place, other)), ratio)

    for callers in ("1", "16"):
        what = f"log appends/s, {callers} at once; the same rows plain"
        row(what, ("log", callers, "grouped"), ("log", callers, "raw"), 0)
    for _, engine, keys in (place for place in figures.series if place[0] == "decision"):
        what = f"decision ms, {engine}, keys: {keys}; embedded"
        row(what, ("decision", engine, keys), ("decision", "embedded", keys), 2)
    view = ("view", _broker(figures), "p50")
    row("view of 5 sources, p50 ms; the slowest alone", view, ("view", "slowest source", "p50"), 1)
    row("view of 5 sources, p50 ms; one after the other", view, ("view", "all in a row", "p50"), 1)
    return table


def _goals(figures: Figures) -> Table:
    table = Table("goal (design, without TLS)", "wanted", "measured", "reached", title="Goals")
    for goal in goals(figures):
        table.add_row(goal.what, goal.goal, f"{goal.measured:.2f} {goal.unit}", "yes" if goal.reached else "no")
    return table


def goals(figures: Figures) -> list[Goal]:
    """Hold what was measured against the goals; what was not measured is not here."""
    broker = _broker(figures)
    rate, cpu = median(figures.of(BUSY, broker, "rate")), figures.of(BUSY, broker, "cpu")
    share = median(figures.ratio((BUSY, broker, "rate"), (BUSY, "direct", "rate")))
    view = median(_added(figures, ("view", broker, "p50"), ("view", "slowest source", "p50")))
    found = [Goal("asks a second, 16 at once", f"≥ {least}", rate, "/s", rate >= least) for least in (400, 1000)]
    if cpu:
        spent = median(cpu)
        found += [Goal("broker CPU per ask", f"≤ {most}", spent, "ms", spent <= most) for most in (2.0, 1.0)]
    found.append(Goal("asks a second beside the direct call", "≥ 15 %", share * 100, "%", share >= 0.15))
    for name, mosts in (("p50", (10, 5)), ("p99", (25,))):
        added = median(_added(figures, (SLOW, broker, name), (SLOW, "direct", name)))
        found += [
            Goal(f"added to a source of 20 ms, {name}", f"≤ {most}", added, "ms", added <= most) for most in mosts
        ]
    found.append(Goal("view of 5 sources beyond the slowest, p50", "≤ 10", view, "ms", view <= 10))
    for keys, most in (("1", 0.6), ("60", 2.5)):
        if took := figures.of("decision", "embedded", keys):
            found.append(
                Goal(f"embedded decision, keys: {keys}", f"≤ {most}", median(took), "ms", median(took) <= most)
            )
    for callers, least in (("1", 0.6), ("16", 2.0)):
        times = median(figures.ratio(("log", callers, "grouped"), ("log", callers, "raw")))
        found.append(
            Goal(f"log appends beside plain rows, {callers} at once", f"≥ {least}", times, "×", times >= least)
        )
    return found


def _broker(figures: Figures) -> str:
    return next(target for target in figures.cases[0].targets if target.startswith("broker"))


def _added(figures: Figures, above: tuple[str, ...], below: tuple[str, ...]) -> list[float]:
    return [one - other for one, other in zip(figures.of(*above), figures.of(*below), strict=True)]


def _shown(row: list[float], places: int) -> str:
    if not row:
        return ""
    return f"{median(row):,.{places}f} ({min(row):,.{places}f}–{max(row):,.{places}f})"


def _times(ratios: list[float]) -> str:
    return f"{median(ratios):.2f}×" if ratios else ""
