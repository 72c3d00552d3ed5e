"""What a verifier remembers of the logs it has checked, in one file of its own.

Each log's last verified head lets the next run check only what is new, and see that nothing old was changed or taken
back. How far a run had come lets one that was broken off go on. The file is the verifier's own word: who can write it
can make it forget, so keep it where the log's owner has no hand.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit import base64_strict
from audit.durable_file import replace_file
from audit.errors import Malformed
from audit.merkle import Frontier

FORMAT = "borgerbro-verified-logs@1"


@dataclass(frozen=True, slots=True)
class Kept:
    """One log as last verified, with the note that said so, and how far a later run has hashed on from there."""

    verified: Frontier = field(default_factory=Frontier)
    note: str | None = None
    reached: Frontier = field(default_factory=Frontier)


class StateFile:
    """The file. It is read once and written whole, so that a crash leaves the old one or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._logs = _read(path)

    def of(self, origin: str) -> Kept:
        """Give what is remembered of a log: of a new one, nothing."""
        return self._logs.get(origin, Kept())

    def keep(self, origin: str, kept: Kept) -> None:
        """Remember a log's state, durably. Raises OSError."""
        self._logs[origin] = kept
        logs = {name: _written(one) for name, one in sorted(self._logs.items())}
        text = json.dumps({"format": FORMAT, "logs": logs}, indent=1)
        replace_file(self._path, text.encode() + b"\n", mode=0o644)


def _written(kept: Kept) -> dict[str, Any]:
    return {
        "note": kept.note,
        **{
            name: {"size": tree.size, "frontier": base64_strict.encode(tree.to_bytes())}
            for name, tree in (("verified", kept.verified), ("reached", kept.reached))
        },
    }


def _read(path: Path) -> dict[str, Kept]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise Malformed(f"{path.name} is not a state file of this version")
        return {
            origin: Kept(_tree(one["verified"]), one["note"], _tree(one["reached"]))
            for origin, one in told["logs"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Malformed(f"{path.name} is not a state file") from None


def _tree(told: dict[str, Any]) -> Frontier:
    return Frontier.from_bytes(told["size"], base64_strict.decode(told["frontier"]))
