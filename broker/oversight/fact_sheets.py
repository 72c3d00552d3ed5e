"""What a municipality needs from us for its own assessment and its own agreements (GDPR art. 26, 28 and 35). Pure.

Rules kept here:
- Facts alone, of the registry, the law tables and the settings as they stand. How much a risk weighs, whether something
  is needed, and who is jointly responsible are the municipality's to judge, so no field says it.
- What nobody has registered is named as missing; nothing stands for it.
- Of other municipalities only what they and the officer's own give to, or get from, each other.
- It names no citizen and no employee.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from broker.domain.directory import Category, Delegation, Directory, Municipality, Purpose, SourceEntry, Unit
from broker.domain.identity import OfficerLogin
from broker.domain.laws import LawRow
from broker.oversight.record import Record, records_for

# What no part of the registry has a field for: said as missing until it has one.
NOT_REGISTERED = ("operator", "sub_processors", "duration", "arrangement", "dpo_contact", "machines")
# What the law lays on the municipality, and no machine answers.
TO_JUDGE = ("whether", "needed", "risks", "enough", "advice", "views", "joint")
# Who does what where one municipality asks another's source, as the program does it.
GIVER, ASKER, EACH = "giver", "asker", "each"
TASKS = (
    (GIVER, "keeps"), (GIVER, "told"), (ASKER, "asks"), (ASKER, "consents"), (EACH, "log"), (EACH, "answers"),
    (EACH, "terms"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Running:
    """What the settings say of this broker: its version, how long a log-in lasts, and where people log in.

    `services` are kinds of people with the address of the service that says who they are.
    """

    version: str
    idle: timedelta
    longest: timedelta
    services: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """What one municipality may get from another's source for one purpose: its units, which data, on which rows."""

    source: SourceEntry
    to: Municipality
    purpose: Purpose
    units: tuple[Unit, ...]
    categories: tuple[Category, ...]
    laws: tuple[LawRow, ...]


@dataclass(frozen=True, slots=True)
class FactSheet:
    """The facts of one municipality: its record, what passes between it and others, and its units with whom to ask."""

    record: Record
    flows: tuple[Flow, ...]
    delegations: tuple[Delegation, ...]
    units: tuple[Unit, ...]

    @property
    def categories(self) -> tuple[Category, ...]:
        """Give every kind of data of its activities, each once."""
        found = {one.id: one for activity in self.record.activities for one in activity.categories}
        return tuple(found[one] for one in sorted(found))

    @property
    def unverified(self) -> tuple[LawRow, ...]:
        """Give the rows of law in use that the tables name nobody for, who held them against the law."""
        used = [row for one in self.record.activities for row in one.laws]
        used += [row for one in self.flows for row in one.laws]
        found = {row.id: row for row in used if not row.verified}
        return tuple(found[one] for one in sorted(found))


def sheets_for(officer: OfficerLogin, directory: Directory, today: int) -> tuple[FactSheet, ...]:
    """Give the facts of the officer's municipalities on a Danish day (YYYYMMDD). Raises `NotAllowed`."""
    return tuple(_sheet(record, directory, today) for record in records_for(officer, directory, today))


def _sheet(record: Record, directory: Directory, today: int) -> FactSheet:
    home = record.controller.id
    return FactSheet(
        record,
        tuple(_flows(home, directory, today)),
        tuple(
            row
            for _, row in sorted(directory.delegations.items())
            if home in {row.from_municipality, row.to_municipality} and row.from_day <= today <= row.to_day
        ),
        tuple(unit for _, unit in sorted(directory.units.items()) if unit.municipality == home),
    )


def _flows(home: str, directory: Directory, today: int) -> Iterator[Flow]:
    rows = {row.id: row for row in (*directory.consent_laws, *directory.laws.values())}
    laws = tuple(row for _, row in sorted(rows.items()) if row.from_day <= today <= row.to_day)
    for _, source in sorted(directory.sources.items()):
        for _, to in sorted(directory.municipalities.items()):
            if source.municipality != to.id and home in {source.municipality, to.id}:
                for _, purpose in sorted(directory.purposes.items()):
                    yield from _flow(source, to, purpose, laws, directory)


def _flow(
    source: SourceEntry, to: Municipality, purpose: Purpose, laws: tuple[LawRow, ...], directory: Directory
) -> Iterator[Flow]:
    """Give what may pass on these rows, if anything may."""
    if not to.purposes.get(purpose.id, purpose.categories):
        # They have switched it off.
        return
    kind, asked = directory.units[source.unit].kind, source.categories & directory.bound(to.id, purpose.id)
    carrying = tuple(
        row for row in laws if kind in row.from_units and row.purposes.get(purpose.id, frozenset()) & asked
    )
    kinds = frozenset[str]().union(*(row.to_units for row in carrying))
    units = tuple(
        unit for _, unit in sorted(directory.units.items()) if unit.municipality == to.id and unit.kind in kinds
    )
    reaching = tuple(row for row in carrying if row.to_units & {unit.kind for unit in units})
    reached = asked & frozenset[str]().union(*(row.purposes[purpose.id] for row in reaching))
    categories = tuple(directory.categories[one] for one in sorted(reached) if one in directory.categories)
    if units and categories:
        yield Flow(source, to, purpose, units, categories, reaching)
