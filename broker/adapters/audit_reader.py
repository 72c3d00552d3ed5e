"""The door `LogReader` over the transparency log: lists, bodies, proofs and checks.

Rules kept here:
- Row-level security says what can be read: a subject's own entries, or an overseer's municipalities.
- Every entry read is held against its commitment on the way; one that does not fit is shown as changed, never opened.
- Lists go by a mark, not by a number: they neither skip nor repeat while the log grows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from audit import errors
from audit.commitment import Party, SealedEntry, check_rows, open_body
from audit.note import VerifyKey
from audit.prove import prove
from broker.adapters.audit_bundle import WAIT_SECONDS, bundle_of
from broker.adapters.audit_tiles import Turns
from broker.adapters.database import Pool, Scope, listed, reaching_the_store, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.log_search import CHOSEN, FROM_THE_NEWEST, LARGEST, NEWEST_FIRST, PLACE, found, numbers, whole
from broker.domain.entries import (
    CHANGED,
    ERASED,
    EVERYTHING,
    INTACT,
    LogEntry,
    LogFilter,
    LogPage,
    LogState,
)
from broker.domain.errors import BadAsk, NotFound
from broker.domain.events import FOR_REPLAY_ALONE
from broker.domain.receipts import Receipt
from broker.ports import Clock

MOST_ENTRIES = 500
# What an index row says for the map alone; whoever reads a map key can follow a person through the log.
OF_THE_MAP = ("map", "shown")

BEFORE = "(i.at, i.log_id, i.idx) < ($2, $3, $4)"

OF_SUBJECT = whole(
    f"{CHOSEN} WHERE i.citizen = $1 AND {BEFORE} AND i.at >= $6 AND i.at < $7 AND i.fields @> $8::jsonb"
    " AND ($9::text[] IS NULL OR i.tenant = ANY ($9)) AND NOT EXISTS ("
    "SELECT FROM unnest($10::text[]) AS o (handle) WHERE log.kept_back(o.handle, i.unit, i.kind, i.at))"
    f" {NEWEST_FIRST} LIMIT $5"
)
ANSWERED = "SELECT DISTINCT i.ask FROM log.index i WHERE i.citizen = $1 AND i.ask = ANY ($2) AND i.kind = 'outcome'"
SEEN = "SELECT DISTINCT i.fields ->> 'unit', i.fields ->> 'purpose' FROM log.index i WHERE i.citizen = $1"
OF_CONSENT = whole(f"{CHOSEN} WHERE i.citizen = $1 AND i.fields ->> 'consent' = $2 {NEWEST_FIRST} LIMIT {MOST_ENTRIES}")
OF_A_LOG = "i.log_id = (SELECT id FROM log.head WHERE origin = $1)"
ONE = whole(f"{CHOSEN} WHERE {OF_A_LOG} AND i.idx = $2")
LOGS = """
SELECT h.origin, h.tenant, h.year, h.size, coalesce(c.size, 0), c.published_at
FROM log.head h LEFT JOIN LATERAL (
    SELECT size, published_at FROM log.checkpoint c
    WHERE c.log_id = h.id AND c.published_at IS NOT NULL ORDER BY size DESC LIMIT 1
) c ON true
WHERE cardinality($1::text[]) = 0 OR h.tenant = ANY ($1) ORDER BY h.origin
"""


class LogReaderPostgres:
    """The logs as the broker's own role sees them.

    `keys` are the public keys that checkpoints are signed with, `deletion_keys` those that sign what was deleted.

    Without a `clock`, what the law kept back stays back; `wait_seconds` is how long a bundle waits for a signature.
    """

    def __init__(
        self,
        pool: Pool,
        vault: HandlesVault,
        keys: Sequence[str] = (),
        deletion_keys: Sequence[str] = (),
        *,
        clock: Clock | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._clock = clock
        self._pool = pool
        self._strangers = Turns(pool)
        self._wait_seconds = wait_seconds
        self._vault = vault
        self._keys = tuple(VerifyKey.from_text(key) for key in keys)
        self._deletion_keys = tuple(VerifyKey.from_text(key) for key in deletion_keys)

    async def of_subject(
        self,
        subject: str,
        *,
        wanted: LogFilter = EVERYTHING,
        cursor: str | None = None,
        limit: int = 50,
        within: Collection[str] | None = None,
        also: Collection[str] = (),
    ) -> LogPage:
        """List the entries about one person in every municipality, or some, newest first, opened for them."""
        limit = _sane(limit)
        chosen = (*_days(wanted), orjson.dumps(wanted.fields()).decode(), listed(within), sorted(also))
        async with scoped(self._pool, self._as(subject), snapshot=True) as connection:
            rows = await connection.fetch(OF_SUBJECT, subject, *place_of(cursor), limit + 1, *chosen)
        return _page([_shown(entry) for entry in await self._opened_whole(rows)], rows, limit)

    async def answered(self, subject: str, asks: Collection[str]) -> frozenset[str]:
        """Tell which of these asks about one person have their answer on the log."""
        async with scoped(self._pool, self._as(subject), snapshot=True) as connection:
            return frozenset(row[0] for row in await connection.fetch(ANSWERED, subject, sorted(asks)))

    async def seen(self, subject: str) -> tuple[frozenset[str], frozenset[str]]:
        """Name the units and the purposes in the entries about one person."""
        async with scoped(self._pool, self._as(subject), snapshot=True) as connection:
            rows = await connection.fetch(SEEN, subject)
        return frozenset(row[0] for row in rows if row[0]), frozenset(row[1] for row in rows if row[1])

    async def search(
        self, municipalities: Collection[str], wanted: LogFilter, *, cursor: str | None = None, limit: int = 50
    ) -> LogPage:
        """List entries of these municipalities' logs by their index rows, newest first; no body is opened."""
        limit, mine = _sane(limit), sorted(municipalities)
        async with scoped(self._pool, Scope(municipalities=tuple(mine)), snapshot=True) as connection:
            rows, more = await found(connection, mine, wanted, cursor, limit)
        return LogPage(tuple(_closed(row) for row in rows), more)

    async def entry(self, receipt: Receipt, *, municipalities: Collection[str] = (), subject: str = "") -> LogEntry:
        """Read and open one entry, as an overseer or as its subject; raise `NotFound` where it is not theirs."""
        scope = replace(self._as(subject), municipalities=tuple(sorted(municipalities)))
        return _shown(await self._whole_entry(receipt, scope))

    async def of_consent(self, consent: str, subject: str) -> tuple[LogEntry, ...]:
        """List what the logs hold of one consent or request, of the entries about one person; the first first."""
        async with scoped(self._pool, self._as(subject), snapshot=True) as connection:
            rows = await connection.fetch(OF_CONSENT, subject, consent)
        return tuple(_shown(entry) for entry in reversed(await self._opened_whole(rows)))

    async def logs(self, municipalities: Collection[str] = ()) -> tuple[LogState, ...]:
        """List the logs of these municipalities, or all: their size, and how much of it is signed."""
        # How long a log is, everybody may know: no scope is named, and one statement is one moment.
        async with reaching_the_store():
            rows = await self._pool.fetch(LOGS, sorted(municipalities))
        return tuple(LogState(*row.values()) for row in rows)

    async def proof(self, receipt: Receipt) -> str:
        """Give the proof file of one entry (C2SP tlog-proof); raise `NotFound` while no signed checkpoint has it.

        Strangers ask for it too, so it waits its turn among them, and raises `TooManyAsks` behind too many.
        """
        async with self._strangers.take() as connection:
            try:
                made = await prove(connection, receipt.log, receipt.index)
            except errors.LogError:
                raise NotFound from None
        return made.to_text()

    def keys(self) -> tuple[str, ...]:
        """Name the public keys that checkpoints are signed with (C2SP vkey), for whoever checks them."""
        return tuple(str(key) for key in self._keys)

    async def bundle(self, subject: str, *, made_at: datetime) -> str:
        """Give one person's bundle: every entry about them, and the proof that these are all (`audit/bundle.py`)."""
        scope = self._as(subject)
        return await bundle_of(scope, self._pool, self._vault, made_at=made_at, wait_seconds=self._wait_seconds)

    def _as(self, subject: str) -> Scope:
        """See the log as the person it is about, at this moment."""
        return Scope(citizen=subject, now=None if self._clock is None else int(self._clock.now().timestamp()))

    async def _whole_entry(self, receipt: Receipt, scope: Scope) -> LogEntry:
        async with scoped(self._pool, scope, snapshot=True) as connection:
            rows = await connection.fetch(ONE, receipt.log, receipt.index)
        if not rows:
            raise NotFound
        return (await self._opened_whole(rows))[0]

    async def _opened_whole(self, rows: Sequence[Any]) -> list[LogEntry]:
        """Open bodies under their subjects' keys; a key that is gone leaves its entries closed."""
        keys = await self._vault.held_keys({(row["citizen"], row["tenant"]) for row in rows if row["citizen"]})
        return [_opened(row, keys.get((row["citizen"], row["tenant"]))) for row in rows]


