"""Bodies of asks and answers, and their translation to and from the domain.

The only place beside adapters and connectors where personal values are disclosed: here, in the answer to the caller
whom the log names, and nowhere else (step 9 of the road).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from broker.domain.answers import Answer, ShownVerdict
from broker.domain.asks import Ask
from broker.domain.days import NO_BEGINNING, NO_END, day_number, day_of
from broker.domain.decisions import Basis
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk
from broker.domain.items import Item, ItemPerson, Visit
from broker.domain.laws import LawRow
from broker.domain.periods import Period
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.web.problems import GENERAL_NOTICE, reason_row

# Starts with a letter, so that no number of a person can be taken for a code, in an address least of all.
CODE = r"^[A-Za-z][A-Za-z0-9_.:-]{0,62}$"
Code = Annotated[str, Field(pattern=CODE)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2020-02-29"])]
CPR = re.compile(r"(\d{2})(\d{2})(\d{2})-?(\d{4})", re.ASCII)
# Invented people carry day + 60, which no living person can have (domain.md 6.0).
TEST_DAY = 60
LINE_END = re.compile(r"\r\n?")
LAST_DAY, LAST_MONTH = 31, 12


class AskBody(BaseModel):
    """One ask: whom, what for, which case; categories and sources only to narrow it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False, hide_input_in_errors=True)

    citizen: Annotated[str, Field(max_length=11, description="CPR number", examples=["710274-0022"])]
    purpose: Annotated[Code, Field(examples=["helhedsorienteret_plan"])]
    case: Annotated[str, Field(pattern=r"^[\w./:-]{1,64}$", examples=["JC-2019-0417"])]
    request_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")] | None = None
    categories: Annotated[list[Code], Field(min_length=1, max_length=64)] | None = None
    sources: Annotated[list[Code], Field(min_length=1, max_length=64)] | None = None
    emergency: (
        Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$", description="The break-glass request this rests on")] | None
    ) = None
    follow_up: Annotated[bool, Field(description="This is the one follow-up to an earlier meeting (SSD)")] = False
    data_from: Annotated[Day | None, Field(description="The first day of the data that is wanted")] = None
    data_to: Annotated[Day | None, Field(description="The last day of the data that is wanted")] = None


class ViewBody(AskBody):
    """The same ask, for the whole-person view; `weeks` are ISO weeks such as 2019-W11."""

    weeks: Annotated[list[Annotated[str, Field(pattern=r"^\d{4}-W\d{2}$")]], Field(max_length=12)] | None = None


def cpr_of(text: str, *, pointer: str, test_numbers: bool) -> Personal[str]:
    """Read a CPR number as ten digits; raise `BadAsk` when it is not well formed.

    Modulus 11 is not tested: since 2007 valid numbers fail it (cpr.dk; `domain.md` 4.4).
    """
    match = CPR.fullmatch(text)
    if match is None or set(text) <= set("0-"):
        raise BadAsk(pointer, "not_a_cpr_number")
    day, month = int(match[1]), int(match[2])
    if test_numbers and day > TEST_DAY:
        day -= TEST_DAY
    if not (1 <= day <= LAST_DAY and 1 <= month <= LAST_MONTH):
        raise BadAsk(pointer, "not_a_cpr_number")
    return Personal("".join(match.groups()))


def folded(text: str) -> str:
    """Write each end of a line as the one sign that a form counts it as, however it was sent (HTML, "API value")."""
    return LINE_END.sub("\n", text)


def ask_of(body: AskBody, directory: Directory, *, test_numbers: bool, repeat: bool) -> Ask:
    """Make the ask of a body; raise `BadAsk` for a number, category or source that cannot be."""
    categories = frozenset(body.categories) if body.categories is not None else None
    sources = frozenset(body.sources) if body.sources is not None else None
    if categories is not None and not categories <= directory.categories.keys():
        raise BadAsk("/categories", "unknown_category")
    if sources is not None and not sources <= directory.sources.keys():
        raise BadAsk("/sources", "unknown_source")
    return Ask(
        id=str(uuid.uuid4()),
        citizen=cpr_of(body.citizen, pointer="/citizen", test_numbers=test_numbers),
        purpose=body.purpose,
        case=Personal(body.case),
        categories=categories,
        sources=sources,
        request_id=body.request_id,
        repeat=repeat,
        emergency=body.emergency,
        follow_up=body.follow_up,
        period=period_from(body.data_from, body.data_to),
    )


def answer_body(answer: Answer, directory: Directory) -> dict[str, Any]:
    """Lay out the answer to one ask (`POST /v1/exchange`)."""
    return {
        "ask": answer.ask,
        "receipt": receipt_body(answer.receipt),
        "notice": GENERAL_NOTICE,
        "sources": _source_states(answer, directory),
        "verdicts": [_verdict(verdict, directory) for verdict in answer.verdicts],
        "items": [item_body(item, answer.labels) for item in answer.found.items],
        "counts": {"own": answer.own_items, "shared": answer.shared_items},
        "policy": answer.policy_revision,
    }


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """Say where the log holds the entry. The signed checkpoint that covers it follows within a second."""
    return {
        "log": receipt.log,
        "index": receipt.index,
        # The origin ends in municipality and year; what stands before is a name, not an address of ours.
        "checkpoint": f"/log/{'/'.join(receipt.log.split('/')[-2:])}/checkpoint",
    }


