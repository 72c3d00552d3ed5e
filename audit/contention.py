"""See whether appends stand in line for a log's head: then its lock is let go before the disk is waited for.

While few write, one statement that ends when it is durable is fastest. Where several processes write to the same log
each would hold its head for as long as the disk takes; `Line` tells when that is so. A wrong guess costs time and
nothing else: both ways are equally durable before anybody is told.
"""

import time
from collections.abc import Callable

from audit import postgres
from audit.postgres import Connection

# An append that takes longer may have stood in line; only then is it worth a statement to look.
SUSPICIOUS_SECONDS = 0.003
SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_CROWDED = 5.0
# Whoever begins to look stands in no line at that moment; one other does wherever two take turns.
MANY, STILL_SOME = 2, 1


class Line:
    """Whether writers of the logs in one database stand in line, as far as one process has seen."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._crowded_until = self._next_look = clock()

    @property
    def crowded(self) -> bool:
        """Tell whether others waited for a head a short time ago."""
        return self._clock() < self._crowded_until

    def suspicious(self, seconds: float) -> bool:
        """Tell whether to look now, after an append that took so many seconds."""
        return seconds > SUSPICIOUS_SECONDS and self._clock() >= self._next_look

    async def look(self, connection: Connection) -> None:
        """Count who waits now, and remember it; raise asyncpg.PostgresError where it cannot be seen."""
        self._next_look = self._clock() + SECONDS_BETWEEN_LOOKS
        waiting = await postgres.waiting_writers(connection)
        if waiting >= (STILL_SOME if self.crowded else MANY):
            self._crowded_until = self._clock() + SECONDS_CROWDED
