"""`python -m tools.vectors`: make the golden vectors anew by real OPA; `--check` says whether they are what OPA says.

Questions are taken from the tests' generator in the order of their seeds: first those that reach a reason, a mask, a
basis, a way of telling or a giver not yet reached often, then the next ones, until there are enough.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from broker.adapters.policy_batch import EmbeddedRules, OpaRules, RuleSet
from broker.domain.decisions import Verdict
from broker.domain.kept import canonical
from broker.policy_tables import PolicyFaults, load_rules
from broker.policy_vectors import differing, in_order, read_vectors
from tests.model.questions import POLICIES, random_question, tables
from tools.places import IN_CI

FILE = POLICIES / "vectors" / "golden.jsonl"
COUNT, SEEDS, OFTEN = 510, 3000, 3
MOST_KEYS, MOST_LINES = 2, 3


def main(arguments: Sequence[str]) -> int:
    """Make the vectors, or check them; 1 when they are not what OPA says, or there is no OPA to say it."""
    parser = argparse.ArgumentParser(prog="python -m tools.vectors", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args(arguments).check
    opa = shutil.which("opa")
    if opa is None:
        sys.stderr.write("there is no opa on PATH, and nobody else may make golden vectors\n")
        return 1 if IN_CI or not check else 0
    faults = _stale(Path(opa)) if check else _make(Path(opa))
    for fault in faults:
        sys.stderr.write(fault + "\n")
    return 1 if faults else 0


def features(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, ...]]:
    """Name what a decision reaches, alone and together."""
    for verdict in verdicts:
        yield from (("mask", mask) for mask in verdict.masks)
        yield from (("basis", basis.kind, basis.id if basis.kind == "statute" else "") for basis in verdict.basis)
        yield from (("giver", missing.giver) for missing in verdict.missing)
        yield from (("reason", code) for code in verdict.reasons)
        yield ("told", *verdict.reasons, ">", *verdict.shown)
        yield ("outcome", verdict.outcome, str(verdict.own), *sorted({basis.kind for basis in verdict.basis}))


def registry() -> dict[str, Any]:
    """Give the tables that are not the law's: those of the little registry the questions speak of."""
    law = {file.stem for file in (POLICIES / "tables").glob("*.json")}
    return {name: table for name, table in tables().items() if name not in law}


def _make(opa: Path) -> list[str]:
    questions = _chosen()
    decisions = _by_opa(opa).raw(questions)
    unanswered = sum(decision is None for decision in decisions)
    if unanswered:
        return [f"OPA gives no decision to {unanswered} questions"]
    head = {"opa": _version(opa), "tables": registry()}
    rows = [
        {"question": orjson.loads(question), "decision": in_order(decision)}
        for question, decision in zip(questions, decisions, strict=True)
    ]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n" for row in (head, *rows)))
    sys.stdout.write(f"{len(rows)} golden vectors by OPA {head['opa']}\n")
    return []


def _stale(opa: Path) -> list[str]:
    """Say what OPA would say otherwise today, and what the rules can say that no vector reaches."""
    remedy = "make them anew: python -m tools.vectors"
    try:
        vectors = read_vectors(load_rules(POLICIES))
    except PolicyFaults as fault:
        return fault.faults
    lines = differing(vectors, _by_opa(opa).raw(vectors.questions))
    if lines:
        return [f"golden vectors: OPA decides {len(lines)} otherwise today (line {lines[0]} first); {remedy}"]
    engine = _embedded()
    reachable = _reached(engine, [canonical(_small(seed)) for seed in range(SEEDS)])
    missing = [" ".join(one) for one in sorted(reachable - _reached(engine, vectors.questions))]
    return [f"golden vectors: none reaches {', '.join(missing)}; {remedy}"] if missing else []


def _chosen() -> list[bytes]:
    """Choose questions: what is rare first, then in the order of their seeds."""
    engine = _embedded()
    questions = [canonical(_small(seed)) for seed in range(SEEDS)]
    reached: Counter[tuple[str, ...]] = Counter()
    chosen: list[int] = []
    for seed, answer in enumerate(engine.answers(questions)):
        found = set(features(answer or ()))
        if any(reached[one] < OFTEN for one in found):
            reached.update(found)
            chosen.append(seed)
    rest = [seed for seed in range(SEEDS) if seed not in set(chosen)]
    kept = sorted([*chosen, *rest[: max(0, COUNT - len(chosen))]])
    return [questions[seed] for seed in kept]


def _reached(engine: EmbeddedRules, questions: Sequence[bytes]) -> set[tuple[str, ...]]:
    """Name what decisions on questions reach, but for which reasons come together: that is never all seen."""
    answers = engine.answers(questions)
    return {one for answer in answers for one in features(answer or ()) if one[0] != "told"}


def _small(seed: int) -> dict[str, Any]:
    """Make the question of a seed, with few keys and lines: each is read again at every start of a node."""
    question = random_question(random.Random(seed))  # noqa: S311 -- the same every time is the point
    keys = question["keys"][:MOST_KEYS]
    near = {(key["source"], key["category"]) for key in keys}
    lines = sorted(question["consents"], key=lambda line: (line["source"], line["category"]) not in near)
    return question | {"keys": keys, "consents": sorted(lines[:MOST_LINES], key=lambda line: str(line["id"]))}


def _embedded() -> EmbeddedRules:
    return EmbeddedRules(RuleSet(load_rules(POLICIES).modules, tables(), POLICIES))


def _by_opa(opa: Path) -> OpaRules:
    return OpaRules(opa, POLICIES / "capabilities.json", RuleSet(load_rules(POLICIES).modules, tables(), POLICIES))


def _version(opa: Path) -> str:
    told = subprocess.run([opa, "version"], capture_output=True, text=True, check=True).stdout
    return told.splitlines()[0].removeprefix("Version:").strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
