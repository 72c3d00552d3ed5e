"""The clock of the machine: the only place that tells the time."""

from __future__ import annotations

from datetime import UTC, datetime


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
