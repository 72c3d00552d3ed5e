"""What the log can be filtered on, from an address or a form: codes and days, never a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from broker.domain.catalogue import CATALOGUE
from broker.domain.days import DANISH_TIME
from broker.domain.directory import Directory
from broker.domain.entries import LogFilter
from broker.view.phrases import Language
from broker.web.pages.show import Named
from broker.web.pages.words import marked

KINDS = {
    "ask": marked("asked about a citizen"),
    "outcome": marked("got an answer"),
    "consent.requested": marked("asked a citizen for a yes"),
    "consent.granted": marked("a yes was given"),
    "consent.refused": marked("a no was given"),
    "consent.withdrawn": marked("a yes was taken back"),
    "consent.paused": marked("a yes was paused"),
    "consent.resumed": marked("a paused yes holds again"),
    "consent.unanswered": marked("a request was not answered in time"),
    "block.changed": marked("a standing no was set or lifted"),
    "break_glass.requested": marked("asked for a yes, for danger to life"),
    "break_glass.read": marked("read why life was in danger"),
    "break_glass.decided": marked("a yes or a no for danger to life"),
    "log.searched": marked("the log was searched"),
    "log.verified": marked("the log was checked"),
    "decisions.replayed": marked("past decisions were tried again"),
    "registry.loaded": marked("a registry was taken into use"),
    "deferral.asked": marked("asked that lines be kept back from a citizen for a time"),
    "deferral.approved": marked("approved that lines be kept back for a time"),
    "deferral.ended": marked("ended that lines are kept back"),
    "erasure.requested": marked("asked that a citizen be erased"),
    "erasure.approved": marked("approved that a citizen be erased"),
    "erasure.examined": marked("looked what would be erased"),
    "citizen.erased": marked("a citizen was erased"),
    "retention.applied": marked("content that had been kept long enough was deleted"),
    "hold.changed": marked("deletion was held up, or let go on"),
    "archive.received": marked("an archive confirmed what it has"),
    "own.asked": marked("a citizen asked to see their own information"),
    "own.shown": marked("a citizen saw their own information"),
}
OUTCOMES = {
    "released": marked("all was shown"),
    "partly": marked("some was shown"),
    "refused": marked("nothing was shown"),
    "yes": marked("they said yes"),
    "no": marked("they said no"),
    "evaluated": marked("asked whether they may; nothing was handed out"),
    "shown": marked("shown to the citizen"),
}
BASES = {"consent": marked("consent"), "statute": marked("law"), "own_case": marked("own case")}
CODES = ("kind", "unit", "purpose", "outcome", "reason", "source")
DAYS = ("since", "until")
NO_SUCH_DAY = marked("Write the day as year-month-day, such as 2019-03-04.")
Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Wish:
    """A filter as it was written, what the log is asked, and what is wrong with it."""

    written: Mapping[str, str]
    filter: LogFilter
    faults: tuple[tuple[str, str], ...]


def wish_of(written: Mapping[str, str]) -> Wish:
    """Read a filter. Days are whole Danish days, both included; a day that does not exist is a fault."""
    days: dict[str, date | None] = {}
    faults = []
    for name in DAYS:
        try:
            days[name] = date.fromisoformat(written[name]) if written.get(name) else None
        except ValueError:
            days[name] = None
            faults.append((name, NO_SUCH_DAY))
    since, until = days["since"], days["until"]
    fields: dict[str, Any] = {name: written.get(name) for name in CODES}
    wanted = LogFilter(
        **fields,
        since=None if since is None else _midnight(since),
        until=None if until is None or until == date.max else _midnight(until + timedelta(days=1)),
    )
    return Wish(written, wanted, tuple(faults))


def choices(directory: Directory, language: Language) -> dict[str, Choices]:
    """List what each select offers, by name in the reader's language."""
    danish = language == "da"

    def named(rows: Mapping[str, Named]) -> Choices:
        return sorted(((key, row.name_da if danish else row.name_en) for key, row in rows.items()), key=lambda r: r[1])

    reasons = [(code, text.da if danish else text.en) for code, text in directory.reasons.items()]
    return {
        "units": named(directory.units),
        "purposes": named(directory.purposes),
        "sources": named(directory.sources),
        "reasons": sorted(reasons, key=lambda row: row[1]),
    }


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), DANISH_TIME).timestamp())


if {event.name for event in CATALOGUE} != KINDS.keys():
    raise RuntimeError("every kind of event has its words")
