"""Hold what is expected of the logs: the entries a step wrote, and what a check of a log tells. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from broker.domain.entries import LogEntry
from demo.scenario.seen import Check, Seen, equal


def check_log(expected: list[Mapping[str, Any]], seen: Seen) -> Iterator[Check]:
    """Check that a step wrote exactly these entries, in order in each log."""
    there: defaultdict[str, list[LogEntry]] = defaultdict(list)
    for entry in seen.entries:
        there[entry.municipality].append(entry)
    wanted: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in expected:
        wanted[row["municipality"]].append(row)
    for municipality in sorted(there.keys() | wanted.keys()):
        rows, entries = wanted[municipality], there[municipality]
        told = ", ".join(_told(entry, seen) for entry in entries) or "none"
        wish = ", ".join(f"{row['kind']} {row.get('subject', '')}".strip() for row in rows) or "none"
        held = len(rows) == len(entries)
        yield Check(f"log of {municipality}, entries", held, f"expected {wish}, got {told}")
        for number, (row, entry) in enumerate(zip(rows, entries, strict=False), start=1):
            yield from _entry(f"log of {municipality}, entry {number}", row, entry, seen)


def _entry(place: str, row: Mapping[str, Any], entry: LogEntry, seen: Seen) -> Iterator[Check]:
    body = entry.body or {}
    yield equal(f"{place}, kind", row["kind"], entry.kind)
    if "subject" in row:
        yield equal(f"{place}, subject", row["subject"], seen.names.person(entry.index.get("citizen", "")))
    if "outcome" in row:
        yield equal(f"{place}, outcome", row["outcome"], entry.index.get("outcome"))
    for name in ("own", "shared"):
        if name in row:
            yield equal(f"{place}, {name}", row[name], body.get(f"{name}_items"))
    if "categories" in row:
        yield equal(f"{place}, categories", sorted(row["categories"]), sorted(entry.index.get("categories") or ()))
    for code in row.get("reasons_include", ()):
        reasons = entry.index.get("reasons", ())
        yield Check(f"{place}, reason {code}", held=code in reasons, line=f"reasons: {', '.join(reasons) or 'none'}")


def _told(entry: LogEntry, seen: Seen) -> str:
    return f"{entry.kind} {seen.names.person(entry.index.get('citizen', ''))}"


def check_report(what: str, expected: Any, seen: Seen) -> Iterator[Check]:
    """Check whether the logs are intact, or which entry the check names."""
    logs = (seen.report or {}).get("logs", ())
    if what == "intact":
        intact = bool(logs) and all(log["intact"] for log in logs) and not (seen.report or {}).get("stray")
        faults = "; ".join(f"{fault['where']}: {fault['what']}" for log in logs for fault in log["faults"])
        yield Check("log intact", held=intact == expected, line=f"expected {expected}, got {intact} ({faults})")
        return
    named = sorted({fault["index"] for log in logs for fault in log["faults"] if fault["index"] is not None})
    yield Check("bad entry", held=expected in named, line=f"expected {expected}, the check names {named or 'none'}")
