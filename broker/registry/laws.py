"""The registry beside the law tables: what it names of theirs is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from broker.registry.faults import Fault, Path, listed, nearest, shown, spelled
from broker.registry.sheet import Row, Sheet
from broker.registry.text import Written


def law_faults(sheet: Sheet, mappings: Mapping[str, Written], laws: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield a fault for what a source reads and the law tables do not know, and for what would widen a purpose."""
    yield from _widened(sheet, laws["purposes"])
    for row in sheet.rows("sources"):
        for written, path, category in _read(row, mappings):
            if category not in laws["categories"]:
                remedy = f"use one of policies/tables/categories.json, such as {_near(category, laws['categories'])}"
                what = f"reads {shown(category)}, which is no category"
                yield Fault(written.place(path, name=True), spelled((*row.path, "reads")), what, remedy)


def _widened(sheet: Sheet, purposes: Mapping[str, Any]) -> Iterator[Fault]:
    """A municipality narrows what the law allows, and never widens it."""
    for home in sheet.rows("municipalities"):
        for row in sheet.rows(*home.path, "purposes"):
            if row.name not in purposes:
                meant = nearest(row.name, purposes)
                what = f"there is no purpose {shown(row.name)}"
                yield row.fault(None, what, f"did you mean {meant}?" if meant else f"use one of {listed(purposes)}")
                continue
            for path, category in row.texts("only"):
                if category not in purposes[row.name]["categories"]:
                    what = f"{shown(category)} is outside what the law tables allow for {row.name}"
                    yield sheet.fault(path, what, "take it out; a municipality narrows a purpose and never widens it")


def _read(row: Row, mappings: Mapping[str, Written]) -> Iterator[tuple[Written, Path, str]]:
    """Yield the categories that a source reads, each with the file and place where it says so."""
    reads = row.fields.get("reads")
    if isinstance(reads, dict):
        yield from ((row.sheet.written, (*row.path, "reads", category), category) for category in reads)
    mapping = mappings.get(row.text("reads_file") or "")
    if mapping is not None and isinstance(mapping.value, dict):
        yield from ((mapping, (category,), category) for category in mapping.value)


def _near(category: str, known: Mapping[str, Any]) -> str:
    return nearest(category, known) or listed(known)
