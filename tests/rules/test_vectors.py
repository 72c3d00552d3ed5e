"""Golden vectors: there are enough, they reach what the rules can say, and an engine that differs serves nobody."""

from __future__ import annotations

import asyncio
import copy
import json
import random
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from broker.adapters.policy_batch import EmbeddedRules, RuleSet
from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.adapters.policy_opa import OpaPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.domain.errors import PolicyUnavailable
from broker.engine import hold_to_vectors, hold_when_it_answers
from broker.policy_bundle import write_bundle
from broker.policy_tables import PolicyFaults, load_rules
from broker.policy_vectors import differing, read_vectors, refuse_differing
from demo.world.proxy import free_port
from tests.model.engines import RULES, TABLES, opa_on_path
from tests.model.plain_policy import plain_decision
from tests.model.questions import POLICIES, random_question
from tools.vectors import SEEDS

VECTORS = read_vectors(RULES)
# Far longer than any of these takes; only a hang reaches it.
LONGEST_SECONDS = 60


def test_there_are_enough_and_they_reach_every_rule() -> None:
    """At least 500; each reason, mask and kind of basis that random questions meet is met by one."""

    def met(questions: Any) -> set[str]:
        verdicts = [v for question in questions for v in plain_decision(question, VECTORS.tables)["verdicts"]]
        return {one for v in verdicts for one in (*v["reasons"], *v["masks"], *(b["kind"] for b in v["basis"]))}

    golden = [orjson.loads(question) for question in VECTORS.questions]

    assert len(golden) >= 500
    assert met(golden) >= met(random_question(random.Random(seed)) for seed in range(SEEDS))


def test_the_model_in_plain_python_gives_them_too() -> None:
    """What OPA decided is what the rules are meant to say."""
    answers = [plain_decision(orjson.loads(question), VECTORS.tables) for question in VECTORS.questions]

    assert differing(VECTORS, answers) == []


async def test_the_embedded_engine_gives_them() -> None:
    """A node with the embedded engine may start."""
    await hold_to_vectors(EmbeddedPolicy(RULES, TABLES), RULES)


async def test_a_real_opa_gives_those_of_its_bundle() -> None:
    """A node with a server may start: the server is asked for its own decisions, by the token that we alone have."""
    policy = await SpawnedOpaPolicy.open(opa_on_path(), RULES, TABLES)
    try:
        await hold_to_vectors(policy, RULES)
        assert len(await policy.client.golden(len(VECTORS.questions))) == len(VECTORS.questions)
    finally:
        await policy.close()


