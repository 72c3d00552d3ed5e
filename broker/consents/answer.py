"""A giver answers a request: yes to all, yes to some, or no. Online as themself; nobody is asked why.

What was asked under a number they had before is theirs to answer too; it is written under the handle that it was put to
them under, so that lines, log and row-level security hold together (ADR 60).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from broker.consents.own import OwnRequest, foremost, own_parts
from broker.consents.renew import renewed
from broker.consents.texts import consent_text, text_digest
from broker.domain.consents import DIGITAL, ConsentRequest, Grant, ReadText, RequestLine
from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk, Conflict
from broker.domain.events import ConsentGranted, ConsentRefused
from broker.domain.identity import CitizenLogin
from broker.domain.limits import Limit
from broker.domain.notices import notice_of_end
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.exchange.numbers import own_handles
from broker.ports import Ports

ONLINE = "online"


@dataclass(frozen=True, slots=True)
class Yes:
    """What a giver says yes to: `lines` as indices into their own lines (None: all), a shorter end if they like.

    `limit` is how often it may be used; None: as often as was asked for.
    """

    lines: tuple[int, ...] | None = None
    to_day: int | None = None
    limit: Limit | None = None
    language: str = "da"


@dataclass(frozen=True, slots=True)
class Before:
    """What somebody had before them when they said no: the text of this yes, and the mark it carried (SHA-256).

    `digest` is None where no page showed it: a program reads the text beside the request.
    """

    yes: Yes = Yes()
    digest: str | None = None


async def grant(
    request_id: str, yes: Yes, login: CitizenLogin, ports: Ports, *, under: str | None = None
) -> tuple[Grant, Receipt]:
    """Keep a giver's yes, with exactly the text they were shown; `under` is the handle of theirs that it was put to.

    Raises `NotFound` when the request is not theirs to see, `Conflict` when it is answered or has lapsed, `BadAsk`
    when nothing of it is theirs or the days do not fit.
    """
    handles = await own_handles(login.cpr, ports.handles, ports.people)
    own = await _to_answer(request_id, handles, ports, lambda part: part.me == under)
    request, giver, at = own.request, own.me, ports.clock.now()
    lines = chosen(own.mine, yes.lines)
    old = await renewed(request, handles, ports)
    given = replace(grant_of(request, lines, yes, giver, at, ports.directory), renews=old.id if old else None)
    ends = notice_of_end(given.id, giver, login.cpr, given.municipality, given.to_day, at)
    receipts = await ports.consents.grant(given, *granted_events(given, giver, at, ONLINE), tell=ends)
    return given, receipts[0]


async def refuse(request_id: str, login: CitizenLogin, ports: Ports, before: Before = Before()) -> Receipt:
    """Keep a giver's no, with exactly the text they were shown. Raises `NotFound` and `Conflict` as `grant` does."""
    handles, at = await own_handles(login.cpr, ports.handles, ports.people), ports.clock.now()

    def was_read(part: OwnRequest) -> bool:
        return before.digest is not None and _read(part.request, part.me, before, at, ports.directory) is not None

    own = await _to_answer(request_id, handles, ports, was_read)
    request, giver = own.request, own.me
    read = _read(request, giver, before, at, ports.directory)
    events = refused_events(request, giver, giver, at, ONLINE, read)
    receipts = await ports.consents.refuse(request.id, giver, *events, read=read)
    return receipts[0]


async def _to_answer(
    request_id: str, handles: Sequence[str], ports: Ports, meant: Callable[[OwnRequest], bool]
) -> OwnRequest:
    """Find the part of a request to answer; raise `NotFound` where none of somebody's handles may see it.

    Of one that is put to them under two numbers, the second part is answered only where it is the one that is `meant`:
    an answer that is sent twice never answers what nobody read. Raises `Conflict` for it.
    """
    parts = await own_parts(request_id, handles, ports.consents)
    own = foremost(parts)
    if any(part.answered for part in parts) and not own.answered and not meant(own):
        raise Conflict("already_answered")
    return own


