"""Thieves of keys, played for real: what each gets out of two nodes, and where the ceilings stop them.

`python -m tests.thieves` plays all of them with the default ceilings over the whole road and writes
`docs/stolen-keys.md`; `tests/attacks/test_stolen_keys.py` plays them with small ceilings and holds the page to the
settings.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.adapters.ceilings_postgres import Ceiling, Limits
from broker.settings import Settings
from broker.web.oauth.token_endpoint import CLIENT_CREDENTIALS
from demo.postgres import PrivatePostgres
from tests.actors import AnEmployer, ASystem
from tests.nodes import ROLE, UNIT, WEEK_SECONDS, Node, Town, open_town

PAGE = Path(__file__).parents[1] / "docs" / "stolen-keys.md"
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Ceilings:
    """How many asks in an hour: of one caseworker, of one system, of one municipality."""

    caseworker: int
    system: int
    municipality: int

    @property
    def limits(self) -> Limits:
        """The same for the real counters, in a window that no play outlasts."""
        return Limits(*(Ceiling(asks, WEEK_SECONDS) for asks in (self.caseworker, self.system, self.municipality)))


DEFAULTS = Ceilings(
    *(Settings.model_fields[f"asks_per_{who}_hour"].default for who in ("caseworker", "system", "municipality"))
)


@dataclass
class Loot:
    """What a thief came home with: citizens whose data they saw, and how each of their tries ended."""

    citizens: set[str] = field(default_factory=set)
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def lost(self) -> int:
        """How many citizens."""
        return len(self.citizens)


@dataclass
class Prey:
    """A town whose caseworkers each have so many open cases, and so many systems that speak for their unit."""

    town: Town
    asks: dict[str, list[dict[str, str]]]

    @property
    def systems(self) -> tuple[ASystem, ...]:
        """All systems of the municipality."""
        return (self.town.system, *self.town.others)


@asynccontextmanager
async def open_prey(
    postgres: PrivatePostgres, folder: Path, ceilings: Ceilings, *, caseworkers: int, cases: int, systems: int = 1
) -> Any:
    """Open a town worth robbing."""
    others = tuple(ASystem(f"system-{i}", units=frozenset({UNIT})) for i in range(1, systems))
    async with open_town(postgres, folder, others=others, limits=ceilings.limits) as town:
        asks: dict[str, list[dict[str, str]]] = {}
        for number in range(caseworkers * cases):
            name = f"caseworker-{number // cases}"
            asks.setdefault(name, []).append(town.open_case(f"S-{number}", _cpr(number), name))
        yield Prey(town, asks)


def _cpr(number: int) -> str:
    """Give a number that no living person can have: its day is beyond sixty."""
    return f"{61 + number % 28}{1 + number // 28 % 12:02}74{number % 10_000:04}"


async def rob(
    prey: Prey, systems: Sequence[ASystem], employer: AnEmployer | None, asks: dict[str, list[dict[str, str]]]
) -> Loot:
    """Ask about all cases one knows, as each caseworker one can name, through each system, at every node by turns."""
    loot, nodes = Loot(), prey.town.nodes
    places = asyncio.Semaphore(AT_ONCE)
    jobs = []
    for i, (name, wanted) in enumerate(asks.items()):
        system = systems[i % len(systems)]
        jobs.append(_rob_as(prey.town, nodes, system, employer, name, wanted, loot, places))
    await asyncio.gather(*jobs)
    return loot


async def _rob_as(
    town: Town,
    nodes: Sequence[Node],
    system: ASystem,
    employer: AnEmployer | None,
    name: str,
    wanted: Sequence[dict[str, str]],
    loot: Loot,
    places: asyncio.Semaphore,
) -> None:
    """Act as one caseworker through one system."""
    async with places:
        token = await _token(town, nodes[0], system, employer, name, loot)
    if token is None:
        return

    async def one(number: int, ask: dict[str, str]) -> None:
        async with places:
            answer = await town.ask(nodes[number % len(nodes)], ask, token, system=system)
        loot.ends[str(answer.status_code)] += 1
        if answer.status_code == 200 and answer.json()["items"]:
            loot.citizens.add(ask["citizen"])

    await asyncio.gather(*(one(number, ask) for number, ask in enumerate(wanted)))


async def _token(
    town: Town, node: Node, system: ASystem, employer: AnEmployer | None, name: str, loot: Loot
) -> str | None:
    if employer is None:
        form = {**system.form(town.now), "grant_type": CLIENT_CREDENTIALS}
    else:
        word = employer.assertion(town.now, system.client_id, sub=name, unit=UNIT, roles=[ROLE])
        form = system.form(town.now, word)
    answer = await town.ask_token(node, form, system.proof(town.now))
    if answer.status_code != 200:
        loot.ends[str(answer.json()["error"])] += 1
        return None
    return str(answer.json()["access_token"])


def invented(asks: dict[str, list[dict[str, str]]], count: int) -> dict[str, list[dict[str, str]]]:
    """Name caseworkers that nobody employs, each asking about cases that are real."""
    real = [ask for wanted in asks.values() for ask in wanted]
    return {f"invented-{i}": [real[i % len(real)]] for i in range(count)}


def guessed(asks: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    """Name real caseworkers with citizens that are not theirs: the case numbers go round by one caseworker."""
    names = list(asks)
    return {name: asks[names[i - 1]] for i, name in enumerate(names)}


# ---- The page ----------------------------------------------------------------------------------------------------

Row = tuple[str, str, int, int, int]


async def play_all(postgres: PrivatePostgres, folder: Path) -> list[Row]:
    """Play every thief with the default ceilings; give what they hold, what they know, tries, let through, lost."""
    rows: list[Row] = []
    c, s, m = DEFAULTS.caseworker, DEFAULTS.system, DEFAULTS.municipality
    one = {"caseworkers": 1, "cases": 2 * c}
    some = {"caseworkers": s // c + 5, "cases": c + 5}
    many = {"caseworkers": m // c + 5, "cases": c + 5, "systems": m // s + 2}

    async def play(holds: str, knows: str, size: dict[str, int], how: str) -> None:
        async with open_prey(postgres, folder, DEFAULTS, **size) as prey:
            loot = await _rob_somehow(prey, how)
        tried, passed = sum(loot.ends.values()), loot.ends["200"] + loot.ends["403"]
        rows.append((holds, knows, tried, passed, loot.lost))
        print(*rows[-1], dict(loot.ends), file=sys.stderr, flush=True)  # noqa: T201 -- progress of a long play

    all_known = "every open case with its citizen and caseworker"
    await play("a system's key", all_known, one, "system")
    await play("an employer's key", all_known, one, "employer")
    await play("both", f"one caseworker's {2 * c} cases", one, "both")
    await play("both", f"{s // c + 5} caseworkers' cases, {c + 5} each", some, "both")
    await play("both, and invents caseworkers", all_known, some, "invented")
    await play("both", "citizens and cases, but whose is guessed wrong", some, "guessed")
    await play(
        f"the employer's key and {m // s + 2} systems'", f"{m // c + 5} caseworkers', {c + 5} each", many, "both"
    )
    return rows


async def _rob_somehow(prey: Prey, how: str) -> Loot:
    stranger = ASystem("momentum", units=frozenset({UNIT}))
    match how:
        case "system":
            return await rob(prey, prey.systems, None, prey.asks)
        case "employer":
            return await rob(prey, [stranger], prey.town.employer, prey.asks)
        case "invented":
            return await rob(prey, prey.systems, prey.town.employer, invented(prey.asks, DEFAULTS.system + 100))
        case "guessed":
            return await rob(prey, prey.systems, prey.town.employer, guessed(prey.asks))
    return await rob(prey, prey.systems, prey.town.employer, prey.asks)


def page(rows: Sequence[Row]) -> str:
    """Write the page."""
    table = "\n".join(
        f"| {holds} | {knows} | {tried} | {passed} | **{lost}** |" for holds, knows, tried, passed, lost in rows
    )
    return TEXT.format(
        table=table, **{name: getattr(DEFAULTS, name) for name in ("caseworker", "system", "municipality")}
    )


TEXT = """<!-- Made by `python -m tests.thieves`; edit that. -->
# Stolen keys: how many citizens are lost before a ceiling stops it

