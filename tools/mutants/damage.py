"""The mutants: each is the rules with one small thing wrong, as a tired hand or a hostile one would leave it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from broker.policy_lint import Module

Node = dict[str, Any]
Change = tuple[int, int, str]  # Where the text is replaced, as bytes from and to, and by what.
Changes = Iterator[Change]

# What stands there and what is put in its place.
COMPARED = {
    "Eq": ("==", "!="), "Ne": ("!=", "=="), "Lt": ("<", "<="), "Le": ("<=", "<"), "Gt": (">", ">="), "Ge": (">=", ">"),
}  # fmt: skip
JOINED = {
    "Union": ("|", "&-"), "Intersection": ("&", "|-"), "Sub": ("-", "|&"), "Add": ("+", "-"), "Mul": ("*", "+"),
    "Div": ("/", "*"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One damage: in which file and line, what was there and what stands there now, and the whole file with it."""

    file: str
    line: int
    was: str
    now: str
    text: str

    @property
    def name(self) -> str:
        """Name it so that it is found again also when lines move: file, what was there, what stands there now."""
        return f"{self.file}: {' '.join(self.was.split())} -> {' '.join(self.now.split()) or '(nothing)'}"


def mutants(module: Module) -> list[Mutant]:
    """Make every mutant of a module, in the order of its lines; some of them may not compile."""
    source = module.text.encode()
    made = {change for tag, node in module.nodes for kind in _KINDS.get(tag, ()) for change in kind(source, node)}
    return [_mutant(module.name, source, change) for change in sorted(made)]


def _mutant(file: str, source: bytes, change: Change) -> Mutant:
    begin, end, now = change
    text = source[:begin] + now.encode() + source[end:]
    # What a reader needs to know the place: the damaged line as it was and as it is.
    first = source.rfind(b"\n", 0, begin) + 1
    last = source.find(b"\n", end)
    was = source[first:last].decode()
    became = (source[first:begin] + now.encode() + source[end:last]).decode()
    return Mutant(file, source.count(b"\n", 0, begin) + 1, was, became, text.decode())


def _between(node: Node) -> tuple[int, int]:
    """Find where the operator of two operands may stand."""
    return _span(node["lhs"])["end"], _span(node["rhs"])["start"]


def _span(expression: Node) -> Node:
    [inner] = expression.values()
    span: Node = inner["span"]
    return span


def _comparison(source: bytes, node: Node) -> Changes:
    was, now = COMPARED[node["op"]]
    begin, end = _between(node)
    at = source.find(was.encode(), begin, end)
    if at >= 0:
        yield at, at + len(was), now


def _joining(source: bytes, node: Node) -> Changes:
    was, others = JOINED.get(node["op"], ("", ""))
    begin, end = _between(node)
    at = source.find(was.encode(), begin, end) if was else -1
    if at >= 0:
        yield from ((at, at + 1, other) for other in others)


def _unnegated(source: bytes, node: Node) -> Changes:
    begin, end = node["span"]["start"], _span(node["expr"])["start"]
    if source[begin:end].strip() == b"not":
        yield begin, end, ""


def _condition_dropped(_source: bytes, query: Node) -> Changes:
    """Take one condition away: what always holds stands there instead."""
    for statement in query["stmts"]:
        begin, end = statement["span"]["start"], statement["span"]["end"]
        yield begin, end, "true"


def _number(source: bytes, node: Node) -> Changes:
    begin, end = node["span"]["start"], node["span"]["end"]
    value = source[begin:end].decode()
    if value.isdecimal():
        yield begin, end, str(int(value) + 1)


def _words(source: bytes, node: Node) -> Changes:
    begin, end = node["span"]["start"], node["span"]["end"]
    yield begin, end, source[begin:end].decode() + "_x"


def _truth(source: bytes, node: Node) -> Changes:
    begin, end = node["span"]["start"], node["span"]["end"]
    yield begin, end, "false" if source[begin:end] == b"true" else "true"


def _rule_dropped(source: bytes, rule: Node) -> Changes:
    """Take one of a set's rules away: its condition never holds."""
    if "Set" in rule["head"]:
        for body in rule["bodies"]:
            begin = body["query"]["span"]["start"]
            if source[begin : begin + 1] == b"{":
                yield begin, begin + 1, "{ false;"


_KINDS: dict[str, tuple[Callable[[bytes, Node], Changes], ...]] = {
    "BoolExpr": (_comparison,),
    "BinExpr": (_joining,),
    "ArithExpr": (_joining,),
    "NotExpr": (_unnegated,),
    "query": (_condition_dropped,),
    "Number": (_number,),
    "String": (_words,),
    "Bool": (_truth,),
    "Spec": (_rule_dropped,),
}
