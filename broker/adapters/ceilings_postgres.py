"""Ceilings in PostgreSQL: how much was asked in the running window, over all nodes (`design.md` 6.17).

Windows stand still (each minute, each hour begins anew), which one small row a name can count. The table is UNLOGGED:
after a crash the counts begin at zero. Names are hashes, so the table tells nobody who asks.

An ask that is refused here is taken out of the counts again: a caseworker who runs wild stops at their own ceiling, and
not with them their system and the whole municipality.
"""

from __future__ import annotations

import hashlib
import time
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from broker.adapters.database import Pool
from broker.adapters.grouped import Grouped
from broker.domain.errors import TooManyAsks
from broker.domain.identity import Caseworker, System

_COUNT = """
INSERT INTO web.ceiling AS kept (name, ends_at, asks)
SELECT name, to_timestamp((floor(extract(epoch FROM clock_timestamp()) / seconds) + 1) * seconds), asks
FROM unnest($1::bytea[], $2::int[], $3::int[]) AS new (name, seconds, asks)
ON CONFLICT (name) DO UPDATE SET
  asks = CASE WHEN kept.ends_at < excluded.ends_at THEN excluded.asks ELSE kept.asks + excluded.asks END,
  ends_at = greatest(kept.ends_at, excluded.ends_at)
RETURNING name, asks, ends_at, ceil(extract(epoch FROM ends_at - clock_timestamp()))::int AS left
"""
# Locked in the order of their names, as above. A window that has ended since is left as it is.
_GIVE_BACK = """
WITH back AS (SELECT * FROM unnest($1::bytea[], $2::int[], $3::timestamptz[]) AS told (name, asks, ends_at)),
     held AS (SELECT name FROM web.ceiling WHERE name = ANY ($1) ORDER BY name FOR UPDATE)
UPDATE web.ceiling AS kept SET asks = kept.asks - back.asks FROM held JOIN back USING (name)
WHERE kept.name = held.name AND kept.ends_at = back.ends_at
"""
_FORGET = "DELETE FROM web.ceiling WHERE ends_at < clock_timestamp() - interval '1 hour'"
FORGET_EVERY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Ceiling:
    """At most so many asks in a window of so many seconds."""

    asks: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The ceilings of one caseworker, one system and one municipality."""

    caseworker: Ceiling
    system: Ceiling
    municipality: Ceiling


# Each look asks every system that helps the citizen, live.
OWN_LOOKS = Ceiling(20, 3600)
# Each is all that is held about a citizen; who wants many in a day is not answering letters.
PACKAGES = Ceiling(20, 86400)
# Each puts one employee's name and code together; who wants many in a day makes a list of colleagues.
NAMES = Ceiling(10, 86400)
# Each tells whether the log knows a number that somebody thought of; an overseer's day has room for as many.
SEARCHES = Ceiling(200, 86400)
# Each is a body opened, an entry in the officer's name, and a line on the citizen's own list.
LINES = Ceiling(1000, 86400)
# Each opens a line and proves it to anybody; an inspector asks for some.
EVIDENCES = Ceiling(100, 86400)
# Each reads a log from the breach's first moment on: a count, or a page of its list.
TOUCHED = Ceiling(300, 86400)
# Each counts a whole month, or is set for print by the one thread that does.
PAPERS = Ceiling(60, 86400)


def lowered(limits: Limits, own: Mapping[str, int]) -> Limits:
    """Give limits with a municipality's own numbers where they are lower; a higher one changes nothing."""
    return Limits(
        **{
            part.name: replace(limit, asks=min(limit.asks, own.get(part.name, limit.asks)))
            for part in fields(Limits)
            for limit in (getattr(limits, part.name),)
        }
    )


_Want = Mapping[bytes, Ceiling]


