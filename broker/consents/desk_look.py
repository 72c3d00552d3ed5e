"""What the citizens' desk may see of a citizen: what they have said yes and no to, and what waits for an answer.

Rules kept here:
- A look is on the log, and on the citizen's own list, before anything is read (P2).
- Shown are this municipality's alone, and of them what is this citizen's to answer or was given by them. What another
  parent or a child answered is not theirs to hear, so it is not the desk's either. Where several are to answer, the
  unit that asked sees none of it at its own desk: it never hears who said what.
- No register and no source is asked: the desk sees no data.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.consents.change import would_tell_who_answered
from broker.consents.desk_powers import keeps_desk
from broker.domain.consents import Consent, ConsentRequest
from broker.domain.days import danish_day
from broker.domain.desk_look import DeskLooked
from broker.domain.errors import NotAllowed, NotFound
from broker.domain.facts import NamesASource
from broker.domain.identity import Caller
from broker.domain.personal import Personal
from broker.ports import Ports


@dataclass(frozen=True, slots=True)
class Sight:
    """A citizen's consents and requests of one municipality, newest first, as on a Danish day."""

    citizen: str
    today: int
    asked: tuple[ConsentRequest, ...]
    given: tuple[Consent, ...]

    def waits(self, request: ConsentRequest) -> bool:
        """Tell whether a request can still be answered by this citizen."""
        return not request.answered_by(self.citizen) and self.today <= request.answer_by

    def answer_to(self, request: ConsentRequest) -> str:
        """Tell what this citizen answered to a request themselves; empty where they did not."""
        return next((answer.state for answer in request.answers if answer.giver == self.citizen), "")


async def see_at_desk(citizen: Personal[str], caller: Caller, ports: Ports) -> Sight:
    """List what the desk may see of a citizen, once the look is on the log.

    Raises `NotAllowed` for who does not keep their municipality's desk, `LogUnavailable`, `StoreUnavailable`.
    """
    who = await look_at_desk(citizen, caller, ports)
    asked = await ports.consents.requests_of(who, municipality=caller.municipality)
    at, found = ports.clock.now(), await ports.consents.of_citizen(who, municipality=caller.municipality)
    given = [consent.as_shown(at) for consent in found]
    unsaid = {row.id for row in asked if would_tell_who_answered(row, caller)}
    return Sight(
        who,
        danish_day(at),
        tuple(
            row
            for row in asked
            if row.municipality == caller.municipality and row.lines_of(who) and row.id not in unsaid
        ),
        tuple(
            row
            for row in given
            if row.municipality == caller.municipality and row.giver == who and row.request not in unsaid
        ),
    )


async def shown_at_desk(
    consent_id: str, citizen: Personal[str], caller: Caller, ports: Ports
) -> tuple[Consent, Personal[str] | None]:
    """Give a consent with exactly what its giver was shown, to print for them; None where that was erased.

    Raises as `see_at_desk`, and `NotFound` for another's. So it does for one to the caller's own unit: that asked by
    the names of sources, and a text that names fewer would tell whose child is protected (P6).
    """
    who = await look_at_desk(citizen, caller, ports, opened=consent_id)
    consent = await given_at_desk(consent_id, who, caller, ports)
    if consent.unit == caller.unit:
        raise NotFound
    text, _ = await ports.consents.shown(consent.id, who)
    return consent, text


async def given_at_desk(consent_id: str, giver: str, caller: Caller, ports: Ports) -> Consent:
    """Find a consent that this giver gave to a unit of the caller's municipality; raise `NotFound` for any other."""
    for consent in await ports.consents.of_citizen(giver, municipality=caller.municipality):
        if (consent.id, consent.giver, consent.municipality) == (consent_id, giver, caller.municipality):
            return consent.as_shown(ports.clock.now())
    raise NotFound


async def look_at_desk(citizen: Personal[str], caller: Caller, ports: Ports, *, opened: str = "") -> str:
    """Put the look on record, and give the citizen's handle. Raises as `see_at_desk`."""
    check_desk(citizen, caller)
    (who,) = await ports.handles.citizens([citizen])
    event = DeskLooked(
        municipality=caller.municipality,
        subject=who,
        actor=await ports.handles.actor(caller.caseworker),
        at=ports.clock.now(),
        unit=caller.unit,
        system=caller.system.client_id,
        opened=opened,
    )
    await ports.log.append([event])
    return who


def check_desk(citizen: Personal[str], caller: Caller) -> None:
    """Raise `NotAllowed` unless the caller keeps their municipality's desk, and serves another than themself."""
    if not keeps_desk(caller) or caller.caseworker.cpr == citizen:
        raise NotAllowed


def names_source(line: NamesASource, unit: str, giver: str, caller: Caller) -> bool:
    """Tell whether the desk names a line's source: what its giver may learn, and what the caller's own unit asked."""
    return unit == caller.unit or line.tells_source_to(giver)
