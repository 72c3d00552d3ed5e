"""The damage done to the rules (`run.py mutants`): every kind is done, and who notices is told truly."""

import pytest

from broker.policy_lint import parsed
from tests.model.questions import POLICIES
from tools.mutants.damage import Mutant, mutants
from tools.mutants.jury import Jury

SMALL = """
package broker.small

import future.keywords.not

open contains i if {
	some i, key in input.keys
	not i in (closed | late)
	key.level <= 3
	input.today == 20190304
	key.state == "granted"
	count(closed - late) > 0
	input.sure == true
}

closed contains i if some i, _ in input.keys

late contains i if {
	some i in (closed & closed)
	input.year + 1 < 2020
}
"""


@pytest.fixture(scope="module")
def made() -> dict[str, Mutant]:
    """Give every mutant of the small module by its name."""
    found = mutants(parsed("small.rego", SMALL))
    named = {mutant.name: mutant for mutant in found}
    assert len(named) == len(found)
    return named


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("key.level <= 3", "key.level < 3"),
        ("key.level <= 3", "key.level <= 4"),
        ("key.level <= 3", "true"),
        ("input.today == 20190304", "input.today != 20190304"),
        ('key.state == "granted"', 'key.state == "granted_x"'),
        ("not i in (closed | late)", "i in (closed | late)"),
        ("not i in (closed | late)", "not i in (closed & late)"),
        ("not i in (closed | late)", "not i in (closed - late)"),
        ("count(closed - late) > 0", "count(closed - late) >= 0"),
        ("count(closed - late) > 0", "count(closed | late) > 0"),
        ("some i in (closed & closed)", "some i in (closed | closed)"),
        ("input.sure == true", "input.sure == false"),
        ("input.year + 1 < 2020", "input.year - 1 < 2020"),
        ("input.year + 1 < 2020", "input.year + 1 <= 2020"),
        ("late contains i if {", "late contains i if { false;"),
    ],
)
def test_each_kind_of_damage_is_done(made: dict[str, Mutant], was: str, now: str) -> None:
    """Each small way to be wrong is tried once, in the line where it belongs, and nothing else changes."""
    mutant = made[f"small.rego: {was} -> {now}"]

    lines = SMALL.splitlines()
    assert lines[mutant.line - 1].strip() == was
    changed = [place for place, line in enumerate(mutant.text.splitlines(), 1) if line != lines[place - 1]]
    assert changed == [mutant.line]


def test_who_notices_is_told_truly() -> None:
    """A hole is noticed by the rules' table, what no engine can read is no mutant, and a change of nothing survives."""
    jury = Jury(seeds=5)
    text = (POLICIES / "caller.rego").read_text("utf-8")

    def damaged(was: str, now: str) -> Mutant:
        assert text.count(was) == 1
        return Mutant("caller.rego", 1, was, now, text.replace(was, now))

    hole = damaged("not nsis_accepted\n\tsome", "false\n\tsome")
    nothing = damaged("employed if input.caller.employed == true", "employed if input.caller.employed")
    no_rules = damaged("not nsis_accepted\n\tsome", "not nsis_accepted(\n\tsome")

    assert jury.try_one(hole) == "table"
    assert jury.try_one(no_rules) == "no rules"
    assert jury.try_one(nothing) == "survived"
