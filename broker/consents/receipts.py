"""A giver's receipts: the record of one yes or no, or of all of them. Nobody is given another's.

Rules kept here:
- A record is its giver's alone. What is another's, a child's or a parent's own, is not there (P6).
- What was shown is opened from where it was sealed at the yes or the no. Where that was erased its digest stands alone.
- The citizens' desk is given the very record its giver would get, to hand to them, once that look is on the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from broker.consents.desk_look import shown_at_desk
from broker.consents.own import OwnRequest, giver_of, own_consents, own_parts
from broker.consents.records import IMPORTED, Frame, Logged, Text, as_it_was, record_of_consent, record_of_refusal
from broker.domain.consents import REFUSED, Consent
from broker.domain.entries import INTACT
from broker.domain.errors import NotFound, TooManyAsks
from broker.domain.events import ConsentRefused
from broker.domain.identity import Caller, CitizenLogin
from broker.domain.personal import Personal
from broker.exchange.numbers import own_handles
from broker.ports import LogReader, Ports


@dataclass(frozen=True, slots=True)
class Desk:
    """What records are made from: the doors, the log, and the address this broker is known by."""

    ports: Ports
    reader: LogReader
    issuer: str

    async def frame(self, login: CitizenLogin) -> Frame:
        """Say who asks, and when."""
        handles = await own_handles(login.cpr, self.ports.handles, self.ports.people)
        return Frame(self.issuer, self.ports.clock.now(), login.cpr, handles)


async def consent_receipt(consent_id: str, login: CitizenLogin, desk: Desk, version: int | None = None) -> Any:
    """Give the record of a yes this person gave, as it stands or as it stood; raise `NotFound` for any other."""
    frame = await desk.frame(login)
    given = await own_consents(frame.handles, desk.ports.consents, desk.ports.clock.now())
    consent = next((row for row in given if row.id == consent_id and row.giver == frame.handles[0]), None)
    if consent is None:
        raise NotFound
    return await _record(as_it_was(consent, version or consent.version), frame, desk, proofs=True)


async def refusal_receipt(request_id: str, login: CitizenLogin, desk: Desk) -> Any:
    """Give the record of a no this person said; raise `NotFound` for any other."""
    frame = await desk.frame(login)
    parts = await own_parts(request_id, frame.handles, desk.ports.consents)
    no = next((part for part in parts if _said_no(part)), None)
    if no is None:
        raise NotFound
    return await _record_of_no(no, frame, desk, proofs=True)


async def every_receipt(login: CitizenLogin, desk: Desk) -> list[Any]:
    """Give the record of each yes and each no of this person, oldest first; the log's proof files are left out."""
    frame = await desk.frame(login)
    given = await own_consents(frame.handles, desk.ports.consents, desk.ports.clock.now())
    made = [await _record(row, frame, desk, proofs=False) for row in given if row.giver == frame.handles[0]]
    for me in frame.handles:
        asked = [OwnRequest(row, me) for row in await desk.ports.consents.requests_of(me)]
        made += [await _record_of_no(own, frame, desk, proofs=False) for own in asked if _said_no(own)]
    return sorted(made, key=lambda record: (record["events"][0]["time"], record["record_id"]))


async def receipt_at_desk(
    consent_id: str, citizen: Personal[str], caller: Caller, desk: Desk, *, proofs: bool
) -> tuple[Consent, Any]:
    """Give a consent and its record, to print for its giver or to hand to them as a file; raise as `shown_at_desk`."""
    consent, _ = await shown_at_desk(consent_id, citizen, caller, desk.ports)
    # No register is asked at the desk: the record is told under the number that its giver said there.
    frame = Frame(desk.issuer, desk.ports.clock.now(), citizen, (consent.giver,))
    return consent, await _record(consent, frame, desk, proofs=proofs)


async def _record(consent: Consent, frame: Frame, desk: Desk, *, proofs: bool) -> Any:
    giver = await giver_of(consent.id, frame.handles, desk.ports.consents)
    words, evidence = await desk.ports.consents.shown(consent.id, giver)
    text = Text(consent.text_version, consent.language, consent.text_digest, words)
    subjects = {giver, *frame.handles, *(line.subject for line in consent.lines)}
    logged = await _logged(consent.id, subjects, desk, kind=None, proofs=proofs)
    origin = evidence if consent.history[0].channel == IMPORTED else None
    return record_of_consent(consent, text, frame, logged, desk.ports.directory, origin)


def _said_no(own: OwnRequest) -> bool:
    return any(answer.giver == own.me and answer.state == REFUSED for answer in own.request.answers)


async def _record_of_no(own: OwnRequest, frame: Frame, desk: Desk, *, proofs: bool) -> Any:
    subjects = {*frame.handles, *(line.subject for line in own.mine)}
    logged = await _logged(own.request.id, subjects, desk, kind=ConsentRefused.name, proofs=proofs)
    text = await _text_of_no(own, desk)
    return record_of_refusal(own.request, text, frame, logged, desk.ports.directory)


async def _text_of_no(own: OwnRequest, desk: Desk) -> Text:
    """Open what was read before a no; of one that was said before the text was kept, its version alone is known."""
    read = await desk.ports.consents.read_before_no(own.request.id, own.me)
    if read is None:
        return Text(own.request.text_version, None, None, None)
    return Text(own.request.text_version, read.language, read.digest, read.words)


async def _logged(
    about: str, subjects: set[str], desk: Desk, *, kind: str | None, proofs: bool
) -> tuple[Logged, ...]:  # fmt: skip
    """Find where the logs hold each step; an entry whose content is gone or changed is no step to point at."""
    found = []
    for subject in sorted(subjects):
        for entry in await desk.reader.of_consent(about, subject):
            if entry.state != INTACT or entry.body is None or kind not in (None, entry.kind):
                continue
            version = entry.body.get("version", 1)
            found.append(Logged(version, entry.receipt, await _proof(entry.receipt, desk) if proofs else None))
    return tuple(found)


async def _proof(receipt: Any, desk: Desk) -> str | None:
    """Give the log's proof file; none until a signed checkpoint has the entry, or while too many ask."""
    try:
        return await desk.reader.proof(receipt)
    except (NotFound, TooManyAsks):
        return None
