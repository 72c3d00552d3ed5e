"""Consent records on the wire: ours laid out for their giver, and those of others read into values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from broker.consents.imports import ForeignLine, ForeignYes
from broker.consents.vocabulary import GIVEN, TAKEN_BACK
from broker.domain.consents import SELF
from broker.domain.errors import BadAsk
from broker.domain.personal import Personal
from broker.web.wire import CODE, cpr_of, day_from, period_from

NAMED = re.compile(CODE)
CASE = re.compile(r"[\w./:-]{1,64}", re.ASCII)


def record_body(record: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a record out for its giver: their number, and the words they were shown."""
    principal, notice, origin = record["pii_principal"], record["notice"], record.get("origin")
    words = notice["text"]
    body = {
        **record,
        "pii_principal": {**principal, "id": principal["id"].disclose()},
        "notice": {**notice, "text": None if words is None else words.disclose()},
    }
    return body if origin is None else body | {"origin": orjson.loads(origin.disclose())}


def foreign_of(record: Mapping[str, Any], digest: str, *, test_numbers: bool) -> ForeignYes:
    """Read a record that is of the schema; raise `BadAsk` where it leaves unnamed what a yes must name.

    A wildcard, "alle relevante oplysninger" and any other sentence in the place of a source or a category is
    `not_named` (RSL § 11 a: which information, from whom).
    """
    _check_shown(record["notice"])
    _check_given(record)
    rows, notice, case = record["personal_data"], record["notice"], record.get("case")
    if case is not None and not CASE.fullmatch(case):
        raise BadAsk("/case")
    first, last = _days(rows)
    return ForeignYes(
        issuer=record["issuer"],
        record=record["record_id"],
        digest=digest,
        issued_at=_moment(record["issued_at"], "/issued_at"),
        given_at=_moment(record["events"][0]["time"], "/events"),
        citizen=cpr_of(record["pii_principal"]["id"], pointer="/pii_principal", test_numbers=test_numbers),
        unit=record["recipient"],
        purpose=record["purpose"]["code"],
        case=None if case is None else Personal(case),
        lines=tuple(_line(row, whole=record["state"] == TAKEN_BACK) for row in rows),
        from_day=day_from(first, "/personal_data"),
        to_day=day_from(last, "/personal_data"),
        language=notice["language"],
        text_version=notice["version"],
        text_digest=notice["sha256"],
        text=Personal(notice["text"]),
        limited=record.get("limit") is not None,
    )


def _check_shown(notice: Mapping[str, Any]) -> None:
    text = notice["text"]
    if text is None or notice["language"] is None or hashlib.sha256(text.encode()).hexdigest() != notice["sha256"]:
        raise BadAsk("/notice", "not_what_was_shown")


def _check_given(record: Mapping[str, Any]) -> None:
    rows = record["personal_data"]
    if not {record["state"], *(row["state"] for row in rows)} <= {GIVEN, TAKEN_BACK}:
        raise BadAsk("/state", "not_given")
    for name in (record["purpose"]["code"], record["recipient"], *(row["category"] for row in rows)):
        _check_named(name)


def _days(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Give the first and last day, which all lines of a record share."""
    ((first, last), *others) = {(row["from"], row["to"]) for row in rows}
    if others or first is None or last is None:
        raise BadAsk("/personal_data", "days")
    return first, last


def _line(row: Mapping[str, Any], *, whole: bool) -> ForeignLine:
    _check_named(row["source"])
    if (row["about"], row["capacity"]) != ("me", SELF):
        raise BadAsk("/personal_data", "not_theirs_alone")
    taken_back = whole or row["state"] == TAKEN_BACK
    return ForeignLine(row["source"], row["category"], period_from(row["data_from"], row["data_to"]), taken_back)


def _check_named(name: str | None) -> None:
    if name is None or not NAMED.fullmatch(name):
        raise BadAsk("/personal_data", "not_named")


def _moment(text: str, pointer: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise BadAsk(pointer, "no_such_moment") from None
