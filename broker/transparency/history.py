"""Who asked about me, why, and what was answered: the citizen's own entries, opened for them alone.

Each entry of the log is one row: nothing is summed up, and nothing left out but what they chose not to see. Shown are
date, unit, purpose, basis, categories, sources and outcome; not the employee (Datatilsynet 2024-32-0283, `design.md`
6.7).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broker.domain.entries import EVERYTHING, LogEntry, LogFilter
from broker.domain.events import EVALUATED, NOTHING_LEFT
from broker.domain.identity import CitizenLogin
from broker.domain.receipts import Receipt
from broker.ports import LogReader, Ports

A_STEP = 500


@dataclass(frozen=True, slots=True)
class MyEntry:
    """One entry about me. `state` is intact, changed (somebody edited it) or erased; then only its place is known.

    `basis` holds (kind, id), `laws` the rows of law beneath; `released`, `allowed` and `withheld` hold (source,
    category); `reasons` are codes. `allowed` is what would have been released, had more been asked than whether it may.
    """

    receipt: Receipt
    at: datetime
    kind: str
    municipality: str
    state: str
    unit: str | None = None
    purpose: str | None = None
    ask: str | None = None
    aim: str | None = None
    consent: str | None = None
    outcome: str | None = None
    basis: tuple[tuple[str, str], ...] = ()
    laws: tuple[str, ...] = ()
    released: tuple[tuple[str, str], ...] = ()
    allowed: tuple[tuple[str, str], ...] = ()
    withheld: tuple[tuple[str, str], ...] = ()
    reasons: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    channel: str | None = None
    emergency: bool = False
    holder: str | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class MyPage:
    """My entries, newest first, and the mark to go on from; None when that was all.

    `answered` names the asks among them whose answer stands elsewhere in the list.
    """

    entries: tuple[MyEntry, ...]
    next: str | None
    answered: frozenset[str] = frozenset()


async def my_entries(
    login: CitizenLogin, ports: Ports, reader: LogReader, *,
    wanted: LogFilter = EVERYTHING, cursor: str | None = None, limit: int = 50,
) -> MyPage:  # fmt: skip
    """List the entries about the citizen who is logged in. Raises `BadAsk` for a mark that was never given."""
    (me,) = await ports.handles.citizens([login.cpr])
    page = await reader.of_subject(me, wanted=wanted, cursor=cursor, limit=limit)
    entries = tuple(_mine(entry) for entry in page.entries)
    asks = {entry.ask for entry in entries if entry.kind == "ask" and entry.ask}
    alone = asks - {entry.ask for entry in entries if entry.kind == "outcome"}
    return MyPage(entries, page.next, await reader.answered(me, alone) if alone else frozenset())


async def my_whole_list(
    login: CitizenLogin, ports: Ports, reader: LogReader, wanted: LogFilter = EVERYTHING
) -> tuple[MyEntry, ...]:
    """List all of them at once, for a file; what comes to the log meanwhile is not in it."""
    (me,) = await ports.handles.citizens([login.cpr])
    return await whole_list(me, reader, wanted)


async def whole_list(
    subject: str, reader: LogReader, wanted: LogFilter = EVERYTHING, *,
    within: Collection[str] | None = None, also: Collection[str] = (),
) -> tuple[MyEntry, ...]:  # fmt: skip
    """List all that the log shows somebody about themself, by handle. Whoever calls has checked who reads.

    Of some municipalities, where they are named: of another's nothing is read. `also` are handles they have besides.
    """
    page = await reader.of_subject(subject, wanted=wanted, limit=A_STEP, within=within, also=also)
    found = [*page.entries]
    while page.next is not None:
        page = await reader.of_subject(subject, wanted=wanted, cursor=page.next, limit=A_STEP, within=within, also=also)
        found += page.entries
    return tuple(_mine(entry) for entry in found)


async def my_choices(login: CitizenLogin, ports: Ports, reader: LogReader) -> tuple[frozenset[str], frozenset[str]]:
    """Name the units and the purposes in my list."""
    (me,) = await ports.handles.citizens([login.cpr])
    return await reader.seen(me)


async def my_entry(receipt: Receipt, login: CitizenLogin, ports: Ports, reader: LogReader) -> MyEntry:
    """Read one of my entries; raise `NotFound` for any other."""
    (me,) = await ports.handles.citizens([login.cpr])
    return _mine(await reader.entry(receipt, subject=me))


def _mine(entry: LogEntry) -> MyEntry:
    """Lay out one entry without whoever made it."""
    body: Mapping[str, Any] = entry.body or {}
    verdicts = body.get("verdicts", ())
    permitted = [verdict for verdict in verdicts if verdict["outcome"] != "withhold"]
    # A refused ask handed nothing out, whatever the rules would have let go beside it (the unit's own data).
    released = [] if body.get("outcome") in NOTHING_LEFT else permitted
    allowed = permitted if body.get("outcome") == EVALUATED else []
    withheld = [verdict for verdict in verdicts if verdict["outcome"] == "withhold"]
    return MyEntry(
        receipt=entry.receipt,
        at=entry.at,
        kind=entry.kind,
        municipality=entry.municipality,
        state=entry.state,
        unit=body.get("unit"),
        purpose=body.get("purpose"),
        ask=body.get("ask"),
        aim=body.get("aim"),
        consent=body.get("consent"),
        outcome=body.get("outcome"),
        basis=tuple(sorted({(row["kind"], row["id"]) for verdict in released or allowed for row in verdict["basis"]})),
        laws=tuple(sorted({b["law"] for verdict in released or allowed for b in verdict["basis"] if "law" in b})),
        released=_places(released),
        allowed=_places(allowed),
        withheld=_places(withheld),
        reasons=tuple(sorted({code for verdict in withheld for code in verdict["reasons"]})),
        lines=tuple(sorted({(source, category) for _, source, category in body.get("lines", ())})),
        channel=body.get("channel"),
        emergency=bool(body.get("break_glass")) or entry.kind.startswith("break_glass."),
        holder=body.get("holder"),
        said=body.get("said"),
    )


def _places(verdicts: list[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(verdict["key"]["source"], verdict["key"]["category"]) for verdict in verdicts}))
