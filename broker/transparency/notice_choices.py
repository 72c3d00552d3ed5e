"""A citizen chooses how they are told that there is something new; an address is used once its code has come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from broker.domain.errors import BadAsk, Conflict, NotFound
from broker.domain.identity import CitizenLogin
from broker.domain.notice_choices import EMAIL, WAYS, Choice, NoticesChosen, Pending, address_from, new_pending
from broker.domain.notices import CHOSEN, notice_to
from broker.domain.receipts import Receipt
from broker.ports import Ports
from broker.transparency.doors import CodeMail, NoticeChoices


@dataclass(frozen=True, slots=True)
class Desk:
    """What choosing stands on. Without `mail`, e-mail cannot be chosen."""

    ports: Ports
    choices: NoticeChoices
    mail: CodeMail | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a citizen wants, as they wrote it; the address counts with e-mail alone."""

    way: str
    weekly: bool
    address: str = field(default="", repr=False)


class Step(Enum):
    """What came of a wish that no receipt tells of."""

    CODE_SENT = auto()
    AS_IT_WAS = auto()


async def my_choices(login: CitizenLogin, desk: Desk) -> Mapping[str, Choice]:
    """Give what holds for a citizen, in every municipality of this house."""
    (me,) = await desk.ports.handles.citizens([login.cpr])
    chosen = await desk.choices.of_citizen(me)
    return {home: chosen.get(home, Choice()) for home in sorted(desk.ports.directory.municipalities)}


async def choose(municipality: str, wish: Wish, login: CitizenLogin, desk: Desk) -> Receipt | Step:
    """Keep a choice; where a code was sent to a new address, the choice waits for it to come back.

    What is as it was writes no entry and no letter.

    Raises `NotFound` for a municipality that is not here, `BadAsk` for what cannot be chosen or is no address,
    `Conflict` after too many codes or changes in a day, `NoticeNotSent` where the code could not be sent.
    """
    _check(municipality, desk)
    if wish.way not in WAYS:
        raise BadAsk("/way", "unknown")
    (me,) = await desk.ports.handles.citizens([login.cpr])
    if wish.way != EMAIL:
        return await _keep(municipality, me, Choice(wish.way, wish.weekly), login, desk)
    if desk.mail is None:
        raise BadAsk("/way", "unknown")
    address = address_from(wish.address)
    held = (await desk.choices.of_citizen(me)).get(municipality, Choice())
    if held.address == address:
        return await _keep(municipality, me, Choice(EMAIL, wish.weekly, address), login, desk)
    at = desk.ports.clock.now()
    pending = new_pending(address, weekly=wish.weekly, at=at)
    await desk.choices.await_code(municipality, me, pending, at)
    await desk.mail.send_code(pending.address, pending.code)
    return Step.CODE_SENT


async def confirm(municipality: str, code: str, login: CitizenLogin, desk: Desk) -> Receipt | Step:
    """Take an address into use by the code that was sent there.

    Raises `NotFound` for a municipality that is not here, `BadAsk` for another code, `Conflict` where no code waits:
    it was used, its time or its tries are over, or none was sent; or after too many changes in a day.
    """
    _check(municipality, desk)
    (me,) = await desk.ports.handles.citizens([login.cpr])
    at = desk.ports.clock.now()
    pending = await desk.choices.take_try(municipality, me, at)
    if pending is None:
        raise Conflict("no_code_waits")
    if not pending.is_proved(code, at):
        raise BadAsk("/code", "wrong")
    return await _keep(municipality, me, Choice(EMAIL, pending.weekly, pending.address), login, desk, pending)


def _check(municipality: str, desk: Desk) -> None:
    if municipality not in desk.ports.directory.municipalities:
        raise NotFound


async def _keep(
    municipality: str, me: str, choice: Choice, login: CitizenLogin, desk: Desk, proved: Pending | None = None
) -> Receipt | Step:
    at = desk.ports.clock.now()
    event = NoticesChosen(
        municipality=municipality, subject=me, actor=me, at=at, way=choice.way, weekly=choice.weekly
    )  # fmt: skip
    told = notice_to(me, login.cpr, municipality, CHOSEN, at)
    return await desk.choices.keep(choice, event, proved=proved, tell=[told]) or Step.AS_IT_WAS