Each row was played over the whole road: two nodes on one PostgreSQL, real tokens, proofs, rules, log and ceilings, with
the default ceilings of {caseworker} asks an hour for a caseworker, {system} for a system, {municipality} for a
municipality. Registers and source were in memory, and every citizen's data would have been released by statute: with
consents in the way fewer are lost. "Let through" are asks that a ceiling did not stop; "lost" are citizens whose data
the thief saw.

| the thief holds | and knows | asks tried | let through | citizens lost |
|---|---|---|---|---|
{table}

`tests/attacks/test_stolen_keys.py` plays the same thieves with small ceilings at every run, the municipality's among
them, and fails when this page's settings are no longer the defaults.

## What follows

- **One key alone opens nothing.** A system without its employer's word names no caseworker, and no citizen can be asked
  about; an employer without a system's key gets no token.
- **Both keys: the least of four numbers** in each hour: the open cases the thief knows (case number, citizen and
  caseworker together), {caseworker} for each caseworker among them, {system} for each stolen system, {municipality} for
  the municipality. An ask names one citizen, and may touch their children.
- **Invented caseworkers gain nothing.** The case system is asked live who is employed and whose case it is, so an
  invented name is refused, and the refused ask is counted all the same for the system and the municipality. Writing one
  name in many ways (capitals, wide letters) is one name to the ceiling.
- **Asks that the rules refuse count as well**, and each stands on the log with the citizen's handle: guessing shows.
- **An ask past a ceiling counts for nothing**: one caseworker who runs wild stops at their own ceiling and takes no ask
  from their colleagues.
- **Nodes share the counts, and a restarted node finds them.** A crash of PostgreSQL, or a switch to its replica, begins
  them anew; so does each full hour. A thief who waits for the full hour has two hours' asks in a short while.
- **Pages are counted too**: asks through our own page count for the page's system and the caseworker.

## What to do

1. Put the new public key in the registry's `jwks_file` of that system or employer (or take the entry out).
2. Restart the nodes, one after the other: the registry is read at start. From then on the stolen key gets no token.
   Tokens that were fetched with a system's old key live on for five minutes at most, unless the entry itself was taken
   out: then they are dead at once, because every use is held against the registry.
3. In a hurry, take the entry out first and put it back with its new key afterwards.
4. The log tells which citizens: search it by system, or by the caseworkers named.
"""


def main() -> None:
    """Play all and write the page."""
    with tempfile.TemporaryDirectory() as folder, PrivatePostgres(Path(folder) / "pg") as postgres:
        rows = asyncio.run(play_all(postgres, Path(folder)))
    PAGE.write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main()