@pytest.mark.parametrize("engine", ["embedded", "opa"])
async def test_rules_that_decide_otherwise_stop_the_node(tmp_path: Path, engine: str) -> None:
    """One operator turned round in one rule: nothing is served, and the fault names the remedy and no question."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    file = folder / "caller.rego"
    changed = file.read_text("utf-8").replace("stopped := (nsis_too_low | role_expired)", "stopped := role_expired", 1)
    assert changed != file.read_text("utf-8")
    file.write_text(changed, "utf-8")
    rules = load_rules(folder)
    policy: Any
    if engine == "opa":
        policy = await SpawnedOpaPolicy.open(opa_on_path(), rules, TABLES)
    else:
        policy = EmbeddedPolicy(rules, TABLES)
    try:
        with pytest.raises(PolicyFaults, match=r"golden vectors \(line \d+ first\).*python -m tools\.vectors$"):
            await hold_to_vectors(policy, rules)
    finally:
        await policy.close()


async def test_a_server_that_comes_late_gives_them_before_it_decides() -> None:
    """Out of reach at the start it is held back: no decision of it counts until every golden one was given."""
    policy = await SpawnedOpaPolicy.open(opa_on_path(), RULES, TABLES)
    asked = orjson.loads(VECTORS.questions[0])
    late = OpaPolicy(f"http://127.0.0.1:{free_port()}", RULES, TABLES, deadline_seconds=10)
    try:
        assert not await hold_to_vectors(late, RULES)
        late._courier, server = policy.client._courier, late._courier  # now it is there
        with pytest.raises(PolicyUnavailable):
            await late.decide(asked)

        await hold_when_it_answers(late, RULES, pause_seconds=0.01)

        assert (await late.decide(asked)).verdicts
        late._courier = server
    finally:
        await late.close()
        await policy.close()


async def test_a_late_server_that_differs_stays_held_back() -> None:
    """What it decides otherwise than OPA did never counts, however long it answers."""
    policy = await SpawnedOpaPolicy.open(opa_on_path(), RULES, TABLES)
    try:
        policy.vouched.by_vectors = False
        golden, times = policy.client.golden, 0
        asked_again = asyncio.Event()

        async def and_one_less(*asked: Any, **limits: Any) -> list[Any]:
            nonlocal times
            times += 1
            if times > 2:
                asked_again.set()
            return (await golden(*asked, **limits))[:-1]

        vars(policy.client)["golden"] = and_one_less
        looking = asyncio.create_task(hold_when_it_answers(policy, RULES, pause_seconds=0.01))
        async with asyncio.timeout(LONGEST_SECONDS):
            await asked_again.wait()
        looking.cancel()

        with pytest.raises(PolicyUnavailable):
            await policy.decide(orjson.loads(VECTORS.questions[0]))
    finally:
        await policy.close()


async def test_a_late_server_that_first_serves_another_bundle_counts_once_it_serves_ours() -> None:
    """A server that comes up with the bundle of yesterday is asked on: nobody need restart the node."""
    reasons = {code: {**row, "da": f"I går: {row['da']}"} for code, row in TABLES["reasons"].items()}
    yesterday = await SpawnedOpaPolicy.open(opa_on_path(), RULES, {**TABLES, "reasons": reasons})
    today = await SpawnedOpaPolicy.open(opa_on_path(), RULES, TABLES)
    late = OpaPolicy(f"http://127.0.0.1:{free_port()}", RULES, TABLES, deadline_seconds=10)
    ours, late._courier = late._courier, yesterday.client._courier

    async def golden(*asked: Any, **limits: Any) -> list[Any]:
        try:
            return await OpaPolicy.golden(late, *asked, **limits)
        finally:
            late._courier = today.client._courier  # now it has the bundle of today

    vars(late)["golden"] = golden
    try:
        with pytest.raises(PolicyFaults):
            await hold_to_vectors(late, RULES)
        late._courier = yesterday.client._courier
        async with asyncio.timeout(LONGEST_SECONDS):
            await hold_when_it_answers(late, RULES, pause_seconds=0.01)

        assert (await late.decide(orjson.loads(VECTORS.questions[0]))).verdicts
    finally:
        late._courier = ours
        await late.close()
        await today.close()
        await yesterday.close()


@pytest.mark.parametrize("told", [5, True, "decisions", {"0": {}}, [5], [[[]]], [json.loads("[" * 900 + "]" * 900)]])
async def test_what_is_no_list_of_decisions_is_not_golden(told: Any) -> None:
    """Whatever stands where the golden decisions belong, the engine differs, and no error of another kind says so."""
    policy = OpaPolicy(f"http://127.0.0.1:{free_port()}", RULES, TABLES)

    async def answer(*_: Any) -> dict[str, Any]:
        bundles = {"broker": {"revision": policy.mark.revision}}
        return {"result": told, "provenance": {"version": "1", "bundles": bundles}}

    vars(policy)["_answer"] = answer
    with pytest.raises(PolicyFaults):
        await hold_to_vectors(policy, RULES)
    with pytest.raises(PolicyFaults):
        refuse_differing(VECTORS, [told] * len(VECTORS.decisions))
    await policy.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer["verdicts"][0].update(own=not answer["verdicts"][0]["own"]),
        lambda answer: answer["verdicts"].pop(),
        lambda answer: answer["verdicts"][0]["shown"].append("X"),
        lambda answer: answer.update(schema="another"),
    ],
)
def test_every_part_of_an_answer_counts(change: Any) -> None:
    """An answer that differs in any part from the golden one is found, by its line."""
    answers = copy.deepcopy(list(VECTORS.decisions))
    change(answers[7])

    assert differing(VECTORS, answers) == [9]
    assert len(differing(VECTORS, answers[:-1])) == len(answers)


def test_order_does_not_count() -> None:
    """Engines write sets in the order they like."""
    answers: list[Any] = json.loads(json.dumps(VECTORS.decisions))
    for answer in answers:
        answer["verdicts"].reverse()

    assert differing(VECTORS, answers) == []


@pytest.mark.parametrize("content", [None, b"", b"{}\n", b"[\n", b'{"opa":"1","tables":{}}\n{"question":{}}\n'])
def test_vectors_that_cannot_be_read_are_a_fault(tmp_path: Path, content: bytes | None) -> None:
    """A folder of rules without its vectors, or with broken ones, serves nobody."""
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    [file] = (folder / "vectors").glob("*.jsonl")
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)

    with pytest.raises(PolicyFaults, match="vectors"):
        read_vectors(load_rules(folder))


def test_the_bundle_carries_them(tmp_path: Path) -> None:
    """Questions, tables and decisions lie in the bundle, where its signature covers them."""
    write_bundle(tmp_path, RULES, TABLES)
    carried = json.loads((tmp_path / "vectors" / "data.json").read_text("utf-8"))

    assert len(carried["cases"]) == len(carried["decisions"]) == len(VECTORS.questions)
    rules = EmbeddedRules(RuleSet(RULES.modules, carried["tables"], RULES.folder))
    assert differing(VECTORS, rules.raw([orjson.dumps(case) for case in carried["cases"]])) == []
