"""Personal: a value about a person that cannot be printed by accident.

Rules kept here:
- `repr`, `str` and formatting say `Personal(...)`, never the value.
- Pickling, copying and `dataclasses.asdict` refuse: they would lay the value bare.
- `disclose` is the only way out, so a search for that name finds every way out.
"""

from __future__ import annotations

from typing import Generic, Never, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Personal(Generic[T_co]):
    """A value that shows itself only to code that asks for it by name."""

    __slots__ = ("_value",)

    def __init__(self, value: T_co) -> None:
        self._value = value

    def disclose(self) -> T_co:
        """Give the value out. Only the web, adapters and connectors may call this (held by a house test)."""
        return self._value

    def plain(self: Personal[str]) -> Personal[str]:
        """Give a text by its letters and digits alone, still closed, to hold against what was written before."""
        return Personal("".join(letter for letter in self._value.casefold() if letter.isalnum()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Personal) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Personal(...)"

    def __reduce__(self) -> Never:
        # Also stops copy, deepcopy and dataclasses.asdict.
        raise TypeError("a personal value does not leave the process")
