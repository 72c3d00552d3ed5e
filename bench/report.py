"""The figures as tables for people and as JSON for machines: medians, least and most, ratios, and the goals."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from jsonschema import Draft202012Validator
from rich.console import Console
from rich.table import Table

from bench.crowd import appended
from bench.figures import Figures, Place
from bench.goals import Goal, broker_of, goals
from bench.inside import LARGE_TABLES
from bench.machine import PAYERS, described
from bench.memory import lines
from bench.plan import COUNTRY_BROKER, TLS_BROKER, TLS_FLOOR, Case
from bench.profile import tables

VERSION = 2
SCHEMA = Path(__file__).with_name("figures.schema.json")
LEFT_OUT = (
    "Load, servers, PostgreSQL (fsync on), registers and sources share these cores, so asks a second are what the whole"
    " machine does. Floor and broker look up in the same two registers. Ratios are round by round; only they can be"
    " compared with another run."
)
WIDTH = 190
PAYER_TITLES = {
    "own": "server",
    "children": "OPA",
    "proxy": "TLS",
    "database": "database",
    "systems": "systems",
    "load": "load",
}


def told(figures: Figures) -> dict[str, Any]:
    """Lay out every figure, as `figures.schema.json` says; raise `ValidationError` where they do not fit it."""
    found = {
        "version": VERSION,
        "machine": described(),
        "plan": asdict(figures.plan),
        "rounds": figures.rounds,
        "not_200": dict(figures.faults),
        "facts": figures.facts,
        "figures": [
            {"place": list(place), "median": median(row), "least": min(row), "most": max(row), "rounds": row}
            for place, row in figures.series.items()
        ],
        "goals": [asdict(goal) for goal in (goals(figures) if figures.cases else ())],
    }
    # As its readers see it: JSON has no tuples.
    plain: dict[str, Any] = json.loads(json.dumps(found))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(plain)
    return plain


def show(figures: Figures) -> None:
    """Print the tables."""
    console = Console()
    # A table that is broken up says nothing; a pipe takes any width.
    out = console if console.is_terminal else Console(width=WIDTH)
    if figures.cases:
        _show_rounds(out, figures)
    if found := figures.facts.get("memory"):
        out.print("\n".join(lines(found)))
    if found := figures.facts.get("profile"):
        for table in tables(found):
            out.print(table)
    if noise := figures.facts.get("noise"):
        out.print(noise, style="bold")


def _show_rounds(out: Console, figures: Figures) -> None:
    plan = figures.plan
    out.print(f"{described()}; {figures.rounds} rounds of {plan.seconds} s a row after a warm-up; median (least–most)")
    for table in (_asks(figures), _parts(figures), _pages(figures), _goals(figures)):
        out.print(table)
    out.print(LEFT_OUT, style="dim")
    if not figures.facts.get("tls"):
        out.print("Without TLS: there is no haproxy on this machine, so nothing stood before the nodes.", style="bold")
    for place, count in figures.faults.items():
        out.print(f"not 200: {count} × {place}", markup=False)


def _asks(figures: Figures) -> Table:
    titles = [f"{PAYER_TITLES[payer]} CPU" for payer in PAYERS]
    table = Table("", "asks/s", "p50 ms", "p99 ms", *titles, "of floor", "of direct", title="One ask (CPU: ms an ask)")
    for waits, cases in groupby(figures.cases, key=lambda case: case.waits):
        table.add_section()
        table.add_row(waits, style="bold")
        for case in cases:
            for target in case.targets:
                _ask_row(table, figures, case, target)
    return table


def _ask_row(table: Table, figures: Figures, case: Case, target: str) -> None:
    place: Place = (case.name, target)
    rate = (*place, "rate")
    floor = TLS_FLOOR if target == TLS_BROKER else "floor"
    table.add_row(
        f"{case.callers:>3}  {target}",
        shown(figures.of(*rate), 0),
        *(shown(figures.of(*place, name), 1) for name in ("p50", "p99")),
        *(mid(figures.of(*place, f"cpu {payer}"), 2) for payer in PAYERS),
        times(figures.ratio(rate, (case.name, floor, "rate")) if target != floor else []),
        times(figures.ratio(rate, (case.direct, "direct", "rate")) if target != "direct" else []),
    )


def _parts(figures: Figures) -> Table:
    table = Table("", "measured", "compared with", "ratio", title="Parts")

    def row(name: str, place: Place, other: Place, places: int) -> None:
        ratio = times(figures.ratio(place, other)) if place != other else ""
        table.add_row(name, *(shown(figures.of(*one), places) for one in (place, other)), ratio)

    for name, place in appended(figures):
        log = ("log", place)
        row(f"log appends/s, {name}; the same rows plain", (*log, "grouped"), (*log, "raw"), 0)
        row("  p99 of one, ms; of one plain", (*log, "grouped p99"), (*log, "raw p99"), 1)
    for _, engine, keys, name in (place for place in figures.series if place[0] == "decision"):
        base = engine.removesuffix(LARGE_TABLES) if engine.endswith(LARGE_TABLES) else "embedded"
        what = f"decision ms, {engine}, keys: {keys}, {name}; {base}"
        row(what, ("decision", engine, keys, name), ("decision", base, keys, name), 2)
    small = broker_of(figures)
    for callers in (1, 16):
        large = f"large registry, {callers} at once"
        for name, places in (("rate", 0), ("p50", 1), ("cpu own", 2), ("cpu children", 2)):
            what = f"{name}, {callers} at once, large registry; small"
            row(what, (large, COUNTRY_BROKER, name), (large, small, name), places)
    view: Place = ("view", broker_of(figures), "p50")
    row("view of 5 sources, p50 ms; the slowest alone", view, ("view", "slowest source", "p50"), 1)
    row("view of 5 sources, p50 ms; one after the other", view, ("view", "all in a row", "p50"), 1)
    return table


def _pages(figures: Figures) -> Table:
    columns = {"first byte ms": 1, "kB": 1, "kB at most": 0, "other hosts": 0}
    table = Table("page, first visit", *columns, title="Pages (at most: every font and picture the styles name)")
    for name in dict.fromkeys(place[1] for place in figures.series if place[0] == "page"):
        table.add_row(name, *(shown(figures.of("page", name, column), places) for column, places in columns.items()))
    return table


def _goals(figures: Figures) -> Table:
    table = Table("goal of the design", "wanted", "measured", "reached", "the floor", title="Goals")
    for goal in goals(figures):
        table.add_row(
            goal.what, goal.goal, f"{goal.measured:,.2f} {goal.unit}", "yes" if goal.reached else "no", beside(goal)
        )
    return table


def beside(goal: Goal) -> str:
    """Write what the floor of the same run did; nothing where that means nothing."""
    return "" if goal.floor is None else f"{goal.floor:,.2f} {goal.unit}"


def shown(row: list[float], places: int) -> str:
    """Write a median with its least and most; nothing for nothing."""
    if not row:
        return ""
    if len(row) == 1:
        return f"{row[0]:,.{places}f}"
    return f"{median(row):,.{places}f} ({min(row):,.{places}f}–{max(row):,.{places}f})"


def mid(row: list[float], places: int) -> str:
    """Write a median; nothing for nothing."""
    return f"{median(row):,.{places}f}" if row else ""


def times(ratios: list[float]) -> str:
    """Write the median of ratios with the least and the most; nothing for nothing."""
    if len(ratios) < 2:
        return f"{ratios[0]:.2f}×" if ratios else ""
    return f"{median(ratios):.2f}× ({min(ratios):.2f}–{max(ratios):.2f})"
