"""An engine, or whoever speaks in its place, whose answer is not quite a decision: it is none at all (P1, P6)."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from broker.adapters.policy_answer import contract
from broker.adapters.policy_batch import RuleSet
from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.adapters.policy_opa import OpaPolicy
from broker.adapters.policy_shadow import MOST_WAITING, Shadow, ShadowedPolicy
from broker.domain.decisions import Basis, Decision, PolicyMark, Verdict
from broker.domain.errors import PolicyBroken
from broker.web.metrics import DoorsTold
from tests.fakes.hostile import hostile
from tests.model.engines import RULES, TABLES
from tests.model.plain_policy import plain_decision
from tests.model.questions import key, line, question

S01, S02 = key("socialcenter", "S01"), key("socialcenter", "S02")
ASKED = question(S01, S02, consents=[line("socialcenter", "S01")])
CONTRACT = contract(RULES, TABLES)
MARK = PolicyMark("liar", "1", CONTRACT.revision)
Rows = list[dict[str, Any]]


def released(rows: Rows) -> dict[str, Any]:
    """Find the row that releases S01."""
    return next(row for row in rows if row["category"] == "S01")


def withheld(rows: Rows) -> dict[str, Any]:
    """Find the row that withholds S02."""
    return next(row for row in rows if row["category"] == "S02")


LIES: dict[str, Callable[[Rows], Any]] = {
    "a key is missing": lambda rows: rows.remove(withheld(rows)),
    "a key stands twice": lambda rows: rows.append(copy.deepcopy(released(rows))),
    "a key twice, one of two": lambda rows: (rows.remove(withheld(rows)), rows.append(copy.deepcopy(released(rows)))),
    "a key nobody asked about": lambda rows: rows.append(released(copy.deepcopy(rows)) | {"category": "S03"}),
    "another key in its place": lambda rows: withheld(rows).update(category="S03"),
    "an outcome of its own": lambda rows: withheld(rows).update(outcome="allow"),
    "an outcome in capitals": lambda rows: withheld(rows).update(outcome="RELEASE"),
    "a release without a basis": lambda rows: released(rows).update(basis=[]),
    "a release with a reason beside it": lambda rows: released(rows).update(reasons=["NO_CONSENT"]),
    "a basis of no kind": lambda rows: released(rows)["basis"][0].update(kind="because"),
    "a refusal without a reason": lambda rows: withheld(rows).update(reasons=[], shown=[]),
    "a reason nobody knows": lambda rows: withheld(rows).update(reasons=["TRUST_ME"], shown=["NO_CONSENT"]),
    "a reason with nothing shown": lambda rows: withheld(rows).update(shown=[]),
    "a hidden reason shown": lambda rows: withheld(rows).update(reasons=["NO_CONSENT"], shown=["SELF_OR_RELATED"]),
    "a mask beside a release": lambda rows: released(rows).update(masks=["address"]),
    "a mask of another kind": lambda rows: released(rows).update(outcome="mask", masks=["nothing"]),
    "a member too many": lambda rows: released(rows).update(note="fine"),
    "a member missing": lambda rows: released(rows).pop("own"),
    "a truth as text": lambda rows: released(rows).update(own="false"),
    "a giver of another kind": lambda rows: withheld(rows).update(
        missing=[{"source": "socialcenter", "category": "S02", "giver": "anybody"}]
    ),
}


def answer() -> dict[str, Any]:
    """Give a true answer to the question, as an engine writes it."""
    return copy.deepcopy(plain_decision(ASKED, TABLES))


def test_a_true_answer_is_a_decision() -> None:
    """What the lies are made of is itself believed."""
    decision = CONTRACT.decision(answer(), ASKED, MARK)

    assert {verdict.key.category: verdict.outcome for verdict in decision.verdicts} == {
        "S01": "release",
        "S02": "withhold",
    }


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_an_answer_voids_it(lie: str) -> None:
    """One row that is not as it must be voids the whole answer, the good rows too."""
    told = answer()
    LIES[lie](told["verdicts"])

    with pytest.raises(PolicyBroken):
        CONTRACT.decision(told, ASKED, MARK)


@pytest.mark.parametrize(
    "told", [None, True, [], "release", {}, {"verdicts": []}, {"schema": "borgerbro/decision/2", "verdicts": []}]
)
def test_what_is_no_answer_is_no_decision(told: object) -> None:
    """Nothing, another shape, another version: no decision."""
    with pytest.raises(PolicyBroken):
        CONTRACT.decision(told, ASKED, MARK)


async def test_a_server_with_other_rules_than_ours_decides_nothing() -> None:
    """An OPA that answers well, from a bundle of another revision, gives no decision (P10); from ours it does."""
    revisions: list[str] = []

    async def answer_from_a_bundle(_: web.Request) -> web.StreamResponse:
        bundles = {"bundle": {"revision": revisions[-1]}}
        return web.json_response({"result": answer(), "provenance": {"version": "1.22.2", "bundles": bundles}})

    async with hostile(answer_from_a_bundle) as server:
        policy = await OpaPolicy.open(server.address, RULES, TABLES, deadline_seconds=20)
        try:
            revisions.append(CONTRACT.revision)
            assert (await policy.decide(ASKED)).mark.revision == CONTRACT.revision
            revisions.append("sha256:" + "0" * 64)
            with pytest.raises(PolicyBroken):
                await policy.decide(ASKED)
        finally:
            await policy.close()


class Liar:
    """A server of ours that was replaced: it says what it is told to, in perfect form."""

    def __init__(self, tell: Callable[[Decision], Decision]) -> None:
        self.mark = MARK
        self.tally: Counter[str] = Counter()
        self._tell = tell
        self._true = EmbeddedPolicy(RULES, TABLES)

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer, and perhaps lie."""
        return self._tell(await self._true.decide(question))

    async def close(self) -> None:
        """Nothing to close."""


