"""Read the tree's Python as syntax, and count what the rules of the house speak of."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {"node_modules", "__pycache__", "build"}
BRANCHES = ast.If | ast.For | ast.AsyncFor | ast.While | ast.ExceptHandler | ast.IfExp | ast.match_case

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One parsed file: its place from the root, its text, its syntax tree, and which lines hold code."""

    path: str
    text: str
    tree: ast.Module
    code: frozenset[int]

    @property
    def is_test(self) -> bool:
        """Tell a test, or what tests stand on, by its folder."""
        return self.path.startswith("tests/")

    def functions(self) -> Iterator[Function]:
        """Yield every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def calls(self) -> Iterator[ast.Call]:
        """Yield every call."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def lines_of(self, node: Function) -> int:
        """Count a function's code lines, from `def` to its last."""
        return len(self.code.intersection(range(node.lineno, (node.end_lineno or node.lineno) + 1)))


def parse(path: str, text: str) -> Module:
    """Parse one file's text; code lines are not blank, no comment and no docstring."""
    tree = ast.parse(text)
    prose = {line for node in ast.walk(tree) if isinstance(node, Documented) for line in docstring_lines(node)}
    lines = enumerate(text.splitlines(), start=1)
    code = {number for number, line in lines if line.strip() and not line.lstrip().startswith("#")}
    return Module(path, text, tree, frozenset(code - prose))


def docstring_lines(node: Documented) -> range:
    """Give the line numbers of a docstring, if there is one."""
    if ast.get_docstring(node) is None:
        return range(0)
    first = node.body[0]
    return range(first.lineno, (first.end_lineno or first.lineno) + 1)


def files(pattern: str) -> Iterator[Path]:
    """Yield the tree's own files, without hidden folders and what others put beside ours."""
    for path in sorted(ROOT.rglob(pattern)):
        folders = path.relative_to(ROOT).parts[:-1]
        if path.is_file() and not any(folder.startswith(".") or folder in ELSEWHERE for folder in folders):
            yield path


def whole_tree() -> list[Module]:
    """Parse every Python file of the project."""
    return [parse(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in files("*.py")]


def branches_in(function: Function) -> int:
    """Count a function's decision points, those of functions inside it too."""
    total = 0
    for node in ast.walk(function):
        total += isinstance(node, BRANCHES)
        if isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        if isinstance(node, ast.comprehension):
            total += len(node.ifs)
    return total


def is_typed(function: Function) -> bool:
    """Tell whether a caller can rely on the annotations alone."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    if named and named[0].arg in {"self", "cls"}:
        named = named[1:]
    stars = [star for star in (arguments.vararg, arguments.kwarg) if star]
    returns = function.returns is not None or function.name == "__init__"
    return returns and all(item.annotation for item in [*named, *arguments.kwonlyargs, *stars])


def imported_names(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the full dotted name of everything a module imports."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def dotted(node: ast.expr) -> str:
    """Give an attribute chain as written, `a.b.c`, or nothing for what is no such chain."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else f".{node.attr}"
    return ""
