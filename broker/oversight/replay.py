"""Replay: does every decision on record come again, and what would other rules have said (P10)?

Pure. Engines stand behind `Rules`; questions and verdicts go in, codes and counts come out, never a handle.

Rules kept here:
- A decision is the same when its whole answer has the hash on record, and each verdict on record is the one answered;
  where a consent changed meanwhile and it was judged again, a verdict on record may be narrower, never wider.
- Whatever cannot be held against the record is a difference with a code, never passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from broker.domain.decisions import Verdict
from broker.domain.entries import INTACT
from broker.domain.kept import NoQuestion, decided, digest, unpacked
from broker.domain.past import PastDecision

# Why a decision on record did not come again.
QUESTION, NO_ANSWER, ANSWER, VERDICTS = "question_differs", "no_answer", "answer_differs", "verdicts_differ"
# How a verdict changed under other rules.
RELEASED, REFUSED = "newly_released", "newly_refused"
BASIS, OBLIGATIONS, REASONS, UNANSWERED = (
    "basis_changed",
    "obligations_changed",
    "reasons_changed",
    "no_longer_answered",
)
KINDS = (RELEASED, REFUSED, BASIS, OBLIGATIONS, REASONS, UNANSWERED)

Answer = tuple[Verdict, ...]


class Rules(Protocol):
    """Rules and tables of one revision, in an engine."""

    def answers(self, questions: Sequence[bytes]) -> list[Answer | None]:
        """Answer canonical questions in order; None for each that these rules give no decision to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to put again: where it stands (`log index`, or a line), and what is on record of its decision."""

    place: str
    question: bytes = field(repr=False)
    record: PastDecision | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One way a verdict changed: of a purpose, a category, and by which reason, basis or mask."""

    kind: str
    purpose: str
    category: str
    by: str


def asked_of(past: PastDecision) -> Asked | None:
    """Take the question of an intact entry; None where none was kept. Raises `NoQuestion`."""
    if past.state != INTACT or past.question is None:
        return None
    question = unpacked(past.question)
    if not _is_question(question):
        raise NoQuestion
    return Asked(f"{past.receipt.log} {past.receipt.index}", question, past)


def _is_question(content: bytes) -> bool:
    """Say whether bytes are a question as far as is read here; which form it had on its day is its rules' matter."""
    try:
        match orjson.loads(content):
            case {"keys": list(), "ask": {"purpose": str()}}:
                return True
    except orjson.JSONDecodeError:
        pass
    return False


def differences(asked: Sequence[Asked], recorded: Rules) -> list[tuple[str, tuple[str, ...]]]:
    """Name each place whose decision does not come again, with every code of why not."""
    answers = _answers(recorded, asked)
    found = [(one.place, _difference(one, answer)) for one, answer in zip(asked, answers, strict=True)]
    return [(place, codes) for place, codes in found if codes]


def _difference(asked: Asked, answer: Answer | None) -> tuple[str, ...]:
    record = asked.record
    if record is None:
        return ()
    codes = [QUESTION] if digest(asked.question) != record.question_digest else []
    if answer is None:
        return (*codes, NO_ANSWER)
    if decided(answer) != record.decided:
        codes.append(ANSWER)
    if not _stands(record, [verdict for verdict in answer if verdict.key.subject == record.subject]):
        codes.append(VERDICTS)
    return tuple(codes)


def _stands(record: PastDecision, answered: Sequence[Verdict]) -> bool:
    """Say whether the verdicts on record are those answered, or narrower where it was judged again."""
    rows = {_key(row["key"]): row for row in record.verdicts}
    told = {_key(row["key"]): row for row in orjson.loads(orjson.dumps(answered))}
    if rows.keys() != told.keys():
        return False
    fits = _not_wider if record.judged_again else _equal
    return all(fits(row, told[key]) for key, row in rows.items())


def _key(key: Mapping[str, str]) -> tuple[str, str, str]:
    return key["source"], key["category"], key["subject"]


def _equal(row: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    # A field that verdicts got later is not on record; the hash of the whole answer covers it.
    return all(told.get(name) == value for name, value in row.items())


def _not_wider(row: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    if row["outcome"] == "withhold":
        return True
    return bool(told["outcome"] != "withhold" and set(row["masks"]) >= set(told["masks"]))


def changes(asked: Sequence[Asked], before: Rules, after: Rules) -> list[tuple[str, tuple[Change, ...]]]:
    """Name each place whose verdicts would be others under other rules, with every change."""
    pairs = zip(asked, _answers(before, asked), _answers(after, asked), strict=True)
    found = [(one.place, tuple(_changes(one, old, new))) for one, old, new in pairs]
    return [(place, rows) for place, rows in found if rows]


def _changes(asked: Asked, old: Answer | None, new: Answer | None) -> list[Change]:
    purpose = orjson.loads(asked.question)["ask"]["purpose"]
    if old is None or new is None:
        # A question that the rules of then cannot answer either tells nothing about these.
        return [Change(UNANSWERED, purpose, "", "")] if old is not None else []
    later = {verdict.key: verdict for verdict in new}
    return [
        Change(kind, purpose, verdict.key.category, by)
        for verdict in old
        for kind, by in _changed(verdict, later[verdict.key])
    ]


def _changed(old: Verdict, new: Verdict) -> list[tuple[str, str]]:
    if not old.released and new.released:
        return [(RELEASED, " ".join(old.reasons))]
    if old.released and not new.released:
        return [(REFUSED, " ".join(new.reasons))]
    if not old.released:
        same = (old.reasons, old.shown, old.missing) == (new.reasons, new.shown, new.missing)
        return [] if same else [(REASONS, f"{' '.join(old.reasons)} > {' '.join(new.reasons)}")]
    found = [(BASIS, f"{_bases(old)} > {_bases(new)}")] if old.basis != new.basis else []
    return found + ([(OBLIGATIONS, f"{_masks(old)} > {_masks(new)}")] if old.masks != new.masks else [])


def _bases(verdict: Verdict) -> str:
    """Name bases by kind, and statutes by row; a consent's id is nobody's here."""
    return " ".join(sorted({one.kind if one.kind == "consent" else one.id for one in verdict.basis}))


def _masks(verdict: Verdict) -> str:
    return " ".join(verdict.masks) or "none"


def _answers(rules: Rules, asked: Sequence[Asked]) -> list[Answer | None]:
    """Let rules answer; what asks for no key at all is the empty decision, which no engine was asked for either."""
    about = [bool(orjson.loads(one.question)["keys"]) for one in asked]
    told = iter(rules.answers([one.question for one, some in zip(asked, about, strict=True) if some]))
    return [next(told) if some else () for some in about]


__all__ = ["KINDS", "Asked", "Change", "NoQuestion", "Rules", "asked_of", "changes", "differences"]
