"""Who asked about me, why, and what was answered: the citizen's own entries, opened for them alone.

Each entry of the log is one row: nothing is summed up or left out. Shown are date, unit, purpose, basis, categories,
sources and outcome; not the employee (Datatilsynet 2024-32-0283, `design.md` 6.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broker.domain.entries import LogEntry
from broker.domain.events import EVALUATED, NOTHING_LEFT
from broker.domain.identity import CitizenLogin
from broker.domain.receipts import Receipt
from broker.ports import LogReader, Ports


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
    """My entries, newest first, and the mark to go on from; None when that was all."""

    entries: tuple[MyEntry, ...]
    next: str | None


async def my_entries(
    login: CitizenLogin, ports: Ports, reader: LogReader, *, cursor: str | None = None, limit: int = 50
) -> MyPage:
    """List the entries about the citizen who is logged in. Raises `BadAsk` for a mark that was never given."""
    (me,) = await ports.handles.citizens([login.cpr])
    page = await reader.of_subject(me, cursor=cursor, limit=limit)
    return MyPage(tuple(_mine(entry) for entry in page.entries), page.next)


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
