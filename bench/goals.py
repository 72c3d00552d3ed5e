"""The goals of the design, and whether what was measured reaches them; what was not measured is not here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from bench.crowd import SHAPES
from bench.figures import Figures, Place
from bench.plan import COUNTRY_BROKER, REGISTERS_MS, SLOW_MS, TLS_BROKER, TLS_FLOOR, Case

BUSY, SLOW = Case(0, 0, 16, ()).name, Case(SLOW_MS, 0, 1, ()).name
SLOW_REGISTERS = Case(SLOW_MS, REGISTERS_MS, 1, ()).name


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, what was measured, whether it is reached, and what the floor of the same run did."""

    what: str
    goal: str
    measured: float
    unit: str
    reached: bool
    floor: float | None = None


def goals(figures: Figures) -> list[Goal]:
    """Hold what was measured against the goals."""
    shaped = TLS_BROKER if TLS_BROKER in figures.cases[0].targets else broker_of(figures)
    return [
        *_asks(figures, shaped), *_waits(figures, shaped), *_beside(figures), *_decisions(figures), *_log(figures),
        *_pages(figures),
    ]  # fmt: skip


def broker_of(figures: Figures) -> str:
    """Name the first broker, which has the engine of production where there is one, and no proxy before it."""
    return next(target for target in figures.cases[0].targets if target.startswith("broker"))


def _asks(figures: Figures, broker: str) -> Iterator[Goal]:
    floor = TLS_FLOOR if broker == TLS_BROKER else "floor"
    if (rate := figures.mid(BUSY, broker, "rate")) is not None:
        beside = figures.mid(BUSY, floor, "rate")
        yield from (_least("asks a second, 16 at once", least, rate, "/s", beside) for least in (400, 1000))
    if (cpu := figures.mid(BUSY, broker, "cpu own")) is not None:
        beside = figures.mid(BUSY, floor, "cpu own")
        yield from (_most("the broker's own CPU per ask", most, cpu, "ms", beside) for most in (2.0, 1.0))
    if share := figures.ratio((BUSY, broker, "rate"), (BUSY, "direct", "rate")):
        beside = median(figures.ratio((BUSY, floor, "rate"), (BUSY, "direct", "rate"))) * 100
        yield _least("asks a second beside the direct call", 15, median(share) * 100, "%", beside)


def _waits(figures: Figures, broker: str) -> Iterator[Goal]:
    for name, mosts in (("p50", (10, 5)), ("p99", (25,))):
        if added := figures.added((SLOW, broker, name), (SLOW, "direct", name)):
            beside = median(figures.added((SLOW, "floor", name), (SLOW, "direct", name)))
            what = f"added to a source of 20 ms, {name}"
            yield from (_most(what, most, median(added), "ms", beside) for most in mosts)
    broker = broker_of(figures)
    if view := figures.added(("view", broker, "p50"), ("view", "slowest source", "p50")):
        yield _most("view of 5 sources beyond the slowest, p50", 10, median(view), "ms")


def _beside(figures: Figures) -> Iterator[Goal]:
    broker = broker_of(figures)
    # Both registers at once are one wait, one after the other would be two.
    if added := figures.added((SLOW_REGISTERS, broker, "p50"), (SLOW, broker, "p50")):
        yield _most("added by registers of 10 ms, p50", 1.5 * REGISTERS_MS, median(added), "ms")
    large = "large registry, 16 at once"
    if times := figures.ratio((large, COUNTRY_BROKER, "rate"), (large, broker, "rate")):
        yield _least("asks a second with a large registry beside a small one", 0.95, median(times), "×")


def _decisions(figures: Figures) -> Iterator[Goal]:
    for keys, name, most in (("1", "p50", 0.6), ("1", "p99", 1.0), ("60", "p50", 2.5), ("60", "p99", 6.0)):
        if (took := figures.mid("decision", "embedded", keys, name)) is not None:
            yield _most(f"embedded decision, keys: {keys}, {name}", most, took, "ms")


def _log(figures: Figures) -> Iterator[Goal]:
    for callers, least in (("1", 0.6), ("16", 2.0), ("64", 2.5)):
        if times := figures.ratio(("log", callers, "grouped"), ("log", callers, "raw")):
            yield _least(f"log appends beside plain rows, {callers} at once", least, median(times), "×")
    for shape, least in zip(SHAPES, (1.2, 1.0, 2.5), strict=True):
        if times := figures.ratio(("log", shape.name, "grouped"), ("log", shape.name, "raw")):
            yield _least(f"log appends beside plain rows, {shape.name}", least, median(times), "×")
    p99: tuple[Place, Place] = (("log", "16", "grouped p99"), ("log", "16", "raw p99"))
    if times := figures.ratio(*p99):
        yield _most("p99 of an append beside a plain row's, 16 at once", 1.0, median(times), "×")
    if rates := [
        rate for (kind, *_, name), row in figures.series.items() if (kind, name) == ("log", "grouped") for rate in row
    ]:
        yield _least("log appends a second, at best", 10_000, max(rates), "/s")
    for name, most in (("signed", 1), ("witnessed", 5)):
        if waits := figures.of("head", name):
            yield _most(f"head {name} after an append, the slowest of {len(waits)}", most, max(waits), "s")


def _pages(figures: Figures) -> Iterator[Goal]:
    tried = figures.of("withdrawal", "released after")
    if tried:
        yield _most(f"released after a withdrawal, of {len(tried)} tries", 0, sum(tried), "")
    for name, most in (("first byte ms", 50), ("kB", 150), ("other hosts", 0)):
        worst = [median(row) for place, row in figures.series.items() if (place[0], place[-1]) == ("page", name)]
        if worst:
            yield _most(f"pages, the worst: {name}", most, max(worst), "")


def _least(what: str, least: float, measured: float, unit: str, floor: float | None = None) -> Goal:
    return Goal(what, f"≥ {least:,g} {unit}".strip(), measured, unit, measured >= least, floor)


def _most(what: str, most: float, measured: float, unit: str, floor: float | None = None) -> Goal:
    return Goal(what, f"≤ {most:,g} {unit}".strip(), measured, unit, measured <= most, floor)
