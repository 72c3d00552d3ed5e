"""Ask those who hold the data to say yes, for danger to life (SUL § 43 stk. 2): a code, words, a call-out's number.

Nothing about the citizen is read for a request: it is written down by the same statements, and answered with the same
bytes, whoever the number belongs to, and whether it belongs to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from broker.domain.after_checks import notice_id
from broker.domain.break_glass import BreakGlass, Words
from broker.domain.directory import Directory, SourceEntry
from broker.domain.errors import BadAsk, NotAllowed
from broker.domain.events import BreakGlassRequested
from broker.domain.identity import Caller
from broker.domain.notices import EMERGENCY, notice_to
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.exchange.emergency import on_paper_without_log
from broker.ports import Ports


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an on-call caseworker asks for: whom, for which call-out, why (a code and words).

    `sources` of None mean those of the caller's municipality that a health person of another unit holds.
    """

    citizen: Personal[str]
    callout: Personal[str]
    reason: str
    text: Personal[str]
    sources: frozenset[str] | None = None


async def request_break_glass(made_id: str, wanted: Wanted, caller: Caller, ports: Ports) -> tuple[BreakGlass, Receipt]:
    """Put a request before the units that hold the data, on the log of every municipality concerned.

    Raises `NotAllowed` where the caller is not on call, `BadAsk` for a reason or source that cannot be, and
    `LogUnavailable` or `StoreUnavailable` when it could not be written down. `made_id` is the id it gets.
    """
    directory = ports.directory
    _refuse_not_on_call(caller, directory)
    if wanted.reason not in directory.emergency.reasons:
        raise BadAsk("/reason", "unknown_reason")
    sources = _sources(wanted, caller, directory)
    at = ports.clock.now()
    with on_paper_without_log(emergency=True):
        citizen, actor, case = await ports.handles.of_ask(
            wanted.citizen, caller.caseworker, caller.unit, wanted.callout
        )
    new = BreakGlass(
        id=made_id,
        municipality=caller.municipality,
        citizen=citizen,
        unit=caller.unit,
        caseworker=actor,
        case=case,
        reason=wanted.reason,
        requested_at=at,
        sources={source.id: source.unit for source in sources},
        holders={source.unit: source.municipality for source in sources},
    )
    events = _events(new, directory, at)
    # The number as it was asked with: no register is read for a request, whoever it belongs to.
    told = notice_to(citizen, wanted.citizen, new.municipality, EMERGENCY, at, unit=new.unit)
    told = replace(told, id=notice_id(new.id))
    with on_paper_without_log(emergency=True):
        receipts = await ports.emergencies.request(new, Words(wanted.callout, wanted.text), *events, tell=[told])
    return new, receipts[0]


def _refuse_not_on_call(caller: Caller, directory: Directory) -> None:
    """Let only an on-call caseworker of the system's own units ask. The rules test the rest at each ask."""
    named = {role.name for role in caller.caseworker.roles}
    if directory.emergency.role not in named or caller.unit not in caller.system.units:
        raise NotAllowed


def _sources(wanted: Wanted, caller: Caller, directory: Directory) -> list[SourceEntry]:
    """Find the sources meant: each of a unit that may decide, of another unit than the caller's own."""
    can = {source.id: source for source in directory.sources.values() if _can_decide(source, caller, directory)}
    if wanted.sources is None:
        named = {name for name, source in can.items() if source.municipality == caller.municipality}
    else:
        named = set(wanted.sources)
    if not named or not named <= can.keys():
        raise BadAsk("/sources", "nobody_to_decide")
    return [can[name] for name in sorted(named)]


def _can_decide(source: SourceEntry, caller: Caller, directory: Directory) -> bool:
    purpose = directory.purposes.get(directory.emergency.purpose)
    holds = purpose is not None and bool(source.categories & purpose.categories)
    kind = directory.units[source.unit].kind
    return holds and kind in directory.emergency.holder_kinds and source.unit != caller.unit


def _events(new: BreakGlass, directory: Directory, at: datetime) -> list[BreakGlassRequested]:
    """One event on the log of each municipality concerned, the asking one first; each with what concerns it."""
    first = BreakGlassRequested(
        municipality=new.municipality,
        subject=new.citizen,
        actor=new.caseworker,
        at=at,
        request=new.id,
        requester=new.municipality,
        unit=new.unit,
        purpose=directory.emergency.purpose,
        case=new.case,
        reason=new.reason,
        sources=tuple(sorted(new.sources)),
        holders=tuple(sorted(new.holders)),
    )
    elsewhere = sorted(set(new.holders.values()) - {new.municipality})
    return [first] + [
        replace(
            first,
            municipality=municipality,
            sources=tuple(s for s in first.sources if new.holders[new.sources[s]] == municipality),
            holders=tuple(unit for unit in first.holders if new.holders[unit] == municipality),
        )
        for municipality in elsewhere
    ]
