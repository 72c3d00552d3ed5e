"""The rules of the house hold over the whole tree, and each of them can fail."""

import ast

import pytest

from tests.house.rules import RULES, Rule
from tests.house.source import ROOT, Module, parse, whole_tree

BY_PROMISE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.promise)


@pytest.fixture(scope="module")
def tree() -> list[Module]:
    """Give every Python file of the project, parsed once."""
    return whole_tree()


@BY_PROMISE
def test_the_house_keeps_its_rule(rule: Rule, tree: list[Module]) -> None:
    """No file of the project breaks this rule, but for the exceptions it names."""
    faults = [fault for module in tree for fault in rule.faults(module)]
    assert not faults, f"{rule.promise} Not so: {', '.join(faults)}"


@BY_PROMISE
def test_the_rule_finds_what_breaks_it(rule: Rule) -> None:
    """A planted violation is found: a check that cannot fail is no check."""
    place = "broker/exchange/planted.py" if rule.shipped_only else "tests/unit/test_planted.py"
    assert rule.faults(parse(place, rule.planted))


def test_the_rules_see_the_house(tree: list[Module]) -> None:
    """The tree that the rules walk holds the shipped code, the tests, and nothing of others."""
    seen = {module.path for module in tree}
    assert {"run.py", "broker/ports.py", "audit/merkle.py", "tests/house/test_code.py"} <= seen
    assert not any(".venv" in path or "node_modules" in path for path in seen)


@BY_PROMISE
def test_every_exception_to_a_rule_is_needed(rule: Rule, tree: list[Module]) -> None:
    """An exception that its files do not use is taken back."""
    for place, _reason in rule.spared:
        spared = [module for module in tree if module.path.startswith(place)]
        assert not spared or any(any(rule.find(module)) for module in spared), place


@pytest.mark.parametrize(
    "innocent",
    ["x = time.monotonic()", "x = candidate.now()", "try:\n    f()\nexcept Exception:\n    raise Mine from None"],
)
def test_what_is_allowed_is_left_alone(innocent: str) -> None:
    """The rules do not mistake durations, other things' `now` or a translated error for violations."""
    module = parse("broker/exchange/planted.py", innocent)
    assert [rule.promise for rule in RULES if rule.faults(module)] == []


def test_run_py_speaks_to_old_pythons() -> None:
    """run.py holds nothing that an older Python could not parse, so that it can say what it needs."""
    ast.parse((ROOT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 7))
