"""The record of processing activities (GDPR art. 30), read from the registry and the law tables as they stand. Pure.

Rules kept here:
- One record a municipality, which is the controller; one activity a purpose that it uses, and what the broker itself
  keeps. Nothing is written by hand that the registry or the tables already say.
- It names no citizen and no employee.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.directory import Category, Directory, Municipality, Purpose, SourceEntry, Unit
from broker.domain.errors import NotAllowed
from broker.domain.identity import OfficerLogin
from broker.domain.laws import LawRow
from broker.domain.retention import term

READERS = frozenset({"dpo", "logkontrollant"})
# What the broker itself keeps, and the kind of entry whose time says how long.
KEPT_HERE = {"log": "outcome", "consents": "consent.granted", "emergencies": "break_glass.decided",
             "questions": "inquiry.sent", "breaches": "breach.noted"}  # fmt: skip
# A time deletes lines of the log alone. What else is kept of it stays until its citizen is erased, or for good.
UNTIL_ERASED, FOR_GOOD = "until_erased", "for_good"
ITSELF = {"consents": UNTIL_ERASED, "emergencies": UNTIL_ERASED, "questions": UNTIL_ERASED, "breaches": FOR_GOOD}


@dataclass(frozen=True, slots=True)
class Activity:
    """What a municipality does for one purpose: on what law, with which data, from where, and who gets it.

    `children` tells that data of children is in it, `special` that data of art. 9 is.
    """

    purpose: Purpose
    laws: tuple[LawRow, ...]
    categories: tuple[Category, ...]
    sources: tuple[SourceEntry, ...]
    recipients: tuple[Unit, ...]

    @property
    def children(self) -> bool:
        """Tell whether data of children is in it."""
        return any(category.child for category in self.categories)

    @property
    def special(self) -> bool:
        """Tell whether health data is in it (art. 9)."""
        return any(category.health for category in self.categories)


@dataclass(frozen=True, slots=True)
class Record:
    """One municipality's record. `months` says how long the log's lines of each are kept; None: not decided."""

    controller: Municipality
    activities: tuple[Activity, ...]
    months: tuple[tuple[str, int | None], ...]
    revision: str


def records_for(officer: OfficerLogin, directory: Directory, today: int) -> tuple[Record, ...]:
    """Give the records of the officer's municipalities. Raises `NotAllowed`."""
    if officer.role not in READERS or not officer.municipalities:
        raise NotAllowed
    return records(directory, officer.municipalities, today)


def records(directory: Directory, municipalities: Iterable[str], today: int) -> tuple[Record, ...]:
    """Make the record of each of these municipalities on a Danish day (YYYYMMDD)."""
    known = [directory.municipalities[home] for home in sorted(municipalities) if home in directory.municipalities]
    return tuple(_record(home, directory, today) for home in known)


def _record(home: Municipality, directory: Directory, today: int) -> Record:
    used = [p for p in directory.purposes.values() if home.purposes.get(p.id, p.categories)]
    found = [_activity(home, purpose, directory, today) for purpose in sorted(used, key=lambda row: row.name_da)]
    # Where no unit of theirs may ask for it, it is not an activity of theirs.
    activities = tuple(activity for activity in found if activity.recipients)
    return Record(home, activities, _months(home), directory.revision)


def _activity(home: Municipality, purpose: Purpose, directory: Directory, today: int) -> Activity:
    bound = directory.bound(home.id, purpose.id)
    laws = tuple(
        row
        for _, row in sorted(_laws(directory).items())
        if row.purposes.get(purpose.id, frozenset()) & bound and row.from_day <= today <= row.to_day
    )
    carried = bound & frozenset[str]().union(*(row.purposes[purpose.id] for row in laws))
    giving = frozenset[str]().union(*(row.from_units for row in laws))
    receiving = frozenset[str]().union(*(row.to_units for row in laws))
    units = directory.units
    return Activity(
        purpose=purpose,
        laws=laws,
        categories=tuple(directory.categories[one] for one in sorted(carried) if one in directory.categories),
        sources=tuple(
            row
            for _, row in sorted(directory.sources.items())
            if row.categories & carried and row.unit in units and units[row.unit].kind in giving
        ),
        recipients=tuple(
            unit for _, unit in sorted(units.items()) if unit.municipality == home.id and unit.kind in receiving
        ),
    )


def _laws(directory: Directory) -> dict[str, LawRow]:
    return {row.id: row for row in directory.consent_laws} | dict(directory.laws)


def _months(home: Municipality) -> tuple[tuple[str, int | None], ...]:
    if home.retention is None:
        return tuple((what, None) for what in KEPT_HERE)
    decided = home.retention.months
    return tuple((what, decided.get(kind, term(kind).months)) for what, kind in KEPT_HERE.items())
