"""A yes given elsewhere comes in as a signed record: the door for the national consent solution (`design.md` 6.16).

It passes the checks of a yes that is given here (`lines.py`): named sources and categories, the purpose's bounds, a
case of the caller's, the rules, a year at most. What the record does not say itself is never filled in.

Rules kept here:
- It never wins over a no given here: a block beats it in every decision, and where this citizen refused, paused or took
  back the same here since, it does not come in.
- One record is one consent, by an id that follows from it: sent again it changes nothing, whatever became of it here.
- A record in which something is taken back takes it back here, and gives nothing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.consents.answer import granted_events
from broker.consents.change import at_its_desk_or_unit, change
from broker.consents.lines import Prepared, Wanted, WantedLine, prepare
from broker.consents.records import IMPORTED
from broker.domain.consents import DIGITAL, GRANTED, Consent, Grant, check_window
from broker.domain.days import danish_day
from broker.domain.errors import BadAsk, Conflict, NotFound
from broker.domain.events import ConsentWithdrawn
from broker.domain.identity import Caller
from broker.domain.notices import RECORDED, notice_of_end, notice_to
from broker.domain.periods import Period
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import Ports

FRESH = timedelta(hours=24)
LEEWAY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ForeignLine:
    """A line of a record that was given elsewhere, by the giver for themself."""

    source: str
    category: str
    period: Period
    taken_back: bool


@dataclass(frozen=True, slots=True)
class ForeignYes:
    """A signed record, read: who issued it, which and when, and what it says. Days are YYYYMMDD, inclusive."""

    issuer: str
    record: str
    digest: str
    issued_at: datetime
    given_at: datetime
    citizen: Personal[str]
    unit: str
    purpose: str
    case: Personal[str] | None
    lines: tuple[ForeignLine, ...]
    from_day: int
    to_day: int
    language: str
    text_version: str
    text_digest: str
    text: Personal[str]
    limited: bool = False

    @property
    def takes_back(self) -> bool:
        """Tell whether anything in it was taken back."""
        return any(line.taken_back for line in self.lines)


def id_of(foreign: ForeignYes, municipality: str) -> str:
    """Give the id that the consent of this record has in a municipality; the same for ever."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{foreign.issuer}\n{foreign.record}\n{municipality}"))


async def import_yes(foreign: ForeignYes, caller: Caller, ports: Ports) -> tuple[Grant, Receipt]:
    """Keep a yes that was given elsewhere; raises what `prepare` raises.

    Also `BadAsk` where the record is not to this unit, too old or too long, and `Conflict` where it came in before or
    the citizen has said no here.
    """
    wanted = _wanted(foreign, caller, ports.clock.now())
    prepared = await prepare(wanted, caller, ports)
    lines = tuple(ln for ln in prepared.lines if ln.giver == ln.subject == prepared.recorded.citizen)
    if lines != prepared.lines:
        raise BadAsk("/personal_data", "not_theirs_alone")
    await _check_no_no(foreign, prepared, caller, ports)
    given = Grant(
        id=id_of(foreign, caller.municipality),
        request=None,
        municipality=caller.municipality,
        citizen=prepared.recorded.citizen,
        giver=prepared.recorded.citizen,
        unit=foreign.unit,
        purpose=foreign.purpose,
        case=prepared.recorded.case,
        lines=lines,
        from_day=prepared.from_day,
        to_day=foreign.to_day,
        form=DIGITAL,
        language=foreign.language,
        text_version=foreign.text_version,
        text_digest=foreign.text_digest,
        text=foreign.text,
        evidence=_origin(foreign),
    )
    events = granted_events(given, prepared.recorded.actor, prepared.facts.at, IMPORTED)
    told = notice_to(given.giver, foreign.citizen, given.municipality, RECORDED, prepared.facts.at)
    ends = notice_of_end(given.id, given.giver, foreign.citizen, given.municipality, given.to_day, prepared.facts.at)
    receipts = await ports.consents.grant(given, *events, tell=[told, *ends])
    return given, receipts[0]


