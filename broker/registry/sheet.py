"""A registry as written, read without trust: what has not the right shape is not there, and nothing here raises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from broker.registry.faults import Fault, Path, spelled
from broker.registry.text import Written


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a section: its name, where it stands, and its fields."""

    sheet: Sheet
    path: Path
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """What the entry is called."""
        return str(self.path[-1])

    @property
    def sound(self) -> bool:
        """Whether nothing in the entry, nor around it, has a wrong shape."""
        bad = self.sheet.bad
        around = any(self.path[:length] in bad for length in range(len(self.path) + 1))
        return not around and not any(path[: len(self.path)] == self.path for path in bad)

    def text(self, field: str) -> str | None:
        """Give a field's text; None where there is none of the right shape."""
        value = self.sheet.at((*self.path, field))
        return value if isinstance(value, str) else None

    def number(self, field: str) -> int | None:
        """Give a field's whole number; None where there is none of the right shape."""
        value = self.sheet.at((*self.path, field))
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def texts(self, field: str) -> list[tuple[Path, str]]:
        """Give a list's texts, each with its path; those of the wrong shape are left out."""
        inner = (*self.path, field)
        value = self.fields.get(field)
        found = [(*inner, number) for number in range(len(value))] if isinstance(value, list) else []
        return [(path, told) for path in found if isinstance(told := self.sheet.at(path), str)]

    def fault(self, field: str | None, what: str, remedy: str) -> Fault:
        """Make a fault of this entry, or of one of its fields."""
        path = self.path if field is None else (*self.path, field)
        return self.sheet.fault(path, what, remedy)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The file, and the paths that have faults of shape already."""

    written: Written
    bad: frozenset[Path]

    def at(self, path: Path) -> Any:
        """Give what stands at a path, or None: also where its shape is wrong."""
        value = self.written.value
        for length, part in enumerate(path, start=1):
            if path[:length] in self.bad:
                return None
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def rows(self, *section: str | int) -> Iterator[Row]:
        """Yield the entries of a section that have fields."""
        found = self.at(section)
        for name, fields in found.items() if isinstance(found, dict) else ():
            if isinstance(fields, dict):
                yield Row(self, (*section, name), fields)

    def row(self, *path: str) -> Row | None:
        """Give one entry, or None."""
        found = self.at(path)
        return Row(self, path, found) if isinstance(found, dict) else None

    def names(self, *section: str) -> list[str]:
        """List the names of a section, whatever stands under them."""
        found = self.at(section)
        return list(found) if isinstance(found, dict) else []

    def fault(self, path: Path, what: str, remedy: str) -> Fault:
        """Make a fault at a path."""
        return Fault(self.written.place(path), spelled(path), what, remedy)
