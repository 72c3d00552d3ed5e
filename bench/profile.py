"""Where the time of an ask goes: by step of the road, and by library, told by a node that watches itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.asking import Load, opened_load
from bench.processes import listener_on
from bench.scene import Scene, engines
from bench.watched import REST, SERVER, SHARED, STEPS
from demo.world.children import WorldBroken

WATCHED = "broker, watched"
SECONDS_TO_TELL = 10.0
CALLERS = (1, 16)
FEWEST_PERCENT = 1.0
MOST_FUNCTIONS = 15


@dataclass(frozen=True, slots=True)
class Watched:
    """A node that watches itself, and the file it tells in."""

    process: int
    file: Path

    async def told(self) -> dict[str, Any]:
        """Let the node tell what it has gathered since it was last asked, and begin anew."""
        self.file.unlink(missing_ok=True)
        os.kill(self.process, signal.SIGUSR1)
        deadline = time.monotonic() + SECONDS_TO_TELL
        while time.monotonic() < deadline:
            if self.file.exists():
                told: dict[str, Any] = json.loads(self.file.read_text("utf-8"))
                return told
            await asyncio.sleep(0.05)
        raise WorldBroken("the watched broker does not tell what it saw")


async def profile(scene: Scene, seconds: float) -> dict[str, Any] | None:
    """Start a watched node, ask it alone and sixteen at once, and give what it saw; None where it cannot be found."""
    file = scene.world.files.folder / "watched.json"
    await scene.add_broker(WATCHED, next(iter(engines().values())), watched=file)
    process = listener_on(scene.ports[WATCHED])
    if process is None:
        return None
    node = Watched(process, file)
    async with opened_load({WATCHED: scene.targets[WATCHED]}) as load:
        await load.play(WATCHED, max(CALLERS), min(1.0, seconds))
        return {f"{callers}": await _look(node, load, callers, seconds) for callers in CALLERS}


async def _look(node: Watched, load: Load, callers: int, seconds: float) -> dict[str, Any]:
    await node.told()
    outcome = await load.play(WATCHED, callers, seconds)
    told = await node.told()
    asks = len(outcome["took"])
    rows = {step: _an_ask(sums, asks) for step, sums in told["sums"].items()}
    known = [step for step in STEPS if step in rows]
    rows[SERVER] = rows.get(SERVER, {})
    rows[REST] = _less(rows.get(REST, {}), [rows[step] for step in known])
    return {
        "asks": asks,
        "client_ms": sum(outcome["took"]) * 1000 / asks,
        "cpu_ms": told["cpu"] * 1000 / asks,
        "steps": {step: rows[step] for step in (*STEPS, REST, *SHARED, SERVER) if step in rows},
        "libraries": _shares(Counter({}), told["samples"], 1),
        "sampled_steps": _shares(Counter({}), told["samples"], 0),
        "functions": told["functions"],
        "samples": sum(count for *_, count in told["samples"]),
    }


def _an_ask(sums: dict[str, float], asks: int) -> dict[str, float]:
    """Give what a step costs an ask: milliseconds of wall time and CPU, statements, calls and bytes."""
    ms = {name: sums.get(name, 0.0) * 1000 / asks for name in ("wall", "cpu", "sql wall", "http wall")}
    return ms | {name: sums.get(name, 0.0) / asks for name in ("sql", "http", "bytes", "times")}


def _less(whole: dict[str, float], parts: list[dict[str, float]]) -> dict[str, float]:
    """Take the steps' own time from the whole request's; counts stand by themselves already."""
    timed = ("wall", "cpu")
    return {name: value - sum(part[name] for part in parts if name in timed) for name, value in whole.items()}


def _shares(into: Counter[str], samples: list[list[Any]], which: int) -> dict[str, float]:
    """Give the percentage of samples by step or by library, the most first."""
    for sample in samples:
        into[sample[which]] += sample[2]
    whole = sum(into.values()) or 1
    return {name: count * 100 / whole for name, count in into.most_common()}


def tables(found: dict[str, Any]) -> list[Table]:
    """Lay out the steps and the libraries."""
    return [_steps(found), _libraries(found), _functions(found)]


def _steps(found: dict[str, Any]) -> Table:
    alone, busy = (found[f"{callers}"] for callers in CALLERS)
    titles = (
        "ms alone",
        "CPU ms alone",
        "statements",
        "ms in them",
        "calls",
        "ms in them",
        "ms, 16 at once",
        "CPU %, 16 at once",
    )
    seen, size = alone["client_ms"], alone["steps"].get(REST, {}).get("bytes", 0.0)
    title = f"Where an ask's time goes (watched: {seen:.1f} ms as its caller sees it, {size:,.0f} bytes answered)"
    table = Table("step", *titles, title=title)
    rows = {"all of it": _sum([*alone["steps"].values()])} | alone["steps"]
    for step, row in sorted(rows.items(), key=lambda told: told[0] == "all of it"):
        if step in {*SHARED, "all of it"}:
            table.add_section()
        table.add_row(
            f"({step}, within the others)" if step in SHARED else step,
            *(_number(row.get(name)) for name in ("wall", "cpu", "sql", "sql wall", "http", "http wall")),
            _number(busy["steps"].get(step, {}).get("wall")),
            _number(busy["sampled_steps"].get(step), 1),
        )
    return table


def _sum(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Add up what is counted, and the time of what is not within another."""
    return {name: sum(row.get(name, 0.0) for row in rows) for name in ("sql", "sql wall", "http", "http wall")}


def _libraries(found: dict[str, Any]) -> Table:
    alone, busy = (found[f"{callers}"] for callers in CALLERS)
    table = Table(
        "library", "CPU % alone", "CPU %, 16 at once", title=f"Whose code runs (samples: {busy['samples']:,})"
    )
    for library, share in busy["libraries"].items():
        if share >= FEWEST_PERCENT:
            table.add_row(library, _number(alone["libraries"].get(library), 1), _number(share, 1))
    return table


def _functions(found: dict[str, Any]) -> Table:
    busy = found[f"{max(CALLERS)}"]
    table = Table("function", "CPU %, 16 at once", title="Where samples fell most often")
    for name, count in busy["functions"][:MOST_FUNCTIONS]:
        table.add_row(name, _number(count * 100 / busy["samples"], 1))
    return table


def _number(value: float | None, places: int = 2) -> str:
    return "" if not value else f"{value:,.{places}f}"
