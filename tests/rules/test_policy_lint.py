"""The lint of the portable profile: clean on our rules, and each check bites on what it is there for."""

from pathlib import Path

import pytest

from broker.policy_lint import CHECKS, lint
from tests.model.questions import POLICIES

HEAD = """# METADATA
# scope: package
# title: Something
package broker.x

import data.tables
import future.keywords.not

kept if input.a == tables.a
"""
PLANTED = {
    "unknown_builtin": ("now := n if n := time.now_ns()", "time.now_ns is not in the profile"),
    "unknown_builtin, of the server": ("env := e if e := opa.runtime()", "opa.runtime is not in the profile"),
    "nested_head": ("m[k] contains v if some k, v in input.m", "without brackets or dots"),
    "nested_head, an object": ("m[k] := 1 if some k in input.m", "without brackets or dots"),
    "busy_head": ("s contains input.a if kept", "bind it in the body"),
    "busy_head, a value": ("s := count(input.a) if kept", "bind it in the body"),
    "otherwise": ("s := 1 if kept\nelse := 2", "`else`"),
    "two_values": ("s := 1 if kept\n\ns := 2 if input.b == 1", "s is given more than once"),
    "careless_not": ("s if not input.a", "`not` of something else"),
    "careless_not, a comparison": ("s if not input.a == 1", "`not` of something else"),
    "careless_not, a builtin": ("s if not is_number(input.a)", "`not` of something else"),
    "unguarded_order": ("s if input.age < 18", "input.age may be no number"),
    "unguarded_order, turned": ("s if 18 >= input.age", "input.age may be no number"),
    "unguarded_order, computed": ("s if input.age + 1 > 18", "may be no number"),
    "unused_name": ("s if {\n\tsome i, key in input.keys\n\tkey.a == 1\n}", "i is bound and never used"),
    "unused_name, assigned": ("s if {\n\tx := input.a\n\tkept\n}", "x is bound and never used"),
    "undeclared_name": ("s if input.m[x].a == 1", "x is bound by nothing"),
    "undeclared_name, bound elsewhere": (
        "s if input.m[x].a == 1\n\nt contains x if some x in input.m",
        "x is bound by nothing",
    ),
    "stray_test": ("test_s if kept", "test_s stands outside"),
    "unreadable": ("s if {", "the embedded engine cannot read it"),
}
SOUND = [
    "s if not kept",
    "s if not input.a in tables.b",
    "s if {\n\tis_number(input.age)\n\tinput.age < tables.majority\n}",
    "s contains [i, a] if {\n\tsome i, key in input.keys\n\ta := key.a\n}",
    "s := tables.a - tables.b",
    "s if count(input.a) > 0",
    "n := count(input.a)\n\ns if n > 0",
    "f(a, _) if {\n\tevery b in a {\n\t\tb in input.c\n\t}\n}",
    "s := {d | some d, _ in input.m}",
]


def faults(folder: Path, body: str, head: str = HEAD) -> list[str]:
    """Lint one module."""
    (folder / "x.rego").write_text(f"{head}\n{body}\n")
    return lint(folder)


def test_our_rules_are_portable() -> None:
    """Every rule in `policies/` keeps to the profile."""
    assert lint(POLICIES) == []


@pytest.mark.parametrize("name", PLANTED)
def test_each_check_bites(tmp_path: Path, name: str) -> None:
    """A planted break of each rule of the profile is found, and named."""
    body, said = PLANTED[name]

    found = faults(tmp_path, body)

    assert found
    assert all(fault.startswith("x.rego:") and said in fault for fault in found)


@pytest.mark.parametrize("body", SOUND)
def test_what_is_sound_passes(tmp_path: Path, body: str) -> None:
    """What the profile allows is left alone."""
    assert faults(tmp_path, body) == []


def test_not_without_its_import(tmp_path: Path) -> None:
    """`not` without the import that makes it cover undefined arguments is found."""
    [fault] = faults(tmp_path, "s if not kept", HEAD.replace("import future.keywords.not\n", ""))

    assert "`not` without import" in fault


def test_foreign_import(tmp_path: Path) -> None:
    """An import of anything but data is found."""
    head = HEAD.replace("import data.tables\n", "import data.tables\nimport input.a\n")

    assert faults(tmp_path, "s if kept", head) == ["x.rego:1: import of input.a"]


def test_untitled(tmp_path: Path) -> None:
    """A file that does not say what it is for is found."""
    assert faults(tmp_path, "", "package broker.x") == ["x.rego:1: no METADATA with a title above the package"]


@pytest.mark.parametrize("text", ['s := $"{input.a}"', "s := $`{input.a}`"])
def test_templates(tmp_path: Path, text: str) -> None:
    """A string template is found, whether or not the embedded engine can read it."""
    assert any("template" in fault or "cannot read" in fault for fault in faults(tmp_path, text))


def test_a_function_without_a_body(tmp_path: Path) -> None:
    """A function without a body is found, and one the embedded engine cannot even read."""
    assert "without `if`" in faults(tmp_path, "f(x) := x")[0]
    assert faults(tmp_path, 'g("*", _)')


def test_packages_in_a_circle(tmp_path: Path) -> None:
    """Packages that import one another are found: the embedded engine refuses them when it runs, not when it reads."""
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        head = HEAD.replace("broker.x", f"broker.{name}").replace("data.tables", f"data.broker.{other}")
        (tmp_path / f"{name}.rego").write_text(head.replace("tables.a", f"{other}.kept"))

    assert [fault.split(": ")[1] for fault in lint(tmp_path)] == [
        f"broker.{name} imports itself by way of others" for name in "abc"
    ]


def test_every_check_has_its_plant() -> None:
    """No check is without a test that shows it biting."""
    planted = {name.split(",")[0] for name in PLANTED}
    elsewhere = {"bare_function", "foreign_import", "template_string", "untitled"}

    assert {check.__name__ for check in CHECKS} <= planted | elsewhere
