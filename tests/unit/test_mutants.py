"""The damage done to the rules (`run.py mutants`): every kind is done, and who notices is told truly."""

import re
from collections import Counter
from pathlib import Path

import pytest

from broker.policy_lint import Module, parsed
from tests.model.questions import POLICIES
from tools.mutants.__main__ import main
from tools.mutants.damage import Mutant, mutants
from tools.mutants.equal import equal_mutants
from tools.mutants.jury import Jury
from tools.mutants.page import page_of_mutants
from tools.mutants.record import keep, measured, text_of

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


def test_what_changes_nothing_is_one_place_of_the_rules() -> None:
    """A damage that is argued away is made, in one place: a name of none is stale, one of two would hide a hole."""
    files = {name.split(":")[0] for name in equal_mutants()}
    made = Counter(mutant.name for file in files for mutant in mutants(rules(file)))

    assert {name: made[name] for name in equal_mutants()} == dict.fromkeys(equal_mutants(), 1)


@pytest.mark.parametrize("name", equal_mutants())
def test_what_changes_nothing_is_proved(name: str) -> None:
    """What spares work where a set is empty stands in a rule that asks for a member of that very set."""
    file, damage = name.split(": ", 1)
    spared = re.fullmatch(r"count\((\w+)\) > 0 -> (true|count\(\1\) >= 0)", damage)
    assert spared, "prove it here, or let the reason be tested"

    [around] = [body for body in rules(file).text.split("\n}") if f"\tcount({spared[1]}) > 0\n" in body]

    rule = around[around.rindex(" if {") :]
    assert re.search(rf"^\t(?!not |every )[^\n]* in {spared[1]}$", rule, re.MULTILINE)


def test_what_was_met_is_kept_and_shown(tmp_path: Path) -> None:
    """The page counts what was tried, names who noticed and what nobody did, and says when a file has changed since."""
    (tmp_path / "tests" / "rules").mkdir(parents=True)
    hole, change, wrong = (Mutant("lib.rego", 1, was, "true", "") for was in ("a == 1", "b == 1", "c == 1"))
    tried = [(hole, "survived"), (change, "survived"), (wrong, "table")]
    keep(tried, {change.name: "It says so."}, {"lib.rego": text_of("lib.rego")}, tmp_path)

    assert measured(tmp_path)["lib.rego"]["by"] == {"survived": 1, "table": 1}
    told = "\n".join(page_of_mutants(tmp_path))
    assert "1 of 2 mutants noticed (50.0%)." in told
    assert "| `lib.rego` | 2 | 1 | 1 | 0 | the file as it stands |" in told
    assert f"- `{hole.name}`" in told
    assert change.name not in told

    record = tmp_path / "tests" / "rules" / "mutants_measured.json"
    record.write_text(record.read_text().replace(measured(tmp_path)["lib.rego"]["text"], "0"))
    assert "| an earlier text of the file |" in "\n".join(page_of_mutants(tmp_path))


@pytest.mark.parametrize("part", [["--part", "0/4"], ["--part", "1"], ["--part", "1/4", "--keep"]])
def test_a_part_is_written_as_one(part: list[str]) -> None:
    """A part that is none is refused before anything is tried, and nothing is kept of a part."""
    with pytest.raises(SystemExit) as ended:
        main(part)

    assert ended.value.code == 2


def rules(file: str) -> Module:
    """Read a file of rules."""
    return parsed(file, (POLICIES / file).read_text("utf-8"))
