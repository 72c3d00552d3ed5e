"""Laws of the policy: they hold for every question, not only for those we thought of."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.domain.asks import Key
from broker.domain.decisions import Decision, Missing, Verdict
from tests.model.engines import RULES, TABLES
from tests.model.questions import BO, NO_END, block, line, random_question, representative

POLICY = EmbeddedPolicy(RULES, TABLES)
questions = st.integers(0, 2**48).map(lambda seed: random_question(random.Random(seed)))
many = settings(max_examples=150, deadline=None)
CONSENT_STAGE, OF_AGE = 5, 18
Hide = Callable[[dict[str, Any], str, st.DataObject], dict[str, Any]]


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
def test_a_role_taken_away_or_narrowed_never_widens(question: dict[str, Any], data: st.DataObject) -> None:
    """Nobody is wider than their roles: one less, one never attested, or one for another's citizens gives no more."""
    roles = question["caller"]["roles"]
    if not roles:
        return
    place = data.draw(st.integers(0, len(roles) - 1))
    narrowed = data.draw(
        st.sampled_from(
            [[], [{"kle": []}], [{"sensitivity": 0}], [{"attested_on": 19000101}], [{"delegated_from": "dragsholm"}]]
        )
    )
    kept = [row | change for row in [roles[place]] for change in narrowed]
    fewer = [*roles[:place], *kept, *roles[place + 1 :]]

    assert released(question | {"caller": question["caller"] | {"roles": fewer}}) <= released(question)


@many
@given(questions, st.sampled_from(["born", "municipality", "protected", "custody"]))
def test_what_is_not_known_never_widens(question: dict[str, Any], what: str) -> None:
    """A register that tells less of the citizen never lets more go out."""
    unknown = [] if what == "custody" else None
    citizen, *rest = question["subjects"]
    told = question | {"subjects": [citizen | {what: unknown}, *rest]}

    assert released(told) <= released(question)


@many
@given(questions)
def test_a_protected_case_never_widens(question: dict[str, Any]) -> None:
    """Marking a case as protected, or naming nobody on it, takes away and never gives."""
    case = question["case"]
    marked, unnamed = (question | {"case": case | change} for change in ({"vip": True}, {"caseworker_named": False}))

    assert released(marked) <= released(question)
    assert released(unnamed) <= released(question)


@many
@given(questions, st.data())
def test_a_block_never_widens(question: dict[str, Any], data: st.DataObject) -> None:
    """A block takes away what rests on consent, never gives; where nothing went out it shows nothing new."""
    key = data.draw(st.sampled_from(question["keys"]))
    fields = data.draw(st.sets(st.sampled_from(["source", "category"])))
    blocked = question | {"blocks": [*question["blocks"], block(key["subject"], **{f: key[f] for f in fields})]}

    before, after = decide(question), decide(blocked)

    for was, now in zip(before.verdicts, after.verdicts, strict=True):
        assert was.released or (not now.released and as_shown(now) == as_shown(was))


@many
@given(questions)
def test_what_is_missing_would_help(question: dict[str, Any]) -> None:
    """The lines named as missing, once given, turn each refusal for want of consent, unless the log knows better."""
    for verdict in decide(question).verdicts:
        if verdict.missing and verdict.reasons == verdict.shown:
            helped = question | {"consents": [*question["consents"], *given_lines(question, verdict.key)]}

            assert verdict.key in released(helped)


@many
@given(questions)
def test_nothing_is_asked_where_it_would_not_help(question: dict[str, Any]) -> None:
    """Whoever is shown another reason than want of consent is told of no missing line."""
    for verdict in decide(question).verdicts:
        if any(TABLES["reasons"][code]["stage"] != CONSENT_STAGE for code in verdict.shown):
            assert verdict.missing == ()


@many
@given(questions, st.data())
def test_a_hidden_fact_leaves_no_shadow(question: dict[str, Any], data: st.DataObject) -> None:
    """P6: where no consent is complete, nothing shown tells of protection, kinship, blocks, custody or age."""
    subject = data.draw(st.sampled_from(question["subjects"]))["handle"]
    name = data.draw(st.sampled_from(sorted(HIDDEN)))
    changed = HIDDEN[name](question, subject, data)
    said = said_yes_to(question) | said_yes_to(changed)

    for was, now in zip(decide(question).verdicts, decide(changed).verdicts, strict=True):
        # That others hold custody too is told, by `CUSTODY_INCOMPLETE`, where one of the holders has said yes.
        told = name == "no custody" and "CUSTODY_INCOMPLETE" in was.shown
        assert was.key in said or told or as_shown(was) == as_shown(now)


@many
@given(questions)
def test_what_is_shown_is_the_askers_to_see(question: dict[str, Any]) -> None:
    """P6: whatever is withheld shows a reason, never one of the log alone, and all that the asker may see."""
    for verdict in decide(question).verdicts:
        visible = tuple(code for code in verdict.reasons if TABLES["reasons"][code]["caller"])
        assert bool(verdict.shown) != verdict.released
        assert all(TABLES["reasons"][code]["caller"] for code in verdict.shown)
        assert not visible or verdict.shown == visible


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


