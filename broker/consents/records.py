"""A consent as a record that anybody can read: the fields of ISO/IEC TS 27560:2023, with the words of DPV. Pure.

It is made when somebody asks for it, from what is kept: the text that was shown is the one that was sealed at the yes
or the no, never today's, and no record is stored a second time. What it may not tell its reader stands as null: a
source that would tell where a protected child is, and a text that cannot be opened any more. What is personal in it
stays `Personal` until the web lays it out for its giver.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from broker.consents import vocabulary as dpv
from broker.domain.consents import GRANTED, REFUSED, WITHDRAWN, Consent, ConsentRequest, RequestLine
from broker.domain.days import NO_BEGINNING, NO_END, danish_day, day_of
from broker.domain.directory import Directory
from broker.domain.errors import NotFound
from broker.domain.facts import ConsentLine
from broker.domain.limits import Limit
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt

SCHEMA = "urn:borgerbro:consent-record:1"
STANDARD = "ISO/IEC TS 27560:2023"
# The object identifier under which Danish systems name CPR numbers.
CPR_SCHEME = "urn:oid:1.2.208.176.1.2"
IMPORTED = "import"
RESUMED = "resumed"
Line = ConsentLine | RequestLine


@dataclass(frozen=True, slots=True)
class Logged:
    """Where the log holds one step: of which version of the consent, and the proof file once a checkpoint has it."""

    version: int
    receipt: Receipt
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What a record says of itself: who makes it, when, to whom (their number now, and their handles)."""

    issuer: str
    at: datetime
    principal: Personal[str]
    handles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """What was shown before the answer: its version, its language and its words; None where they are not kept."""

    version: str
    language: str | None
    digest: str | None
    words: Personal[str] | None


def as_it_was(consent: Consent, version: int) -> Consent:
    """Give a consent as it stood at one of its versions; raise `NotFound` where it had no such version."""
    history = tuple(step for step in consent.history if step.version <= version)
    if not any(step.version == version for step in history):
        raise NotFound
    state = {step.line: step.state for step in history}
    lines = tuple(replace(ln, state=state[ln.id], version=version) for ln in consent.lines if ln.id in state)
    return replace(consent, lines=lines, history=history)


def record_of_consent(
    consent: Consent,
    text: Text,
    frame: Frame,
    logged: Iterable[Logged],
    directory: Directory,
    origin: Personal[str] | None = None,
) -> dict[str, Any]:
    """Write the record of a consent as it stands; `origin` names the record it came in by, where it was not given here.

    Same input, same record.
    """
    places = tuple(logged)
    given = danish_day(consent.given_at)
    head = _head(consent.id, consent.version, text, frame)
    what = _processing(consent.unit, consent.purpose, consent.lines, given, frame, directory)
    steps: dict[int, list[Any]] = {}
    for step in consent.history:
        steps.setdefault(step.version, []).append(step)
    events = [
        _event(
            rows[0].state,
            rows[0].at,
            rows[0].channel,
            sorted(row.line for row in rows),
            _at(version, places),
            first=version == 1,
        )
        for version, rows in sorted(steps.items())
    ]
    state = _state(consent.lines, danish_day(frame.at), spent=consent.spent)
    limit = {} if consent.limit is None else {"limit": _limit(consent.limit)}
    renews = {} if consent.renews is None else {"renews": consent.renews}
    return head | what | limit | renews | {"events": events, "state": state} | ({"origin": origin} if origin else {})


def record_of_refusal(
    request: ConsentRequest, text: Text, frame: Frame, logged: Iterable[Logged], directory: Directory
) -> dict[str, Any]:
    """Write the record of a no; raise `NotFound` where this person has not said one."""
    answer = next((a for a in request.answers if a.giver in frame.handles and a.state == REFUSED), None)
    lines = [line for line in request.lines if line.giver in frame.handles]
    if answer is None:
        raise NotFound
    head = _head(request.id, 1, text, frame)
    what = _processing(request.unit, request.purpose, lines, danish_day(answer.at), frame, directory)
    events = [_event(REFUSED, answer.at, answer.channel, [], tuple(logged))]
    return head | what | {"events": events, "state": dpv.NO}


def _head(record: str, version: int, text: Text, frame: Frame) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "conforms_to": STANDARD,
        "type": dpv.RECEIPT,
        "record_id": record,
        "receipt_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{frame.issuer}/{record}/{version}")),
        "version": version,
        "issuer": frame.issuer,
        "issued_at": _moment(frame.at),
        "jurisdiction": dpv.DENMARK,
        "pii_principal": {"scheme": CPR_SCHEME, "id": frame.principal},
        "notice": {
            "type": dpv.NOTICE,
            "version": text.version,
            "language": text.language,
            "sha256": text.digest,
            "text": text.words,
        },
    }


