"""Count what a month's questions would come to by other rules: each once, small numbers withheld, nobody named. Pure.

Rules kept here:
- A question counts once, at the first kind of change that it has: sums are of questions, and no question hides in two.
- Reasons, bases and masks are told only where they are words of law tables: a rule that is tried cannot write a
  citizen's handle where a basis stands.
- What cannot be put again is in the same table, so that nobody gets it by subtraction either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from broker.domain.what_ifs import Result, Row
from broker.oversight.replay import KINDS, Answer, Asked, Rules, changes
from broker.oversight.suppression import LIMIT, told

SAME, LEFT_OUT = "same", "not_put"
NO_ANSWER = "no_answer"
OTHER = "other"
ALL_KINDS = (*KINDS, SAME, LEFT_OUT)
# What a mask may be called (policies/decision.schema.json), and what stands for no row of law.
WORDS = frozenset({"none", "consent", "own_case", "address", "child_name"})


@dataclass(slots=True)
class Tally:
    """The counts of one run while it goes on: how many questions of each kind, cause and purpose."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def put(self, asked: Sequence[Asked], before: Rules, after: Rules, known: frozenset[str]) -> None:
        """Put questions to both rules and count what becomes of each. `known` are the words that may be told."""
        heard = _Heard(before)
        changed = dict(changes(asked, heard, after))
        for one in asked:
            purpose = _word(str(orjson.loads(one.question)["ask"]["purpose"]), known)
            if one.question in heard.unanswered:
                # What the rules of then do not answer any more tells nothing about these.
                self.counts[LEFT_OUT, NO_ANSWER, ""] += 1
                continue
            rows = sorted(changed.get(one.place, ()), key=lambda row: (KINDS.index(row.kind), row))
            kind, by = (rows[0].kind, _cause(rows[0].by, known)) if rows else (SAME, "")
            self.counts[kind, by, purpose] += 1

    def result(self, left_out: Mapping[str, int], deleted: int) -> Result:
        """Lay out what may be told, with what could not be put again and why."""
        counts = Counter(self.counts)
        for why, count in left_out.items():
            counts[LEFT_OUT, why, ""] += count
        rows = sorted({(kind, by) for kind, by, _ in counts}, key=lambda row: (ALL_KINDS.index(row[0]), row[1]))
        purposes = tuple(sorted({purpose for _, _, purpose in counts}, key=lambda name: (not name, name)))
        shown = told([[counts[kind, by, purpose] for purpose in purposes] for kind, by in rows])
        return Result(
            purposes=purposes,
            rows=tuple(Row(*row, cells, sum_) for row, cells, sum_ in zip(rows, shown.cells, shown.rows, strict=True)),
            totals=shown.columns if rows else (),
            total=shown.total,
            deleted=None if 0 < deleted < LIMIT else deleted,
        )


def known_words(*tables: Mapping[str, Any]) -> frozenset[str]:
    """Collect what law tables call their purposes, reasons and rows of law: the only words that a result may hold."""
    names = ("purposes", "reasons", "statutes", "consent_bases")
    return WORDS.union(*(one[name] for one in tables for name in names))


class _Heard:
    """Rules that remember which questions they gave no answer to."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.unanswered = set[bytes]()

    def answers(self, questions: Sequence[bytes]) -> list[Answer | None]:
        found = self._rules.answers(questions)
        self.unanswered |= {one for one, answer in zip(questions, found, strict=True) if answer is None}
        return found


def _cause(by: str, known: frozenset[str]) -> str:
    """Name the first reason, basis or mask, of before and after; a word that no table knows is not told."""
    return " > ".join(_word(next(iter(side.split()), "none"), known) for side in by.split(" > ")) if by else ""


def _word(word: str, known: frozenset[str]) -> str:
    return word if word in known else OTHER
