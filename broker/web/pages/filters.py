"""What a list of the log can be filtered on, from an address: codes and whole Danish days, never a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from broker.domain.days import DANISH_TIME
from broker.domain.entries import LogFilter
from broker.web.pages.words import marked

CODES = ("kind", "unit", "purpose", "outcome", "reason", "source", "basis")
DAYS = ("since", "until")
EMERGENCY = "emergency"
NO_SUCH_DAY = marked("Write the day as year-month-day, such as 2019-03-04.")


@dataclass(frozen=True, slots=True)
class Wish:
    """A filter as it was written, what the log is asked, and what is wrong with it."""

    written: Mapping[str, str]
    filter: LogFilter
    faults: tuple[tuple[str, str], ...]


def wish_of(written: Mapping[str, str]) -> Wish:
    """Read a filter. Days are whole Danish days, both included; a day that does not exist is a fault.

    The outcome `emergency` stands for whatever was done for danger to life.
    """
    days: dict[str, date | None] = {}
    faults = []
    for name in DAYS:
        try:
            days[name] = date.fromisoformat(written[name]) if written.get(name) else None
        except ValueError:
            days[name] = None
            faults.append((name, NO_SUCH_DAY))
    return Wish(written, filter_of(written, days["since"], days["until"]), tuple(faults))


def filter_of(codes: Mapping[str, str], since: date | None, until: date | None) -> LogFilter:
    """Make the filter of codes and whole Danish days."""
    fields: dict[str, Any] = {name: codes.get(name) for name in CODES}
    if fields["outcome"] == EMERGENCY:
        fields |= {"outcome": None, "emergency": True}
    return LogFilter(
        **fields,
        since=None if since is None else _midnight(since),
        until=None if until is None or until == date.max else _midnight(until + timedelta(days=1)),
    )


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), DANISH_TIME).timestamp())
