"""The table of defences fits the code and the tests it speaks of, and says what its page says."""

import ast
import json
from functools import cache
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tools.defences.table import PROVED, Defence, Edit, TableUnusable, read_table
from tools.defences.trial import BITTEN, BROKEN, SURVIVED, judge

DEFENCES = read_table(ROOT)
A_TEST = "tests/house/test_defences.py::test_a_missing_test_is_found"


@cache
def names_in(file: str) -> frozenset[str]:
    """Give every class and test of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def missing(tests: tuple[str, ...]) -> list[str]:
    """Give the tests of a list that are not there."""
    parts = [(test, test.split("::")) for test in tests]
    return [test for test, (file, *names) in parts if not (ROOT / file).is_file() or not set(names) <= names_in(file)]


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.name)
def test_every_switch_fits_the_code(defence: Defence) -> None:
    """What a defence replaces stands exactly once where it says, and the file is a program still without it."""
    for file, text in defence.edited(ROOT).items():
        assert text != (ROOT / file).read_text(encoding="utf-8")


def test_every_named_test_is_there() -> None:
    """No defence leans on a test that was renamed or removed."""
    assert [test for defence in DEFENCES for test in missing(defence.tests)] == []


def test_a_missing_test_is_found() -> None:
    """A name that is no test, and a file that is not there, are seen."""
    gone = (A_TEST + "_of_old", "tests/nowhere.py::test_x", A_TEST)

    assert missing(gone) == list(gone[:2])


def test_every_promise_to_be_proved_has_defences() -> None:
    """P1 to P6, P11 and P12 each have some."""
    assert {defence.promise for defence in DEFENCES} >= PROVED


@pytest.mark.parametrize(
    ("old", "text"),
    [
        ("if held:", "if held:\n    pass\nif held:\n    pass\n"),
        ("if held:", "nothing of the kind\n"),
        ("if held:\n    go()", "if held:\n    go_elsewhere()\n"),
    ],
    ids=["twice", "not at all", "half"],
)
def test_a_switch_that_does_not_fit_is_refused(old: str, text: str) -> None:
    """Text that stands twice, not at all or in part only is no switch."""
    with pytest.raises(TableUnusable):
        Edit("x.py", old, "if True:").applied(text)


def test_whole_lines_are_found_at_any_depth() -> None:
    """Lines are replaced with the indentation they stand at."""
    text = "class A:\n    def b(self):\n        if x:\n            raise E\n        return 1\n"

    edited = Edit("x.py", "if x:\n    raise E", "if x:\n    pass").applied(text)

    assert edited == "class A:\n    def b(self):\n        if x:\n            pass\n        return 1\n"


def test_a_switch_that_breaks_the_program_is_refused(tmp_path: Path) -> None:
    """A defence whose file is no Python any more without it shows nothing."""
    (tmp_path / "x.py").write_text("if x:\n    pass\n", encoding="utf-8")
    broken = Defence("n", "P1", "s.", (Edit("x.py", "if x:", "if:"),), (A_TEST,))

    with pytest.raises(TableUnusable, match="no Python"):
        broken.edited(tmp_path)


ROWS = {
    "it failed and said so": ([("call", ["AssertionError"])], BITTEN),
    "it raised what it was to refuse": ([("call", ["Failed"])], BITTEN),
    "it failed with one value": ([("call", []), ("call", ["AssertionError"])], BITTEN),
    "it failed, and left things lying about": ([("call", ["AssertionError"]), ("teardown", ["Warning"])], BITTEN),
    "it passed": ([("call", [])], SURVIVED),
    "it could not be imported": ([("call", ["ImportError"])], BROKEN),
    "its ground gave way": ([("setup", ["AssertionError"])], BROKEN),
    "it did not run": ([], BROKEN),
}


@pytest.mark.parametrize("how", ROWS)
def test_only_a_test_that_says_so_bites(how: str) -> None:
    """A named test must run, fail, and fail by its own word; a broken edit is no evidence."""
    ends, verdict = ROWS[how]
    defence = Defence("n", "P1", "s.", (Edit("x.py", "a", "b"),), (A_TEST,))
    seen = [{"test": f"{A_TEST}[{n}]", "stage": stage, "errors": errors} for n, (stage, errors) in enumerate(ends)]

    assert judge(defence, json.loads(json.dumps(seen)), "")[0] == verdict
