"""Asking about a line of one's own list: the question goes to the DPO of the municipality whose log it stands on."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from broker.domain.identity import CitizenLogin
from broker.domain.inquiries import QUESTION, Inquiry, InquirySent, Told
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import Inquiries, LogReader, Ports


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors an inquiry needs."""

    ports: Ports
    reader: LogReader
    inquiries: Inquiries


async def send(about: Receipt, text: Personal[str], login: CitizenLogin, desk: Desk, aim: str = QUESTION) -> Inquiry:
    """Ask about a line of one's own, or that what it tells of is put right or stops.

    Raises `NotFound` for any other line, `Conflict` while one waits, and after too many in a day.
    """
    (me,) = await desk.ports.handles.citizens([login.cpr])
    entry = await desk.reader.entry(about, subject=me)
    earlier = [told.inquiry for told in await desk.inquiries.of_citizen(me) if told.inquiry.about == about]
    number = sum(1 for inquiry in earlier if inquiry.answered_at)
    at = desk.ports.clock.now()
    new = Inquiry(str(uuid.uuid4()), entry.municipality, me, about, number, at, aim=aim)
    event = InquirySent(
        municipality=new.municipality,
        subject=me,
        actor=me,
        at=at,
        inquiry=new.id,
        log=about.log,
        line=about.index,
        aim=aim,
    )
    await desk.inquiries.send(new, text, event)
    return new


async def my_inquiries(login: CitizenLogin, desk: Desk) -> tuple[Told, ...]:
    """List what I asked, the newest first, with the answers."""
    (me,) = await desk.ports.handles.citizens([login.cpr])
    return await desk.inquiries.of_citizen(me)
