"""A citizen without a computer answers at the desk what a unit asked them: on paper, or by word of mouth.

Rules kept here (`domain.md` 2.2, 5.6):
- It is the unit's own request that is answered, judged when it was made: the desk can neither widen nor lengthen it.
- What is read aloud or signed is what the giver would read on their own page, and is kept with its digest.
- Server time only: the day on the paper is kept as what was claimed.
- A no takes the role alone; a yes takes what opens at the desk (`desk_powers.py`).
- Who records a yes to their own unit gains by it: the entry says so, and the overseer's list shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from broker.consents.answer import Yes, chosen, grant_of, granted_events, refused_events
from broker.consents.change import would_tell_who_answered
from broker.consents.desk import TakenYes
from broker.consents.desk_look import check_desk, look_at_desk
from broker.consents.desk_powers import check_may_open
from broker.consents.lines import law_wants_writing
from broker.consents.own import Asked, asked_before
from broker.consents.renew import renewed
from broker.consents.texts import consent_text, text_digest
from broker.domain.consents import ORAL, ConsentRequest, Grant, ReadText, RequestLine
from broker.domain.days import danish_day
from broker.domain.errors import BadAsk, Conflict, NotFound
from broker.domain.identity import Caller
from broker.domain.notices import RECORDED, notice_of_end, notice_to
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import Ports


@dataclass(frozen=True, slots=True)
class Reading:
    """What a giver hears or signs: the lines of a request, in a language, as text. `picked` of None: all of theirs.

    `before` is how often the unit has asked them this before, and what they answered.
    """

    request: ConsentRequest
    giver: str
    picked: tuple[int, ...] | None
    lines: tuple[RequestLine, ...]
    language: str
    text: str
    must_be_written: bool
    before: tuple[Asked, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of the text."""
        return text_digest(self.text)


@dataclass(frozen=True, slots=True)
class SaidYes:
    """A yes at the desk: to which lines, after which text (its digest), and how it was taken."""

    picked: tuple[int, ...] | None
    digest: str
    taken: TakenYes


async def read_at_desk(
    request_id: str, picked: Sequence[int] | None, language: str, citizen: Personal[str], caller: Caller, ports: Ports
) -> Reading:
    """Give the text to read aloud or to sign, once the look is on the log.

    Raises `NotAllowed` for who does not keep the desk, `NotFound` where the request is not this citizen's to answer or
    is another municipality's, `Conflict` where it is answered or over, `BadAsk` for a line that is not there.
    """
    giver = await look_at_desk(citizen, caller, ports, opened=request_id)
    reading = await _reading(request_id, picked, language, giver, caller, ports)
    asked = await ports.consents.requests_of(giver, municipality=caller.municipality)
    told = [row for row in asked if not would_tell_who_answered(row, caller)]
    return replace(reading, before=asked_before(reading.request, told, giver))


async def yes_at_desk(
    request_id: str, said: SaidYes, citizen: Personal[str], caller: Caller, ports: Ports
) -> tuple[Grant, Receipt]:
    """Keep a yes said at the desk. Raises as `read_at_desk`; `Conflict` too where another text was read.

    Also `MayNotOpen` for who may close at the desk alone, `BadAsk` where the law asks for writing and this was oral.
    """
    check_may_open(citizen, caller, ports)
    (giver,) = await ports.handles.citizens([citizen])
    taken = said.taken
    reading = await _reading(request_id, said.picked, taken.language, giver, caller, ports)
    if said.digest != reading.digest:
        raise Conflict("text_changed")
    if taken.form == ORAL and reading.must_be_written:
        raise BadAsk("/form", "written")
    at, request = ports.clock.now(), reading.request
    old = await renewed(request, [giver], ports, municipality=request.municipality)
    given = replace(
        grant_of(request, reading.lines, Yes(language=taken.language), giver, at, ports.directory),
        form=taken.form,
        evidence=taken.evidence,
        text=Personal(reading.text),
        text_digest=reading.digest,
        renews=old.id if old else None,
    )
    actor = await ports.handles.actor(caller.caseworker)
    events = granted_events(given, actor, at, f"desk_{taken.form}", recorder_gains=request.unit == caller.unit)
    told = notice_to(giver, citizen, given.municipality, RECORDED, at)
    ends = notice_of_end(given.id, giver, citizen, given.municipality, given.to_day, at)
    receipts = await ports.consents.grant(given, *events, tell=[told, *ends])
    return given, receipts[0]


@dataclass(frozen=True, slots=True)
class SaidNo:
    """A no as it was said at the desk: on paper or by word of mouth, and what was read before it."""

    form: str
    language: str
    picked: tuple[int, ...] | None = None
    digest: str = ""


async def no_at_desk(
    request_id: str, said: SaidNo, citizen: Personal[str], caller: Caller, ports: Ports
) -> tuple[ConsentRequest, Receipt]:
    """Keep a no said at the desk, with the text that was read. Raises as `read_at_desk`; nobody is asked why.

    Where another text would be read now, the no is kept without it.
    """
    check_desk(citizen, caller)
    (giver,) = await ports.handles.citizens([citizen])
    reading = await _reading(request_id, said.picked, said.language, giver, caller, ports)
    request, same = reading.request, said.digest == reading.digest
    read = ReadText(reading.language, reading.digest, Personal(reading.text)) if same else None
    actor = await ports.handles.actor(caller.caseworker)
    at = ports.clock.now()
    events = refused_events(request, giver, actor, at, f"desk_{said.form}", read)
    told = notice_to(giver, citizen, request.municipality, RECORDED, at)
    receipts = await ports.consents.refuse(request.id, giver, *events, read=read, tell=[told])
    return request, receipts[0]


async def _reading(
    request_id: str, picked: Sequence[int] | None, language: str, giver: str, caller: Caller, ports: Ports
) -> Reading:
    request = await _open_request(request_id, giver, caller, ports)
    lines = chosen(request.lines_of(giver), picked)
    today = danish_day(ports.clock.now())
    own = request.unit == caller.unit
    # Who asked named the sources themselves: the text must not tell them of a protection (P6).
    told = [replace(line, source_told_to=None) for line in lines] if own else lines
    days = (max(request.from_day, today), request.to_day)
    text = consent_text(request.unit, request.purpose, told, days, language, ports.directory, request.limit)
    places = [(line.category, line.source) for line in lines]
    written = law_wants_writing(request.purpose, places, request.unit, today, ports.directory)
    return Reading(request, giver, None if picked is None else tuple(picked), lines, language, text, written)


async def _open_request(request_id: str, giver: str, caller: Caller, ports: Ports) -> ConsentRequest:
    request = await ports.consents.request_by_id(request_id, municipality=caller.municipality)
    if request.municipality != caller.municipality or not request.lines_of(giver):
        raise NotFound
    if would_tell_who_answered(request, caller):
        raise NotFound
    if request.answered_by(giver):
        raise Conflict("already_answered")
    if danish_day(ports.clock.now()) > request.answer_by:
        raise Conflict("expired")
    return request
