"""Break-glass in a scenario: really asked for by the on-call caseworker, really decided by the holder, over the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.scenario.callers import Callers, Reply
from demo.world.world import World

TEXT = "Borgeren svarer ikke og har skrevet, at hun ikke vil leve mere."
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Emergencies:
    """Every break-glass request of a scenario, by its short name: its id, and about whom it is."""

    world: World
    callers: Callers
    made: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def request(self, name: str | None, row: Row) -> Reply:
        """Let an on-call caseworker ask those who hold the data."""
        body = {name: row[name] for name in ("callout", "reason", "sources") if name in row}
        told = {"citizen": self.world.cast.cpr(row["citizen"]), "text": row.get("text", TEXT)}
        reply = await self.callers.post(row["by"], "/v1/break-glass", body | told)
        if name and reply.status < 300:
            self.made[name] = (reply.said["request"], row["citizen"])
        return reply

    async def decide(self, row: Row) -> Reply:
        """Let a health person say yes or no; about the citizen of the request, or about another who is named."""
        request, citizen = self.made.get(row["request"], (row["request"], ""))
        body = {"citizen": self.world.cast.cpr(row.get("citizen", citizen)), "decision": row["said"]}
        return await self.callers.post(row["by"], f"/v1/break-glass/{request}/decision", body)

    def id_of(self, name: str) -> str:
        """Give the id of a request by its short name; what has no such name is taken for an id."""
        return self.made[name][0] if name in self.made else name
