"""What a step showed: the reply, the log's new entries, the calls that sources got. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.domain.entries import LogEntry
from demo.scenario.callers import Reply

CITIZEN = "citizen"
OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: where it stands, whether it held, and if not, expected and got in one line."""

    what: str
    held: bool
    line: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """How the scenario's short names are called by the broker: people's handles, consents' ids."""

    handles: Mapping[str, str]
    consents: Mapping[str, str]

    def person(self, handle: str) -> str:
        """Give the short name of a handle, or the handle."""
        return next((name for name, known in self.handles.items() if known == handle), handle)

    def consent(self, ident: str) -> str:
        """Give the short name of a consent, or its id."""
        return next((name for name, known in self.consents.items() if known == ident), ident)


@dataclass(frozen=True, slots=True)
class Seen:
    """All that can be seen of one step.

    `rows` and `texts` are what a look showed, `report` what a check of the logs told.
    """

    names: Names
    reply: Reply = field(default_factory=Reply)
    citizen: str | None = None
    entries: tuple[LogEntry, ...] = ()
    calls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[Mapping[str, Any], ...] = ()
    texts: str = ""
    report: Mapping[str, Any] | None = None

    @property
    def verdicts_logged(self) -> dict[tuple[str, str, str], Mapping[str, Any]]:
        """Give each verdict as the log holds it, by source, category and the person's short name."""
        told = {}
        for entry in self.entries:
            for verdict in (entry.body or {}).get("verdicts", ()) if entry.kind == OUTCOME else ():
                key = verdict["key"]
                told[key["source"], key["category"], self.names.person(key["subject"])] = verdict
        return told

    def label(self, person: str | None) -> str:
        """Give the word by which the answer calls a person: `citizen`, or `child-1` counted over released children."""
        if person in {None, CITIZEN, self.citizen} or str(person).startswith("child-"):
            return CITIZEN if person in {None, self.citizen} else str(person)
        released = {
            self.names.handles[name]
            for (_, _, name), verdict in self.verdicts_logged.items()
            if name in self.names.handles and name != self.citizen and verdict["outcome"] != "withhold"
        }
        ordered = sorted(released)
        handle = self.names.handles.get(str(person), "")
        return f"child-{ordered.index(handle) + 1}" if handle in ordered else CITIZEN


def same_set(what: str, expected: Iterable[Any], got: Iterable[Any]) -> Check:
    """Check that two collections hold the same, in any order."""
    wanted, there = sorted(map(str, expected)), sorted(map(str, got))
    if wanted == there:
        return Check(what, held=True)
    missing = [one for one in wanted if one not in there]
    extra = [one for one in there if one not in wanted]
    parts = [f"missing {', '.join(missing)}"] * bool(missing) + [f"not expected {', '.join(extra)}"] * bool(extra)
    return Check(what, held=False, line="; ".join(parts) or f"expected {wanted}, got {there}")


def equal(what: str, expected: Any, got: Any) -> Check:
    """Check that two values are the same."""
    return Check(what, held=expected == got, line=f"expected {expected}, got {'nothing' if got is None else got}")
