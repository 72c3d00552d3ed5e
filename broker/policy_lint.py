"""The portable profile: the Rego that every engine reads alike, held by a lint (`policy.md` 4).

An ordinary, idiomatic policy gave false releases where the engines differ. So the rules keep to what they share; each
check below names one thing that they do not, or that makes a rule vanish instead of refuse.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import regorus

# No clock, no network, no randomness, no text formatting: each differs between engines or between two runs.
BUILTINS = frozenset({
    "count", "concat", "floor", "min", "max", "sum", "is_number", "is_string", "object.get", "object.keys",
    "startswith", "endswith", "trim_space", "trim_suffix", "set",
})  # fmt: skip
# What an OPA server's own housekeeping may use besides; no other engine runs it.
SERVER_BUILTINS = frozenset({"opa.runtime"})
NUMERIC = frozenset({"count", "floor", "min", "max", "sum"})
ORDERED = frozenset({"Lt", "Le", "Gt", "Ge"})
PLAIN = frozenset({"Var", "String", "RawString", "Number", "Bool", "True", "False", "Null", "Array", "Set", "Object"})
NOT_COVERS_UNDEFINED = "future.keywords.not"

Node = dict[str, Any]
Found = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Module:
    """One Rego file, parsed by the engine that knows the least."""

    name: str
    text: str
    ast: Node

    @cached_property
    def package(self) -> str:
        """Its package, such as `broker.consent`."""
        return _path(self.ast["package"]["refr"])

    @cached_property
    def imports(self) -> frozenset[str]:
        """What it imports, as full paths."""
        return frozenset(_path(one["refr"]) for one in self.ast["imports"])

    @cached_property
    def rules(self) -> tuple[Node, ...]:
        """Its rules with a head and bodies; defaults stand apart."""
        return tuple(rule["Spec"] for rule in self.ast["rules"] if "Spec" in rule)

    @cached_property
    def named(self) -> frozenset[str]:
        """The names its own rules and functions have."""
        return frozenset(_name(rule) for rule in self.rules)

    @property
    def nodes(self) -> Iterator[tuple[str, Node]]:
        """Every node of its tree with its kind, outer before inner."""
        return _walk(self.ast)

    def source(self, node: Node) -> str:
        """Give the text of a node, as it was written."""
        span = _span(node)
        return self.text.encode()[span["start"] : span["end"]].decode()


def lint(folder: Path) -> list[str]:
    """List every break of the profile in a folder's rules as `file:line: what`; empty when there is none."""
    files = sorted(file for file in folder.glob("*.rego") if not file.name.endswith("_test.rego"))
    return lint_modules({file.name: file.read_text("utf-8") for file in files})


def lint_modules(texts: Mapping[str, str]) -> list[str]:
    """List every break of the profile in rules by file name, as `lint` does."""
    faults: list[str] = []
    modules: list[Module] = []
    for name, text in texts.items():
        try:
            modules.append(parsed(name, text))
        except RuntimeError:
            faults.append(f"{name}:1: the embedded engine cannot read it")
            continue
        faults += faults_of(modules[-1])
    return sorted({*faults, *_cycles(modules)})


def faults_of(module: Module) -> list[str]:
    """List every break of the profile in one file, as `file:line: what`."""
    return [f"{module.name}:{line}: {what}" for check in CHECKS for line, what in check(module)]


def parsed(name: str, text: str) -> Module:
    """Read one Rego file; raise `RuntimeError` when the embedded engine cannot."""
    engine = regorus.Engine()
    engine.add_policy(name, text)
    return Module(name, text, json.loads(engine.get_ast_as_json())[0]["ast"])


def unknown_builtin(module: Module) -> Found:
    """Calls go to the builtins that all engines have alike, or to functions of ours."""
    allowed = BUILTINS | (SERVER_BUILTINS if module.name.startswith("opa_") else frozenset())
    ours = module.named | {path.rsplit(".", 1)[-1] for path in module.imports}
    for tag, node in _walk(module.ast):
        if tag == "Call":
            called = _path(node["fcn"])
            if called not in allowed and called.split(".")[0] not in ours:
                yield node["span"]["line"], f"{called} is not in the profile"


def nested_head(module: Module) -> Found:
    """Facts are flat sets: no `m[k] contains v`, no `a[k] := v`, no `a.b := v`."""
    for rule in module.rules:
        [(_, head)] = rule["head"].items()
        if "Var" not in head["refr"]:
            yield head["span"]["line"], "a head names one rule, without brackets or dots"