def _source_states(answer: Answer, directory: Directory) -> list[dict[str, Any]]:
    """Say of each source asked about: answered, nothing found, no answer, or nothing permitted."""
    silent = {row.source: row.why for row in answer.found.silent}
    told = {item.source for item in answer.found.items}
    permitted = {verdict.source for verdict in answer.verdicts if verdict.outcome != "withhold"}
    rows = []
    for source in sorted({verdict.source for verdict in answer.verdicts}):
        entry = directory.sources[source]
        state = "answered" if source in told else "nothing_found" if source in permitted else "withheld"
        row: dict[str, Any] = {
            "source": source,
            "name": {"da": entry.name_da, "en": entry.name_en},
            "municipality": entry.municipality,
            "unit": entry.unit,
            "state": "silent" if source in silent else state,
        }
        if source in silent:
            row |= {"why": silent[source], "reason": "SOURCE_UNAVAILABLE"}
        rows.append(row)
    return rows


def law_rows(laws: Iterable[str], known: Mapping[str, LawRow]) -> list[dict[str, str]]:
    """Say what a release rests on: rows of law, with the ground for disclosure and the GDPR's, as we read the law."""
    return [
        {"law": law, "paragraph": known[law].paragraph, "gdpr_basis": known[law].gdpr_basis}
        for law in sorted(set(laws) & known.keys())
    ]


def basis_rows(bases: Iterable[Basis], directory: Directory) -> list[dict[str, Any]]:
    """Say what one release rests on: a consent, a statute or the unit's own case, each with its row of law."""
    return [
        {"kind": b.kind, "id": b.id, "version": b.version, **law}
        for b in bases
        for law in law_rows([b.law], directory.laws)
    ]


def _verdict(verdict: ShownVerdict, directory: Directory) -> dict[str, Any]:
    row: dict[str, Any] = {
        "source": verdict.source,
        "category": verdict.category,
        "subject": verdict.subject,
        "verdict": verdict.outcome,
    }
    if verdict.outcome == "withhold":
        row["reasons"] = [reason_row(code, directory.reasons) for code in verdict.reasons]
        row["missing"] = [{"source": m.source, "category": m.category, "giver": m.giver} for m in verdict.missing]
        return row
    row["own"] = verdict.own
    row["basis"] = basis_rows(verdict.basis, directory)
    row["masks"] = list(verdict.masks)
    if verdict.periods:
        row["periods"] = [[period_body(period) for period in periods] for periods in verdict.periods]
    return row


def period_body(period: Period) -> dict[str, str]:
    """Write the days of the data that are named; an open end is left out."""
    told = {"data_from": period.from_day, "data_to": period.to_day}
    return {name: day_of(day).isoformat() for name, day in told.items() if NO_BEGINNING < day < NO_END}


def period_from(first: str | None, last: str | None) -> Period:
    """Read the days of the data that are named; raise `BadAsk` for what is no day, or out of order."""
    return Period(
        day_from(first, "/data_from") if first else NO_BEGINNING, day_from(last, "/data_to") if last else NO_END
    )


def day_from(text: str, pointer: str) -> int:
    """Read an ISO day as YYYYMMDD; raise `BadAsk` when there is no such day."""
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        raise BadAsk(pointer, "no_such_day") from None


def item_body(item: Item, labels: Mapping[str, str]) -> dict[str, Any]:
    """Disclose one kept item to the caller; what the source did not say is left out."""
    row: dict[str, Any] = {
        "source": item.source,
        "category": item.category,
        "subject": labels[item.subject],
        "kind": item.kind,
        "id": item.id.disclose(),
        "unit": item.unit,
        "fetched_at": item.fetched_at.astimezone(UTC).isoformat(timespec="seconds"),
        "title": _shown(item.title),
        "text": _shown(item.text),
        "from": day_text(item.from_day),
        "to": day_text(item.to_day),
        "people": [_person(person) for person in item.people],
        "law": [{"act": ref.act, "paragraph": ref.paragraph} for ref in item.law],
        "kle": item.kle,
        "need": item.need,
        "limits": list(item.limits),
        "demands": list(item.demands),
        "visits": [_visit(visit) for visit in item.visits],
        "topic": item.topic,
        "status": item.status,
        "decision": _shown(item.decision),
        "plan_type": item.plan_type,
        "next_follow_up": day_text(item.next_follow_up),
        "hours_per_week": item.hours_per_week,
    }
    return {name: value for name, value in row.items() if value is not None}


def _shown(value: Personal[str] | None) -> str | None:
    return value.disclose() if value is not None else None


def _person(person: ItemPerson) -> dict[str, Any]:
    row = {"role": person.role, "name": person.label or _shown(person.name), "phone": _shown(person.phone)}
    return {name: value for name, value in row.items() if value is not None}


def _visit(visit: Visit) -> dict[str, Any]:
    row = {
        "weekday": visit.weekday,
        "day": day_text(visit.day),
        "from": clock_text(visit.start_minute),
        "to": clock_text(visit.end_minute),
    }
    return {name: value for name, value in row.items() if value is not None}


def day_text(day: int | None) -> str | None:
    """Write a day as ISO 8601; an open end is left out."""
    return None if day is None or day >= OPEN_END else day_of(day).isoformat()


def clock_text(minute: int) -> str:
    """Write minutes after midnight as HH:MM."""
    return f"{minute // 60:02}:{minute % 60:02}"


OPEN_END = 99990101