class PostgresCeilings:
    """The counters over a pool of `database.open_pool`; `own` are numbers of municipalities that want fewer asks."""

    def __init__(
        self,
        pool: Pool,
        limits: Limits,
        own: Mapping[str, Mapping[str, int]] | None = None,
        *,
        citizen: Ceiling = OWN_LOOKS,
    ) -> None:
        self._pool = pool
        self._limits = limits
        self._citizen = citizen
        # Those of municipalities that want fewer asks, worked out once.
        self._lower = {home: lowered(limits, numbers) for home, numbers in (own or {}).items()}
        self._grouped: Grouped[_Want, int] = Grouped(self._count)
        self._forget_at = 0.0

    async def count(self, system: System, caseworker: Caseworker | None) -> None:
        """Count one ask. Raises `TooManyAsks` when a ceiling is reached, `StoreUnavailable`."""
        limits = self._lower.get(system.municipality, self._limits)
        wants = {
            _name("municipality", system.municipality): limits.municipality,
            _name("system", system.client_id): limits.system,
        }
        if caseworker is not None:
            wants[_name("caseworker", caseworker.issuer, _folded(caseworker.id.disclose()))] = limits.caseworker
        if wait := await self._grouped.ask(wants):
            raise TooManyAsks(wait)

    async def count_look(self, citizen: str) -> None:
        """Count one live look of a citizen (handle) at their own data. Raises as `count`."""
        if wait := await self._grouped.ask({_name("citizen", citizen): self._citizen}):
            raise TooManyAsks(wait)

    async def count_package(self, officer: str) -> None:
        """Count one file that an officer (handle) makes of what is held about a citizen. Raises as `count`."""
        if wait := await self._grouped.ask({_name("package", officer): PACKAGES}):
            raise TooManyAsks(wait)

    async def count_name(self, officer: str) -> None:
        """Count one employee whom an officer (handle) puts together with a code. Raises as `count`."""
        if wait := await self._grouped.ask({_name("name", officer): NAMES}):
            raise TooManyAsks(wait)

    async def count_search(self, officer: str) -> None:
        """Count one search of the log that names somebody, by an officer (handle). Raises as `count`."""
        if wait := await self._grouped.ask({_name("search", officer): SEARCHES}):
            raise TooManyAsks(wait)

    async def count_line(self, officer: str) -> None:
        """Count one line of the log that an officer (handle) opens. Raises as `count`."""
        if wait := await self._grouped.ask({_name("line", officer): LINES}):
            raise TooManyAsks(wait)

    async def count_evidence(self, officer: str) -> None:
        """Count one line whose evidence an officer (handle) takes out. Raises as `count`."""
        if wait := await self._grouped.ask({_name("evidence", officer): EVIDENCES}):
            raise TooManyAsks(wait)

    async def count_touched(self, officer: str) -> None:
        """Count one reading of a log for whom a breach touches, by an officer (handle). Raises as `count`."""
        if wait := await self._grouped.ask({_name("touched", officer): TOUCHED}):
            raise TooManyAsks(wait)

    async def count_paper(self, officer: str) -> None:
        """Count one report or fact sheet that an officer (handle) has made. Raises as `count`."""
        if wait := await self._grouped.ask({_name("paper", officer): PAPERS}):
            raise TooManyAsks(wait)

    async def _count(self, wants: Sequence[_Want]) -> list[int]:
        """Count for all; answer each with the seconds to wait, or 0."""
        asked = Counter(name for want in wants for name in want)
        ceilings = {name: ceiling for want in wants for name, ceiling in want.items()}
        # One order on every node, so that two groups cannot wait for one another.
        names = sorted(asked)
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(
                _COUNT, names, [ceilings[name].seconds for name in names], [asked[name] for name in names]
            )
            if (now := time.monotonic()) >= self._forget_at:
                self._forget_at = now + FORGET_EVERY_SECONDS
                await connection.execute(_FORGET)
            kept = {row["name"]: row for row in rows}
            room = {name: ceilings[name].asks - kept[name]["asks"] + asked[name] for name in names}
            answers: list[int] = []
            refused: Counter[bytes] = Counter()
            for want in wants:
                full = [name for name in want if room[name] < 1]
                answers.append(max((max(kept[name]["left"], 1) for name in full), default=0))
                if full:
                    refused.update(want.keys())
                else:
                    room |= {name: room[name] - 1 for name in want}
            if refused:
                back = sorted(refused)
                ends = [kept[name]["ends_at"] for name in back]
                await connection.execute(_GIVE_BACK, back, [refused[name] for name in back], ends)
        return answers


def _folded(person: str) -> str:
    """Write an id in one way: where a case system overlooks capitals or wide letters, each would be a new ceiling."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", person).casefold())


def _name(kind: str, *parts: str) -> bytes:
    return hashlib.sha256("\0".join((kind, *parts)).encode()).digest()
