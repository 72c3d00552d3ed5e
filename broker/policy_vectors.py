"""Golden vectors: questions with the decisions that real OPA gave, which every engine must give before it may answer.

They lie in `policies/vectors/*.jsonl`, made by `python -m tools.vectors`. The first line of a file says which OPA made
it and which registry its questions speak of; the law is that of the folder. The signed bundle carries them along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from broker.policy_tables import PolicyFaults, Rules, load_law_tables

FOLDER = "vectors"
MAKE = "python -m tools.vectors"


@dataclass(frozen=True, slots=True)
class Vectors:
    """Questions in canonical JSON, each with its decision, and the tables they rest on; `opa` is who decided."""

    opa: str
    tables: Mapping[str, Any] = field(repr=False)
    questions: tuple[bytes, ...] = field(repr=False)
    decisions: tuple[Any, ...] = field(repr=False)


def read_vectors(rules: Rules) -> Vectors:
    """Read the vectors of a folder of rules; raise `PolicyFaults` when there are none or they cannot be read."""
    files = sorted((rules.folder / FOLDER).glob("*.jsonl"))
    if len(files) != 1:
        raise PolicyFaults([f"{FOLDER}: one file of golden vectors belongs here ({MAKE})"])
    try:
        head, *rows = [orjson.loads(line) for line in files[0].read_bytes().splitlines()]
        questions = tuple(orjson.dumps(row["question"], option=orjson.OPT_SORT_KEYS) for row in rows)
        tables = load_law_tables(rules.folder / "tables") | head["tables"]
        return Vectors(head["opa"], tables, questions, tuple(row["decision"] for row in rows))
    except (ValueError, LookupError, TypeError):
        raise PolicyFaults([f"{FOLDER}/{files[0].name}: cannot be read as golden vectors"]) from None


def differing(vectors: Vectors, answers: Sequence[Any]) -> list[int]:
    """Name the lines of the vectors that an engine answers otherwise than OPA did; all, when answers are missing."""
    if len(answers) != len(vectors.decisions):
        return [*range(2, len(vectors.decisions) + 2)]
    pairs = zip(vectors.decisions, answers, strict=True)
    return [line for line, (golden, answer) in enumerate(pairs, 2) if not _same(golden, answer)]


def _same(golden: Any, answer: Any) -> bool:
    try:
        return bool(in_order(golden) == in_order(answer))
    except (RecursionError, TypeError):
        # Deeper than any decision; the JSON library says so with a `TypeError`.
        return False


def refuse_differing(vectors: Vectors, answers: Sequence[Any]) -> None:
    """Raise `PolicyFaults` unless the engine gave every golden decision."""
    lines = differing(vectors, answers)
    if lines:
        told = f"{len(lines)} of {len(vectors.decisions)} golden vectors (line {lines[0]} first)"
        fault = f"{FOLDER}: the engine decides otherwise than OPA {vectors.opa} did in {told}"
        raise PolicyFaults([f"{fault}; where the rules were changed on purpose: {MAKE}"])


def in_order(value: Any) -> Any:
    """Put a decision in order: what engines write as lists are sets in the rules."""
    if isinstance(value, Mapping):
        return {name: in_order(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted((in_order(one) for one in value), key=lambda one: orjson.dumps(one, option=orjson.OPT_SORT_KEYS))
    return value
