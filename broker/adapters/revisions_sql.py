"""The door `Revisions` in the main database: every rule and table that a decision ever rested on (P10).

A revision is the hash of what is kept under its name: the database refuses a row of which that is not so, and nobody
changes or removes one. Rules and tables are no secret and hold nothing about a citizen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from broker.adapters.database import Pool, reaching_the_store
from broker.domain.errors import NotFound
from broker.policy_tables import Rules, content, revision

_KEEP = "INSERT INTO policy.revisions (revision, content) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_READ = "SELECT content FROM policy.revisions WHERE revision = $1"


class RevisionsSql:
    """The revisions over a pool of `database.open_pool`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, rules: Rules, tables: Mapping[str, Any]) -> None:
        """Put a revision on record; one that is there stays as it is. Raises `StoreUnavailable`."""
        async with reaching_the_store():
            await self._pool.execute(_KEEP, revision(rules, tables), content(rules, tables))

    async def read(self, name: str) -> tuple[dict[str, str], dict[str, Any]]:
        """Give the modules and tables of a revision; raise `NotFound` or `StoreUnavailable`."""
        async with reaching_the_store():
            kept = await self._pool.fetchval(_READ, name)
        if kept is None or f"sha256:{hashlib.sha256(kept).hexdigest()}" != name:
            raise NotFound
        modules, tables = json.loads(kept)
        return modules, tables
