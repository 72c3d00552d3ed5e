"""Laws of the policy: they hold for every question, not only for those we thought of."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.domain.asks import Key
from broker.domain.decisions import Decision
from tests.model.engines import RULES, TABLES
from tests.model.questions import NO_END, block, line, random_question

POLICY = EmbeddedPolicy(RULES, TABLES)
questions = st.integers(0, 2**48).map(lambda seed: random_question(random.Random(seed)))
many = settings(max_examples=150, deadline=None)


def decide(question: dict[str, Any]) -> Decision:
    """Ask the embedded engine, which answers without waiting for anything."""
    work = POLICY.decide(question)
    try:
        work.send(None)
    except StopIteration as answered:
        decision: Decision = answered.value
        return decision
    pytest.fail("the embedded engine waits for nothing")


def released(question: dict[str, Any]) -> set[Key]:
    """Give the keys that may go out."""
    return {verdict.key for verdict in decide(question).verdicts if verdict.released}


@many
@given(questions)
def test_no_rule_no_data(question: dict[str, Any]) -> None:
    """P1: each key has one verdict; what goes out names a basis that is really there; what does not, a reason."""
    decision = decide(question)

    assert [vars_of(verdict.key) for verdict in decision.verdicts] == question["keys"]
    lines = {(row["consent"], str(row["version"])) for row in question["consents"] if row["state"] == "granted"}
    for verdict in decision.verdicts:
        assert bool(verdict.basis) == verdict.released
        assert bool(verdict.reasons) != verdict.released
        for basis in verdict.basis:
            assert (basis.id, basis.version) in lines or basis.id in TABLES["statutes"]


@many
@given(questions)
def test_nothing_outside_the_bound(question: dict[str, Any]) -> None:
    """Nothing goes out that the purpose does not name, that is never shared, or that the source does not hold."""
    bound = TABLES["purposes"][question["ask"]["purpose"]]["categories"] if known(question) else []

    for key in released(question):
        assert key.category in bound
        assert not TABLES["categories"][key.category]["never"]
        assert key.category in TABLES["sources"][key.source]["categories"]


@many
@given(questions)
def test_withdrawal_bites(question: dict[str, Any]) -> None:
    """P3: once every line is withdrawn, nothing goes out on consent, and nothing goes out that did not before."""
    withdrawn = question | {"consents": [row | {"state": "withdrawn"} for row in question["consents"]]}

    after = decide(withdrawn)

    assert {basis.kind for verdict in after.verdicts for basis in verdict.basis} <= {"own_case", "statute"}
    assert released(withdrawn) <= released(question)


@many
@given(questions, st.data())
def test_a_line_taken_away_never_widens(question: dict[str, Any], data: st.DataObject) -> None:
    """Withdrawing, pausing or ending any one line never lets anything more go out."""
    if not question["consents"]:
        return
    place = data.draw(st.integers(0, len(question["consents"]) - 1))
    change = data.draw(st.sampled_from([{"state": "withdrawn"}, {"state": "paused"}, {"to": 20190101}]))
    lines = [row | change if n == place else row for n, row in enumerate(question["consents"])]

    assert released(question | {"consents": lines}) <= released(question)


@many
@given(questions, st.data())
def test_a_block_never_widens(question: dict[str, Any], data: st.DataObject) -> None:
    """A block takes away what rests on consent, never gives; and where nothing went out it shows nothing new."""
    key = data.draw(st.sampled_from(question["keys"]))
    fields = data.draw(st.sets(st.sampled_from(["source", "category"])))
    blocked = question | {"blocks": [*question["blocks"], block(key["subject"], **{f: key[f] for f in fields})]}

    before, after = decide(question), decide(blocked)

    for was, now in zip(before.verdicts, after.verdicts, strict=True):
        assert was.released or (not now.released and now.shown == was.shown)


@many
@given(questions)
def test_what_is_missing_would_help(question: dict[str, Any]) -> None:
    """The lines named as missing, once given, turn each refusal for want of consent."""
    for verdict in decide(question).verdicts:
        if verdict.missing:
            helped = question | {"consents": [*question["consents"], *given_lines(question, verdict.key)]}

            assert verdict.key in released(helped)


@many
@given(questions)
def test_nothing_is_asked_where_it_would_not_help(question: dict[str, Any]) -> None:
    """Whoever is refused for another reason than consent, or for a reason of the log, is told of no missing line."""
    for verdict in decide(question).verdicts:
        rows = [TABLES["reasons"][code] for code in verdict.reasons]
        if any(row["stage"] != 5 or not row["caller"] for row in rows):
            assert verdict.missing == ()


@many
@given(questions, st.randoms(use_true_random=False))
def test_order_means_nothing(question: dict[str, Any], chance: random.Random) -> None:
    """P10: the same facts in another order give the same decision."""
    shuffled = dict(question)
    for part in ("consents", "blocks", "subjects"):
        shuffled[part] = chance.sample(question[part], len(question[part]))

    assert decide(shuffled) == decide(question)


@many
@given(questions)
def test_every_reason_is_explained(question: dict[str, Any]) -> None:
    """Every reason given stands in the table, with its paragraph and a sentence in Danish and in English."""
    for code in decide(question).reasons(shown=False):
        row = TABLES["reasons"][code]
        assert row["paragraph"]
        assert row["da"].endswith(".")
        assert row["en"].endswith(".")


def vars_of(key: Key) -> dict[str, str]:
    """Lay a key out as the question does."""
    return {"source": key.source, "category": key.category, "subject": key.subject}


def known(question: dict[str, Any]) -> bool:
    """Tell whether the purpose is one we know."""
    return question["ask"]["purpose"] in TABLES["purposes"]


def given_lines(question: dict[str, Any], key: Key) -> list[dict[str, Any]]:
    """Give a yes for one key from everyone around its subject: the person, their guardian, their custody holders."""
    [subject] = [one for one in question["subjects"] if one["handle"] == key.subject]
    givers = {key.subject, subject["guardian"], *(row["holder"] for row in subject["custody"])} - {None}
    whom = {
        "recipient": question["caller"]["unit"],
        "purpose": question["ask"]["purpose"],
        "case": question["ask"]["case"],
        "from": 0,
        "to": NO_END,
    }
    return [
        line(key.source, key.category, key.subject, giver, id=f"given-{n}", **whom)
        for n, giver in enumerate(sorted(givers))
    ]