def generous(decision: Decision) -> Decision:
    """Release everything on the basis of something."""
    basis = (Basis("consent", "C1", "1", "RSL-11a-1"),)
    return replace(decision, verdicts=tuple(Verdict(v.key, "release", basis=basis) for v in decision.verdicts))


async def told_of(liar: Liar, share: float, asks: int) -> tuple[ShadowedPolicy, list[Decision]]:
    """Ask a shadowed engine, wait until its shadow has looked at all it took, and give what it said."""
    shadowed = ShadowedPolicy(liar, RuleSet(RULES.modules, TABLES, RULES.folder), share=share)  # type: ignore[arg-type]  # keeps the same door
    decisions = [await shadowed.decide(ASKED) for _ in range(asks)]
    wanted = int(asks * share + 1e-9)
    async with asyncio.timeout(60):
        while sum(shadowed.shadow.tally.values()) < wanted:
            await asyncio.sleep(0.01)
    await shadowed.close()
    return shadowed, decisions


async def test_a_lie_in_perfect_form_is_found_beside_the_ask() -> None:
    """A server that releases what the rules do not is counted and logged, with no word of the question."""
    with capture_logs() as lines:
        shadowed, decisions = await told_of(Liar(generous), 1.0, 3)

    assert [decision.refused for decision in decisions] == [False] * 3
    assert shadowed.shadow.tally == {"differs": 3}
    assert {line["event"] for line in lines} == {"policy_engine_mismatch"}
    assert all(line.keys() <= {"event", "log_level", "why", "engine", "revision"} for line in lines)
    assert not [word for word in ("h-annette", "c-417", "S01") if word in str(lines)]


async def test_an_honest_server_is_never_counted() -> None:
    """The same question, truly answered: nothing differs, and only the share that was set is looked at."""
    shadowed, _ = await told_of(Liar(lambda decision: decision), 0.25, 20)

    assert shadowed.shadow.tally == {"same": 5}


async def test_a_shadow_that_hangs_delays_no_ask() -> None:
    """With the thread held up, asks go on at once; what does not fit is let go and counted."""
    shadow = Shadow(RuleSet(RULES.modules, TABLES, RULES.folder))
    shadow.end()
    decision = await EmbeddedPolicy(RULES, TABLES).decide(ASKED)
    for _ in range(MOST_WAITING + 10):
        shadow.put_aside(ASKED, decision)

    assert shadow.tally == {"let_go": 10}


def test_the_operator_sees_what_differs() -> None:
    """`policy_engine_mismatch_total` is 0 until a decision differs, and then says how many."""
    shadow = Shadow(RuleSet(RULES.modules, TABLES, RULES.folder))
    shadow.end()

    def told() -> list[float]:
        families = DoorsTold({}, {"policy_shadow": shadow}).collect()
        return [sample.value for family in families for sample in family.samples if "mismatch" in sample.name]

    before = told()
    shadow.tally.update(["differs", "failed", "same"])

    assert (before, told()) == ([0], [2])
