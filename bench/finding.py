"""Measure an overseer's searches in a long log: each kind of criterion, and those together that fit least.

Run as `python -m bench.finding --entries 1000000`: fills a log of the house's own tables with asks and answers of 25
units, 400 employees, 12 purposes and what they were refused for, and searches it as the broker's own role does. With
`--folder` what was filled stays there, and is measured again without filling; two kilobytes an entry must fit.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from statistics import median

import asyncpg
import orjson
from rich.console import Console

from bench.filled_log import BEGUN, Person, fill
from bench.machine import described
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.database import open_pool
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.keys_file import new_house_keys
from broker.domain.entries import LogFilter
from demo.world.databases import Databases
from demo.world.files import WorldFiles
from demo.world.passing import passing_folder

HOME = "korsbaek"
ORIGIN = f"finding.example/log/{HOME}/2019"
FEW = 20_000
TRIES = 20
UNITS = tuple(f"unit-{number}" for number in range(25))
PURPOSES = tuple(f"purpose-{number}" for number in range(12))
SOURCES = ("social", "health", "family", "school", "job", "housing")
REASONS = tuple(f"REASON_{number}" for number in range(20))
BASES = (("consent",), ("statute",), ("consent", "statute"), ("own_case", "statute"))
EMPLOYEES, CASES, EMERGENCIES = 400, 9000, 50_000
# A unit asks for what its work is, and what is asked for says which sources and which refusals there can be.
A_UNITS_PURPOSES, A_PURPOSES_SOURCES, A_PURPOSES_REASONS = 3, 4, 4


def index_row(number: int, person: Person, tenant: str, _: bytes, shown: bytes) -> str:
    """Write an index row in its canonical form: every other an ask, and the next its answer."""
    rng = random.Random(number // 2)  # noqa: S311 - No secret hangs on it.
    unit = rng.randrange(len(UNITS))
    purpose = (unit * 5 + rng.randrange(A_UNITS_PURPOSES)) % len(PURPOSES)
    row = {
        "actor": f"a-{rng.randrange(EMPLOYEES)}",
        "ask": f"{number // 2:032x}",
        "at": BEGUN + number,
        "case": f"k-{rng.randrange(CASES)}",
        "citizen": person.handle,
        "kind": "outcome" if number % 2 else "ask",
        "map": person.map_key.hex(),
        "municipality": tenant,
        "purpose": PURPOSES[purpose],
        "shown": shown.hex(),
        "unit": UNITS[unit],
    }
    if number % 2:
        row |= _answer(rng, purpose, emergency=number % EMERGENCIES == 1)
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS).decode()


def _answer(rng: random.Random, purpose: int, *, emergency: bool) -> dict[str, object]:
    outcome = rng.choices(("released", "partly", "refused"), (70, 20, 10))[0]
    sources = [SOURCES[(purpose + place) % len(SOURCES)] for place in range(A_PURPOSES_SOURCES)]
    reasons = [REASONS[(purpose * 3 + place) % len(REASONS)] for place in range(A_PURPOSES_REASONS)]
    held = 0 if outcome == "released" else rng.choice((1, 1, 1, 2))
    return {
        "outcome": outcome,
        "basis": [] if outcome == "refused" else list(rng.choices(BASES, (60, 30, 8, 2))[0]),
        "reasons": sorted(rng.sample(reasons, held)),
        "sources": [] if outcome == "refused" else sorted(rng.sample(sources, rng.randrange(1, len(sources) + 1))),
        "emergency": emergency,
        "break_glass": "b" if emergency else "",
        "categories": ["S01"],
    }


def searches(entries: int) -> Iterator[tuple[str, LogFilter]]:
    """Name what is looked for; together: what many lines have each, and few or none have both."""
    middle, day = BEGUN + entries // 2, 86_400
    yield "everything, the newest", LogFilter()
    yield "everything, the oldest", LogFilter(oldest_first=True)
    yield "a day", LogFilter(since=middle, until=middle + day)
    yield "what happened", LogFilter(kind="outcome")
    yield "what never happened", LogFilter(kind="log.verified")
    yield "unit", LogFilter(unit=UNITS[3])
    yield "employee", LogFilter(actor="a-7")
    yield "citizen", LogFilter(citizen="c-77")
    yield "case", LogFilter(case="k-77")
    yield "purpose", LogFilter(purpose=PURPOSES[5])
    yield "basis", LogFilter(basis="own_case")
    yield "reason", LogFilter(reason=REASONS[4])
    yield "outcome", LogFilter(outcome="refused")
    yield "source", LogFilter(source="school")
    yield "whose source", LogFilter(holders=("school", "job"))
    yield "emergency", LogFilter(emergency=True)
    yield "emergency, the oldest first", LogFilter(emergency=True, oldest_first=True)
    yield "unit, purpose, reason: each many, together none", LogFilter(unit=UNITS[0], purpose=PURPOSES[11],
                                                                       reason=REASONS[0])  # fmt: skip
    yield (
        "unit, outcome, source, basis, half the time",
        LogFilter(unit=UNITS[3], outcome="partly", source="school", basis="own_case", until=middle),
    )
    yield "refused for what nobody is refused for", LogFilter(outcome="released", reason=REASONS[1])
    yield "employee and citizen", LogFilter(actor="a-7", citizen="c-77")
    yield "employee, refused, in an emergency", LogFilter(actor="a-7", outcome="refused", emergency=True)
    yield "whose source, no emergency, a month", LogFilter(holders=("job",), emergency=False, since=middle,
                                                           until=middle + 30 * day)  # fmt: skip


async def _measured(reader: LogReaderPostgres, wanted: LogFilter) -> tuple[int, list[float]]:
    """Search some times, every other time the second page where there is one; give lines of the first, seconds."""
    took, first = list[float](), await reader.search([HOME], wanted)
    for number in range(TRIES):
        cursor = first.next if number % 2 else None
        began = time.perf_counter()
        await reader.search([HOME], wanted, cursor=cursor)
        took.append(time.perf_counter() - began)
    return len(first.entries), took


async def _told(folder: Path, entries: int) -> None:
    """Fill, search, print."""
    databases = Databases(folder / "postgres", WorldFiles(folder).passwords())
    try:
        at = await databases.open()
        with Console(stderr=True).status("filling") as status:
            if not await _filled(databases.superuser):
                await fill(databases.superuser, ORIGIN, entries, lambda done: status.update(f"{done:,}"), index_row)
        # As an empty log's tables are vacuumed by the server on the way.
        await _run(databases.superuser, "VACUUM (ANALYZE) log.index")
        pool, vault = await open_pool(at.app, name="bench"), await open_pool(at.vault, name="bench")
        reader = LogReaderPostgres(pool, HandlesVault(vault, new_house_keys()))
        shapes = await _run(databases.superuser, "SELECT count(DISTINCT shape) FROM log.index")
        print(f"{entries:,} entries of {shapes:,} shapes; {described()}; load {os.getloadavg()[0]:.1f}", flush=True)
        print("| looked for | lines on the page | median | slowest of 20 |\n| --- | --- | --- | --- |")
        for what, wanted in searches(entries):
            lines, took = await _measured(reader, wanted)
            print(f"| {what} | {lines} | {median(took) * 1000:.0f} ms | {max(took) * 1000:.0f} ms |", flush=True)
        print(f"load at the end {os.getloadavg()[0]:.1f}")
        await pool.close()
        await vault.close()
    finally:
        databases.close()


async def _filled(address: str) -> bool:
    return bool(await _run(address, "SELECT true FROM log.head"))


async def _run(address: str, statement: str) -> object:
    connection = await asyncpg.connect(address)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.finding", description=__doc__)
    parser.add_argument("--entries", type=int, default=FEW, help=f"default {FEW:,}: shows that it works")
    parser.add_argument("--folder", type=Path, help="where the log is filled and kept, or found again")
    options = parser.parse_args()
    with nullcontext(options.folder) if options.folder else passing_folder("finding") as folder:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        asyncio.run(_told(folder, options.entries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
