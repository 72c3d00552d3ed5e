"""The text of a registry file, or of one that it names: YAML 1.2 to plain values, each with its place.

Rules kept here:
- Only what JSON can say, too: no tags, directives or second document. A day is a text like any other.
- An alias counts as what it stands for, so that a small file never becomes a large value.
- A name stands once in its mapping; nothing is overwritten silently.
- Bounds on size, depth and number of values; only a plain file is read. No fault repeats a word of the file.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from broker.registry.faults import Fault, Path, Place, RegistryFaults, spelled

MOST_BYTES = 8_388_608
MOST_DEPTH = 40
MOST_VALUES = 500_000
# Lays another mapping under this one, as authors of mappings know it from YAML 1.1.
MERGE = "<<"

# The core schema of YAML 1.2 (10.3.2), without infinity and what is not a number: JSON has no word for them.
_CONSTANTS = {
    word: value
    for value, words in ((None, "null Null NULL ~"), (True, "true True TRUE"), (False, "false False FALSE"))
    for word in words.split()
} | {"": None}
_WHOLE = re.compile(r"[-+]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Written:
    """One file as it is written: its value, and where each entry stands (a mapping's or list's entry: at its name)."""

    file: str
    value: Any
    places: Mapping[Path, Place] = field(repr=False)
    names: Mapping[Path, Place] = field(repr=False)
    faults: tuple[Fault, ...] = ()

    def place(self, path: Path, *, name: bool = False) -> Place:
        """Give the place of an entry (with `name`, of its name), or of the nearest one around it that is there."""
        for length in range(len(path), -1, -1):
            near = path[:length]
            if (name or length < len(path)) and near in self.names:
                return self.names[near]
            if near in self.places:
                return self.places[near]
        return Place(self.file)


def read_file(file: FilePath, name: str) -> Written:
    """Read one YAML file that faults call by that name; raise `RegistryFaults` where it cannot be read at all."""
    text = _text(file, name)
    try:
        return _Reading(name).read(text)
    except _Unreadable as found:
        raise RegistryFaults([found.fault]) from None
    except ReaderError:
        raise _whole(name, "holds a character that no YAML file may hold", "take out what cannot be printed") from None
    except YAMLError as error:
        raise RegistryFaults([_not_yaml(error, name)]) from None
    except (ValueError, OverflowError, RecursionError):
        raise _whole(name, "not YAML", "write it as YAML 1.2 or JSON") from None


def _text(file: FilePath, name: str) -> str:
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _whole(name, "is not a plain file", "name a file of YAML")
        if status.st_size > MOST_BYTES:
            raise _whole(
                name, f"is larger than {MOST_BYTES} bytes", "name the registry, or share mappings by reads_file"
            )
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise _whole(name, f"cannot be read ({type(error).__name__})", "look at its name and its rights") from None
    except ValueError as error:
        if isinstance(error, RegistryFaults):
            raise
        raise _whole(name, "is not text in UTF-8", "save it as UTF-8") from None


def _not_yaml(error: YAMLError, name: str) -> Fault:
    """Say where the text is no YAML; the library's own words may repeat the text, and are not used."""
    mark, begin = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    mark = mark or begin
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
    since = (
        f" (it belongs to what begins on line {begin.line + 1})" if mark and begin and begin.line < mark.line else ""
    )
    remedy = "look at the indent, the quotes and brackets, and the colon before here"
    return Fault(place, "", f"not YAML from here on{since}", remedy)


def _whole(name: str, what: str, remedy: str) -> RegistryFaults:
    return RegistryFaults([Fault(Place(name), "", what, remedy)])


class _Unreadable(Exception):
    """The text cannot be read on from here."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A value that has a name in its file, how many values it is, and how deep it goes."""

    value: Any
    values: int
    depth: int