def busy_head(module: Module) -> Found:
    """A head with a body holds literals and variables alone: an undefined reference there ends other turns too."""
    for rule in module.rules:
        if not rule["bodies"]:
            continue
        [(_, head)] = rule["head"].items()
        held = head.get("key") or (head.get("assign") or {}).get("value")
        if held is not None and not _is_plain(held):
            yield head["span"]["line"], "the head refers to something: bind it in the body"


def bare_function(module: Module) -> Found:
    """Every function has a body."""
    for rule in module.rules:
        if "Func" in rule["head"] and not rule["bodies"]:
            yield rule["span"]["line"], "a function without `if` and a body"


def otherwise(module: Module) -> Found:
    """No `else`."""
    for rule in module.rules:
        for body in rule["bodies"]:
            if body["is_else"]:
                yield body["span"]["line"], "`else`"


def two_values(module: Module) -> Found:
    """A value is given in one place: two rules that give one are an error in one engine and a choice in another."""
    giving = [rule for rule in module.rules if _gives_value(rule)]
    seen = Counter(_name(rule) for rule in giving)
    for rule in giving:
        if seen[_name(rule)] > 1:
            yield rule["span"]["line"], f"{_name(rule)} is given more than once"


def careless_not(module: Module) -> Found:
    """`not` covers an undefined argument only where the import says so, and negates a named rule or a membership."""
    ours = module.named | {path.rsplit(".", 1)[-1] for path in module.imports}
    for tag, node in _walk(module.ast):
        if tag != "NotExpr":
            continue
        if NOT_COVERS_UNDEFINED not in module.imports:
            yield node["span"]["line"], f"`not` without import {NOT_COVERS_UNDEFINED}"
        [(kind, negated)] = node["expr"].items()
        called = _path(negated["fcn"]) if kind == "Call" else _path(node["expr"])
        if kind != "Membership" and called.split(".")[0] not in ours:
            yield node["span"]["line"], "`not` of something else than a named rule or a membership"


def unguarded_order(module: Module) -> Found:
    """Numbers are compared with numbers: `null < 18` is true, so an unknown age would make a minor."""
    for rule in module.rules:
        sure = _sure_numbers(module, rule)
        for tag, node in _walk(rule["bodies"]):
            if tag == "BoolExpr" and node["op"] in ORDERED:
                for side in (node["lhs"], node["rhs"]):
                    if not _is_number(module, side, sure):
                        yield node["span"]["line"], f"{module.source(side)} may be no number: guard it"


def unused_name(module: Module) -> Found:
    """A name that is bound is used: what is bound and forgotten is a condition that somebody meant to write."""
    for rule in module.rules:
        uses = Counter(node["value"] for tag, node in _walk(rule) if tag == "Var")
        for name, line in _bound(rule):
            if name != "_" and uses[name] == 1:
                yield line, f"{name} is bound and never used"


def undeclared_name(module: Module) -> Found:
    """A name is declared before it is used: one that nothing binds stands for anything there is, so rules open."""
    for rule in module.rules:
        declared = _known(module) | {name for name, _ in _bound(rule)} | set(_given(module, rule))
        for tag, node in _walk(rule):
            if tag == "Var" and node["value"] not in declared:
                yield node["span"]["line"], f"{node['value']} is bound by nothing"


def foreign_import(module: Module) -> Found:
    """Imports are of data, or the one keyword that mends `not`."""
    for path in module.imports:
        if not path.startswith("data.") and path != NOT_COVERS_UNDEFINED:
            yield 1, f"import of {path}"


def template_string(module: Module) -> Found:
    """No string templates: other engines cannot read them, or format otherwise."""
    for number, line in enumerate(module.text.splitlines(), 1):
        if '$"' in line.split("#")[0] or "$`" in line.split("#")[0]:
            yield number, "a string template"


def untitled(module: Module) -> Found:
    """Each file says in its METADATA what it is for."""
    above = module.text.split("\npackage ", 1)[0]
    if not above.startswith("# METADATA") or "# title:" not in above:
        yield 1, "no METADATA with a title above the package"


def stray_test(module: Module) -> Found:
    """Tests stand in files of their own, `*_test.rego`: only these stay out of the bundle."""
    for rule in module.rules:
        if _name(rule).startswith("test_"):
            yield rule["span"]["line"], f"{_name(rule)} stands outside a *_test.rego file"


CHECKS: tuple[Callable[[Module], Found], ...] = (
    unknown_builtin, nested_head, busy_head, bare_function, otherwise, two_values, careless_not, unguarded_order,
    unused_name, undeclared_name, foreign_import, template_string, untitled, stray_test,
)  # fmt: skip


