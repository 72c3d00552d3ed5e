"""The door `AuditLog` over the transparency log: event → entry → receipt.

Rules kept here:
- A body is every field of its event, sealed under the subject's key; items enter as an HMAC under that key alone.
- The keys are durable in the vault before the entry is sealed; the entry is durable before anybody has its receipt.
- With `versions`, one transaction holds each citizen's state and writes: whoever commits second sees the first (P3).
- Any doubt is `LogUnavailable`: then nothing is read and nothing goes out (P2).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from audit import errors, postgres
from audit.commitment import Party, derive_key, seal
from audit.committer import GroupCommitter, Submission
from audit.contention import Line
from audit.entry import EID_SIZE
from audit.postgres import NewEntry, Position
from broker.adapters.audit_lateness import Lateness
from broker.adapters.database import Connection, Pool, Scope, commit_once, reaching_the_store, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.outbox_rows import add_first, seal_notices
from broker.adapters.stops_rows import known_lines, note_handed
from broker.domain.days import DANISH_TIME
from broker.domain.errors import FactsChanged, LogUnavailable, StoreUnavailable
from broker.domain.events import REFUSED, AskMade, AuditEvent, ContentDeleted, OutcomeReached
from broker.domain.items import Item
from broker.domain.limits import Use
from broker.domain.notices import Notice
from broker.domain.own_look import OwnLookMade
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.shown import shown_of
from broker.domain.stops import Handed

Keys: TypeAlias = dict[tuple[str, str], bytes]

# The form of a body; a reader refuses one it does not know.
BODY_VERSION = 1
MOST_REMEMBERED = 50_000
_FETCHED = "SELECT unit, recipient FROM notices.first_fetch WHERE municipality = $1 AND recipient = ANY ($2)"


class AuditLogPostgres:
    """The log of every municipality and year, in the main database.

    `base` is where the logs are published, without scheme, such as `samtykke.example.dk/log`: a log's origin is
    `<base>/<municipality>/<year>` (C2SP tlog-checkpoint). `line` tells when several nodes write to the same logs.
    """

    def __init__(
        self,
        pool: Pool,
        vault: HandlesVault,
        base: str,
        *,
        timeout_seconds: float = 10.0,
        line: Line | None = None,
        lateness: Lateness | None = None,
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._base = base.strip("/")
        self._opened: set[str] = set()
        self._fetched: set[tuple[str, str, str]] = set()
        self._handed: set[str] = set()
        self._lateness = lateness
        self._committer = GroupCommitter(pool, write=_append_if_still, timeout_seconds=timeout_seconds, line=line)

    def origin(self, municipality: str, at: datetime) -> str:
        """Name the log that an event of a municipality and moment stands on; the year is the Danish one."""
        return f"{self._base}/{municipality}/{at.astimezone(DANISH_TIME).year}"

    async def append(
        self,
        events: Sequence[AuditEvent],
        *,
        versions: Sequence[tuple[str, int]] = (),
        uses: Sequence[Use] = (),
        tell: Sequence[Notice] = (),
        handed: Sequence[Handed] = (),
    ) -> tuple[Receipt, ...]:
        """Write all events durably in one transaction, or none; give one receipt each, in order.

        With `versions` (citizen handle, version), raises `FactsChanged` when any is no longer so; with `uses` the same
        transaction counts them, and gives everybody in `versions` their next version. `tell` are letters of a unit's
        first fetch, of which those wait to be sent that are; `handed` is what goes out on which yes. Raises
        `LogUnavailable`, and `LogUnwitnessed` for an ask, or what goes out, on a log whose witnesses left too long ago.
        """
        if self._lateness is not None:
            self._lateness.refuse({event.municipality for event in events if _shares(event)})
        keys = await self.prepare(events)
        entries = tuple(self._entry(event, keys) for event in events)
        submission = Submission(entries, guard=(tuple(versions), tuple(uses)))
        fetched, noted = await self._fetched_first(tell), await self._handed_first(handed)
        if fetched or noted:
            return await self._append_and_note(submission, fetched, noted)
        try:
            places = await self._committer.submit(submission)
        except errors.GuardChanged:
            raise FactsChanged from None
        except errors.LogError:
            raise LogUnavailable from None
        return _receipts(entries, places)

    async def _fetched_first(self, tell: Sequence[Notice]) -> list[Notice]:
        """Leave out those whose unit is known to have fetched before. Raises `LogUnavailable`."""
        asked = [notice for notice in tell if _fetch_of(notice) not in self._fetched]
        known: set[tuple[str, str, str]] = set()
        try:
            for home in {notice.municipality for notice in asked}:
                handles = [notice.recipient for notice in asked if notice.municipality == home]
                async with scoped(self._pool, Scope(municipality=home), snapshot=True) as connection:
                    found = await connection.fetch(_FETCHED, home, handles)
                known |= {(home, row["unit"], row["recipient"]) for row in found}
        except StoreUnavailable:
            raise LogUnavailable from None
        self._remember(known)
        return [notice for notice in asked if _fetch_of(notice) not in known]

    def _remember(self, fetches: set[tuple[str, str, str]]) -> None:
        """Keep in mind who was fetched by whom, so that the next ask need not look; not for ever, and not many."""
        if len(self._fetched) > MOST_REMEMBERED:
            self._fetched.clear()
        self._fetched |= fetches

    async def _handed_first(self, handed: Sequence[Handed]) -> list[Handed]:
        """Leave out the lines on which something is known to have gone out before. Raises `LogUnavailable`."""
        asked = [one for one in handed if one.line not in self._handed]
        if not asked:
            return []
        try:
            async with scoped(self._pool, Scope(municipality=asked[0].municipality), snapshot=True) as connection:
                known = await known_lines(connection, asked)
        except StoreUnavailable:
            raise LogUnavailable from None
        self._remember_handed(known)
        return [one for one in asked if one.line not in known]

    def _remember_handed(self, lines: set[str]) -> None:
        if len(self._handed) > MOST_REMEMBERED:
            self._handed.clear()
        self._handed |= lines

    async def _append_and_note(
        self, submission: Submission, tell: Sequence[Notice], handed: Sequence[Handed]
    ) -> tuple[Receipt, ...]:
        """Append in a transaction of its own, with what it is the first of: one municipality's letters, and yeses."""
        (home,) = {one.municipality for one in tell} | {one.municipality for one in handed}
        try:
            waiting = await seal_notices(tell, self._vault)
            async with scoped(self._pool, Scope(municipality=home)) as connection:
                await note_handed(connection, handed)
                await add_first(connection, waiting)
                # Last, for it holds the log's head until the transaction ends.
                (places,) = await _append_if_still(connection, [submission], early=False)
                if places is None:
                    raise FactsChanged
        except (errors.LogError, StoreUnavailable):
            raise LogUnavailable from None
        self._remember({_fetch_of(notice) for notice in tell})
        self._remember_handed({one.line for one in handed})
        return _receipts(submission.entries, places)

    async def prepare(self, events: Sequence[AuditEvent]) -> Keys:
        """Make ready what events need before their transaction: their logs and their keys. Raises `LogUnavailable`."""
        try:
            for municipality, at in {(event.municipality, event.at) for event in events}:
                await self._open(municipality, at)
            return await self._vault.keys(
                {(handle, event.municipality) for event in events for handle in (event.subject, event.actor)}
            )
        except StoreUnavailable:
            raise LogUnavailable from None

    async def append_within(
        self, connection: Connection, events: Sequence[AuditEvent], keys: Keys
    ) -> tuple[Receipt, ...]:
        """Write events in the caller's own transaction, so that a change and its event are one (`design.md` 6.5).

        `keys` are those that `prepare` gave. The receipts count once that transaction has committed. Raises
        `LogUnavailable` for a log that was never opened; what PostgreSQL says goes to the transaction's owner.
        """
        entries = [self._entry(event, keys) for event in events]
        try:
            return _receipts(entries, await postgres.append(connection, entries))
        except errors.LogError:
            raise LogUnavailable from None

    async def delete_within(self, connection: Connection, event: ContentDeleted, keys: Keys) -> Receipt:
        """Write on the log it speaks of what is deleted there, and delete it, in the caller's own transaction.

        The connection is the eraser's. Raises `LogUnavailable` for a log that was never opened.
        """
        entry = self._entry(event, keys)
        try:
            (receipt,) = _receipts([entry], await postgres.append(connection, [entry]))
        except errors.LogError:
            raise LogUnavailable from None
        await postgres.delete(connection, entry.sealed.eid)
        return receipt

    async def aclose(self) -> None:
        """Finish what was handed in."""
        await self._committer.aclose()

    async def ping(self) -> None:
        """Ask whether the log can be read and what is written to it becomes durable; raise `LogUnavailable`."""
        try:
            async with reaching_the_store():
                await self._pool.execute("SELECT 1 FROM log.head LIMIT 1")
            await commit_once(self._pool)
        except StoreUnavailable:
            raise LogUnavailable from None

    async def _open(self, municipality: str, at: datetime) -> None:
        origin = self.origin(municipality, at)
        if origin in self._opened:
            return
        async with reaching_the_store(), self._pool.acquire() as connection:
            await postgres.open_log(connection, origin, municipality, at.astimezone(DANISH_TIME).year)
        self._opened.add(origin)

    def _entry(self, event: AuditEvent, keys: Keys) -> NewEntry:
        """Seal one event under its subject's key."""
        # What is deleted stands on the log it is deleted from, also when that is an earlier year's.
        origin = event.log if isinstance(event, ContentDeleted) else self.origin(event.municipality, event.at)
        eid = os.urandom(EID_SIZE)
        key = keys[event.subject, event.municipality]
        subject, body = Party(event.subject.encode(), key), body_of(event, derive_key(key, eid, "kept"))
        sealed = seal(
            eid=eid,
            kind=event.code,
            subject=subject,
            actor=Party(event.actor.encode(), keys[event.actor, event.municipality]),
            body=body,
            index=subject.placed(event.index(), origin, eid, shown_bytes(orjson.loads(body))),
        )
        return NewEntry(origin, sealed)


