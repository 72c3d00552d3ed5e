"""What keeps a registry from being used: each fault with where it stands, what is wrong, and what would mend it.

Rules kept here:
- A fault repeats a name only where names belong; never what stands in a setting, and nothing of a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.*-]{0,62}", re.ASCII)
# Of a long list of what would be right, a reader needs the beginning.
_MOST_NAMES = 12


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; lines and columns count from 1. Line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: its place, the entry (`units.jobcentre.cases`, or empty), what is wrong, and the remedy."""

    place: Place
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        entry = f"{self.where}: " if self.where else ""
        return f"{self.place}: {entry}{self.what}; {self.remedy}"


class RegistryFaults(ValueError):
    """The registry cannot be used. `found` lists every reason by place, `faults` the same as one line each."""

    def __init__(self, found: Iterable[Fault]) -> None:
        self.found = tuple(sorted(set(found)))
        self.faults = [str(fault) for fault in self.found]
        super().__init__("\n".join(self.faults))


def spelled(path: Path) -> str:
    """Write a path as one reads it: `units.jobcentre.name`, `systems.a.units[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}" if text else shown(part)
    return text


def shown(name: str) -> str:
    """Give a name as it may be repeated; what is no name is not repeated."""
    return name if _NAME.fullmatch(name) else "(no name)"


def listed(names: Iterable[str]) -> str:
    """Write names in a row, the first dozen of them."""
    known = [shown(name) for name in names]
    return ", ".join(known[:_MOST_NAMES]) + (", ..." if len(known) > _MOST_NAMES else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Give the known name that was probably meant, or None."""
    found: Sequence[str] = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None
