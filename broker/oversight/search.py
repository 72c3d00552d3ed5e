"""An overseer searches the log of their municipalities; each search is on the log first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from broker.domain.entries import INTACT, LogEntry, LogFilter, LogPage, LogState
from broker.domain.errors import BadAsk, NotAllowed, NotFound
from broker.domain.events import LogSearched
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import LogReader, Ports

READING_ROLES = frozenset({"dpo", "logkontrollant"})
OF_THE_LOG_ITSELF = "map"
LARGEST = 2**63
Count = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Line:
    """Where an entry stands: whose log, of which year, at which place."""

    municipality: str
    year: int
    index: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an overseer looks for.

    Who or what names a person stands in the body of a request and nowhere else: a citizen by number, a case by its
    number at the unit of `filter`, a citizen as the one whom a line is about. `holder` is whose sources were read,
    `municipality` the one of several that is searched.
    """

    filter: LogFilter = field(default_factory=LogFilter)
    citizen: Personal[str] | None = None
    cursor: str | None = None
    limit: int = 50
    case: Personal[str] | None = None
    about: Line | None = None
    holder: str | None = None
    municipality: str | None = None


async def search(wanted: Wanted, officer: OfficerLogin, ports: Ports, reader: LogReader, count: Count) -> LogPage:
    """List entries by their index rows; the search is written down before anything is shown.

    `count` holds an officer (handle) to a ceiling of searches that name a citizen or a case by number: who tries
    numbers to see which of them the log knows is stopped, before anything is made of the number.

    Raises `NotAllowed` for a role that does not read the log, `BadAsk` for what cannot be looked for, `NotFound` for a
    line that is not theirs, `TooManyAsks`, `LogUnavailable` when the search could not be recorded.
    """
    check_role(officer)
    municipalities = _searched(wanted, officer)
    actor = await ports.handles.officer(officer)
    if wanted.citizen is not None or wanted.case is not None:
        await count(actor)
    found_filter = await _resolved(wanted, officer, ports, reader)
    subject = actor if await _kept_back(wanted, officer, reader) else found_filter.citizen or actor
    page = await reader.search(municipalities, found_filter, cursor=wanted.cursor, limit=wanted.limit)
    at = ports.clock.now()
    await ports.log.append(
        [
            LogSearched(
                municipality=municipality,
                subject=subject,
                actor=actor,
                at=at,
                role=officer.role,
                criteria=_criteria(wanted, found_filter),
                shown=sum(1 for entry in page.entries if entry.municipality == municipality),
            )
            for municipality in municipalities
        ]
    )
    return page


async def _kept_back(wanted: Wanted, officer: OfficerLogin, reader: LogReader) -> bool:
    """Tell whether the citizen is named by a line that they do not see: then they are not told of the search either."""
    if wanted.about is None:
        return False
    return not await shows_to_its_own(await entry_at(wanted.about, officer, reader), reader)


def _searched(wanted: Wanted, officer: OfficerLogin) -> list[str]:
    """Say which municipalities are searched: one's own, or one of them. Another's reads as one that is not."""
    if wanted.municipality is None:
        return sorted(officer.municipalities)
    if wanted.municipality not in officer.municipalities:
        raise BadAsk("/municipality")
    return [wanted.municipality]


async def _resolved(wanted: Wanted, officer: OfficerLogin, ports: Ports, reader: LogReader) -> LogFilter:
    """Put handles for who and what was named."""
    changes: dict[str, Any] = {}
    if wanted.filter.actor is not None and not await ports.handles.is_employee(wanted.filter.actor):
        # A citizen acts under their own code, too: that is a search about a citizen, who is to see it.
        raise BadAsk("/actor")
    if wanted.citizen is not None and wanted.about is not None:
        raise BadAsk("/citizen")
    if wanted.citizen is not None:
        (changes["citizen"],) = await ports.handles.citizens([wanted.citizen])
    if wanted.about is not None:
        changes["citizen"] = (await entry_at(wanted.about, officer, reader)).index["citizen"]
    if wanted.case is not None:
        if wanted.filter.unit is None:
            raise BadAsk("/unit")
        changes["case"] = await ports.handles.case(wanted.filter.unit, wanted.case)
    if wanted.holder is not None:
        sources = ports.directory.sources.values()
        changes["holders"] = tuple(sorted(source.id for source in sources if source.municipality == wanted.holder))
    return replace(wanted.filter, **changes)


async def state_of_logs(officer: OfficerLogin, reader: LogReader) -> tuple[LogState, ...]:
    """Say how long the logs of the overseer's municipalities are, and how much of each is signed since when."""
    check_role(officer)
    return await reader.logs(officer.municipalities)


def check_role(officer: OfficerLogin) -> None:
    """Raise `NotAllowed` for who does not read the log, or oversees nobody."""
    if officer.role not in READING_ROLES or not officer.municipalities:
        raise NotAllowed


async def shows_to_its_own(entry: LogEntry, reader: LogReader) -> bool:
    """Tell whether whom an entry is about sees it at this moment: then they see what is done with it, too."""
    if entry.state != INTACT:
        return False
    try:
        await reader.entry(entry.receipt, subject=entry.index["citizen"])
    except NotFound:
        return False
    return True


async def entry_at(line: Line, officer: OfficerLogin, reader: LogReader) -> LogEntry:
    """Read an entry of the overseer's municipalities; raise `NotFound` for any other. Whoever calls writes it down."""
    if line.municipality not in officer.municipalities or not 0 <= line.index < LARGEST:
        raise NotFound
    states = await reader.logs([line.municipality])
    origin = next((state.origin for state in states if state.year == line.year), None)
    if origin is None:
        raise NotFound
    found = await reader.entry(Receipt(origin, line.index), municipalities=(line.municipality,))
    if found.kind == OF_THE_LOG_ITSELF:
        raise NotFound
    return found


def _criteria(wanted: Wanted, found: LogFilter) -> tuple[tuple[str, str], ...]:
    """Name what was filtered on. Handles and codes only; a citizen stands as the entry's subject."""
    plain = replace(found, citizen=None, holders=None, oldest_first=None)
    rows = [(name, getattr(plain, name)) for name in LogFilter.__dataclass_fields__]
    named = [(name, str(value)) for name, value in (*rows, ("holder", wanted.holder)) if value is not None]
    return tuple([*named, ("citizen", "named")] if found.citizen is not None else named)
