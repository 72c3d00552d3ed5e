"""Breach files: the DPO opens and keeps them, the log controller reads; each look is on the log before it is shown.

Rules kept here:
- Only files of municipalities that one oversees; any other is not there.
- Who is touched is counted on the log first. Handles are listed by themselves, each list an entry of its own.
- A count ends at its own moment at the latest: what it gave does not grow behind it.
- What goes to the authority names no citizen and no employee.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from broker.domain.breaches import (
    ASSESSED,
    FACTS,
    FOUND,
    NOTHING_MORE,
    NOTIFIED,
    RISKS,
    WRITTEN,
    Affected,
    Breach,
    BreachCounted,
    BreachEvent,
    BreachExported,
    BreachListed,
    BreachNoted,
    BreachOpened,
    BreachRead,
    Criteria,
    Note,
)
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk, Conflict, KeyReused, NotAllowed, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.oversight.search import Line, entry_at
from broker.ports import Breaches, Clock, Handles, LogReader

DPO, CONTROLLER = "dpo", "logkontrollant"
A_LIST = 100
ONCE = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
FILES = uuid.UUID("5a1f6b0e-6f0c-4d0c-9a55-3c5be1f2a133")
# No log and no knowledge is older; what is can not be told as a moment everywhere.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
HANDLE = re.compile(r"[0-9a-f]{32}", re.ASCII)
# A line of the municipality's log, by which its employee is named: year and number.
LINE = re.compile(r"([0-9]{4})/([0-9]{1,15})", re.ASCII)
# The authority's number of the matter; no sentence, and no number of a person.
REFERENCE = re.compile(r"(?!.*[0-9]{6}-?[0-9]{4})[A-Za-z0-9][A-Za-z0-9./:_-]{2,63}", re.ASCII)
E = TypeVar("E", bound=BreachEvent)


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors of the work with breach files.

    `count_touched` holds who reads the log for whom a breach touches (handle) to a ceiling.
    """

    clock: Clock
    handles: Handles
    directory: Directory
    reader: LogReader
    breaches: Breaches
    count_touched: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to look for. `employee` is a handle, or a line of the log (`2026/17`) whose employee is meant."""

    since: datetime
    until: datetime
    employee: str = ""
    unit: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the citizens that a count found, and whether there are more."""

    note: Note
    rows: tuple[Affected, ...]
    more: bool


async def listed(
    officer: OfficerLogin, desk: Desk, *, after: str | None = None, limit: int = 50
) -> tuple[Breach, ...]:  # fmt: skip
    """List the files of the officer's municipalities, those known last first; no words. Raises `NotAllowed`."""
    _check(officer, DPO, CONTROLLER)
    return await desk.breaches.of(officer.municipalities, after, limit)


async def open_file(
    municipality: str, known_at: datetime, text: Personal[str], officer: OfficerLogin, desk: Desk, *, once: str = ""
) -> Breach:
    """Open a file with what is known. Raises `NotAllowed`, and `BadAsk` for a moment to come, or of long ago.

    What one officer sends twice with the same `once` is one file; with other words it raises `KeyReused`.
    """
    _check(officer, DPO)
    if municipality not in officer.municipalities:
        raise NotAllowed
    at = desk.clock.now()
    if known_at > at:
        raise BadAsk("/known_at", "still_to_come")
    if known_at < EARLIEST:
        raise BadAsk("/known_at", "too_early")
    actor = await desk.handles.officer(officer)
    first = Note(1, FACTS, at, actor, text)
    if once and ONCE.fullmatch(once) is None:
        raise BadAsk("/once")
    # Of the sender and the municipality too: nobody reaches, or learns of, another's file by naming its id.
    name = uuid.uuid5(FILES, f"{municipality} {actor} {once}") if once else uuid.uuid4()
    new = Breach(str(name), municipality, known_at, at, actor, (first,))
    event = _event(BreachOpened, new, actor, officer, desk, known_at=int(known_at.timestamp()))
    try:
        await desk.breaches.open(new, event)
    except Conflict:
        return await _opened_before(new, actor, officer, desk)
    return new


