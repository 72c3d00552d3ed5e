"""A DPO sees who got what of a citizen's, so that each hears that it was put right (GDPR art. 19).

Rules kept here:
- It is on the log and in the citizen's own list, under every number they have had, with why, before anything is read;
  and it counts on the ceiling of files.
- Read are the answers on the DPO's own logs: which units, of which municipality, got which kinds, when and how often.
  Not what for, on what basis, by whom or what it said, and nothing that the law keeps back from the citizen for a time.
- Whom nothing is held about, who is not known, and whose data nobody got have one and the same answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from broker.domain.days import NO_BEGINNING, NO_END, danish_day
from broker.domain.directory import Directory
from broker.domain.entries import CHANGED, LogEntry, LogFilter
from broker.domain.errors import BadAsk
from broker.domain.events import NOTHING_LEFT, OutcomeReached
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.recipients import AIMS, Given, Recipient, RecipientsSeen, recipients_of
from broker.oversight.package import Count, admit, record_look
from broker.ports import LogReader, Ports

A_STEP = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose data, why, of which source, which category (empty: all of the source's), on which Danish days."""

    citizen: Personal[str]
    aim: str
    source: str
    category: str = ""
    first_day: int = NO_BEGINNING
    last_day: int = NO_END


@dataclass(frozen=True, slots=True)
class Received:
    """What a unit got, and the municipality for which it asked."""

    municipality: str
    what: Recipient


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who got it. `whole` is False where somebody changed a line that may name one more."""

    rows: tuple[Received, ...]
    whole: bool


async def receivers(
    wish: Wish, officer: OfficerLogin, ports: Ports, reader: LogReader, count: Count
) -> Receivers:  # fmt: skip
    """Tell who got it, which is written down first.

    Raises `NotAllowed`, `BadAsk` for what is not registered, `TooManyAsks`, `LogUnavailable`, `StoreUnavailable`, and
    `RegisterUnavailable`: without the register it would not be whole.
    """
    actor = await admit(officer, ports)
    _check(wish, ports.directory)
    await count(actor)
    days = {"first_day": wish.first_day, "last_day": wish.last_day}
    handles = await record_look(wish.citizen, officer, ports, lambda home, subject: RecipientsSeen(
        municipality=home, subject=subject, actor=actor, at=ports.clock.now(), role=officer.role, aim=wish.aim,
        source=wish.source, category=wish.category, **days,
    ))  # fmt: skip
    entries = [
        entry
        for handle in handles
        async for entry in answers_about(handle, officer, reader, also=set(handles) - {handle})
    ]
    asked = {(wish.source, code) for code in _kinds(wish, ports.directory)}
    within = [entry for entry in entries if wish.first_day <= danish_day(entry.at) <= wish.last_day]
    homes = {str((entry.body or {}).get("unit")): str((entry.body or {}).get("requester")) for entry in within}
    rows = recipients_of(given for entry in within if (given := given_at(entry, asked)) is not None)
    # When and what a changed line was about is what whoever changed it says.
    return Receivers(
        tuple(Received(homes[row.unit], row) for row in rows), all(entry.state != CHANGED for entry in entries)
    )


async def answers_about(
    citizen: str, officer: OfficerLogin, reader: LogReader, also: Collection[str] = ()
) -> AsyncIterator[LogEntry]:
    """Give the answers on the officer's logs; no row and no key of another municipality is read."""
    cursor, more, within = None, True, officer.municipalities
    wanted = LogFilter(kind=OutcomeReached.name)
    while more:
        page = await reader.of_subject(citizen, wanted=wanted, cursor=cursor, limit=A_STEP, within=within, also=also)
        for entry in page.entries:
            yield entry
        cursor, more = page.next, page.next is not None


def released(entry: LogEntry) -> frozenset[tuple[str, str]]:
    """Give what left at an answer, as (source, category)."""
    body = entry.body or {}
    if body.get("outcome") in NOTHING_LEFT:
        return frozenset()
    keys = [verdict["key"] for verdict in body.get("verdicts", ()) if verdict["outcome"] != "withhold"]
    return frozenset((key["source"], key["category"]) for key in keys)


def given_at(entry: LogEntry, asked: Collection[tuple[str, str]]) -> Given | None:
    """Give what of these kinds left at an answer; None where none did."""
    kinds = tuple(sorted(released(entry) & frozenset(asked)))
    body = entry.body or {}
    return Given(body.get("ask"), str(body.get("unit")), entry.at, kinds) if kinds else None


def _check(wish: Wish, directory: Directory) -> None:
    """Refuse what is not registered: of a code that is written wrong, nobody would seem to have got anything."""
    if wish.aim not in AIMS:
        raise BadAsk("/aim")
    if wish.source not in directory.sources:
        raise BadAsk("/source")
    if wish.category and wish.category not in directory.categories:
        raise BadAsk("/category")
    if wish.first_day > wish.last_day:
        raise BadAsk("/until")


def _kinds(wish: Wish, directory: Directory) -> Collection[str]:
    # All that are registered, not the source's alone: it may have held one that it holds no more.
    return (wish.category,) if wish.category else directory.categories
