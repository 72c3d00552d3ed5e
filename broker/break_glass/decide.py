"""A health person of a unit that holds the data reads a request, and says yes or no (SUL § 43 stk. 3).

Two people and two units: nobody decides on their own request, and no unit on its own. Whoever decides names the citizen
too, as the on-call caseworker told them: a yes is to a person, not to a number of a request.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from broker.domain.break_glass import BreakGlass, HolderAnswer, Words
from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.errors import NotAllowed, NotFound
from broker.domain.events import BreakGlassDecided, BreakGlassEvent, BreakGlassRead
from broker.domain.identity import Caller, Role
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.exchange.emergency import on_paper_without_log
from broker.exchange.look_up import cases_of
from broker.ports import Ports

E = TypeVar("E", bound=BreakGlassEvent)


async def request_of_asker(request_id: str, caller: Caller, ports: Ports) -> BreakGlass:
    """Read how a request stands, for the caseworker who made it; raise `NotFound` for anybody else."""
    found = await ports.emergencies.by_id(request_id, caller.municipality)
    actor = await ports.handles.actor(caller.caseworker)
    if (found.unit, found.caseworker) != (caller.unit, actor) or caller.unit not in caller.system.units:
        raise NotFound
    return found


async def read_as_holder(request_id: str, caller: Caller, ports: Ports) -> tuple[BreakGlass, Words, Receipt]:
    """Give a request to a health person of a unit that was asked; that it was read is on the log first.

    Raises `NotFound` for who is no health person of such a unit, and for a citizen erased since: nothing is here.
    """
    try:
        found, actor = await _of_holder(request_id, caller, ports)
    except NotAllowed:
        raise NotFound from None
    # Opened before the entry, so that none is made about somebody of whom nothing is left, nor a key for it.
    words = await ports.emergencies.words(found, caller.municipality)
    event = BreakGlassRead(holder=caller.unit, **_said_of(found, actor, caller, ports))
    with on_paper_without_log(emergency=True):
        receipts = await ports.log.append(_on_each_log(found, caller, event))
    return found, words, receipts[0]


async def decide_break_glass(
    request_id: str, said: str, citizen: Personal[str], caller: Caller, ports: Ports
) -> tuple[BreakGlass, Receipt]:
    """Keep a unit's yes or no to a request about this citizen, with its event, on every log concerned.

    Raises `NotAllowed`, `NotFound` also where the request is about somebody else, `Conflict` where the unit has said so
    already or has said no, `RegisterUnavailable` where nobody tells whether the caller works there.
    """
    found, actor = await _about(request_id, citizen, caller, ports)
    event = BreakGlassDecided(holder=caller.unit, said=said, **_said_of(found, actor, caller, ports))
    answer = HolderAnswer(caller.unit, said, actor, event.at)
    found.refuse_answer(caller.unit, said)
    with on_paper_without_log(emergency=True):
        receipts = await ports.emergencies.decide(
            found.id, answer, caller.municipality, *_on_each_log(found, caller, event)
        )
    return replace(found, answers=(*found.answers, answer)), receipts[0]


async def decided_before(
    request_id: str, said: str, citizen: Personal[str], caller: Caller, ports: Ports
) -> BreakGlass | None:
    """Find a request to which this very caller said just this about this citizen; None where they did not yet.

    Raises `NotAllowed` and `NotFound` as `decide_break_glass` does.
    """
    found, actor = await _about(request_id, citizen, caller, ports)
    mine = [answer for answer in found.answers if (answer.unit, answer.by) == (caller.unit, actor)]
    return found if mine and max(mine, key=lambda answer: answer.at).said == said else None


async def _about(request_id: str, citizen: Personal[str], caller: Caller, ports: Ports) -> tuple[BreakGlass, str]:
    """Find a request about this citizen that the caller's unit was asked, for who works there today."""
    found, actor = await _of_holder(request_id, caller, ports)
    (handle,) = await ports.handles.citizens([citizen])
    if handle != found.citizen:
        raise NotFound
    await _refuse_who_left(request_id, citizen, caller, ports)
    return found, actor


async def _of_holder(request_id: str, caller: Caller, ports: Ports) -> tuple[BreakGlass, str]:
    """Find a request that the caller's unit was asked, and the caller's handle; never the asker's own."""
    today = danish_day(ports.clock.now())
    rule = ports.directory.emergency
    roles = [role for role in caller.caseworker.roles if _counts(role, ports.directory, today)]
    if not roles or caller.caseworker.nsis not in rule.nsis_accepted or caller.unit not in caller.system.units:
        raise NotAllowed
    found = await ports.emergencies.by_id(request_id, caller.municipality)
    if found.holders.get(caller.unit) != caller.municipality:
        raise NotFound
    actor = await ports.handles.actor(caller.caseworker)
    if actor == found.caseworker or caller.unit == found.unit:
        raise NotAllowed
    return found, actor


def _counts(role: Role, directory: Directory, today: int) -> bool:
    """Say whether a role is a health person's and attested in time, as the rules test it for an ask."""
    return role.name == directory.emergency.holder_role and directory.roles.attests(role, today)


async def _refuse_who_left(request_id: str, citizen: Personal[str], caller: Caller, ports: Ports) -> None:
    """Hear live from the unit's own system that the caller works there today."""
    register = cases_of(caller, ports.cases)
    _, employment = await register.case(Personal(request_id), citizen, caller.caseworker.id)
    if not employment.employed or employment.unit != caller.unit:
        raise NotAllowed


def _said_of(found: BreakGlass, actor: str, caller: Caller, ports: Ports) -> dict[str, Any]:
    return {
        "municipality": caller.municipality,
        "subject": found.citizen,
        "actor": actor,
        "at": ports.clock.now(),
        "request": found.id,
        "requester": found.municipality,
        "unit": found.unit,
        "purpose": ports.directory.emergency.purpose,
        "case": found.case,
        "reason": found.reason,
        "sources": tuple(sorted(source for source, unit in found.sources.items() if unit == caller.unit)),
        "holders": (caller.unit,),
    }


def _on_each_log(found: BreakGlass, caller: Caller, event: E) -> list[E]:
    """One event on the holder's own log, and one on the asking municipality's."""
    asking = {found.municipality} - {caller.municipality}
    return [event, *(replace(event, municipality=municipality) for municipality in sorted(asking))]
