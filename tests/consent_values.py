"""Consents, requests and their events for tests: say only what the test is about."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from broker.domain.consents import CUSTODY_HOLDER, DIGITAL, SELF, ConsentRequest, Grant, RequestLine
from broker.domain.events import (
    BlockChanged,
    ConsentEvent,
    ConsentGranted,
    ConsentPaused,
    ConsentRefused,
    ConsentRequested,
    ConsentResumed,
    ConsentWithdrawn,
)
from broker.domain.facts import Block
from broker.domain.personal import Personal

NOON = datetime(2019, 3, 1, 11, tzinfo=UTC)
FROM, TO = 20190301, 20200229
HOME, NEXT_TOWN = "korsbaek", "oestby"
UNIT, PURPOSE = "korsbaek-job", "helhedsorienteret_plan"


def a_line(subject: str, source: str = "social", category: str = "S01", **given: Any) -> RequestLine:
    """Make a line that its subject answers, or whoever is given."""
    made = RequestLine(subject, given.pop("giver", subject), SELF, source, HOME, category)
    made = replace(made, **given)
    return replace(made, capacity=CUSTODY_HOLDER) if made.giver != subject else made


def a_request(citizen: str, case: str, *lines: RequestLine, **given: Any) -> ConsentRequest:
    """Make a request for these lines, or for one."""
    made = ConsentRequest(
        id=str(uuid4()),
        municipality=HOME,
        citizen=citizen,
        unit=UNIT,
        purpose=PURPOSE,
        case=case,
        lines=lines or (a_line(citizen),),
        from_day=FROM,
        to_day=TO,
        answer_by=20190331,
        text_version="samtykke-1",
        asked_at=NOON,
        why=Personal("Vi vil gerne vide, hvad du faar hjaelp til."),
    )
    return replace(made, **given)


def a_grant(citizen: str, case: str, *lines: RequestLine, **given: Any) -> Grant:
    """Make a yes to these lines, or to one, by whoever may answer the first."""
    chosen = lines or (a_line(citizen),)
    made = Grant(
        id=str(uuid4()),
        request=None,
        municipality=HOME,
        citizen=citizen,
        giver=chosen[0].giver,
        unit=UNIT,
        purpose=PURPOSE,
        case=case,
        lines=chosen,
        from_day=FROM,
        to_day=TO,
        form=DIGITAL,
        language="da",
        text_version="samtykke-1",
        text_digest="00" * 32,
        text=Personal("Det her siger jeg ja til."),
    )
    return replace(made, **given)


def yes_to(request: ConsentRequest, giver: str, *lines: RequestLine) -> Grant:
    """Make a giver's yes to all, or to some, of what a request asks of them."""
    return a_grant(request.citizen, request.case, *(lines or request.lines_of(giver)), request=request.id)


def requested(request: ConsentRequest, actor: str) -> ConsentRequested:
    """Make the event of a request."""
    return ConsentRequested(**_said(request, actor, request.citizen, "system"))


def granted(grant: Grant, actor: str = "", *, subject: str = "", channel: str = "online") -> ConsentGranted:
    """Make the event of a yes; online by the giver unless said otherwise."""
    return ConsentGranted(
        **_said(grant, actor or grant.giver, subject or grant.citizen, channel),
        version=1,
        from_day=grant.from_day,
        to_day=grant.to_day,
        giver=grant.giver,
        capacity=grant.lines[0].capacity,
        text_digest=grant.text_digest,
    )


def refused(request: ConsentRequest, giver: str) -> ConsentRefused:
    """Make the event of a no, online."""
    return ConsentRefused(**_said(request, giver, request.citizen, "online"))


def withdrawn(grant: Grant, actor: str = "", *, subject: str = "", channel: str = "online") -> ConsentWithdrawn:
    """Make the event of taking a yes back; online by the giver unless said otherwise."""
    said = _said(grant, actor or grant.giver, subject or grant.citizen, channel)
    return ConsentWithdrawn(**said, version=0, giver=grant.giver)


def paused(grant: Grant, by: str = "", *, channel: str = "online", **given: Any) -> ConsentPaused:
    """Make the event of a yes that rests; online by the giver unless said otherwise."""
    said = _said(grant, by or grant.giver, grant.citizen, channel)
    return ConsentPaused(**{**said, "version": 0, "giver": grant.giver, **given})


def resumed(grant: Grant, by: str = "", *, channel: str = "online", **given: Any) -> ConsentResumed:
    """Make the event of a yes that holds again; online by the giver unless said otherwise."""
    said = _said(grant, by or grant.giver, grant.citizen, channel)
    return ConsentResumed(**{**said, "version": 0, "giver": grant.giver, **given})


def a_block(subject: str, **given: Any) -> Block:
    """Make a standing no, for one source unless said otherwise."""
    return replace(Block(str(uuid4()), subject, "social", None, None), **given)


def blocked(block: Block, *, lifted: bool = False) -> BlockChanged:
    """Make the event of a standing no set or lifted by the citizen."""
    return BlockChanged(
        municipality=HOME,
        subject=block.subject,
        actor=block.subject,
        at=NOON,
        block=block.id,
        source=block.source,
        unit=block.unit,
        category=block.category,
        lifted=lifted,
    )


def _said(about: ConsentRequest | Grant, actor: str, subject: str, channel: str) -> dict[str, Any]:
    said = ConsentEvent(
        municipality=about.municipality,
        subject=subject,
        actor=actor,
        at=NOON,
        consent=about.id,
        unit=about.unit,
        purpose=about.purpose,
        case=about.case,
        lines=tuple((line.subject, line.source, line.category) for line in about.lines),
        channel=channel,
        text_version=about.text_version,
    )
    return {name: getattr(said, name) for name in (field.name for field in fields(said))}
