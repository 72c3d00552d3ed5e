"""`docs/performance.md`, its picture and its record, written from what was measured: nobody copies a figure by hand.

`docs/performance.json` keeps the figures as `--json` tells them. A run over memory alone adds itself to that record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from bench.chart import chart
from bench.crowd import appended
from bench.figures import Figures, Place
from bench.goals import broker_of, goals
from bench.inside import LARGE_TABLES
from bench.large import Size
from bench.machine import PAYERS
from bench.memory import lines
from bench.plan import COUNTRY_BROKER, TLS_BROKER, TLS_FLOOR, Plan, cases_of
from bench.profile import CALLERS, FEWEST_PERCENT
from bench.report import PAYER_TITLES, beside, shown, times
from bench.scene import engines
from bench.watched import SHARED
from broker.adapters.clock_system import SystemClock
from demo.world.children import ROOT

DOCS = ROOT / "docs"
RECORD, PAGE, PICTURE = (DOCS / f"performance.{kind}" for kind in ("json", "md", "svg"))
DIGITS = 5

HEAD = """# How fast it is

Written by `python3 run.py bench --page`; do not edit. `bench/__init__.py` says what else the command does.

A figure of one machine says little by itself. So everything is measured in one run beside two others: **the floor**,
an endpoint written by hand that verifies one token, looks up in two registers, selects once, asks the source once, and
makes two rows durable, and decides, proves and protects nothing; and **the direct call**, the source itself. What is
compared is measured in turn, round after round; ratios are made round by round, and their median is told with the least
and the most. Load, nodes, OPA, PostgreSQL (which waits for its disk), registers and sources share the cores named here,
so asks a second are what the whole machine does, not what a broker with cores of its own would do.
"""
TAIL = """## What these figures do not say

- A round is about a second for each row. p99 of a row with few answers is close to its slowest answer.
- CPU of "systems" and "load" is that of invented systems and of the bench itself, which a real installation has
  elsewhere; at one caller it also holds what twenty idle processes spend meanwhile.
- The goals' absolute figures were set from a floor of 775 to 914 asks a second (16 at once). Where this run's floor is
  below that, the machine was slower or busy, and the ratios are what can be compared.
