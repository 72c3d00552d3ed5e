"""Entries of the log as JSON: a citizen's own, and what an overseer sees of their municipalities."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from broker.domain.directory import Directory
from broker.domain.entries import LogEntry, LogFilter, LogState, LogVerdict
from broker.oversight.search import Wanted
from broker.transparency.history import MyEntry
from broker.web.problems import reason_row
from broker.web.wire import Code, cpr_of, law_rows

Moment = Annotated[AwareDatetime, Field(description="ISO 8601 with zone", examples=["2019-03-04T10:00:00+01:00"])]


class SearchBody(BaseModel):
    """What an overseer looks for; what is left out means any. A citizen stands here, never in an address."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: Code | None = None
    unit: Code | None = None
    purpose: Code | None = None
    outcome: Code | None = None
    reason: Code | None = None
    source: Code | None = None
    basis: Code | None = None
    since: Moment | None = None
    until: Moment | None = None
    citizen: Annotated[str, Field(max_length=11)] | None = None
    cursor: Annotated[str, Field(max_length=80)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


def wanted_search(body: SearchBody, *, test_numbers: bool) -> Wanted:
    """Make the wish of a body; raise `BadAsk` for a number that cannot be."""
    plain = body.model_dump(exclude={"citizen", "cursor", "limit", "since", "until"})
    since = int(body.since.timestamp()) if body.since else None
    until = int(body.until.timestamp()) if body.until else None
    citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers) if body.citizen else None
    return Wanted(LogFilter(**plain, since=since, until=until), citizen, body.cursor, body.limit)


def my_entry_body(entry: MyEntry, directory: Directory) -> dict[str, Any]:
    """Lay out one entry for the person it is about."""
    body: dict[str, Any] = {
        "log": entry.receipt.log,
        "index": entry.receipt.index,
        "at": _moment(entry.at),
        "kind": entry.kind,
        "municipality": entry.municipality,
        "state": entry.state,
        "unit": entry.unit,
        "purpose": entry.purpose,
        "ask": entry.ask,
        "aim": entry.aim,
        "consent": entry.consent,
        "outcome": entry.outcome,
        "basis": [{"kind": kind, "id": ident} for kind, ident in entry.basis],
        "laws": law_rows(entry.laws, directory.laws),
        "released": _places(entry.released),
        "allowed": _places(entry.allowed),
        "withheld": _places(entry.withheld),
        "reasons": [reason_row(code, directory.reasons) for code in entry.reasons],
        "lines": _places(entry.lines),
        "channel": entry.channel,
        "emergency": entry.emergency,
        "holder": entry.holder,
        "said": entry.said,
    }
    return {name: value for name, value in body.items() if value not in (None, [])}


def entry_body(entry: LogEntry) -> dict[str, Any]:
    """Lay out one entry for an overseer: its index row, which holds codes and handles only."""
    return {
        "log": entry.receipt.log,
        "index": entry.receipt.index,
        "at": _moment(entry.at),
        "state": entry.state,
        **{name: value for name, value in entry.index.items() if name != "at"},
    }


def state_body(state: LogState) -> dict[str, Any]:
    """Say how one log stands."""
    return {
        "log": state.origin,
        "municipality": state.municipality,
        "year": state.year,
        "size": state.size,
        "signed_size": state.signed_size,
        "signed_at": _moment(state.signed_at) if state.signed_at else None,
    }


def verdict_body(verdict: LogVerdict) -> dict[str, Any]:
    """Say what checking one log found."""
    return {
        "log": verdict.origin,
        "size": verdict.size,
        "signed_size": verdict.signed_size,
        "intact": verdict.intact,
        "faults": list(verdict.faults),
    }


def _places(places: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"source": source, "category": category} for source, category in places]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
