"""The engines must never disagree: the embedded one, the model in plain Python, and real OPA, which is the judge.

Seeds run from 0 upwards, so a failure names the question that shows it. In CI (`CI=true`) the full counts of
`design.md` 7 run and a missing OPA is a failure; elsewhere a tenth of them or so.
"""

import asyncio
import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from broker.adapters.policy_answer import contract
from broker.domain.errors import PolicyBroken, PolicyUnavailable
from broker.policy_shape import shape
from tests.model.engines import RULES, TABLES, Engines, opa_on_path
from tests.model.pairs import FACTORS, of_row, pairwise
from tests.model.plain_policy import plain_decision
from tests.model.questions import POLICIES, broken, random_question

FULL = os.environ.get("CI") == "true"
WELL_FORMED = 20_000 if FULL else 2_000
MODELLED = 5_000 if FULL else 1_000
BROKEN = 5_000 if FULL else 500
BATCH = 1_000
AT_ONCE = 8
SCHEMA = POLICIES / "question.schema.json"


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    """Give all engines to this module."""
    engines = Engines()
    yield engines
    engines.close()


def test_embedded_and_plain_agree(engines: Engines) -> None:
    """Every well-formed question has the same verdicts from the rules and from the model."""
    differing = [
        seed
        for seed in range(MODELLED)
        if engines.decide("embedded", sound(seed)).verdicts != engines.decide("plain", sound(seed)).verdicts
    ]

    assert differing == []


def test_embedded_and_opa_agree(engines: Engines, tmp_path: Path) -> None:
    """Every well-formed question has the same verdicts from the embedded engine and from OPA."""
    opa = opa_on_path()
    judge = contract(RULES, TABLES)
    differing = []
    for start in range(0, WELL_FORMED, BATCH):
        asked = [sound(seed) for seed in range(start, start + BATCH)]
        for seed, (question, raw) in enumerate(zip(asked, judged(opa, asked, tmp_path), strict=True), start):
            ours = engines.decide("embedded", question)
            if judge.decision(raw, question, ours.mark) != ours:
                differing.append(seed)

    assert differing == []


def test_all_agree_on_every_pair(engines: Engines, tmp_path: Path) -> None:
    """Where any two values of two factors meet, the model, the embedded engine and OPA give the same verdicts."""
    judge, rows = contract(RULES, TABLES), pairwise(FACTORS)
    asked = [of_row(row) for row in rows]
    check = shape(SCHEMA)
    assert all(check(question) for question in asked)
    ours = [engines.decide("embedded", question) for question in asked]
    opa = judged(opa_on_path(), asked, tmp_path)

    differing = [
        row
        for row, question, decision, raw in zip(rows, asked, ours, opa, strict=True)
        if judge.decision(raw, question, decision.mark) != decision
        or engines.decide("plain", question).verdicts != decision.verdicts
    ]

    assert differing == []


def test_the_pairs_reach_every_stage() -> None:
    """What is asked pair by pair ends in every stage and on every basis, so that agreeing on it means something."""
    ended = [plain_decision(of_row(row), TABLES)["verdicts"][0] for row in pairwise(FACTORS)]

    stages = {TABLES["reasons"][code]["stage"] for verdict in ended for code in verdict["reasons"]}
    assert stages == {1, 2, 3, 4, 5}
    assert {basis["kind"] for verdict in ended for basis in verdict["basis"]} == {"own_case", "statute", "consent"}


def test_broken_questions_release_nothing(engines: Engines) -> None:
    """A question that breaks its schema is refused by every engine before it is evaluated."""
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    for seed in range(BROKEN):
        asked = damaged(seed)
        if schema.is_valid(asked):
            continue
        for engine in ("plain", "embedded"):
            with pytest.raises(PolicyBroken):
                engines.decide(engine, asked)


def test_our_shape_is_the_schema() -> None:
    """Our fast check of a question accepts exactly what the JSON Schema accepts."""
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    check = shape(SCHEMA)

    for seed in range(BROKEN):
        assert check(sound(seed))
        assert check(damaged(seed)) == schema.is_valid(damaged(seed)), seed


def test_raw_engines_release_alike(engines: Engines) -> None:
    """Even past the check, no engine releases on a broken question what OPA does not release."""
    opa_on_path()
    embedded: Any = engines.policy("embedded")
    opa: Any = engines.policy("opa")

    async def releases_more(seed: int) -> bool:
        asked = damaged(seed)
        return not raw_embedded(embedded, asked) <= await raw_opa(opa, asked)

    assert engines.wait(those(BROKEN, releases_more)) == []


def test_the_questions_reach_every_rule() -> None:
    """The random questions meet every reason and every kind of basis, so that agreeing on them means something."""
    met = set()
    for seed in range(4_000):
        for verdict in plain_decision(sound(seed), TABLES)["verdicts"]:
            met |= {*verdict["reasons"], *verdict["masks"], *(basis["kind"] for basis in verdict["basis"])}
            met |= {"periods"} if verdict["periods"] else set()

    told_elsewhere = {
        # Reasons that need what an ordinary question does not hold: items, a log, a break-glass ask.
        "EXCLUDED_INTERVENTION", "EXCLUDED_PLAN_PART", "LOG_UNAVAILABLE", "POLICY_ERROR",
    }  # fmt: skip
    kinds = {"own_case", "statute", "consent", "address", "child_name", "periods"}
    assert met == ({*TABLES["reasons"]} - told_elsewhere) | kinds


def sound(seed: int) -> dict[str, Any]:
    """Make the well-formed question of this seed."""
    return random_question(random.Random(seed))


def damaged(seed: int) -> dict[str, Any]:
    """Make the broken question of this seed."""
    chance = random.Random(seed)
    return broken(chance, random_question(chance))


def judged(opa: Path, asked: list[dict[str, Any]], folder: Path) -> list[Any]:
    """Let OPA answer many questions in one run, built-in errors strict."""
    data = folder / "asked.json"
    data.write_text(json.dumps({"asked": asked, "tables": TABLES}))
    rules = [f"--data={POLICIES / name}" for name in RULES.portable]
    query = "[decision | some question in data.asked; decision := data.broker.share.decision with input as question]"
    command = [opa, "eval", "--strict-builtin-errors", "--format=raw", *rules, f"--data={data}", query]
    answers: list[Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return answers


async def those(count: int, holds: Any) -> list[int]:
    """Name the seeds for which something holds, several at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(seed: int) -> bool:
        async with gate:
            return bool(await holds(seed))

    held = await asyncio.gather(*(one(seed) for seed in range(count)))
    return [seed for seed, it_holds in enumerate(held) if it_holds]


def raw_embedded(policy: Any, asked: dict[str, Any]) -> set[str]:
    """Give the keys the embedded engine releases, unchecked; none where it fails."""
    try:
        return released(policy._evaluate(asked))
    except PolicyBroken:
        return set()


async def raw_opa(policy: Any, asked: dict[str, Any]) -> set[str]:
    """Give the keys OPA releases, unchecked; none where it fails."""
    try:
        return released((await policy.client._ask(asked)).get("result"))
    except PolicyUnavailable:
        return set()


def released(raw: Any) -> set[str]:
    """List what a raw answer lets out."""
    verdicts = raw["verdicts"] if raw else []
    return {
        json.dumps([verdict["source"], verdict["category"], verdict["subject"]])
        for verdict in verdicts
        if verdict["outcome"] != "withhold"
    }