def _opened(row: Any, key: bytes | None) -> LogEntry:
    sealed = _sealed(row)
    if sealed is None:
        return _entry(row, CHANGED)
    if key is None:
        return _entry(row, ERASED if _holds(sealed) else CHANGED)
    try:
        body = open_body(sealed, Party(row["citizen"].encode(), key))
    except errors.LogError:
        return _entry(row, CHANGED)
    return _entry(row, INTACT, orjson.loads(body))


def _shown(entry: LogEntry) -> LogEntry:
    """Leave out of a body what is kept for replay alone: no reader of this door is given it."""
    if entry.body is None:
        return entry
    return replace(entry, body={name: value for name, value in entry.body.items() if name not in FOR_REPLAY_ALONE})


def _closed(row: Any) -> LogEntry:
    """Read an entry without opening it; what stands there is still held against its commitment."""
    sealed = _sealed(row)
    return _entry(row, INTACT if sealed is not None and _holds(sealed) else CHANGED)


def _holds(sealed: SealedEntry) -> bool:
    try:
        check_rows(sealed)
    except errors.LogError:
        return False
    return True


def _sealed(row: Any) -> SealedEntry | None:
    if row["ciphertext"] is None or row["body_salt"] is None:
        return None
    return SealedEntry(row["leaf"], row["ciphertext"], row["body_salt"], row["index_bytes"].encode())


