"""A system's own records: read from a JSON file at start, replaceable while it runs, never written back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]

_HYPHENED_CPR = re.compile(r"(\d{6})-(\d{4})")
_ACCESS = "adgang"


class RecordsUnusableError(ValueError):
    """The records are not of this system's shape; says which list, never what it holds."""


class Records:
    """The lists a system holds. Any CPR number written with a hyphen is kept as ten digits."""

    def __init__(self, raw: Any, lists: Iterable[str]) -> None:
        self._names = frozenset(lists)
        self._at_start = self._checked(raw)
        self._now = self._at_start
        access = raw.get(_ACCESS, {})
        if not isinstance(access, dict) or not all(isinstance(value, str) for value in access.values()):
            raise RecordsUnusableError(f"`{_ACCESS}` must map names to texts")
        self.access: dict[str, str] = access

    def rows(self, name: str) -> list[Row]:
        """Give one list as it is now."""
        return self._now[name]

    def matching(self, name: str, **wanted: Any) -> list[Row]:
        """Give the rows of one list whose fields all equal the wanted values."""
        return [row for row in self.rows(name) if all(row.get(k) == v for k, v in wanted.items())]

    def replace(self, raw: Any) -> None:
        """Hold other records from now on. Raises `RecordsUnusableError` and keeps the old ones."""
        self._now = self._checked(raw)

    def reset(self) -> None:
        """Hold the records of the start again."""
        self._now = self._at_start

    def _checked(self, raw: Any) -> dict[str, list[Row]]:
        if not isinstance(raw, dict):
            raise RecordsUnusableError("records must be one object of lists")
        unknown = sorted(set(raw) - self._names - {_ACCESS})
        if unknown:
            raise RecordsUnusableError(f"unknown lists: {', '.join(unknown)}; known: {', '.join(sorted(self._names))}")
        return {name: _rows(name, raw.get(name, [])) for name in self._names}


def _rows(name: str, rows: Any) -> list[Row]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RecordsUnusableError(f"`{name}` must be a list of objects")
    return [_without_hyphens(row) for row in rows]


def _without_hyphens(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_hyphens(inner) for key, inner in value.items()}
        case list():
            return [_without_hyphens(inner) for inner in value]
        case str():
            return cpr_digits(value)
    return value


def cpr_digits(text: str) -> str:
    """Give a CPR number as ten digits, whether written with a hyphen or not; other texts stay as they are."""
    match = _HYPHENED_CPR.fullmatch(text)
    return match[1] + match[2] if match else text


def read_json(path: Path) -> Any:
    """Read one JSON file. Raises `RecordsUnusableError` naming the file only."""
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RecordsUnusableError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise RecordsUnusableError(f"{path}: not JSON") from None