- The profile's node watches itself, which costs it something; shares are right, sums a little high.
"""


def write_page(found: dict[str, Any]) -> None:
    """Add what was found to the record, and write page and picture from it."""
    record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else None
    kept = joined(record, found)
    figures = figures_of(kept)
    RECORD.write_text(_compact(kept), "utf-8")
    PAGE.write_text(page(figures, kept), "utf-8")
    PICTURE.write_text(chart(figures), "utf-8")


def joined(record: dict[str, Any] | None, found: dict[str, Any]) -> dict[str, Any]:
    """Keep the newest rounds, the newest look at memory, and the day of each."""
    today = SystemClock().now().date().isoformat()
    fresh = found | {"measured_on": today}
    if found["figures"]:
        memory = (
            {name: record["facts"][name] for name in ("memory", "memory_on") if name in record["facts"]}
            if record
            else {}
        )
        return fresh | {"facts": memory | found["facts"]}
    kept = record or fresh
    return kept | {"facts": kept["facts"] | found["facts"] | {"memory_on": today}}


def figures_of(record: dict[str, Any]) -> Figures:
    """Make figures again of what was told."""
    told = dict(record["plan"])
    told |= {"size": Size(**told["size"]), "callers": tuple(told["callers"])}
    plan = Plan(**told | {"waits": tuple((source, registers) for source, registers in told["waits"])})
    series: dict[Place, list[float]] = {tuple(row["place"]): row["rounds"] for row in record["figures"]}
    asked = {place[1] for place in series}
    brokers = tuple(name for name in engines() if name in asked)
    cases = cases_of(plan, brokers, tls=TLS_BROKER in asked) if brokers else ()
    figures = Figures(plan, cases, rounds=record["rounds"], facts=record["facts"])
    figures.series.update(series)
    return figures


def _compact(record: dict[str, Any]) -> str:
    """Write the record, a figure a line, to five digits."""
    rows = [json.dumps({name: _short(value) for name, value in row.items()}) for row in record["figures"]]
    rest = {name: _short(value) for name, value in record.items() if name != "figures"}
    body = json.dumps(rest, indent=1, ensure_ascii=False).removesuffix("\n}")
    return f'{body},\n "figures": [\n  ' + ",\n  ".join(rows) + "\n ]\n}\n"


def _short(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}")
        case list():
            return [_short(one) for one in value]
        case dict():
            return {name: _short(one) for name, one in value.items()}
    return value


def page(figures: Figures, record: dict[str, Any]) -> str:
    """Write the page."""
    parts = [HEAD, _where(figures, record)]
    if figures.cases:
        picture = (
            "![The broker beside the floor, who pays for an ask, and where its milliseconds go](performance.svg)\n"
        )
        parts += [
            _goals(figures),
            picture,
            _asks(figures),
            _payers(figures),
            _parts(figures),
            _registry(figures),
            _pages(figures),
        ]
    parts += [*_profile(figures), *_memory(figures), TAIL]
    return "\n".join(part for part in parts if part)


def _where(figures: Figures, record: dict[str, Any]) -> str:
    noise = figures.facts.get("noise")
    said = f" The machine was not quiet: {noise.removeprefix('noisy machine: ')}." if noise else ""
    tls = "" if figures.facts.get("tls", True) else " Without TLS: there was no haproxy."
    return f"Measured on {record['measured_on']}: {record['machine']}; {figures.rounds} rounds.{said}{tls}\n"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    line = "| " + " | ".join(head) + " |\n|---" + "|---:" * (len(head) - 1) + "|\n"
    return f"## {title}\n\n" + line + "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _goals(figures: Figures) -> str:
    rows = [
        (
            goal.what,
            goal.goal,
            f"{goal.measured:,.2f} {goal.unit}".strip(),
            "yes" if goal.reached else "no",
            beside(goal),
        )
        for goal in goals(figures)
    ]
    return _table("The goals", ("goal", "wanted", "measured", "reached", "the floor"), rows)


def _asks(figures: Figures) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for waits, cases in groupby(figures.cases, key=lambda case: case.waits):
            yield (f"**{waits}**", "", "", "", "", "")
            for case in cases:
                for target in case.targets:
                    place, floor = (case.name, target), TLS_FLOOR if target == TLS_BROKER else "floor"
                    rate = (*place, "rate")
                    yield (
                        f"{case.callers} at once, {target}",
                        shown(figures.of(*rate), 0),
                        shown(figures.of(*place, "p50"), 1),
                        shown(figures.of(*place, "p99"), 1),
                        times(figures.ratio(rate, (case.name, floor, "rate"))) if target.startswith("broker") else "",
                        times(figures.ratio(rate, (case.direct, "direct", "rate"))) if target != "direct" else "",
                    )

    return _table("One ask", ("", "asks/s", "p50 ms", "p99 ms", "of the floor", "of the direct call"), rows())


def _payers(figures: Figures) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for case in figures.cases:
            if case.waits != figures.cases[0].waits:
                continue
            for target in case.targets:
                paid = [figures.mid(case.name, target, f"cpu {payer}") for payer in PAYERS]
                if any(paid):
                    yield (f"{case.callers} at once, {target}", *(f"{one:.2f}" if one else "" for one in paid))

    return _table("Who pays: CPU ms an ask", ("", *(PAYER_TITLES[payer] for payer in PAYERS)), rows())


def _parts(figures: Figures) -> str:
    def row(what: str, place: Place, other: Place, digits: int) -> Sequence[str]:
        return (
            what,
            shown(figures.of(*place), digits),
            shown(figures.of(*other), digits),
            times(figures.ratio(place, other)),
        )

    def rows() -> Iterator[Sequence[str]]:
        for what, name in appended(figures):
            log = ("log", name)
            yield row(f"log appends/s, {what}; plain rows", (*log, "grouped"), (*log, "raw"), 0)
            yield row("p99 of one, ms; of a plain row", (*log, "grouped p99"), (*log, "raw p99"), 1)
        for _, engine, keys, name in (place for place in figures.series if place[0] == "decision"):
            base = engine.removesuffix(LARGE_TABLES) if engine.endswith(LARGE_TABLES) else "embedded"
            place, other = ("decision", engine, keys, name), ("decision", base, keys, name)
            if place != other:
                yield row(f"decision, {engine}, keys: {keys}, {name} ms; {base}", place, other, 2)
        view = ("view", broker_of(figures), "p50")
        for name, what in (("slowest source", "the slowest alone"), ("all in a row", "one after the other")):
            yield row(f"view of 5 sources, p50 ms; {what}", view, ("view", name, "p50"), 1)

    return _table("The parts", ("", "measured", "beside", "ratio"), rows())


def _registry(figures: Figures) -> str:
    facts, small = figures.facts.get("registry"), broker_of(figures)
    if not facts:
        return ""
    rows = []
    for callers in (1, 16):
        large = f"large registry, {callers} at once"
        for name, digits in (("rate", 0), ("p50", 1), ("cpu own", 2), ("cpu children", 2)):
            place, other = (large, COUNTRY_BROKER, name), (large, small, name)
            ratio = times(figures.ratio(place, other))
            rows.append(
                (
                    f"{name}, {callers} at once",
                    shown(figures.of(*place), digits),
                    shown(figures.of(*other), digits),
                    ratio,
                )
            )
    for name, unit, scale in (("started_seconds", "s to start", 1.0), ("resident_kb", "MB in RAM, OPA's too", 1000.0)):
        one, other = (facts[name][node] / scale for node in (COUNTRY_BROKER, small))
        rows.append((unit, f"{one:,.1f}", f"{other:,.1f}", f"{one / other:.2f}×"))
    size = facts["size"]
    title = f"With {size['municipalities']} municipalities, {size['sources']} sources and {size['statutes']} statutes"
    return _table(title, ("", "large registry", "small", "ratio"), rows)


def _pages(figures: Figures) -> str:
    columns = {"first byte ms": 1, "kB": 1, "kB at most": 0, "other hosts": 0}
    names = dict.fromkeys(place[1] for place in figures.series if place[0] == "page")
    rows = [
        (name, *(shown(figures.of("page", name, column), digits) for column, digits in columns.items()))
        for name in names
    ]
    tried = figures.of("withdrawal", "released after")
    said = (
        f"\nWithdrawals: {len(tried)}, each asked about at another node at once; released after it: {sum(tried):.0f}.\n"
    )
    note = '\n"kB at most" has every font and picture the styles name; a browser fetches those it needs.\n'
    return _table("Pages, first visit", ("", *columns), rows) + note + said


def _profile(figures: Figures) -> Iterator[str]:
    found = figures.facts.get("profile")
    if not found:
        return
    alone, busy = (found[f"{callers}"] for callers in CALLERS)
    rows = []
    for step, row in alone["steps"].items():
        told = [row.get(name) for name in ("wall", "cpu", "sql", "sql wall", "http", "http wall")]
        told += [busy["steps"].get(step, {}).get("wall"), busy["sampled_steps"].get(step)]
        rows.append((f"({step})" if step in SHARED else step, *(f"{one:,.2f}" if one else "" for one in told)))
    head = (
        "",
        "ms alone",
        "CPU ms",
        "statements",
        "ms in them",
        "calls",
        "ms in them",
        "ms, 16 at once",
        "CPU %, 16 at once",
    )
    whole = {name: sum(row.get(name, 0.0) for row in alone["steps"].values()) for name in ("sql", "http")}
    said = (
        f"\nAn ask alone takes {whole['sql']:.0f} statements to PostgreSQL and {whole['http']:.0f} calls over HTTP,"
        " OPA's among them. The group commit stands in brackets: record and release wait for it.\n"
    )
    yield _table("Where an ask's time goes", head, rows) + said
    shares = [(name, f"{share:.1f}") for name, share in busy["libraries"].items() if share >= FEWEST_PERCENT]
    yield _table("Whose code runs, 16 at once", ("", "CPU %"), shares)


def _memory(figures: Figures) -> Iterator[str]:
    if found := figures.facts.get("memory"):
        told = "\n".join(f"- {line.strip()}" for line in lines(found))
        yield f"## Memory\n\nMeasured on {figures.facts.get('memory_on', '')} by `--memory`:\n\n{told}\n"
