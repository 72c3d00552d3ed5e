"""What leaves the house: how often which paragraph said no, a quarter at a time, small numbers withheld for good.

Rules kept here:
- A table is of one municipality and one quarter of the Danish year, its three months beside one another with all sums
  (`oversight/suppression.py`). Quarters do not overlap, so two files have no number in common.
- A quarter is made ready once, on the log. Whoever asks again gets what the log says went out, also when citizens were
  erased meanwhile and it would come out otherwise: two files of one quarter could be subtracted.
- It is made in the quarter after, before anything of it may be deleted (`domain/retention.py`), and not while it runs.
- It counts citizens, not asks: of one citizen who was refused seven times a seven would tell, and no small number be
  seen. A citizen counts once for a reason in a month, and with each reason and month again; so do the sums.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from broker.domain.days import DANISH_TIME
from broker.domain.entries import INTACT, LogEntry, LogFilter
from broker.domain.errors import BadAsk, Conflict
from broker.domain.figures import FiguresPublished, FiguresRead, Refusals
from broker.domain.identity import OfficerLogin
from broker.oversight.figures import Desk, chosen
from broker.oversight.samples import month_of
from broker.oversight.suppression import told
from broker.ports import LogReader

QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
PUBLISHED = LogFilter(kind=FiguresPublished.name)
PAGE = 200


@dataclass(frozen=True, slots=True)
class Press:
    """The doors of publication: those of the figures, and the log, which remembers what went out."""

    figures: Desk
    reader: LogReader


def quarter_before(day: date) -> str:
    """Name the last quarter that is over."""
    year, quarter = day.year, (day.month - 1) // 3
    return f"{year}-Q{quarter}" if quarter else f"{year - 1}-Q4"


def months_of(quarter: str) -> tuple[str, ...]:
    """Name the three months of a quarter; raise `BadAsk`."""
    found = QUARTER.fullmatch(quarter)
    if found is None:
        raise BadAsk("/quarter")
    return tuple(f"{found[1]}-{int(found[2]) * 3 - back:02}" for back in (2, 1, 0))


async def publish(municipality: str, quarter: str, officer: OfficerLogin, press: Press) -> Refusals:
    """Give what may leave the house of a quarter; making it, or reading it again, is on the log first.

    Raises `NotAllowed`, `NotFound`, `BadAsk`, `LogUnavailable`, and `Conflict` where it was not made ready in its time
    (`too_late`, `quarter_runs`) or the entry that tells it can no longer be opened (`entry_gone`).
    """
    home = chosen(municipality, officer)
    actor = await press.figures.handles.officer(officer)
    return await made_ready(home, quarter, actor, officer.role, press)


async def made_ready(home: str, quarter: str, actor: str, role: str, press: Press) -> Refusals:
    """Do the same for whoever `actor` is: an overseer of this municipality, or its operator."""
    desk, months, at = press.figures, months_of(quarter), press.figures.clock.now()
    first = await _first(home, quarter, press.reader)
    if first is not None:
        await desk.log.append(
            [
                FiguresRead(
                    municipality=home, subject=actor, actor=actor, at=at, month=quarter, table="published", role=role
                )
            ]
        )
        return await _as_told(first, press.reader)
    last = quarter_before(at.astimezone(DANISH_TIME).date())
    if quarter != last:
        raise Conflict("quarter_runs" if quarter > last else "too_late")
    event = FiguresPublished(
        municipality=home, subject=actor, actor=actor, at=at, role=role, **await _counted(home, quarter, months, desk)
    )
    await desk.log.append([event])
    # Of two at once, both give what came on the log first.
    first = await _first(home, quarter, press.reader)
    if first is None:
        raise Conflict("entry_gone")
    return await _as_told(first, press.reader)


async def _counted(home: str, quarter: str, months: tuple[str, ...], desk: Desk) -> dict[str, Any]:
    """Count the months and withhold what is small."""
    counts = [Counter(dict((await desk.counts.of(home, *month_of(month))).refused)) for month in months]
    reasons = sorted(set().union(*counts))
    safe = told([[count[reason] for count in counts] for reason in reasons])
    rows = tuple(zip(reasons, safe.cells, safe.rows, strict=True))
    return {
        "quarter": quarter,
        "months": months,
        "rows": rows,
        "columns": safe.columns or (0, 0, 0),
        "total": safe.total,
    }


async def _first(home: str, quarter: str, reader: LogReader) -> LogEntry | None:
    """Find the oldest entry that made a quarter ready."""
    found, cursor = None, None
    while True:
        page = await reader.search((home,), replace(PUBLISHED), cursor=cursor, limit=PAGE)
        fitting = [entry for entry in page.entries if entry.index.get("quarter") == quarter]
        found, cursor = (fitting[-1] if fitting else found), page.next
        if cursor is None:
            return found


async def _as_told(entry: LogEntry, reader: LogReader) -> Refusals:
    whole = await reader.entry(entry.receipt, municipalities=(entry.municipality,))
    if whole.state != INTACT or whole.body is None:
        raise Conflict("entry_gone")
    body: Mapping[str, Any] = whole.body
    rows = tuple((reason, tuple(cells), total) for reason, cells, total in body["rows"])
    return Refusals(
        municipality=entry.municipality, quarter=body["quarter"], months=tuple(body["months"]), rows=rows,
        columns=tuple(body["columns"]), total=body["total"],
    )  # fmt: skip
