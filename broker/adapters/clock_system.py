"""The clock of the machine: the only place that tells the time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Give this moment, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands where it is put. For the profiles `demo` and `test` alone (`design.md` 6.11)."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Give the moment the clock stands at."""
        return self.at


class FileClock:
    """A clock that stands where a file says (ISO 8601), so that the demo can move it. Never in production."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        """Give the moment the file names; raise ValueError when it names none."""
        return datetime.fromisoformat(self._file.read_text("ascii").strip())
