"""A yes given on paper or by word of mouth, recorded at a desk by a named caseworker (`domain.md` 5.6).

Citizens without a computer must not be worse off: the same lines, the same text read aloud or signed, the same log. And
no worse off than with one: what they said no to, the unit that would see it makes no yes of by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from broker.consents.answer import granted_events
from broker.consents.lines import Prepared, Wanted, prepare
from broker.consents.noes import asked_earlier, no_until
from broker.consents.texts import TEXT_VERSION, consent_text, text_digest
from broker.domain.consents import ORAL, Grant
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk, Conflict
from broker.domain.identity import Caller
from broker.domain.notices import RECORDED, notice_of_end, notice_to
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import Ports


@dataclass(frozen=True, slots=True)
class TakenYes:
    """How a yes was taken: `form` paper or oral, the language read in, and the evidence in the recorder's words.

    `giver` of None is the citizen; else the custody holder who said yes.
    """

    form: str
    language: str
    evidence: Personal[str]
    giver: Personal[str] | None = None


async def record_at_desk(
    made_id: str, wanted: Wanted, taken: TakenYes, caller: Caller, ports: Ports
) -> tuple[Grant, Receipt]:
    """Keep a yes given at a desk. Raises what `prepare` raises, and `Conflict` for a while after a no to the unit.

    Also `BadAsk` when nothing is the giver's to say, or when the law asks for a written yes and this one was oral.
    `made_id` is the id the consent gets, so that a repeat makes nothing twice.
    """
    prepared = await prepare(wanted, caller, ports)
    await _respect_a_no(wanted, prepared, ports)
    if taken.form == ORAL and prepared.must_be_written:
        raise BadAsk("/form", "written")
    number = taken.giver or wanted.citizen
    (giver,) = await ports.handles.citizens([number])
    given = _grant(made_id, wanted, taken, prepared, giver, ports.directory)
    channel = f"desk_{taken.form}"
    # It is recorded by the very unit that it opens for.
    events = granted_events(given, prepared.recorded.actor, prepared.facts.at, channel, recorder_gains=True)
    told = notice_to(giver, number, given.municipality, RECORDED, prepared.facts.at)
    ends = notice_of_end(given.id, giver, number, given.municipality, given.to_day, prepared.facts.at)
    receipts = await ports.consents.grant(given, *events, tell=[told, *ends])
    return given, receipts[0]


async def _respect_a_no(wanted: Wanted, prepared: Prepared, ports: Ports) -> None:
    """Raise `Conflict` where the unit had a no for this purpose: a change of mind is the citizen's, or their desk's."""
    if no_until(await asked_earlier(wanted.purpose, prepared, ports), prepared.facts.today) is not None:
        raise Conflict("said_no_here")


def _grant(
    made_id: str, wanted: Wanted, taken: TakenYes, prepared: Prepared, giver: str, directory: Directory
) -> Grant:
    lines = tuple(line for line in prepared.lines if line.giver == giver)
    if not lines:
        raise BadAsk("/giver", "nothing_to_answer")
    recorded = prepared.recorded
    days = (prepared.from_day, wanted.to_day)
    unit = recorded.caller.unit
    # Whoever records it named the sources, and is answered with the text: it must not tell them of a protection (P6).
    read_out = [replace(line, source_told_to=None) for line in lines]
    text = consent_text(unit, wanted.purpose, read_out, days, taken.language, directory, wanted.limit)
    return Grant(
        id=made_id,
        request=None,
        municipality=recorded.caller.municipality,
        citizen=recorded.citizen,
        giver=giver,
        unit=unit,
        purpose=wanted.purpose,
        case=recorded.case,
        lines=lines,
        from_day=days[0],
        to_day=days[1],
        form=taken.form,
        language=taken.language,
        text_version=TEXT_VERSION,
        text_digest=text_digest(text),
        text=Personal(text),
        evidence=taken.evidence,
        limit=wanted.limit,
    )
