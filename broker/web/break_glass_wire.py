"""Bodies of break-glass requests and decisions, and how a request stands, as JSON. No answer repeats a number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from broker.break_glass.request import Wanted
from broker.domain.break_glass import NO, YES, BreakGlass, Words
from broker.domain.days import danish_day
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.web.wire import Code, cpr_of, receipt_body

STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)
Number = Annotated[str, Field(max_length=11, description="CPR number", examples=["710274-0022"])]


class BreakGlassBody(BaseModel):
    """What an on-call caseworker asks of those who hold the data."""

    model_config = STRICT

    citizen: Number
    callout: Annotated[
        str, Field(pattern=r"^[\w./:-]{1,64}$", description="The call-out's number", examples=["V-2019-311"])
    ]
    reason: Annotated[Code, Field(examples=["LIFE"])]
    text: Annotated[str, Field(min_length=10, max_length=2000, description="Why life is in danger, to who decides")]
    sources: Annotated[list[Code], Field(min_length=1, max_length=64)] | None = None


class DecisionBody(BaseModel):
    """A yes or a no, and about whom, as the on-call caseworker said it."""

    model_config = STRICT

    citizen: Number
    decision: Literal["yes", "no"]


def wanted_of(body: BreakGlassBody, directory: Directory, *, test_numbers: bool) -> Wanted:
    """Make the wish of a body; raise `BadAsk` for a number or source that cannot be."""
    sources = None if body.sources is None else frozenset(body.sources)
    if sources is not None and not sources <= directory.sources.keys():
        raise BadAsk("/sources", "unknown_source")
    citizen = cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers)
    return Wanted(citizen, Personal(body.callout), body.reason, Personal(body.text), sources)


def break_glass_body(
    request: BreakGlass, directory: Directory, receipt: Receipt | None = None, words: Words | None = None
) -> dict[str, Any]:
    """Say how a request stands; the words are for the holders alone."""
    body: dict[str, Any] = {
        "request": request.id,
        "reason": request.reason,
        "unit": request.unit,
        "requested_at": _moment(request.requested_at),
        "holders": [_holder(unit, request, directory) for unit in sorted(request.holders)],
    }
    if words is not None:
        body |= {"callout": words.callout.disclose(), "text": words.text.disclose()}
    if receipt is not None:
        body["receipt"] = receipt_body(receipt)
    return body


def _holder(unit: str, request: BreakGlass, directory: Directory) -> dict[str, Any]:
    """Say what one unit has said, and until when it holds."""
    said = {answer.said: answer.at for answer in request.answers if answer.unit == unit}
    sources = sorted(source for source, owner in request.sources.items() if owner == unit)
    row: dict[str, Any] = {"unit": unit, "sources": sources}
    if NO in said:
        return {**row, "said": NO}
    since = said.get(YES)
    if since is None and _stands(unit, request, directory):
        since = request.requested_at
    if since is None:
        return {**row, "said": "nothing"}
    return {**row, "said": YES, "until": _moment(since + timedelta(hours=directory.emergency.hours))}


def _stands(unit: str, request: BreakGlass, directory: Directory) -> bool:
    """Tell whether the unit says yes beforehand to requests of the asking unit."""
    today = danish_day(request.requested_at)
    return any(
        row.unit == unit and request.unit in row.to_units and row.from_day <= today <= row.to_day
        for row in directory.standing_approvals.values()
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
