"""The machine: who spends its cores, how busy others keep it, and how even its speed is.

What a round costs is split by who paid: the server itself, its children (the OPA server), PostgreSQL, the systems it
asked, and the load that asked it. What nobody of ours spent, others did: then absolute figures mean little.
"""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, field
from statistics import median
from urllib.parse import urlsplit

import asyncpg

from bench.figures import Figures
from bench.plan import TLS_BROKER, TLS_FLOOR
from bench.processes import Books, listener_on, open_books, resident_kb, started_for
from bench.scene import Scene

PAYERS = ("own", "children", "proxy", "database", "systems", "load")
SPINS = 200_000
# Above these, the run is called noisy: others' share of the machine's cores, and the slowest spin by the quickest.
OTHERS_SHARE, UNEVEN_TIMES = 0.10, 1.35


@dataclass(slots=True)
class Machine:
    """The processes of ours that pay for an ask, found once, before the first round."""

    listeners: dict[str, int | None]
    proxies: dict[str, int | None]
    database: int | None
    systems: int | None
    load: int
    clusters: frozenset[int]
    others: list[float] = field(default_factory=list)
    spins: list[float] = field(default_factory=list)

    def payers(self, target: str, books: Books) -> dict[str, frozenset[int]]:
        """Say which processes pay for asking a target."""
        own = self.listeners.get(target)
        served = books.family(own)
        return {
            "own": frozenset({own} if own else ()),
            "children": served - {own},
            "proxy": books.family(self.proxies.get(target)),
            "database": books.family(self.database),
            "systems": books.family(self.systems) - served,
            "load": frozenset({self.load}),
        }

    def note(self, into: Figures, place: tuple[str, ...], before: Books | None, asks: int) -> None:
        """Note the CPU of each payer since `before`, in milliseconds an ask."""
        after = open_books()
        if before is None or after is None or not asks:
            return
        for payer, processes in self.payers(place[-1], after).items():
            if processes and (payer != "own" or self.listeners.get(place[-1])):
                into.add(*place, f"cpu {payer}", value=after.spent(processes, before) * 1000 / asks)

    def resident(self) -> dict[str, int]:
        """Say how much memory each server and its children hold just now, in kB."""
        books = open_books()
        families = {name: books.family(head) if books else frozenset() for name, head in self.listeners.items()}
        return {name: sum(resident_kb(one) or 0 for one in family) for name, family in families.items()}

    def watch(self, before: Books | None, seconds: float) -> None:
        """Note what share of all cores others took since `before`, and how long a fixed sum takes just now."""
        after = open_books()
        if before is not None and after is not None:
            ours = after.spent(after.family(os.getpid(), *self.clusters), before)
            spare = max(0.0, after.machine - before.machine - ours)
            self.others.append(spare / (seconds * (os.cpu_count() or 1)))
        self.spins.append(_spin())

    def noise(self) -> str | None:
        """Say in one line why the figures are noisy; None when they are not."""
        told = []
        if self.others and median(self.others) > OTHERS_SHARE:
            told.append(f"others took {median(self.others):.0%} of the cores")
        if self.spins and max(self.spins) > UNEVEN_TIMES * min(self.spins):
            told.append(
                f"the same sum took {max(self.spins) / min(self.spins):.1f} times as long in one round as in another"
            )
        return "noisy machine: " + ", and ".join(told) if told else None


async def find_payers(scene: Scene, load: int) -> Machine:
    """Find who pays: each server by its port, PostgreSQL by a connection's own backend."""
    books, admin = open_books(), await asyncpg.connect(scene.world.databases.superuser)
    backend: int = await admin.fetchval("SELECT pg_backend_pid()")
    books = open_books()
    await admin.close()
    source = listener_on(_port(scene.targets["direct"]["url"]))
    parents = books.parents if books else {}
    fronted = [name for name in (TLS_FLOOR, TLS_BROKER) if name in scene.ports]
    return Machine(
        {name: listener_on(port) for name, port in scene.ports.items()},
        {name: listener_on(_port(scene.targets[name]["url"])) for name in fronted},
        parents.get(backend),
        parents.get(source or 0),
        load,
        started_for(scene.world.files.folder),
    )


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def described() -> str:
    """Say on what was measured."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def _spin() -> float:
    """Time a fixed sum, in milliseconds."""
    begun, total = time.perf_counter(), 0
    for number in range(SPINS):
        total += number
    return (time.perf_counter() - begun) * 1000
