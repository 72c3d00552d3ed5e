"""A DPO answers who asks what is held about them (GDPR art. 15): the citizen's own file, of the DPO's municipalities.

Rules kept here:
- It is on the log, and in the citizen's own list, under the number that the DPO wrote before the register is asked for
  others (P2), and under every number that the register says is theirs before anything of the broker's is read: they see
  it by the one they have now, whichever the DPO wrote.
- What another municipality answers for is not in it, nor what the law keeps back from the citizen for a time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from broker.domain.errors import NotAllowed
from broker.domain.events import AuditEvent
from broker.domain.identity import OfficerLogin
from broker.domain.package import PackageMade
from broker.domain.personal import Personal
from broker.exchange.numbers import every_number
from broker.ports import Ports

DPO = "dpo"
Count = Callable[[str], Awaitable[None]]
# What a look writes on the log of a municipality about a citizen (handle).
Look = Callable[[str, str], AuditEvent]


@dataclass(frozen=True, slots=True)
class Package:
    """Whose file it is, by the handle of each number they have had, that of now first; and of which municipalities."""

    handles: tuple[str, ...]
    municipalities: frozenset[str]


async def record_package(citizen: Personal[str], officer: OfficerLogin, ports: Ports, count: Count) -> Package:
    """Write down that the file is made; give what it is to hold. `count` holds the officer (handle) to a ceiling.

    Raises `NotAllowed`, `TooManyAsks`, `LogUnavailable`, and `RegisterUnavailable`: without the register it
    would not be whole. That it was asked for then stands under the number named.
    """
    actor = await admit(officer, ports)
    await count(actor)
    handles = await record_look(citizen, officer, ports, lambda home, subject: PackageMade(
        municipality=home, subject=subject, actor=actor, at=ports.clock.now(), role=officer.role,
    ))  # fmt: skip
    return Package(handles, officer.municipalities)


async def admit(officer: OfficerLogin, ports: Ports) -> str:
    """Give the handle of a DPO; raise `NotAllowed` for anybody else, and who oversees nobody."""
    if officer.role != DPO or not officer.municipalities:
        raise NotAllowed
    return await ports.handles.officer(officer)


async def record_look(citizen: Personal[str], officer: OfficerLogin, ports: Ports, look: Look) -> tuple[str, ...]:
    """Write a look down on each log that the officer oversees, under every number of the citizen; give their handles.

    Raises `LogUnavailable`, and `RegisterUnavailable`: then it stands under the number named alone.
    """
    (named,) = await ports.handles.citizens([citizen])
    await _write((named,), officer, ports, look)
    handles = await ports.handles.citizens(await every_number(citizen, ports.people))
    await _write([handle for handle in handles if handle != named], officer, ports, look)
    return handles


async def _write(subjects: Sequence[str], officer: OfficerLogin, ports: Ports, look: Look) -> None:
    """Write one entry a citizen's handle, on the log of each municipality that the officer oversees."""
    events = [look(home, subject) for home in sorted(officer.municipalities) for subject in subjects]
    if events:
        await ports.log.append(events)