async def _opened_before(new: Breach, actor: str, officer: OfficerLogin, desk: Desk) -> Breach:
    """Give the file that was opened by the same request, as it then was; raise `KeyReused` for another request's."""
    found = await desk.breaches.by_id(new.id, officer.municipalities)
    if (found.known_at, found.notes[0].text) != (new.known_at, new.notes[0].text):
        raise KeyReused
    await desk.breaches.log(found, _event(BreachRead, found, actor, officer, desk))
    return replace(found, notes=found.notes[:1])


async def opened(breach: str, officer: OfficerLogin, desk: Desk) -> Breach:
    """Open one, which is written down first. Raises `NotAllowed`, `NotFound`, `LogUnavailable`."""
    found, actor = await _found(breach, officer, desk, DPO, CONTROLLER)
    await desk.breaches.log(found, _event(BreachRead, found, actor, officer, desk))
    return found


async def note(
    breach: str, kind: str, text: Personal[str], officer: OfficerLogin, desk: Desk, *, risk: str = "",
    reference: str = "", seen: int | None = None,
) -> Receipt:  # fmt: skip
    """Write into a file. Raises `NotAllowed`, `NotFound`, `BadAsk` by field, `Conflict` where it cannot be now.

    Whoever says how many notes they saw writes behind those alone: `written_before` is that it stands there already.
    """
    if kind not in WRITTEN:
        raise BadAsk("/kind")
    found, actor = await _found(breach, officer, desk, DPO)
    codes = _codes(kind, risk, reference)
    if seen is not None and seen != len(found.notes):
        same = any((one.number, one.kind, one.by, one.text, one.more) == (seen + 1, kind, actor, text, codes)
                   for one in found.notes)  # fmt: skip
        raise Conflict("written_before" if same else "written_meanwhile")
    if why := found.refuses(kind):
        raise Conflict(why)
    return await _add(found, kind, text, codes, actor, officer, desk)


async def count(breach: str, wanted: Wanted, officer: OfficerLogin, desk: Desk) -> Note:
    """Count on the log whom it touches, and keep that in the file: on the log first.

    Raises `NotAllowed`, `NotFound`, `BadAsk` by field, `TooManyAsks`, `Conflict` for a closed file and while another
    reads that log for whom a breach touches.
    """
    found, actor = await _found(breach, officer, desk, DPO)
    if why := found.refuses(FOUND):
        raise Conflict(why)
    criteria = await _criteria(wanted, found, officer, desk)
    await desk.count_touched(actor)
    entries, citizens = await desk.breaches.count(found.municipality, criteria)
    more = {"criteria": dict(criteria.told()), "entries": entries, "citizens": citizens}
    counts = {"criteria": criteria.told(), "entries": entries, "citizens": citizens}
    event = _event(BreachCounted, found, actor, officer, desk, **counts)
    made = Note(len(found.notes) + 1, FOUND, event.at, actor, None, more)
    await desk.breaches.note(found, made, event)
    return made


async def affected(breach: str, number: int, page: int, officer: OfficerLogin, desk: Desk) -> Listed:
    """List the handles that a count finds, a page of them: on the log first.

    Raises `NotAllowed`, `NotFound`, `TooManyAsks`, and `Conflict` while another reads that log so.
    """
    found, actor = await _found(breach, officer, desk, DPO, CONTROLLER)
    counted = next((one for one in found.notes if one.number == number and one.kind == FOUND), None)
    if counted is None:
        raise NotFound
    criteria = criteria_of(counted)
    await desk.count_touched(actor)
    rows = await desk.breaches.affected(found.municipality, criteria, (page - 1) * A_LIST, A_LIST + 1)
    shown = rows[:A_LIST]
    event = _event(BreachListed, found, actor, officer, desk, number=number, shown=len(shown))
    await desk.breaches.log(found, event)
    return Listed(counted, shown, len(rows) > A_LIST)


