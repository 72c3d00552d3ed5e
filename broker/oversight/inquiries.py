"""The DPO reads and answers what citizens ask about lines of the log; each look is on the log before it is shown.

Rules kept here:
- Only those to a municipality that one oversees; any other is not there.
- A list has no words in it; whoever reads what a citizen wrote stands in the citizen's own list.
- Nobody is told who the citizen is: the answer finds its way without.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from broker.domain.errors import BadAsk, Conflict, NotAllowed
from broker.domain.identity import OfficerLogin
from broker.domain.inquiries import (
    QUESTION,
    Inquiry,
    InquiryAnswered,
    InquiryPassedOn,
    InquiryRead,
    Place,
    Told,
    place_of,
)
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.recipients import Recipient, recipients_of
from broker.oversight.recipients import answers_about, given_at, released
from broker.ports import Clock, Handles, Inquiries, LogReader

DPO = "dpo"
A_PAGE = 50
E = TypeVar("E", InquiryRead, InquiryPassedOn, InquiryAnswered)


@dataclass(frozen=True, slots=True)
class Desk:
    """The doors the answers need."""

    clock: Clock
    handles: Handles
    inquiries: Inquiries


@dataclass(frozen=True, slots=True)
class Concerned:
    """A source that holds something (`source/ID`), or a unit that got it (`unit/ID`): which kinds, when, how often."""

    id: str
    got: tuple[Recipient, ...] = ()

    @property
    def last(self) -> datetime | None:
        """When the unit last got any of it; None of a source."""
        return max((row.last for row in self.got), default=None)


async def inquiries(
    officer: OfficerLogin, desk: Desk, after: Place | None = None, limit: int = A_PAGE
) -> tuple[tuple[Inquiry, ...], Place | None]:
    """List a page of those to the DPO's municipalities, those that wait longest first, and where the next begins.

    Raises `NotAllowed`.
    """
    _check(officer)
    # One more than is shown tells whether there are more.
    found = await desk.inquiries.of(officer.municipalities, after=after, limit=limit + 1)
    page = found[:limit]
    return page, place_of(page[-1]) if len(found) > limit else None


async def read(inquiry: str, officer: OfficerLogin, desk: Desk) -> Told:
    """Open one, which is written down first. Raises `NotAllowed`, `NotFound`, `LogUnavailable`."""
    _check(officer)
    found = await desk.inquiries.by_id(inquiry, officer.municipalities)
    await desk.inquiries.read(found.inquiry, await _event(InquiryRead, found.inquiry, officer, desk))
    return found


async def answer(inquiry: str, text: Personal[str], officer: OfficerLogin, desk: Desk) -> Receipt:
    """Answer one. Raises `NotAllowed`, `NotFound`, and `Conflict` where it has an answer."""
    _check(officer)
    found = (await desk.inquiries.by_id(inquiry, officer.municipalities)).inquiry
    if found.answered_at:
        raise Conflict("already_answered")
    return await desk.inquiries.answer(found, text, await _event(InquiryAnswered, found, officer, desk))


async def concerned(about: Inquiry, officer: OfficerLogin, reader: LogReader) -> tuple[Concerned, ...]:
    """Say who holds or got what an inquiry is about: read from the answers that the citizen's own list has.

    What the law keeps back from the citizen for a time is not there, for whom it was passed on to is told them.
    """
    if about.aim == QUESTION:
        return ()
    entries = [entry async for entry in answers_about(about.citizen, officer, reader)]
    kinds = {kind for entry in entries if entry.receipt == about.about for kind in released(entry)}
    got = recipients_of(given for entry in entries if (given := given_at(entry, kinds)) is not None)
    holders = [Concerned(f"source/{source}") for source in sorted({source for source, _ in kinds})]
    units = [(unit, tuple(rows)) for unit, rows in groupby(got, key=lambda row: row.unit)]
    return (*holders, *[Concerned(f"unit/{unit}", rows) for unit, rows in units])


async def pass_on(
    inquiry: str, told: tuple[str, ...], officer: OfficerLogin, desk: Desk, reader: LogReader
) -> Receipt:  # fmt: skip
    """Write down who was told. Raises `BadAsk` for none or others, `NotAllowed`, `NotFound`, `Conflict` when done."""
    _check(officer)
    found = (await desk.inquiries.by_id(inquiry, officer.municipalities)).inquiry
    known = {one.id for one in await concerned(found, officer, reader)}
    if not told or not set(told) <= known:
        raise BadAsk("/told")
    if found.passed_on_at:
        raise Conflict("already_passed_on")
    event = await _event(InquiryPassedOn, found, officer, desk, told=tuple(sorted(set(told))))
    return await desk.inquiries.pass_on(found, event)


def _check(officer: OfficerLogin) -> None:
    if officer.role != DPO or not officer.municipalities:
        raise NotAllowed


async def _event(kind: type[E], about: Inquiry, officer: OfficerLogin, desk: Desk, **more: Any) -> E:
    return kind(
        municipality=about.municipality,
        subject=about.citizen,
        actor=await desk.handles.officer(officer),
        at=desk.clock.now(),
        inquiry=about.id,
        log=about.about.log,
        line=about.about.index,
        role=officer.role,
        **more,
    )
