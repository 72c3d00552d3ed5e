"""Entries of the log as JSON: a citizen's own, and what an overseer sees of their municipalities."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from broker.domain.directory import Directory
from broker.domain.entries import LogEntry, LogFilter, LogState
from broker.domain.errors import BadAsk
from broker.domain.personal import Personal
from broker.oversight.search import Line, Wanted
from broker.transparency.history import MyEntry
from broker.web.problems import reason_row
from broker.web.wire import Code, cpr_of, law_rows

# The mark of an overseer of many municipalities names the length of each of their logs.
MOST_OF_A_MARK = 4000
LARGEST = 2**63 - 1
HANDLE, CASE = r"^[0-9a-f]{32}$", r"^[\w./:-]{1,64}$"
FILTERED = ("kind", "unit", "purpose", "outcome", "reason", "source", "basis", "emergency")
Moment = Annotated[AwareDatetime, Field(description="ISO 8601 with zone", examples=["2019-03-04T10:00:00+01:00"])]


class LineBody(BaseModel):
    """A line of the log, by its place."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    municipality: Code
    year: Annotated[int, Field(ge=1, le=9999)]
    index: Annotated[int, Field(ge=0, le=LARGEST)]


class CodesBody(BaseModel):
    """What an overseer may look for by codes alone; what is left out means any."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: Code | None = None
    unit: Code | None = None
    purpose: Code | None = None
    outcome: Code | None = None
    reason: Code | None = None
    source: Code | None = None
    basis: Code | None = None
    holder: Annotated[Code | None, Field(description="Whose sources were read: a municipality")] = None
    municipality: Annotated[Code | None, Field(description="One of those that you oversee")] = None
    emergency: Annotated[bool | None, Field(description="For danger to life, or not")] = None
    oldest_first: bool = False
    cursor: Annotated[str | None, Field(max_length=MOST_OF_A_MARK)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class SearchBody(CodesBody):
    """The same, with moments and with people: who names a person stands here, never in an address."""

    since: Moment | None = None
    until: Moment | None = None
    citizen: Annotated[str | None, Field(max_length=11, description="CPR number")] = None
    same_citizen_as: Annotated[LineBody | None, Field(description="The citizen whom a line is about")] = None
    case: Annotated[str | None, Field(pattern=CASE, description="The case's number at the unit that is named")] = None
    case_handle: Annotated[str | None, Field(pattern=HANDLE, description="A case as a line names it")] = None
    actor: Annotated[str | None, Field(pattern=HANDLE, description="Who did it, as a line names them")] = None


def wanted_codes(body: CodesBody, **more: Any) -> Wanted:
    """Make the wish of codes; `more` is what else the filter or the wish holds."""
    codes = {name: getattr(body, name) for name in FILTERED}
    people = {name: more.pop(name) for name in ("citizen", "about", "case") if name in more}
    wanted = LogFilter(**codes, oldest_first=body.oldest_first or None, **more)
    return Wanted(wanted, cursor=body.cursor, limit=body.limit, holder=body.holder,
                  municipality=body.municipality, **people)  # fmt: skip


def wanted_search(body: SearchBody, *, test_numbers: bool) -> Wanted:
    """Make the wish of a body; raise `BadAsk` for a number that cannot be."""
    more: dict[str, Any] = {"actor": body.actor}
    more |= {name: int(at.timestamp()) for name in ("since", "until") if (at := getattr(body, name))}
    if body.citizen is not None:
        more["citizen"] = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
    if body.same_citizen_as is not None:
        more["about"] = Line(**body.same_citizen_as.model_dump())
    if body.case is not None and body.case_handle is not None:
        raise BadAsk("/case")
    wanted = wanted_codes(body, **more)
    case = Personal(body.case) if body.case is not None else None
    return replace(wanted, case=case, filter=replace(wanted.filter, case=body.case_handle))


def opened_body(entry: LogEntry) -> dict[str, Any]:
    """Lay out one entry as opened: its index row and its body, where it is whole."""
    return {**entry_body(entry), "body": entry.body}


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


def _places(places: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"source": source, "category": category} for source, category in places]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
