"""What citizen and DPO write to each other, as it comes and as it is laid out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from broker.domain.errors import BadAsk
from broker.domain.inquiries import AIMS, LONGEST_TEXT, Inquiry, Place, Told
from broker.domain.personal import Personal
from broker.web.consent_wire import moment
from broker.web.wire import folded

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([01])\.([0-9]{1,16})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII)


def words_from(text: str) -> Personal[str]:
    """Take what was written; raise `BadAsk` where there is no word, or more than fits."""
    words = folded(text).strip()
    if not 0 < len(words) <= LONGEST_TEXT:
        raise BadAsk("/text")
    return Personal(words)


def aim_from(text: str) -> str:
    """Take what is asked for; raise `BadAsk` for what nobody can ask."""
    if text not in AIMS:
        raise BadAsk("/aim")
    return text


def cursor_of(place: Place) -> str:
    """Write where a page of the list ended."""
    return f"{int(place.answered)}.{(place.sent_at - EPOCH) // timedelta(microseconds=1)}.{place.id}"


def place_from(cursor: str | None) -> Place | None:
    """Read where an earlier page ended; raise `BadAsk` for a mark that was never given."""
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadAsk("/cursor")
    return Place(found[1] == "1", EPOCH + timedelta(microseconds=int(found[2])), found[3])


def inquiry_body(one: Inquiry, today: int) -> dict[str, Any]:
    """Lay out an inquiry without its words and without whose it is."""
    return {
        "id": one.id,
        "municipality": one.municipality,
        "log": one.about.log,
        "index": one.about.index,
        "aim": one.aim,
        "state": one.state,
        "sent_at": moment(one.sent_at),
        "read_at": moment(one.read_at) if one.read_at else None,
        "passed_on_at": moment(one.passed_on_at) if one.passed_on_at else None,
        "told": list(one.told),
        "answered_at": moment(one.answered_at) if one.answered_at else None,
        "answer_by": one.answer_by.isoformat(),
        "days_left": one.days_left(today),
    }


def my_inquiry_body(told: Told, today: int) -> dict[str, Any]:
    """Lay out an inquiry with its words."""
    words = {"text": told.text.disclose(), "answer": told.answer.disclose() if told.answer else None}
    return inquiry_body(told.inquiry, today) | words
