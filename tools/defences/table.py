"""The table of defences, `tests/defences/*.yaml`: what each is, how it is switched off, which tests must then fail.

A switch is an edit: text that stands exactly once in a file, and what takes its place. Text of several lines is whole
lines, written without the indentation they share.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

FOLDER = Path("tests/defences")
PROMISES = tuple(f"P{number}" for number in range(1, 13))
# Issue 3 is about these; the others have defences in the table where there are some.
PROVED = frozenset({"P1", "P2", "P3", "P4", "P5", "P6", "P11", "P12"})
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIELDS = {"name", "promise", "says", "off", "tests"}
_MAY = {"raises"}


class TableUnusable(ValueError):
    """The table or one of its edits is not what it should be; the message names the place."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: `old` stands exactly once in `file` and becomes `new`."""

    file: str
    old: str
    new: str

    def applied(self, text: str) -> str:
        """Give the file's text after the edit; raise `TableUnusable` unless `old` stands in it exactly once."""
        places = list(_places(text, self.old))
        if len(places) != 1:
            raise TableUnusable(f"{self.file}: stands {len(places)} times, not once: {self.old!r}")
        start, end, indent = places[0]
        new = textwrap.indent(self.new, indent) if "\n" in self.old else self.new
        return text[:start] + new + text[end:]


@dataclass(frozen=True, slots=True)
class Defence:
    """One defence. `tests` are pytest's names of the tests that fail when it is off.

    `raises` names errors beyond a failed assertion by which these tests may fail: each is what the promise forbids.
    """

    name: str
    promise: str
    says: str
    off: tuple[Edit, ...]
    tests: tuple[str, ...]
    raises: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files it stands in, each once."""
        return tuple(dict.fromkeys(edit.file for edit in self.off))

    @property
    def tested_in(self) -> tuple[str, ...]:
        """The files of its tests, each once."""
        return tuple(dict.fromkeys(test.partition("::")[0] for test in self.tests))

    def edited(self, root: Path) -> dict[str, str]:
        """Give each file as it reads with the defence off. Raises `TableUnusable`."""
        texts: dict[str, str] = {}
        for edit in self.off:
            before = texts.get(edit.file) or (root / edit.file).read_text(encoding="utf-8")
            texts[edit.file] = edit.applied(before)
            if edit.file.endswith(".py"):
                _parses(edit.file, texts[edit.file])
        return texts


def read_table(root: Path) -> list[Defence]:
    """Read the whole table, in order of promise and place. Raises `TableUnusable`."""
    files = sorted((root / FOLDER).glob("*.yaml"))
    defences = [defence for file in files for defence in _read(file)]
    names = [defence.name for defence in defences]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise TableUnusable(f"these names are there twice: {', '.join(doubled)}")
    return sorted(defences, key=lambda defence: PROMISES.index(defence.promise))


def _read(file: Path) -> Iterator[Defence]:
    try:
        rows = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise TableUnusable(f"{file.name}: is no YAML: {error}") from None
    for place, row in enumerate(rows or []):
        yield _defence(row, f"{file.name}[{place}]")


def _defence(row: Mapping[str, Any], place: str) -> Defence:
    if not isinstance(row, Mapping) or not set(row) >= _FIELDS or not set(row) <= _FIELDS | _MAY:
        raise TableUnusable(f"{place}: needs {', '.join(sorted(_FIELDS))} and may have {', '.join(sorted(_MAY))}")
    edits = tuple(Edit(str(edit["file"]), str(edit["old"]), str(edit["new"])) for edit in row["off"])
    made = Defence(
        str(row["name"]), str(row["promise"]), str(row["says"]), edits, _texts(row["tests"]), _texts(row.get("raises"))
    )
    if _NAME.fullmatch(made.name) is None or made.promise not in PROMISES or not made.says.endswith("."):
        raise TableUnusable(f"{place}: its name, promise or sentence is not one")
    if not edits or not made.tests:
        raise TableUnusable(f"{place}: nothing switches it off, or no test bites")
    return made


def _texts(value: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(str(text) for text in value or ())


def _places(text: str, old: str) -> Iterator[tuple[int, int, str]]:
    """Find each place of a text: where it starts and ends, and the indentation that its lines share there."""
    if "\n" not in old:
        yield from ((found.start(), found.end(), "") for found in re.finditer(re.escape(old), text))
        return
    lines, sought = text.splitlines(keepends=True), old.splitlines()
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for first in range(len(lines) - len(sought) + 1):
        indent = _indent(lines[first])[len(_indent(old)) :]
        there = [line.rstrip("\n") for line in lines[first : first + len(sought)]]
        if there == textwrap.indent(old, indent).splitlines():
            yield starts[first], starts[first] + len("\n".join(there)), indent


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _parses(file: str, text: str) -> None:
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise TableUnusable(f"{file}: is no Python any more with the defence off: {error}") from None
