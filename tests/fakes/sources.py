"""A source in memory that keeps the promises of the `Source` door, for tests that are about something else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from broker.domain.errors import SourceFailed
from broker.domain.items import Item
from broker.domain.personal import Personal


class FakeSource:
    """A source that tells the items it was given, by CPR number and category, and remembers what it was asked.

    Set `fails` to the word of a failure, or `silent` to answer nothing until the deadline is over.
    """

    def __init__(
        self,
        name: str,
        told: Mapping[str, Sequence[Item]],
        categories: frozenset[str],
        deadline_seconds: float = 0.3,
    ) -> None:
        self.name = name
        self.categories = categories
        self.told = dict(told)
        self.asked: list[str] = []
        self.fails: str | None = None
        self.silent = False
        self._deadline_seconds = deadline_seconds

    async def read(self, subject: Personal[str], handle: str, categories: frozenset[str]) -> tuple[Item, ...]:
        """Read the permitted categories about one subject, in time, or raise `SourceFailed`."""
        if not categories <= self.categories:
            raise SourceFailed(self.name, "refused")
        self.asked += sorted(categories)
        if categories and self.silent:
            await asyncio.sleep(self._deadline_seconds)
            raise SourceFailed(self.name, "timeout")
        if categories and self.fails:
            raise SourceFailed(self.name, self.fails)
        told = self.told.get(subject.disclose(), ())
        return tuple(item for item in told if item.category in categories and item.subject == handle)
