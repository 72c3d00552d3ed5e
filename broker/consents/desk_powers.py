"""What the citizens' desk may do: close for whoever keeps it; open for whom the rules would let ask.

To close (a no, a stop, a pause) takes the role alone: nothing may stand in the way of a no. To open (a yes, what was
paused) takes what the rules take of a role in an ask (`policies/caller.rego`), and a stated number that is another's.
"""

from __future__ import annotations

from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.errors import MayNotOpen, NotAllowed
from broker.domain.identity import Caller
from broker.domain.personal import Personal
from broker.ports import Ports

# The desk that citizens ring, whichever unit their consent is to (`domain.md` 4.1: records consent, sees no data).
DESK_ROLE = "borgerservice"
DELEGATED, NOT_ATTESTED, NO_NUMBER, OWN = "role_delegated", "role_not_attested", "no_number_stated", "own"


def keeps_desk(caller: Caller) -> bool:
    """Tell whether this caller keeps their municipality's desk, through a system that speaks for their unit.

    By it they may look, and close.
    """
    return caller.unit in caller.system.units and any(role.name == DESK_ROLE for role in caller.caseworker.roles)


def why_not_open(caller: Caller, directory: Directory, today: int) -> str:
    """Say as a code why who keeps the desk opens nothing there for anybody today; empty where they may.

    It follows from what their employer says of them alone, so that it tells of no citizen (P6).
    """
    home = [role for role in caller.caseworker.roles if role.name == DESK_ROLE and role.delegated_from is None]
    if not home:
        return DELEGATED
    if not any(directory.roles.attests(role, today) for role in home):
        return NOT_ATTESTED
    # Who does not say who they are in private could be the citizen.
    return NO_NUMBER if caller.caseworker.cpr is None else ""


def check_may_open(citizen: Personal[str], caller: Caller, ports: Ports) -> None:
    """Raise `NotAllowed` unless the caller keeps the desk, `MayNotOpen` unless they may open for this citizen."""
    if not keeps_desk(caller):
        raise NotAllowed
    why = why_not_open(caller, ports.directory, danish_day(ports.clock.now()))
    if why or caller.caseworker.cpr == citizen:
        raise MayNotOpen(why or OWN)
