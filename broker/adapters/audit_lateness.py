"""How long each municipality's newest log has waited for its witnesses, looked up now and then, not for each ask.

Rules kept here:
- What counts is publication: a log at rest is cosigned again and again by the checkpointer, so a log that is not has
  lost its witnesses, its checkpointer, or what was signed of it.
- Past the limit asks are refused (`design.md` 6.6). Times are the database's own, so that no node's clock decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from broker.adapters.database import Pool, reaching_the_store
from broker.domain.errors import LogUnwitnessed

# Of logs that have something unpublished, and of each municipality's newest log, which others may yet be added to.
AGES = """
SELECT h.tenant, max(extract(epoch FROM clock_timestamp() - coalesce(p.published_at, h.opened_at)))::float8 AS seconds
FROM log.head h LEFT JOIN LATERAL (
    SELECT c.size, c.published_at FROM log.checkpoint c
    WHERE c.log_id = h.id AND c.published_at IS NOT NULL ORDER BY c.size DESC LIMIT 1
) p ON true
WHERE h.size > coalesce(p.size, 0) OR h.year = (SELECT max(n.year) FROM log.head n WHERE n.tenant = h.tenant)
GROUP BY h.tenant
"""


class Lateness:
    """The logs of one database. `limit_seconds` is how long a log may go unpublished before asks are refused."""

    def __init__(self, pool: Pool, limit_seconds: float) -> None:
        self._pool = pool
        self._limit = limit_seconds
        self._seconds: Mapping[str, float] = {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """Give for how many seconds each municipality's log had gone unpublished at the last look."""
        return self._seconds

    @property
    def late(self) -> frozenset[str]:
        """Name the municipalities whose asks are refused."""
        return frozenset(name for name, seconds in self._seconds.items() if seconds > self._limit)

    def refuse(self, municipalities: Iterable[str]) -> None:
        """Raise `LogUnwitnessed` where one of these municipalities' logs is late."""
        if not self.late.isdisjoint(municipalities):
            raise LogUnwitnessed

    async def look(self) -> None:
        """Look anew; raise `StoreUnavailable`."""
        async with reaching_the_store(), self._pool.acquire() as connection:
            rows = await connection.fetch(AGES)
        self._seconds = {row["tenant"]: row["seconds"] for row in rows}