class _Reading:
    """One reading of one text: events become values, places and faults."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._places: dict[Path, Place] = {}
        self._names: dict[Path, Place] = {}
        self._faults: list[Fault] = []
        self._values = 0
        self._deepest = 0
        self._anchors: dict[str, _Anchored] = {}

    def read(self, text: str) -> Written:
        events: Iterator[Event] = iter(YAML(typ="safe", pure=True).parse(text))
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._stop(event, (), "a second document begins here", "keep the registry in one document")
                if event.version is not None or event.tags:
                    raise self._stop(event, (), "a directive stands here", "take out the line that begins with %")
                value = self._value(next(events), events, ())
        return Written(self._file, value, self._places, self._names, tuple(self._faults))

    def _value(self, event: Event, events: Iterator[Event], path: Path) -> Any:
        if isinstance(event, AliasEvent):
            return self._alias(event, path)
        before, deepest, self._deepest = self._values, self._deepest, len(path)
        self._check(event, path, len(path))
        self._places[path] = self._names.get(path, self._at(event)) if _opens(event) else self._at(event)
        if isinstance(event, MappingStartEvent):
            value: Any = self._mapping(events, path)
        else:
            value = self._list(events, path) if isinstance(event, SequenceStartEvent) else _scalar(event)
        if (anchor := getattr(event, "anchor", None)) is not None:
            self._anchors[str(anchor)] = _Anchored(value, self._values - before, self._deepest - len(path))
        self._deepest = max(deepest, self._deepest)
        return value

    def _alias(self, event: AliasEvent, path: Path) -> Any:
        """Give what an alias stands for, counted as if it were written out. The value is shared, not copied."""
        found = self._anchors.get(str(event.anchor))
        if found is None:
            raise self._stop(event, path, "an alias (*) of nothing before it", "write the value out")
        self._places[path] = self._at(event)
        self._values += found.values - 1
        self._check(event, path, len(path) + found.depth)
        self._deepest = max(self._deepest, len(path) + found.depth)
        return found.value

    def _check(self, event: Event, path: Path, depth: int) -> None:
        self._values += 1
        if getattr(event, "tag", None) is not None:
            raise self._stop(event, path, "a tag (!) stands here", "take it out; values are plain")
        if depth > MOST_DEPTH:
            raise self._stop(event, (), f"nested deeper than {MOST_DEPTH}", "no registry goes that deep")
        if self._values > MOST_VALUES:
            raise self._stop(event, (), f"more than {MOST_VALUES} values", "no registry is that large")

    def _mapping(self, events: Iterator[Event], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        under: dict[str, Any] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise self._stop(event, path, "a name that is no text", "write a short name before the colon")
            self._check(event, path, len(path))
            name = str(event.value)
            inner = (*path, name)
            if name == MERGE and event.style is None:
                under |= self._merged(next(events), events, inner)
            elif name in found:
                first = self._names[inner].line
                what, remedy = f"stands here again, first on line {first}", "keep one of the two"
                self._faults.append(Fault(self._at(event), spelled(inner), what, remedy))
                self._skip(next(events), events, len(inner))
            else:
                self._names[inner] = self._at(event)
                found[name] = self._value(next(events), events, inner)
        return under | found

    def _merged(self, event: Event, events: Iterator[Event], path: Path) -> dict[str, Any]:
        """Give what a merge key lays under a mapping; what the mapping says itself goes before it."""
        laid = self._value(event, events, path)
        if not isinstance(laid, dict):
            raise self._stop(event, path[:-1], "<< lays no mapping under this one", "name one mapping: <<: *name")
        return laid

    def _list(self, events: Iterator[Event], path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            found.append(self._value(event, events, (*path, len(found))))
        return found

    def _skip(self, event: Event, events: Iterator[Event], depth: int) -> None:
        """Read past a value that is not kept."""
        opened = 0
        while True:
            self._check(event, (), depth + opened)
            opened += 1 if _opens(event) else -1 if isinstance(event, MappingEndEvent | SequenceEndEvent) else 0
            if not opened:
                return
            event = next(events)

    def _at(self, event: Event) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _stop(self, event: Event, path: Path, what: str, remedy: str) -> _Unreadable:
        return _Unreadable(Fault(self._at(event), spelled(path), what, remedy))


def _opens(event: Event) -> bool:
    return isinstance(event, MappingStartEvent | SequenceStartEvent)


def _scalar(event: Event) -> Any:
    text = str(getattr(event, "value", ""))
    if getattr(event, "style", None) is not None:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