async def exported(breach: str, officer: OfficerLogin, desk: Desk) -> Breach:
    """Give a file to be taken out, which is written down first. Raises `NotAllowed`, `NotFound`, `LogUnavailable`."""
    found, actor = await _found(breach, officer, desk, DPO, CONTROLLER)
    await desk.breaches.log(found, _event(BreachExported, found, actor, officer, desk))
    return found


def criteria_of(counted: Note) -> Criteria:
    """Read by what a count was made."""
    kept = dict(counted.more["criteria"])
    return Criteria(
        since=int(kept["since"]),
        until=int(kept["until"]),
        actor=kept.get("actor", ""),
        unit=kept.get("unit", ""),
        source=kept.get("source", ""),
    )


async def _criteria(wanted: Wanted, breach: Breach, officer: OfficerLogin, desk: Desk) -> Criteria:
    """Make what the log is asked of what was written. Raises `BadAsk` by field."""
    since, until = _seconds(wanted, desk)
    if wanted.unit and wanted.unit not in desk.directory.units:
        raise BadAsk("/unit", "unknown_unit")
    if wanted.source and wanted.source not in desk.directory.sources:
        raise BadAsk("/source", "unknown_source")
    plain = Criteria(since, until, unit=wanted.unit, source=wanted.source)
    return replace(plain, actor=await _employee(wanted.employee, breach, officer, desk)) if wanted.employee else plain


def _seconds(wanted: Wanted, desk: Desk) -> tuple[int, int]:
    """Give the seconds that are counted, none of them to come. Raises `BadAsk` by field."""
    if wanted.since < EARLIEST:
        raise BadAsk("/since", "too_early")
    if wanted.until > desk.clock.now():
        raise BadAsk("/until", "still_to_come")
    since, until = int(wanted.since.timestamp()), int(wanted.until.timestamp())
    if until <= since:
        raise BadAsk("/until", "before_the_beginning")
    return since, until


async def _employee(written: str, breach: Breach, officer: OfficerLogin, desk: Desk) -> str:
    """Give the handle of an employee who is named by it, or by a line of the municipality's log."""
    if HANDLE.fullmatch(written):
        return written
    line = LINE.fullmatch(written)
    if line is None:
        raise BadAsk("/employee")
    try:
        entry = await entry_at(Line(breach.municipality, int(line[1]), int(line[2])), officer, desk.reader)
    except NotFound:
        raise BadAsk("/employee", "no_such_line") from None
    actor = str(entry.index["actor"])
    if actor == entry.index["citizen"]:  # Somebody's own act.
        raise BadAsk("/employee", "no_employee")
    return actor


def _codes(kind: str, risk: str, reference: str) -> Mapping[str, Any]:
    if kind == ASSESSED:
        if risk not in RISKS:
            raise BadAsk("/risk")
        return {"risk": risk}
    if kind == NOTIFIED:
        if REFERENCE.fullmatch(reference) is None:
            raise BadAsk("/reference")
        return {"reference": reference}
    return NOTHING_MORE


async def _add(
    found: Breach, kind: str, text: Personal[str], more: Mapping[str, Any], actor: str, officer: OfficerLogin,
    desk: Desk,
) -> Receipt:  # fmt: skip
    number = len(found.notes) + 1
    event = _event(BreachNoted, found, actor, officer, desk, note=kind, number=number)
    return await desk.breaches.note(found, Note(number, kind, event.at, actor, text, more), event)


async def _found(breach: str, officer: OfficerLogin, desk: Desk, *roles: str) -> tuple[Breach, str]:
    """Give the file with its words, and the officer's handle."""
    _check(officer, *roles)
    found = await desk.breaches.by_id(breach, officer.municipalities)
    return found, await desk.handles.officer(officer)


def _check(officer: OfficerLogin, *roles: str) -> None:
    if officer.role not in roles or not officer.municipalities:
        raise NotAllowed


def _event(kind: type[E], breach: Breach, actor: str, officer: OfficerLogin, desk: Desk, **more: Any) -> E:
    return kind(
        municipality=breach.municipality,
        subject=actor,
        actor=actor,
        at=desk.clock.now(),
        breach=breach.id,
        role=officer.role,
        **more,
    )
