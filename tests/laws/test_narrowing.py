"""A municipality narrows what the law allows, and never widens it: by rule, by question, by registry."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.domain.decisions import Verdict
from tests.builders import REGISTRY, a_registry
from tests.model.engines import RULES, TABLES
from tests.model.plain_policy import plain_decision
from tests.model.questions import random_question, tables

CATEGORIES = sorted(TABLES["categories"])
PURPOSES = sorted(TABLES["purposes"])
narrowings = st.dictionaries(
    st.sampled_from([*PURPOSES, "none_of_ours"]), st.lists(st.sampled_from([*CATEGORIES, "X99"]), max_size=12)
)
questions = st.integers(0, 2**48).map(lambda seed: random_question(random.Random(seed)))


def verdicts(question: dict[str, Any], law: dict[str, Any]) -> list[Verdict]:
    """Ask the embedded engine with these tables; it waits for nothing."""
    work = EmbeddedPolicy(RULES, law).decide(question)
    with pytest.raises(StopIteration) as answered:
        work.send(None)
    return list(answered.value.value.verdicts)


def narrowed(kept: dict[str, list[str]]) -> dict[str, Any]:
    """Give the tables with both municipalities narrowed alike."""
    return tables(
        municipalities={home: {"strict_kle": False, "purposes": kept} for home in ("korsbaek", "norrestrand")}
    )


@settings(max_examples=120, deadline=None)
@given(questions, narrowings)
def test_whatever_a_municipality_writes_nothing_more_goes_out(question: dict[str, Any], kept: dict[str, Any]) -> None:
    """For every question and every narrowing: each verdict is the law's own, or it is withheld with a stage-3 reason.

    So no key is released, no basis found, no reason softened and no consent asked for that was not before.
    """
    law, ours = verdicts(question, narrowed({})), verdicts(question, narrowed(kept))

    keeps = kept.get(question["ask"]["purpose"])
    for before, after in zip(law, ours, strict=True):
        assert before.key == after.key
        if keeps is None or before.key.category in keeps:
            assert after == before
        else:
            assert not after.released
            assert not after.missing


@settings(max_examples=60, deadline=None)
@given(questions, narrowings)
def test_rules_and_model_narrow_alike(question: dict[str, Any], kept: dict[str, Any]) -> None:
    """What the municipality gave up ends in stage 3, in the rules as in their plain twin."""
    law = narrowed(kept)
    told = [(v.key.source, v.key.category, v.released, sorted(v.reasons)) for v in verdicts(question, law)]

    assert told == [
        (row["source"], row["category"], row["outcome"] != "withhold", row["reasons"])
        for row in plain_decision(question, law)["verdicts"]
    ]


def narrowing(purpose: str, row: Any) -> dict[str, Any]:
    """Give the little registry's municipalities, the asking one narrowed."""
    homes = REGISTRY["municipalities"]
    return {"municipalities": homes | {"korsbaek": homes["korsbaek"] | {"purposes": {purpose: row}}}}


@given(purpose=st.sampled_from(PURPOSES), data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_registry_lets_nobody_widen(tmp_path_factory: pytest.TempPathFactory, purpose: str, data: Any) -> None:
    """A registry is taken with exactly those `only:` that the law's table holds whole; any other is refused."""
    from broker.registry import RegistryFaults

    only = data.draw(st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=6, unique=True))
    folder = tmp_path_factory.mktemp("registry")
    within = set(only) <= set(TABLES["purposes"][purpose]["categories"])

    if within:
        directory = a_registry(folder, **narrowing(purpose, {"only": only})).directory
        assert directory.bound("korsbaek", purpose) == set(only)
        assert directory.bound("norrestrand", purpose) == directory.purposes[purpose].categories
    else:
        with pytest.raises(RegistryFaults, match="narrows a purpose and never widens it"):
            a_registry(folder, **narrowing(purpose, {"only": only}))
