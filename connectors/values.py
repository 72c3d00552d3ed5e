"""Read single values out of foreign records: texts, days, times, numbers. What cannot be read is `Malformed`."""

from __future__ import annotations

import calendar
import math
import re
from datetime import date, datetime
from typing import Any

from broker.domain.days import DANISH_TIME, day_number

_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::[0-5]\d(?:\.\d+)?)?", re.ASCII)
_KLE = re.compile(r"\d{2}(\.\d{2}){0,2}", re.ASCII)
_CPR = re.compile(r"(?:urn:oio:cpr-nr:)?(\d{6})-?(\d{4})", re.ASCII)
MINUTES_A_DAY = 1440


class Malformed(ValueError):
    """A record is not of the shape that its mapping says. Carries nothing of it."""


def text(value: Any) -> str | None:
    """Give a text or a whole number as text; None and the empty text are None. Raises `Malformed`."""
    match value:
        case None | "":
            return None
        case bool():
            raise Malformed
        case str():
            return value
        case int():
            return str(value)
    raise Malformed


def day(value: Any, *, last: bool = False) -> int | None:
    """Give a day as YYYYMMDD; an instant by Danish time; a month or year by its first (or last) day.

    Raises `Malformed`.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise Malformed
    if "T" in value:
        return day_number(moment(value).date())
    parts = _DAY.fullmatch(value)
    if parts is None:
        raise Malformed
    year = int(parts[1])
    month = int(parts[2] or (12 if last else 1))
    try:
        within = int(parts[3] or (calendar.monthrange(year, month)[1] if last else 1))
        return day_number(date(year, month, within))
    except ValueError:
        raise Malformed from None


def moment(value: str) -> datetime:
    """Give an ISO 8601 instant in Danish time; one without a zone is Danish already. Raises `Malformed`."""
    try:
        read = datetime.fromisoformat(value)
        return read.replace(tzinfo=DANISH_TIME) if read.tzinfo is None else read.astimezone(DANISH_TIME)
    except (ValueError, OverflowError):
        raise Malformed from None


def minute(value: Any) -> int | None:
    """Give minutes after midnight of `07:30`, `07:30:00`, 450 or an instant (Danish time). Raises `Malformed`."""
    match value:
        case None:
            return None
        case bool():
            raise Malformed
        case int():
            minutes = value
        case str() if "T" in value:
            at = moment(value)
            minutes = at.hour * 60 + at.minute
        case str() if parts := _TIME.fullmatch(value):
            minutes = int(parts[1]) * 60 + int(parts[2])
        case _:
            raise Malformed
    if not 0 <= minutes <= MINUTES_A_DAY:
        raise Malformed
    return minutes


def is_weekday(code: str) -> bool:
    """Tell whether a code is a weekday, 1 for Monday to 7 (ISO 8601)."""
    return code in {"1", "2", "3", "4", "5", "6", "7"}


def hours(value: Any) -> float | None:
    """Give hours a week, at most those a week has. Raises `Malformed`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Malformed
    try:
        read = float(value)
    except (ValueError, OverflowError):
        raise Malformed from None
    if not math.isfinite(read) or not 0 <= read <= 168:
        raise Malformed
    return read


def kle(value: Any) -> str | None:
    """Give a KLE number such as `27.36.12`. Raises `Malformed`."""
    read = text(value)
    if read is not None and _KLE.fullmatch(read) is None:
        raise Malformed
    return read


def cpr_digits(value: str) -> str | None:
    """Give a CPR number as ten digits, whether written bare, with a hyphen or as `urn:oio:cpr-nr:`."""
    parts = _CPR.fullmatch(value)
    return parts[1] + parts[2] if parts else None