def _fetch_of(notice: Notice) -> tuple[str, str, str]:
    return notice.municipality, notice.unit, notice.recipient


def _shares(event: AuditEvent) -> bool:
    """Tell what is taken only while witnesses stand behind the log: asks, own looks, and what goes out on an ask.

    Whoever withdraws, or looks into the log, needs none; nor does a refusal, which says what was read.
    """
    return isinstance(event, AskMade | OwnLookMade) or (isinstance(event, OutcomeReached) and event.outcome != REFUSED)


def body_of(event: AuditEvent, items_key: bytes) -> bytes:
    """Write an event's body: canonical JSON of its name, this form's version and every field.

    Fields of items become one HMAC-SHA-256 over their canonical JSON under `items_key`, in hexadecimal.
    """
    written: dict[str, Any] = {"event": event.name, "version": BODY_VERSION}
    for field in fields(event):
        value = getattr(event, field.name)
        written[field.name] = items_digest(value, items_key) if field.name == "kept" else value
    return orjson.dumps(written, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def shown_bytes(body: Mapping[str, Any]) -> bytes:
    """Write what the person an entry is about is shown of its body, the same bytes each time."""
    return orjson.dumps(shown_of(body), option=orjson.OPT_SORT_KEYS)


def items_digest(items: Sequence[Item], items_key: bytes) -> str:
    """Digest what was handed out, so that it can be recognised by whoever has it and the key, and by nobody else."""
    content = orjson.dumps(items, default=_disclosed, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hmac.digest(items_key, content, "sha256").hex()


_APPEND_IF_STILL = "SELECT * FROM consents.append_if_still($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"

_APPEND_AND_COUNT = """
SELECT * FROM consents.append_and_count(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""


async def _append_if_still(
    connection: Connection,
    submissions: Sequence[Submission],
    early: bool,  # noqa: FBT001 - As the committer calls it.
) -> list[list[Position] | None]:
    """Hold every citizen's state that a submission rests on, and append those whose versions have not moved on."""
    guards: list[tuple[int, str, int]] = [
        (number, citizen, version)
        for number, submission in enumerate(submissions)
        for citizen, version in _guard(submission)[0]
    ]
    uses = [(number, use) for number, submission in enumerate(submissions) for use in _guard(submission)[1]]
    written = await postgres.append_by(
        connection,
        _APPEND_AND_COUNT if uses else _APPEND_IF_STILL,
        [entry for submission in submissions for entry in submission.entries],
        [number for number, submission in enumerate(submissions) for _ in submission.entries],
        *(list(column) for column in zip(*guards, strict=True)) if guards else ([], [], []),
        *(_columns(uses) if uses else ()),
        early=early,
    )
    places = {place.eid: place for place in written}
    return [
        [places[entry.sealed.eid] for entry in submission.entries]
        if submission.entries[0].sealed.eid in places
        else None
        for submission in submissions
    ]


def _guard(submission: Submission) -> tuple[tuple[tuple[str, int], ...], tuple[Use, ...]]:
    return submission.guard or ((), ())


def _columns(uses: Sequence[tuple[int, Use]]) -> tuple[list[Any], ...]:
    """Lay out uses of limited yeses as the statement takes them."""
    return (
        [number for number, _ in uses],
        [use.municipality for _, use in uses],
        [use.consent for _, use in uses],
        [use.ask for _, use in uses],
        [use.subject for _, use in uses],
        [use.month for _, use in uses],
        [use.at for _, use in uses],
    )


def _receipts(entries: Sequence[NewEntry], places: Sequence[Position]) -> tuple[Receipt, ...]:
    return tuple(Receipt(entry.origin, place.index) for entry, place in zip(entries, places, strict=True))


def _plain(value: object) -> Any:
    """Write what JSON has no word for; a personal value is refused, because no body may hold one in the clear."""
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError("an event holds codes, handles, counts and days")


def _disclosed(value: object) -> Any:
    """The same, for what is digested at once and kept nowhere."""
    return value.disclose() if isinstance(value, Personal) else _plain(value)
