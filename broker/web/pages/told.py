"""Rows of JSON as templates read them: what was left out is None there, not an error."""

from __future__ import annotations

from typing import Any


class Told(dict[str, Any]):
    """A row in which a field that is left out reads as None."""

    def __missing__(self, key: str) -> None:
        """Give None for what was not told."""
        return


def told(value: Any) -> Any:
    """Make every row of a JSON value one that may leave fields out."""
    match value:
        case dict():
            return Told({name: told(part) for name, part in value.items()})
        case list():
            return [told(part) for part in value]
        case _:
            return value