def _entry(row: Any, state: str, body: dict[str, Any] | None = None) -> LogEntry:
    index = orjson.loads(row["index_bytes"])
    return LogEntry(
        receipt=Receipt(row["origin"], row["idx"]),
        municipality=row["tenant"],
        at=datetime.fromtimestamp(row["at"], UTC),
        kind=index["kind"],
        index={name: value for name, value in index.items() if name not in OF_THE_MAP},
        state=state,
        body=body,
    )


def _page(entries: Sequence[LogEntry], rows: Sequence[Any], limit: int) -> LogPage:
    return LogPage(tuple(entries[:limit]), mark_after(rows, limit))


def mark_after(rows: Sequence[Any], limit: int) -> str | None:
    """Give the mark to go on from, or None; one row more was read, to know whether there is another."""
    return ".".join(str(rows[limit - 1][name]) for name in PLACE) if len(rows) > limit else None


def place_of(cursor: str | None) -> tuple[int, int, int]:
    """Read a mark, None as the newest; raise `BadAsk` for one we never gave."""
    if cursor is None:
        return FROM_THE_NEWEST
    at, log_id, index = numbers(cursor, 3)
    return at, log_id, index


def _days(wanted: LogFilter) -> tuple[int, int]:
    return wanted.since or 0, LARGEST if wanted.until is None else wanted.until


def _sane(limit: int) -> int:
    if not 1 <= limit <= MOST_ENTRIES:
        raise BadAsk("/limit")
    return limit