def _processing(
    unit: str, purpose: str, lines: Sequence[Line], day: int, frame: Frame, directory: Directory
) -> dict[str, Any]:
    aim = directory.purposes.get(purpose)
    data = [_datum(line, unit, purpose, day, frame, directory) for line in lines]
    controllers = [_party(unit, dpv.RECIPIENT, directory)]
    controllers += [_party(name, dpv.SOURCE, directory) for name in sorted({r["source"] for r in data if r["source"]})]
    return {
        "purpose": {"term": dpv.PURPOSE, "code": purpose, "name": _named(aim, purpose)},
        "recipient": unit,
        "parties": controllers,
        "personal_data": sorted(data, key=lambda row: (row["source"] or "", row["category"], row["line"] or "")),
        # The broker keeps no copy (P4); what the recipient writes in its case is kept as that case is.
        "storage": {
            "da": "Oplysningerne gemmes ikke her. Det, modtageren skriver i sagen, følger sagens regler.",
            "en": "The data is not stored here. What the recipient writes in the case is kept as the case is.",
        },
        "withdrawal": {
            "term": dpv.WITHDRAW,
            "at": f"{frame.issuer}/mine",
            "da": "Tag dit ja tilbage her, eller ring eller gå til borgerservice.",
            "en": "Take your yes back here, or call or go to the citizen service.",
        },
        "rights": list(dpv.RIGHTS),
        "complaint": {
            "term": dpv.AUTHORITY,
            "da": "Kommunen, kommunens databeskyttelsesrådgiver eller Datatilsynet.",
            "en": "The municipality, its data protection officer or Datatilsynet.",
        },
    }


def _datum(line: Line, unit: str, purpose: str, day: int, frame: Frame, directory: Directory) -> dict[str, Any]:
    category = directory.categories.get(line.category)
    told = any(line.tells_source_to(handle) for handle in frame.handles)
    row = {
        "category": line.category,
        "name": _named(category, line.category),
        "term": dpv.SPECIAL if category is not None and category.health else dpv.ORDINARY,
        "source": line.source if told else None,
        "about": "me" if line.subject in frame.handles else "my_child" if _of_child(line) else "another",
        "capacity": line.capacity,
        # Which law it is depends on whose source it is: whoever may not learn that reads none.
        "lawful_basis": _law(line, unit, purpose, day, directory) if told else _no_law(),
        "data_from": None if line.data_from == NO_BEGINNING else _day(line.data_from),
        "data_to": None if line.data_to == NO_END else _day(line.data_to),
    }
    if isinstance(line, RequestLine):
        return row | {"line": None, "from": None, "to": None, "state": dpv.NO}
    days = {"from": _day(line.from_day), "to": _day(line.to_day)}
    return row | days | {"line": line.id, "state": dpv.state_term(line.state)}


def _of_child(line: Line) -> bool:
    return line.capacity == "custody_holder"


def _law(line: Line, unit: str, purpose: str, day: int, directory: Directory) -> dict[str, Any]:
    """Name the row of law that the yes rested on that day, as we read the law; none where it is registered no more."""
    known = unit in directory.units and line.source in directory.sources
    row = directory.consent_law(purpose, line.category, line.source, unit, day) if known else None
    return _no_law() if row is None else {"term": dpv.CONSENT, "paragraph": row.paragraph, "gdpr": row.gdpr_basis}


def _no_law() -> dict[str, Any]:
    return {"term": dpv.CONSENT, "paragraph": None, "gdpr": None}


def _party(name: str, role: str, directory: Directory) -> dict[str, Any]:
    """Name a unit that receives, or a source, with the municipality that is its controller."""
    entry = directory.units.get(name) if role == dpv.RECIPIENT else directory.sources.get(name)
    home = None if entry is None else directory.municipalities.get(entry.municipality)
    controller = None if home is None else {"term": dpv.CONTROLLER, "id": home.id, "name": home.name, "cvr": home.cvr}
    return {"id": name, "role": role, "name": _named(entry, name), "controller": controller}


def _event(
    state: str, at: datetime, channel: str, lines: list[str], places: Sequence[Logged], *, first: bool = True
) -> dict[str, Any]:
    return {
        "time": _moment(at),
        # What is granted later than at first held before, and rested.
        "type": RESUMED if state == GRANTED and not first else state,
        "state": dpv.state_term(state),
        "channel": channel,
        "lines": lines,
        "log": [
            {"log": place.receipt.log, "index": place.receipt.index}
            | ({"proof": place.proof} if place.proof is not None else {})
            for place in sorted(places, key=lambda place: (place.receipt.log, place.receipt.index))
        ],
    }


def _limit(limit: Limit) -> dict[str, Any]:
    """Say how often it may be used; how often it was, the log says."""
    return {"term": dpv.FREQUENCY, "times": limit.times, "per": "month" if limit.monthly else "consent"}


def _at(version: int, places: Sequence[Logged]) -> tuple[Logged, ...]:
    return tuple(place for place in places if place.version == version)


def _state(lines: Sequence[ConsentLine], today: int, *, spent: bool) -> str:
    """Say where a consent stands: given while a line of it holds or will; one for once that was used holds no more."""
    if not spent and any(line.state == GRANTED and today <= line.to_day for line in lines):
        return dpv.GIVEN
    if all(line.state == WITHDRAWN for line in lines):
        return dpv.TAKEN_BACK
    return dpv.LAPSED if any(line.state == GRANTED for line in lines) else dpv.AT_REST


def _named(entry: Any, code: str) -> Mapping[str, str]:
    """Give the names of today's registry; what is registered no more has its code alone."""
    return {"da": code, "en": code} if entry is None else {"da": entry.name_da, "en": entry.name_en}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(number: int) -> str:
    return day_of(number).isoformat()
