"""The web's doors in memory, with the behaviour of the real ones (`tests/contracts/test_web_doors.py`)."""

from collections.abc import Mapping
from datetime import datetime

from broker.domain.errors import TooManyAsks
from broker.domain.identity import Caseworker, System


class FakeReplay:
    """A replay memory that began at a set moment."""

    def __init__(self, since: datetime | None = None) -> None:
        self.since = since
        self.seen: set[bytes] = set()

    async def first_use(self, key: bytes, *, issued_at: datetime, keep_until: datetime) -> bool:
        """Remember a key and say whether this is surely its first use."""
        fresh = key not in self.seen and (self.since is None or issued_at >= self.since)
        self.seen.add(key)
        return fresh


class FakeCeilings:
    """Counters without a window: `most` asks for each caseworker, system and municipality."""

    def __init__(self, most: Mapping[str, int] | None = None) -> None:
        self.most = most or {}
        self.asked: dict[tuple[str, str], int] = {}

    async def count(self, system: System, caseworker: Caseworker | None) -> None:
        """Count one ask, or refuse it."""
        names = [("municipality", system.municipality), ("system", system.client_id)]
        if caseworker is not None:
            names.append(("caseworker", f"{caseworker.issuer} {caseworker.id.disclose().casefold()}"))
        asked = {name: self.asked.get(name, 0) + 1 for name in names}
        if any(asked[name] > self.most.get(name[0], asked[name]) for name in names):
            raise TooManyAsks(60)
        self.asked |= asked

    async def count_look(self, citizen: str) -> None:
        """Count one look of a citizen, or refuse it."""
        self._count_one("citizen", citizen)

    async def count_package(self, officer: str) -> None:
        """Count one file an officer makes, or refuse it."""
        self._count_one("package", officer)

    async def count_name(self, officer: str) -> None:
        """Count one employee an officer is told of, or refuse it."""
        self._count_one("name", officer)

    async def count_search(self, officer: str) -> None:
        """Count one search of an officer's that names somebody, or refuse it."""
        self._count_one("search", officer)

    async def count_line(self, officer: str) -> None:
        """Count one line that an officer opens, or refuse it."""
        self._count_one("line", officer)

    async def count_evidence(self, officer: str) -> None:
        """Count one line whose evidence an officer takes out, or refuse it."""
        self._count_one("evidence", officer)

    async def count_touched(self, officer: str) -> None:
        """Count one reading of a log for whom a breach touches, or refuse it."""
        self._count_one("touched", officer)

    async def count_paper(self, officer: str) -> None:
        """Count one report or fact sheet of an officer's, or refuse it."""
        self._count_one("paper", officer)

    def _count_one(self, kind: str, who: str) -> None:
        asked = self.asked.get((kind, who), 0) + 1
        if asked > self.most.get(kind, asked):
            raise TooManyAsks(60)
        self.asked[kind, who] = asked


class FakeSessions:
    """Sessions in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[bytes, tuple[bytes, bytes, datetime, datetime]] = {}

    async def open(self, key: bytes, sealed: bytes, owner: bytes, *, idle_at: datetime, ends_at: datetime) -> None:
        """Keep a new session."""
        self.kept[key] = (sealed, owner, idle_at, ends_at)

    async def use(self, key: bytes, *, now: datetime, idle_at: datetime) -> bytes | None:
        """Give a live session's content and put off its idle end."""
        if not self._lives(key, now):
            return None
        sealed, owner, _, ends_at = self.kept[key]
        self.kept[key] = (sealed, owner, min(idle_at, ends_at), ends_at)
        return sealed

    async def look(self, key: bytes, *, now: datetime) -> tuple[bytes, datetime] | None:
        """Give a live session's content and its idle end."""
        if not self._lives(key, now):
            return None
        sealed, _, idle_at, _ = self.kept[key]
        return sealed, idle_at

    async def take(self, key: bytes, *, now: datetime) -> bytes | None:
        """Give a live session's content once."""
        lives = self._lives(key, now)
        gone = self.kept.pop(key, None)
        return gone[0] if gone is not None and lives else None

    async def close(self, key: bytes) -> None:
        """End a session."""
        self.kept.pop(key, None)

    async def close_all(self, owner: bytes) -> int:
        """End every session of a person."""
        gone = [key for key, kept in self.kept.items() if kept[1] == owner]
        for key in gone:
            del self.kept[key]
        return len(gone)

    def _lives(self, key: bytes, now: datetime) -> bool:
        return key in self.kept and all(end > now for end in self.kept[key][2:])
