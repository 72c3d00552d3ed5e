"""A breaker: a source that failed several times in a row is left alone for a while (P12)."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Counts failures in a row. Open, it lets one ask try again each `rest_seconds`; a success closes it."""

    def __init__(self, failures: int, rest_seconds: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._rest_seconds = rest_seconds
        self._ticks = ticks
        self._failures = 0
        self._try_again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the source is left alone, but for a try now and then."""
        return self._failures >= self._most

    def may_ask(self) -> bool:
        """Tell whether the source may be asked now. Open, a yes is given to one ask, and the rest begins anew."""
        if not self.is_open:
            return True
        now = self._ticks()
        if now < self._try_again_at:
            return False
        # The next try is put off at once, so an ask that is cancelled half way leaves nothing to tidy up.
        self._try_again_at = now + self._rest_seconds
        return True

    def succeeded(self) -> None:
        """Take note that the source answered."""
        self._failures = 0

    def failed(self) -> None:
        """Take note that the source failed."""
        self._failures += 1
        if self.is_open:
            self._try_again_at = self._ticks() + self._rest_seconds
