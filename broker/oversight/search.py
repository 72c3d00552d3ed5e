"""An overseer searches the log of their municipalities, and has it checked; each is on the log first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from broker.domain.entries import LogFilter, LogPage, LogState, LogVerdict
from broker.domain.errors import NotAllowed
from broker.domain.events import LogSearched, LogVerified
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.ports import LogReader, Ports

READING_ROLES = frozenset({"dpo", "logkontrollant"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an overseer looks for. A citizen is named by number, in the body of a request and nowhere else."""

    filter: LogFilter = field(default_factory=LogFilter)
    citizen: Personal[str] | None = None
    cursor: str | None = None
    limit: int = 50


async def search(wanted: Wanted, officer: OfficerLogin, ports: Ports, reader: LogReader) -> LogPage:
    """List entries by their index rows; the search is written down before anything is shown.

    Raises `NotAllowed` for a role that does not read the log, `LogUnavailable` when the search could not be recorded.
    """
    _check_role(officer)
    actor = await ports.handles.officer(officer)
    found_filter, subject = wanted.filter, actor
    if wanted.citizen is not None:
        (subject,) = await ports.handles.citizens([wanted.citizen])
        found_filter = replace(found_filter, citizen=subject)
    municipalities = sorted(officer.municipalities)
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
                criteria=_criteria(wanted),
                shown=sum(1 for entry in page.entries if entry.municipality == municipality),
            )
            for municipality in municipalities
        ]
    )
    return page


async def state_of_logs(officer: OfficerLogin, reader: LogReader) -> tuple[LogState, ...]:
    """Say how long the logs of the overseer's municipalities are, and how much of each is signed since when."""
    _check_role(officer)
    return await reader.logs(officer.municipalities)


async def verify(officer: OfficerLogin, ports: Ports, reader: LogReader) -> tuple[LogVerdict, ...]:
    """Check the logs from the first entry to the last, and write down that it was done and what was found."""
    _check_role(officer)
    verdicts = await reader.verify(officer.municipalities)
    actor = await ports.handles.officer(officer)
    owners = {state.origin: state.municipality for state in await reader.logs(officer.municipalities)}
    at = ports.clock.now()
    events = [
        LogVerified(
            municipality=owners[verdict.origin],
            subject=actor,
            actor=actor,
            at=at,
            role=officer.role,
            size=verdict.size,
            intact=verdict.intact,
        )
        for verdict in verdicts
    ]
    if events:
        await ports.log.append(events)
    return verdicts


def _check_role(officer: OfficerLogin) -> None:
    if officer.role not in READING_ROLES or not officer.municipalities:
        raise NotAllowed


def _criteria(wanted: Wanted) -> tuple[tuple[str, str], ...]:
    """Name what was filtered on. Handles and codes only; a citizen stands as the entry's subject."""
    rows = [(name, getattr(wanted.filter, name)) for name in LogFilter.__dataclass_fields__]
    named = [(name, str(value)) for name, value in rows if value is not None]
    return tuple([*named, ("citizen", "named")] if wanted.citizen is not None else named)