def as_shown(verdict: Verdict) -> tuple[str, tuple[str, ...], tuple[Missing, ...]]:
    """Give what the asker sees of one verdict."""
    return verdict.outcome, verdict.shown, verdict.missing


def said_yes_to(question: dict[str, Any]) -> set[Key]:
    """Give the keys with a complete consent (or the law's): what goes out where no hidden fact stands against it."""
    bare = {"known": True, "protected": False, "dead_on": None}
    known = [one | bare for one in question["subjects"]]
    plain = [one | {"representatives": []} | ({"born": 20100101} if is_minor(one, question) else {}) for one in known]
    freed = question | {"related": False, "blocks": [], "case": question["case"] | {"vip": False}}
    return released(freed | {"subjects": known}) | released(freed | {"subjects": plain})


def is_minor(subject: dict[str, Any], question: dict[str, Any]) -> bool:
    """Tell whether custody holders speak for someone; of a child of unknown age that is supposed."""
    if subject["born"] is None:
        return bool(subject["child_of_citizen"])
    return bool((question["today"] - subject["born"]) // 10000 < OF_AGE)


def of_subject(**changes: Any) -> Hide:
    """Change what the register tells of one person."""

    def hide(question: dict[str, Any], handle: str, _: st.DataObject) -> dict[str, Any]:
        subjects = [one | changes if one["handle"] == handle else one for one in question["subjects"]]
        return question | {"subjects": subjects}

    return hide


def a_block(question: dict[str, Any], handle: str, data: st.DataObject) -> dict[str, Any]:
    """Let the subject of a key stand against all of it, or some."""
    key = data.draw(st.sampled_from([one for one in question["keys"] if one["subject"] == handle] or question["keys"]))
    fields = data.draw(st.sets(st.sampled_from(["source", "category"])))
    stands = block(key["subject"], **{field: key[field] for field in fields})
    return question | {"blocks": [*question["blocks"], stands]}


def a_young_person(question: dict[str, Any], handle: str, data: st.DataObject) -> dict[str, Any]:
    """Let a child be 15 or more, or younger, who has said nothing themself."""
    [subject] = [one for one in question["subjects"] if one["handle"] == handle]
    spoke = any(row["subject"] == row["giver"] == handle for row in question["consents"])
    if not subject["child_of_citizen"] or not is_minor(subject, question) or spoke:
        return question
    years = data.draw(st.integers(0, OF_AGE - 1))
    return of_subject(born=question["today"] - years * 10000)(question, handle, data)


def of_child(**changes: Any) -> Hide:
    """Change what the register tells of one child of the citizen."""

    def hide(question: dict[str, Any], handle: str, data: st.DataObject) -> dict[str, Any]:
        children = {one["handle"] for one in question["subjects"] if one["child_of_citizen"]}
        return of_subject(**changes)(question, handle, data) if handle in children else question

    return hide


def _represented(question: dict[str, Any], handle: str, data: st.DataObject) -> dict[str, Any]:
    kind = data.draw(st.sampled_from(["guardian_6", "guardian_5", "future_power", "power_of_attorney", "assistant"]))
    scope = data.draw(st.sets(st.sampled_from(["personal", "economic", "data_sharing"])))
    row = representative(BO, kind) | {"scope": sorted(scope)}
    return of_subject(representatives=[row])(question, handle, data)


def a_guardian(question: dict[str, Any], handle: str, data: st.DataObject) -> dict[str, Any]:
    """Let somebody be a grown-up's guardian, attorney or assistant."""
    [subject] = [one for one in question["subjects"] if one["handle"] == handle]
    return question if is_minor(subject, question) else _represented(question, handle, data)


HIDDEN: dict[str, Hide] = {
    "protected": of_subject(protected=True),
    "not protected": of_subject(protected=False),
    "perhaps protected": of_subject(protected=None),
    "no custody": of_subject(custody=[]),
    "related": lambda question, _, __: question | {"related": True},
    "a protected case": lambda question, _, __: question | {"case": question["case"] | {"vip": True}},
    "a block": a_block,
    "a guardian": a_guardian,
    "a dead child": of_child(dead_on=20180101),
    "an unknown child": of_child(known=False),
    "another age": a_young_person,
}


def vars_of(key: Key) -> dict[str, str]:
    """Lay a key out as the question does."""
    return {"source": key.source, "category": key.category, "subject": key.subject}


def known(question: dict[str, Any]) -> bool:
    """Tell whether the purpose is one we know."""
    return question["ask"]["purpose"] in TABLES["purposes"]


def given_lines(question: dict[str, Any], key: Key) -> list[dict[str, Any]]:
    """Give a yes for one key from everyone around its subject: the person, their guardian, their custody holders."""
    [subject] = [one for one in question["subjects"] if one["handle"] == key.subject]
    givers = {key.subject, *(row["holder"] for row in subject["representatives"] + subject["custody"])}
    whom = {
        "recipient": question["caller"]["unit"],
        "purpose": question["ask"]["purpose"],
        "case": question["ask"]["case"],
        "from": question["today"],
        "to": NO_END,
    }
    return [
        line(key.source, key.category, key.subject, giver, id=f"given-{n}", **whom)
        for n, giver in enumerate(sorted(givers))
    ]
