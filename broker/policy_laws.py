"""What a row of law must say, and what rows must not say together: the checks of statutes and consent bases.

A change of law is a dated row. So that exactly one row is named on any day, two rows of consent may not carry the
same category for the same purpose between the same kinds of unit on the same day; statutes may, each is a ground.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from broker.domain.laws import UNIT_KINDS, WRITTEN

CONDITIONS = frozenset({"consent_tried", "minor_in_family", "moved_here", "meeting_within_limit", "emergency"})
# What a consent must name one by one (domain.md 2.2); a row may not ask for less.
NAMED = frozenset({"source", "recipient", "category", "purpose", "case"})
TOLD = ("basis", "paragraph", "gdpr_basis", "note")


def law_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    """Name everything that is wrong with the rows of law, each with its place."""
    if "OWN_CASE" not in tables["statutes"]:
        yield "statutes/OWN_CASE: missing"
    for table in ("statutes", "consent_bases"):
        for name, row in tables[table].items():
            place = f"{table}/{name}"
            yield from _row_faults(place, row)
            yield from _reach_faults(place, name, row, tables)
    yield from _statute_faults(tables)
    yield from _form_faults(tables)
    yield from _overlaps(tables)


def _row_faults(place: str, row: Mapping[str, Any]) -> Iterator[str]:
    if not all(row[part] for part in TOLD):
        yield f"{place}: basis, paragraph, GDPR basis or note is missing"
    if row["from"] > row["to"]:
        yield f"{place}: ends before it begins"
    if not set(row["from_units"]) | set(row["to_units"]) <= set(UNIT_KINDS):
        yield f"{place}: a kind of unit that the registry does not know"


def _reach_faults(place: str, name: str, row: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[str]:
    """A row reaches no further than its purposes, and each of them names it."""
    table = place.partition("/")[0]
    for purpose, reach in row["purposes"].items():
        bound = tables["purposes"].get(purpose, {"categories": [], table: []})
        if not set(_categories(reach)) <= set(bound["categories"]):
            yield f"{place}: reaches further than the purpose {purpose}"
        if name not in bound[table]:
            yield f"{place}: the purpose {purpose} does not name it"


def _categories(reach: Any) -> list[str]:
    categories: list[str] = reach["categories"] if isinstance(reach, Mapping) else reach
    return categories


def _statute_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    for name, row in tables["statutes"].items():
        if not set(row["conditions"]) <= CONDITIONS:
            yield f"statutes/{name}: a condition that no rule knows"
        if row["otherwise"] not in tables["reasons"]:
            yield f"statutes/{name}: no such reason: {row['otherwise']}"


def _form_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    for name, row in tables["consent_bases"].items():
        form = row["form"]
        if form["written"] not in WRITTEN or not (form["years"] is None or form["years"] in (1, 2, 3, 4, 5)):
            yield f"consent_bases/{name}: the form is not readable"
        if set(form["names"]) != NAMED:
            yield f"consent_bases/{name}: a consent names source, recipient, category, purpose and case"


def _overlaps(tables: Mapping[str, Any]) -> Iterator[str]:
    for (one, first), (other, second) in combinations(tables["consent_bases"].items(), 2):
        for purpose in first["purposes"].keys() & second["purposes"].keys():
            if set(first["purposes"][purpose]) & set(second["purposes"][purpose]) and _meet(first, second):
                yield f"consent_bases/{one}: says the same as {other} for {purpose}, on the same days"


def _meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    units = all(set(one[end]) & set(other[end]) for end in ("from_units", "to_units"))
    return units and one["from"] <= other["to"] and other["from"] <= one["to"]