def _read(request: ConsentRequest, giver: str, before: Before, at: datetime, directory: Directory) -> ReadText | None:
    """Write again what was read before a no; None where it would be another text than the one that was shown.

    A no is never sent back to be read once more: it is kept all the same, and says that its text is not known.
    """
    try:
        lines = chosen(request.lines_of(giver), before.yes.lines)
        shown = grant_of(request, lines, before.yes, giver, at, directory)
        shown.answers(request)
    except BadAsk:
        return None
    if before.digest not in (None, shown.text_digest):
        return None
    return ReadText(shown.language, shown.text_digest, shown.text)


def refused_events(
    request: ConsentRequest, giver: str, actor: str, at: datetime, channel: str, read: ReadText | None
) -> list[ConsentRefused]:
    """One event about each person whose data is not opened. Raises `BadAsk` where nothing was theirs to answer."""
    lines = request.lines_of(giver)
    if not lines:
        raise BadAsk("/", "nothing_to_answer")
    first = ConsentRefused(
        municipality=request.municipality,
        subject=lines[0].subject,
        actor=actor,
        at=at,
        consent=request.id,
        unit=request.unit,
        purpose=request.purpose,
        case=request.case,
        lines=_rows(lines),
        channel=channel,
        text_version=request.text_version,
        text_digest=read.digest if read else "",
    )
    return [replace(first, subject=subject, lines=_rows(lines, subject)) for subject in _subjects(lines)]


def chosen(lines: Sequence[RequestLine], picked: Sequence[int] | None) -> tuple[RequestLine, ...]:
    """Give the lines a giver picked by number, or all; raise `BadAsk` for a number that is not there, or for none."""
    if picked is None:
        picked = range(len(lines))
    if not picked or not all(0 <= number < len(lines) for number in picked):
        raise BadAsk("/lines", "no_such_line")
    return tuple(lines[number] for number in sorted(set(picked)))


def grant_of(
    request: ConsentRequest, lines: tuple[RequestLine, ...], yes: Yes, giver: str, at: datetime, directory: Directory
) -> Grant:
    """Make the yes of a giver to these lines of a request. Raises `BadAsk` where the days do not fit."""
    # A yes never begins before it is given (domain.md 2.2: never backdated).
    days = (max(request.from_day, danish_day(at)), yes.to_day or request.to_day)
    limit = yes.limit or request.limit
    text = consent_text(request.unit, request.purpose, lines, days, yes.language, directory, limit)
    return Grant(
        id=str(uuid.uuid4()),
        request=request.id,
        municipality=request.municipality,
        citizen=request.citizen,
        giver=giver,
        unit=request.unit,
        purpose=request.purpose,
        case=request.case,
        lines=lines,
        from_day=days[0],
        to_day=days[1],
        form=DIGITAL,
        language=yes.language,
        text_version=request.text_version,
        text_digest=text_digest(text),
        text=Personal(text),
        limit=limit,
    )


def granted_events(
    given: Grant, actor: str, at: datetime, channel: str, *, recorder_gains: bool = False
) -> list[ConsentGranted]:
    """One event about each person whose data is opened; each lies under that person's own key.

    `recorder_gains` is True where who recorded it works in the unit that it opens for.
    """
    return [
        ConsentGranted(
            municipality=given.municipality,
            subject=subject,
            actor=actor,
            at=at,
            consent=given.id,
            unit=given.unit,
            purpose=given.purpose,
            case=given.case,
            lines=_rows(given.lines, subject),
            channel=channel,
            text_version=given.text_version,
            version=1,
            from_day=given.from_day,
            to_day=given.to_day,
            giver=given.giver,
            capacity=next(line.capacity for line in given.lines if line.subject == subject),
            text_digest=given.text_digest,
            limit=given.limit.code if given.limit else "",
            recorder_gains=recorder_gains,
        )
        for subject in _subjects(given.lines)
    ]


def _subjects(lines: Sequence[RequestLine]) -> list[str]:
    return sorted({line.subject for line in lines})


def _rows(lines: Sequence[RequestLine], subject: str | None = None) -> tuple[tuple[str, str, str], ...]:
    return tuple(sorted({(ln.subject, ln.source, ln.category) for ln in lines if subject in (None, ln.subject)}))
