"""Breach files as JSON and as forms send them: words, codes and counts; no employee by handle in what goes out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from broker.domain.breach_letters import Batch, BreachLetter
from broker.domain.breaches import LONGEST_TEXT, Affected, Breach, Note
from broker.domain.days import DANISH_TIME
from broker.domain.directory import Directory
from broker.domain.errors import BadAsk
from broker.domain.personal import Personal
from broker.oversight.breaches import Listed, criteria_of
from broker.web.consent_wire import moment
from broker.web.wire import folded

FORMAT = "borgerbro-breach@v1"
A_NUMBER = re.compile(r"[0-9]{6}[ -]?[0-9]{4}", re.ASCII)


def words_from(text: str) -> Personal[str]:
    """Take what was written; raise `BadAsk` for no words, too many, or what looks like the number of a person."""
    words = folded(text).strip()
    if not 0 < len(words) <= LONGEST_TEXT:
        raise BadAsk("/text")
    if A_NUMBER.search(words):
        raise BadAsk("/text", "a_number")
    return Personal(words)


def danish_moment(day: str, clock: str, pointer: str) -> datetime:
    """Read a Danish day and a time of day, such as 2026-03-04 and 09:30; raise `BadAsk` for what is none."""
    try:
        return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock or "00:00"), DANISH_TIME)
    except ValueError:
        raise BadAsk(pointer, "no_such_moment") from None


def breach_body(one: Breach, now: datetime) -> dict[str, Any]:
    """Lay out a file without its words."""
    return {
        "id": one.id,
        "municipality": one.municipality,
        "state": one.state,
        "known_at": moment(one.known_at),
        "opened_at": moment(one.opened_at),
        "due": moment(one.due),
        "stopped_at": moment(one.stopped_at) if one.stopped_at else None,
        "hours_left": one.hours_left(now),
        "risk": one.risk or None,
        "missing": list(one.missing),
    }


def opened_body(one: Breach, now: datetime, letters: Sequence[Batch] = ()) -> dict[str, Any]:
    """Lay out a file with its words, and the letters that were prepared."""
    notes = [note_body(note) for note in one.notes]
    return breach_body(one, now) | {"notes": notes, "letters": [batch_body(batch) for batch in letters]}


def batch_body(batch: Batch) -> dict[str, Any]:
    """Lay out letters that were prepared together: codes and counts; how many there are once they are let go."""
    return {
        "id": batch.id,
        "nature": batch.nature,
        "advice": batch.advice,
        "named": batch.named,
        "letters": batch.letters if batch.released_at else None,
        "prepared_at": moment(batch.prepared_at),
        "ends_at": moment(batch.ends_at),
        "released_at": moment(batch.released_at) if batch.released_at else None,
        "withdrawn_at": moment(batch.withdrawn_at) if batch.withdrawn_at else None,
    }


def letter_body(letter: BreachLetter) -> dict[str, Any]:
    """Lay out what a citizen was told of a breach."""
    return {
        "municipality": letter.municipality,
        "known_at": moment(letter.known_at),
        "nature": letter.nature,
        "advice": letter.advice,
        "at": moment(letter.at),
    }


def note_body(note: Note, *, goes_out: bool = False) -> dict[str, Any]:
    """Lay out a note. What goes out says that an employee was looked for, not which."""
    body: dict[str, Any] = {
        "number": note.number,
        "kind": note.kind,
        "at": moment(note.at),
        "text": note.text.disclose() if note.text else None,
    }
    body |= {name: note.more[name] for name in ("risk", "reference", "entries", "citizens") if name in note.more}
    if "criteria" in note.more:
        wanted = criteria_of(note)
        body["criteria"] = {
            "since": _second(wanted.since),
            "until": _second(wanted.until),
            "unit": wanted.unit or None,
            "source": wanted.source or None,
            "employee": wanted.actor != "" if goes_out else wanted.actor or None,
        }
    return body


def exported_body(one: Breach, now: datetime, directory: Directory, letters: Sequence[Batch]) -> dict[str, Any]:
    """Lay out a file for the authority: controller, clock, what was written, counts; nobody by name or handle."""
    home = directory.municipalities.get(one.municipality)
    controller = {"id": one.municipality, "name": home.name if home else None, "cvr": home.cvr if home else None}
    notes = [note_body(note, goes_out=True) for note in one.notes]
    told = [batch_body(batch) for batch in letters]
    return {"format": FORMAT, "controller": controller, **breach_body(one, now), "notes": notes, "letters": told}


def listed_body(found: Listed, page: int) -> dict[str, Any]:
    """Lay out the citizens of a count, by handle."""
    rows = [_affected(one) for one in found.rows]
    return {"number": found.note.number, "page": page, "citizens": rows, "more": found.more}


def _affected(one: Affected) -> dict[str, Any]:
    return {"citizen": one.citizen, "entries": one.entries, "first": moment(one.first), "last": moment(one.last)}


def _second(at: int) -> str:
    return moment(datetime.fromtimestamp(at, DANISH_TIME))