async def import_withdrawal(foreign: ForeignYes, caller: Caller, ports: Ports) -> tuple[str, Receipt]:
    """Take back here what the record says was taken back elsewhere; no register is asked, as at the desk.

    Raises `NotFound` where it never came in or was not given to the caller's unit, `Conflict` when nothing is left.
    """
    made_id = id_of(foreign, caller.municipality)
    (giver,) = await ports.handles.citizens([foreign.citizen])
    actor = await ports.handles.actor(caller.caseworker)
    given = await ports.consents.of_citizen(giver, municipality=caller.municipality)
    here = next((consent for consent in given if consent.id == made_id), None)
    taken = {(line.source, line.category) for line in foreign.lines if line.taken_back}
    lines = [] if here is None else [line.id for line in here.lines if (line.source, line.category) in taken]
    if not lines:
        raise NotFound
    receipt = await change(
        ConsentWithdrawn, ports.consents.withdraw, made_id, lines, giver, actor, IMPORTED, ports,
        municipality=caller.municipality, may=at_its_desk_or_unit(caller), number=foreign.citizen,
    )  # fmt: skip
    return made_id, receipt


def _wanted(foreign: ForeignYes, caller: Caller, now: datetime) -> Wanted:
    """Hold the record against the clock and the caller; give what it asks for as a wish like any other."""
    if foreign.unit != caller.unit:
        raise BadAsk("/recipient", "not_yours")
    if foreign.case is None:
        raise BadAsk("/case", "missing")
    if foreign.limited:
        # It is counted where it was given; here it would be counted anew.
        raise BadAsk("/limit", "counted_elsewhere")
    if not now - FRESH <= foreign.issued_at <= now + LEEWAY:
        raise BadAsk("/issued_at", "not_fresh")
    # A yes is never backdated, there or here (domain.md 2.2).
    if not foreign.given_at <= foreign.issued_at or foreign.from_day < danish_day(foreign.given_at):
        raise BadAsk("/personal_data", "backdated")
    check_window(foreign.from_day, foreign.to_day)
    lines = tuple(WantedLine(ln.source, ln.category, foreign.citizen, ln.period) for ln in foreign.lines)
    first = max(foreign.from_day, danish_day(now))
    return Wanted(foreign.citizen, foreign.purpose, foreign.case, lines, foreign.to_day, first)


async def _check_no_no(foreign: ForeignYes, prepared: Prepared, caller: Caller, ports: Ports) -> None:
    """Raise `Conflict` where the citizen said no here: refused this unit in this case, or took the same back since.

    The store does not say when a request was refused, so that any refusal counts: the unit may ask again here.
    """
    given = await ports.consents.of_citizen(prepared.recorded.citizen, municipality=caller.municipality)
    if any(consent.id == id_of(foreign, caller.municipality) for consent in given):
        raise Conflict("already_imported")
    same = [row for row in given if (row.unit, row.purpose, row.case) == _aim(foreign, prepared)]
    named = {(line.source, line.category) for line in foreign.lines}
    refused = any(asked.refused for asked in prepared.facts.consents.requests)
    if refused or _taken_back_since(same, named, foreign.given_at):
        raise Conflict("said_no_here")


def _aim(foreign: ForeignYes, prepared: Prepared) -> tuple[str, str, str]:
    return foreign.unit, foreign.purpose, prepared.recorded.case


def _taken_back_since(given: Iterable[Consent], named: set[tuple[str, str]], since: datetime) -> bool:
    """Tell whether any of these lines rests or was taken back after the foreign yes was given."""
    for consent in given:
        lines = {line.id for line in consent.lines if (line.source, line.category) in named and line.state != GRANTED}
        if any(step.line in lines and step.at >= since for step in consent.history):
            return True
    return False


def _origin(foreign: ForeignYes) -> Personal[str]:
    """Mark where it came from; kept sealed with the consent, told in its receipts."""
    told = {"issuer": foreign.issuer, "record_id": foreign.record, "sha256": foreign.digest}
    return Personal(json.dumps(told, sort_keys=True))