def _cycles(modules: list[Module]) -> Iterator[str]:
    """Packages do not import one another in a circle: the embedded engine takes a whole package as one rule."""
    imports = {module.package: {path.removeprefix("data.") for path in module.imports} for module in modules}
    for module in modules:
        reached, ahead = set[str](), list(imports[module.package])
        while ahead:
            package = ahead.pop()
            if package not in reached:
                reached.add(package)
                ahead += imports.get(package, ())
        if module.package in reached:
            yield f"{module.name}:1: {module.package} imports itself by way of others"


def _walk(node: Any) -> Iterator[tuple[str, Node]]:
    """Give every tagged node of a tree: the engine writes each as an object with its kind as the only member."""
    if isinstance(node, dict):
        for tag, inner in node.items():
            if isinstance(inner, dict):
                yield tag, inner
            yield from _walk(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _walk(inner)


def _path(expression: Node) -> str:
    """Write a reference as a dotted path; what is no plain reference has none."""
    match expression:
        case {"Var": {"value": str(name)}}:
            return name
        case {"RefDot": {"refr": inner, "field": [_, str(name)]}}:
            return f"{_path(inner)}.{name}"
    return ""


def _root(expression: Node) -> str:
    """Name what a reference starts from."""
    for kind in ("RefDot", "RefBrack"):
        if kind in expression:
            return _root(expression[kind]["refr"])
    return _path(expression)


def _name(rule: Node) -> str:
    [(_, head)] = rule["head"].items()
    return _root(head["refr"])


def _span(node: Node) -> Node:
    [(_, inner)] = node.items()
    span: Node = inner["span"]
    return span


def _is_plain(expression: Node) -> bool:
    return all(tag in PLAIN or not _is_kind(tag) for tag, _ in _walk(expression))


def _is_kind(tag: str) -> bool:
    return tag[:1].isupper()


def _gives_value(rule: Node) -> bool:
    [(kind, head)] = rule["head"].items()
    return kind != "Set" and bool(head.get("assign"))


def _bound(rule: Node) -> Iterator[tuple[str, int]]:
    for tag, node in _walk(rule):
        if tag == "SomeIn":
            for part in (node["key"], node["value"]):
                yield from ((var["value"], var["span"]["line"]) for kind, var in _walk(part) if kind == "Var")
        elif tag == "AssignExpr" and node["op"] == "ColEq":
            yield _path(node["lhs"]), node["span"]["line"]


def _known(module: Module) -> frozenset[str]:
    """Name what every rule of a module may use: its own rules, its imports, what is called (`unknown_builtin`)."""
    called = {_root(node["fcn"]) for tag, node in module.nodes if tag == "Call"}
    return module.named | called | {path.rsplit(".", 1)[-1] for path in module.imports} | {"_", "data", "input"}


def _given(module: Module, rule: Node) -> Iterator[str]:
    """Name a function's arguments, and what `every` goes through."""
    [(_, head)] = rule["head"].items()
    yield from (_path(argument) for argument in head.get("args", ()))
    for tag, node in _walk(rule["bodies"]):
        if tag == "Every":
            for span in filter(None, (node["key"], node["value"])):
                yield module.text.encode()[span["start"] : span["end"]].decode()


def _sure_numbers(module: Module, rule: Node) -> frozenset[str]:
    """Collect what is sure to be a number in a rule: tested, computed by a rule, or taken from a set by its parts."""
    sure = {_name(other) for other in module.rules if _is_computed(other)}
    for tag, node in _walk(rule["bodies"]):
        if tag == "Call" and _path(node["fcn"]) == "is_number":
            sure.add(module.source(node["params"][0]))
        elif tag == "SomeIn" and "Array" in node["value"]:
            sure |= {var["value"] for kind, var in _walk(node["value"]) if kind == "Var"}
    return frozenset(sure)


def _is_computed(rule: Node) -> bool:
    [(_, head)] = rule["head"].items()
    match head.get("assign"):
        case {"value": {"Call": {"fcn": called}}}:
            return not rule["bodies"] and _path(called) in NUMERIC
    return False


def _is_number(module: Module, expression: Node, sure: frozenset[str]) -> bool:
    """Tell whether an operand is surely a number: a literal, computed, from our own tables, or guarded."""
    [(kind, node)] = expression.items()
    if kind == "ArithExpr":
        return all(_is_number(module, node[side], sure) for side in ("lhs", "rhs"))
    if kind == "Call":
        return _path(node["fcn"]) in NUMERIC
    return kind == "Number" or _root(expression) == "tables" or module.source(expression) in sure
