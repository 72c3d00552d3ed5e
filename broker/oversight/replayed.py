"""What a replay found: counts, codes and places on the log; nothing of what was asked, and of whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from broker.domain.entries import CHANGED, ERASED
from broker.oversight.replay import KINDS, Change

# Why an entry on the log was not put to the rules again.
UNASKED = "question_not_kept"
# Of these nothing is left but a leaf (docs/erasure.md); they are counted for the whole log, whatever the days.
DELETED = "content_deleted"
UNREADABLE, NO_REVISION = "question_unreadable", "revision_unknown"
FAULTS = (CHANGED, UNREADABLE, NO_REVISION)
MOST_PLACES = 1000


@dataclass(slots=True)
class Replayed:
    """The tally of one replay, filled while it runs. `places` are at most so many of each kind, the rest is counted."""

    replayed: int = 0
    unasked: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    differences: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    changed: Counter[Change] = field(default_factory=Counter)
    changed_questions: int = 0
    samples: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    most_samples: int = 5

    def left_out(self, place: str, why: str) -> None:
        """Count an entry that could not be put again; one that should have been is a difference."""
        self.unasked[why] += 1
        if why in FAULTS:
            self.differ([(place, (why,))])

    def differ(self, found: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """Count decisions that did not come again."""
        for row in found:
            self.differing += 1
            if len(self.differences) < MOST_PLACES:
                self.differences.append(row)

    def change(self, found: Iterable[tuple[str, tuple[Change, ...]]]) -> None:
        """Count changes, and keep a few places of each kind to look at."""
        for place, rows in found:
            self.changed_questions += 1
            self.changed.update(rows)
            for kind in {row.kind for row in rows}:
                if len(self.samples[kind]) < self.most_samples:
                    self.samples[kind].append(place)

    @property
    def erased(self) -> int:
        """How many outcomes are lawfully unreadable."""
        return self.unasked[ERASED]

    def as_json(self) -> dict[str, Any]:
        """Lay out the tally for a machine."""
        rows = sorted(self.changed.items(), key=lambda row: (KINDS.index(row[0].kind), -row[1], row[0]))
        return {
            "replayed": self.replayed,
            "same": self.replayed - self.differing + sum(self.unasked[why] for why in FAULTS),
            "left_out": dict(sorted(self.unasked.items())),
            "differing": self.differing,
            "differences": [{"place": place, "codes": list(codes)} for place, codes in self.differences],
            "changed_questions": self.changed_questions,
            "changes": [
                {"kind": row.kind, "purpose": row.purpose, "category": row.category, "by": row.by, "count": count}
                for row, count in rows
            ],
            "samples": {kind: places for kind, places in self.samples.items() if places},
        }


__all__ = ["DELETED", "ERASED", "FAULTS", "NO_REVISION", "UNASKED", "UNREADABLE", "Replayed"]
