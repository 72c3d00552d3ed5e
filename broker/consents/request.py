"""Ask a citizen for consent: the request stands before everyone who must say yes, and nobody else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from broker.consents.lines import Prepared, Wanted, prepare
from broker.consents.noes import asked_earlier, handles_of, no_until
from broker.consents.renew import check_renewal
from broker.consents.texts import TEXT_VERSION
from broker.domain.consents import ConsentRequest, RequestLine
from broker.domain.days import day_number, day_of
from broker.domain.errors import AskedAgain, NotFound
from broker.domain.events import ConsentRequested
from broker.domain.facts import Facts
from broker.domain.identity import Caller
from broker.domain.notices import REQUEST, Notice, notice_to
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import Ports

DAYS_TO_ANSWER = 30
SAYS_NOTHING = Personal("")


async def request_consent(made_id: str, wanted: Wanted, caller: Caller, ports: Ports) -> tuple[ConsentRequest, Receipt]:
    """Put a request before everyone who must say yes.

    Raises what `prepare` raises, `AskedAgain` after a no, and `BadAsk` where it says it renews what it does not.

    `made_id` is the id the request gets, chosen by the caller so that a repeat makes nothing twice.
    """
    prepared = await prepare(wanted, caller, ports)
    await _respect_a_no(wanted, prepared, ports)
    request = _request(made_id, wanted, prepared)
    await check_renewal(request, handles_of(prepared), prepared.facts.today, ports)
    tell = _notices(request, prepared.facts)
    receipts = await ports.consents.request(request, *_events(request, prepared.recorded.actor), tell=tell)
    return request, receipts[0]


async def request_of_unit(request_id: str, caller: Caller, ports: Ports) -> ConsentRequest:
    """Read how a request stands, for the unit that made it; raise `NotFound` for any other, in the municipality too."""
    found = await ports.consents.request_by_id(request_id, municipality=caller.municipality)
    if found.unit != caller.unit or caller.unit not in caller.system.units:
        raise NotFound
    return found


async def _respect_a_no(wanted: Wanted, prepared: Prepared, ports: Ports) -> None:
    """Raise `AskedAgain` where the unit had a no for this purpose, in any case of the citizen's, and no new reason."""
    earlier = await asked_earlier(wanted.purpose, prepared, ports)
    until = no_until(earlier, prepared.facts.today)
    if until is None:
        return
    used = {words.plain() for asked in earlier for words in (asked.why, asked.again) if words is not None}
    if wanted.again is None or wanted.again.plain() in {SAYS_NOTHING, *used}:
        raise AskedAgain(until)


def _request(made_id: str, wanted: Wanted, prepared: Prepared) -> ConsentRequest:
    recorded, facts = prepared.recorded, prepared.facts
    return ConsentRequest(
        id=made_id,
        municipality=recorded.caller.municipality,
        citizen=recorded.citizen,
        unit=recorded.caller.unit,
        purpose=wanted.purpose,
        case=recorded.case,
        lines=prepared.lines,
        from_day=prepared.from_day,
        to_day=wanted.to_day,
        answer_by=day_number(day_of(facts.today) + timedelta(days=DAYS_TO_ANSWER)),
        text_version=TEXT_VERSION,
        asked_at=facts.at,
        why=wanted.why,
        again=wanted.again,
        limit=wanted.limit,
        renews=wanted.renews,
    )


def _events(request: ConsentRequest, actor: str) -> list[ConsentRequested]:
    """One event about each person whose data is asked for, the citizen first.

    What a young person alone may see is in none about the citizen, nor is a source that would tell where a protected
    child is; who may see none of it has no event at all.
    """
    first = ConsentRequested(
        municipality=request.municipality,
        subject=request.citizen,
        actor=actor,
        at=request.asked_at,
        consent=request.id,
        unit=request.unit,
        purpose=request.purpose,
        case=request.case,
        lines=rows_of(line for line in request.lines if is_told(line, request.citizen)),
        channel="system",
        text_version=request.text_version,
        again=request.again is not None,
        limit=request.limit.code if request.limit else "",
    )
    others = sorted({line.subject for line in request.lines} - {request.citizen})
    return ([first] if first.lines else []) + [
        replace(first, subject=subject, lines=rows_of(line for line in request.lines if line.subject == subject))
        for subject in others
    ]


def _notices(request: ConsentRequest, facts: Facts) -> list[Notice]:
    """One to each who has lines to answer, at the number a register knows them by now."""
    numbers = facts.speakers | facts.cprs
    return [
        notice_to(giver, numbers[giver], request.municipality, REQUEST, request.asked_at)
        for giver in sorted(request.givers)
    ]


def is_told(line: RequestLine, citizen: str) -> bool:
    """Tell whether the citizen may see a line, with the source it names."""
    return citizen in line.parties(citizen) and line.tells_source_to(citizen)


def rows_of(lines: Iterable[RequestLine]) -> tuple[tuple[str, str, str], ...]:
    """Lay out lines as events name them: whose data, from which source, which category."""
    return tuple(sorted({(line.subject, line.source, line.category) for line in lines}))
