"""The provider's clock: the real one, or standing still at a moment that the scenario engine set."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from broker.domain.days import danish_day


class Clock:
    """What time tokens say. How long codes live is measured in real time, whatever this clock says."""

    def __init__(self, calendar: Path | None = None) -> None:
        self._stands_at: int | None = None
        # How long ago whoever comes proved who they are: real providers remember people from log-in to log-in.
        self.known_for = 0
        self._calendar = calendar

    def today(self) -> int:
        """Give the Danish day (YYYYMMDD) employers speak of: the calendar's if there is one, else the clock's."""
        if self._calendar is None:
            return danish_day(datetime.fromtimestamp(self.now(), UTC))
        return danish_day(datetime.fromisoformat(self._calendar.read_text("utf-8")))

    def now(self) -> int:
        """Give the time in seconds since 1970."""
        return int(time.time()) if self._stands_at is None else self._stands_at

    def proved_at(self, *, anew: bool) -> int:
        """Tell when who comes now proved who they are: just now, or when they did so earlier."""
        return self.now() - (0 if anew else self.known_for)

    def stand_at(self, moment: str | None) -> None:
        """Stand still at an ISO 8601 time with its zone, or run again at None. Raises `ValueError`."""
        if moment is None:
            self._stands_at = None
            return
        told = datetime.fromisoformat(moment)
        if told.tzinfo is None:
            raise ValueError("the time needs its zone")
        self._stands_at = int(told.timestamp())
