"""The rules of the house about Python code: each finds its violations, and brings one that it must find."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from broker.telemetry import FIELDS, LEVELS
from tests.house.source import Module, branches_in, dotted, imported_names, is_typed

Lines = Iterator[int]


@dataclass(frozen=True)
class Rule:
    """A promise about the code, where it does not hold and why, and a planted violation."""

    promise: str
    find: Callable[[Module], Lines]
    planted: str
    shipped_only: bool = True
    # Places where the rule does not hold, each with its reason. A name that ends in "/" is a folder.
    spared: tuple[tuple[str, str], ...] = ()

    def faults(self, module: Module) -> list[str]:
        """Give each violation as `path:line`, or nothing where the rule does not hold."""
        if (self.shipped_only and module.is_test) or self.spares(module.path):
            return []
        return [f"{module.path}:{line}" for line in self.find(module)]

    def spares(self, path: str) -> bool:
        """Tell whether this file is one of the named exceptions."""
        return any(path.startswith(place) if place.endswith("/") else path == place for place, _ in self.spared)


def long_module(module: Module) -> Lines:
    """Find a module of more than 300 code lines."""
    if len(module.code) > 300:
        yield 1


def long_function(module: Module) -> Lines:
    """Find functions of more than 40 code lines."""
    return (function.lineno for function in module.functions() if module.lines_of(function) > 40)


def branching_function(module: Module) -> Lines:
    """Find functions with more than 10 decision points."""
    return (function.lineno for function in module.functions() if branches_in(function) > 10)


def untyped_function(module: Module) -> Lines:
    """Find functions that leave a parameter or their answer untyped."""
    return (function.lineno for function in module.functions() if not is_typed(function))


def swallowed_error(module: Module) -> Lines:
    """Find handlers that take any error at all and let none out again."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises(node):
            yield node.lineno
        if isinstance(node, ast.Call) and dotted(node.func).endswith("suppress") and any(map(_is_broad, node.args)):
            yield node.lineno


def _is_broad(caught: ast.expr | None) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(name is None or dotted(name) in {"Exception", "BaseException"} for name in names)


def _raises(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Raise) for inner in ast.walk(node))


def assertion(module: Module) -> Lines:
    """Find assert statements, which `python -O` leaves out."""
    return (node.lineno for node in ast.walk(module.tree) if isinstance(node, ast.Assert))


def reading_of_environment(module: Module) -> Lines:
    """Find readings of environment variables."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in {"os.environ", "os.getenv", "os.environb"}:
            yield node.lineno
    yield from (line for line, name in imported_names(module) if name in {"os.environ", "os.getenv"})


def reading_of_clock(module: Module) -> Lines:
    """Find readings of the time of day; durations by `time.monotonic` are free."""
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
    for node in ast.walk(module.tree):
        # Named, not only called: a clock handed on as a function is read all the same.
        if isinstance(node, ast.Attribute) and any(f".{dotted(node)}".endswith(f".{clock}") for clock in clocks):
            yield node.lineno
    yield from (line for line, name in imported_names(module) if name in {"time.time", "time.time_ns"})


def disclosure(module: Module) -> Lines:
    """Find every way out of a Personal value."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr == "disclose":
            yield node.lineno


def dropped_field(module: Module) -> Lines:
    """Find a field of a log line that telemetry would drop unseen."""
    for call in module.calls():
        told = dotted(call.func)
        if told.startswith("log.") and told.split(".")[-1] in LEVELS:
            yield from (call.lineno for keyword in call.keywords if keyword.arg not in FIELDS)


def making_of(name: str) -> Callable[[Module], Lines]:
    """Find where a value is made that only one step may make, or copied with a change."""

    def find(module: Module) -> Lines:
        return (call.lineno for call in module.calls() if dotted(call.func).split(".")[-1] == name)

    return find


def undocumented_test(module: Module) -> Lines:
    """Find tests that do not say what they promise."""
    for function in module.functions():
        if module.is_test and function.name.startswith("test_") and not ast.get_docstring(function):
            yield function.lineno


def mock(module: Module) -> Lines:
    """Find mocking libraries and pytest-mock's fixture."""
    libraries = ("unittest.mock", "mock", "pretend", "flexmock", "pytest_mock")
    yield from (
        line for line, name in imported_names(module) if f"{name}.".startswith(tuple(f"{x}." for x in libraries))
    )
    for function in module.functions():
        if any(argument.arg == "mocker" for argument in function.args.args):
            yield function.lineno


def unwanted_library(module: Module) -> Lines:
    """Find HTTP clients that the house does not use."""
    unwanted = {"httpx", "requests", "niquests", "urllib3"}
    return (line for line, name in imported_names(module) if name.split(".")[0] in unwanted)


def bare_ignore(module: Module) -> Lines:
    """Find a silenced type error without its code and a reason."""
    marker = re.compile(r"#\s*type:\s*ignore(?!\[[a-z, -]+\]\s+# \w)")
    return (number for number, line in enumerate(module.text.splitlines(), start=1) if marker.search(line))


def empty_name(module: Module) -> Lines:
    """Find modules and classes named for nothing that they do."""
    words = {
        "utils",
        "util",
        "helpers",
        "helper",
        "common",
        "manager",
        "managers",
        "service",
        "services",
        "base",
        "misc",
    }
    if words.intersection(re.split(r"[/_.]", module.path)):
        yield 1
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and re.search(r"(Utils?|Helpers?|Manager|Service|Base)$", node.name):
            yield node.lineno


_LONG = "def f() -> None:\n" + "    x = 1\n" * 40
_BRANCHES = "def f(x: int) -> None:\n" + "    if x:\n        x = 1\n" * 11
_IGNORE = "# type" + ": ignore"

RULES = [
    Rule("A module has at most 300 code lines.", long_module, "x = 1\n" * 301),
    Rule("A function has at most 40 code lines.", long_function, _LONG),
    Rule("A function has at most 10 branches.", branching_function, _BRANCHES),
    Rule("Every parameter and every answer is typed.", untyped_function, "def f(x) -> int: ..."),
    Rule(
        "No handler of every error swallows it.",
        swallowed_error,
        "try:\n    f()\nexcept (ValueError, Exception):\n    pass",
        shipped_only=False,
    ),
    Rule("No suppression of every error.", swallowed_error, "with contextlib.suppress(Exception):\n    f()"),
    Rule("Shipped code does not assert.", assertion, "assert x"),
    Rule(
        "The environment is read at the door alone.",
        reading_of_environment,
        "import os\nx = os.environ['X']",
        spared=(
            ("broker/node.py", "serves the house"),
            ("broker/cli/", "opens the house, a command each"),
            ("demo/", "starts processes and hands them theirs"),
            ("tools/", "set-up of the developer's machine"),
        ),
    ),
    Rule(
        "The time of day comes through the clock's door.",
        reading_of_clock,
        "from datetime import datetime\nx = datetime.now",
        spared=(
            ("broker/adapters/clock_system.py", "is the real clock behind the door"),
            ("connectors/client.py", "runs in the department system, and signs its own time"),
            ("audit/witness_command.py", "a witness says as of when, by its own clock"),
            ("audit/checkpointer_command.py", "holds the witnesses' times against its own"),
            ("demo/", "what stands in for others' systems has clocks of its own"),
        ),
    ),
    Rule(
        "Personal values are disclosed at the border alone.",
        disclosure,
        "x = citizen.disclose()",
        spared=(
            ("broker/web/", "answers the caller, or shows the citizen their own"),
            ("broker/adapters/", "keeps and looks up under the citizen's key"),
            ("connectors/", "asks the source about the citizen"),
        ),
    ),
    Rule(
        "Only the record step makes a Recorded ask.",
        making_of("Recorded"),
        "x = steps.Recorded(ask)",
        spared=(("broker/exchange/record.py", "is the record step"),),
    ),
    Rule(
        "Only the release step makes a Released answer.",
        making_of("Released"),
        "x = Released(permit)",
        spared=(("broker/exchange/release.py", "is the release step"),),
    ),
    Rule(
        "Only the own look's first step makes it recorded.",
        making_of("OwnRecorded"),
        "x = OwnRecorded(look)",
        spared=(("broker/transparency/own_look.py", "is the road of the own look"),),
    ),
    Rule(
        "Only the own look's road permits it.",
        making_of("OwnPermit"),
        "x = OwnPermit(recorded)",
        spared=(("broker/transparency/own_look.py", "is the road of the own look"),),
    ),
    Rule(
        "Only the own look's last step shows it.",
        making_of("OwnShown"),
        "x = OwnShown(permit)",
        spared=(("broker/transparency/own_look.py", "is the road of the own look"),),
    ),
    Rule("A log line has no field that is dropped.", dropped_field, "log.warning('x', municipality='y')"),
    Rule("Every test says what it promises.", undocumented_test, "async def test_x() -> None: ...", shipped_only=False),
    Rule("Nothing is mocked.", mock, "from unittest import mock", shipped_only=False),
    Rule("No mocking fixture.", mock, "def test_x(mocker):\n    '''Promise.'''", shipped_only=False),
    Rule("aiohttp and httpx2 are the HTTP clients.", unwanted_library, "import requests", shipped_only=False),
    Rule("A silenced type error has code and reason.", bare_ignore, f"x = f()  {_IGNORE}[misc]", shipped_only=False),
    Rule("Names say what a thing does.", empty_name, "class ConsentManager: ...", shipped_only=False),
]
