"""Consents in a scenario: really asked for by the caseworker, really answered by the citizen, over the broker's API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.scenario.callers import Callers, Reply
from demo.scenario.visitors import Visitors
from demo.world.children import WorldBroken
from demo.world.world import World

EVIDENCE = "Læst op og gentaget af borgeren ved skranken i Borgerservice, på dansk."
# What a desk calls what a giver does.
AT_DESK = {"withdraw": "withdrawal", "pause": "pause", "resume": "resumption"}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was made: its id, and as the scenario wrote it."""

    id: str
    row: Row


@dataclass(frozen=True, slots=True)
class Given:
    """A consent that was given: its id, who said yes, and who asked for it."""

    id: str
    giver: str
    row: Row


@dataclass(frozen=True, slots=True)
class Consents:
    """Every request and consent of a scenario, by its short name."""

    world: World
    callers: Callers
    visitors: Visitors
    requests: dict[str, Asked] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    # Where the log holds what was done last with each request and consent.
    receipts: dict[str, Row] = field(default_factory=dict)

    async def request(self, name: str | None, row: Row) -> Reply:
        """Let the caseworker ask the citizen."""
        reply = await self.callers.post(row["asked_by"], "/v1/consent-requests", self._wanted(row) | _again(row))
        if name and reply.status < 300:
            self.requests[name] = Asked(reply.said["id"], row)
        return reply

    async def grant(self, name: str | None, row: Row) -> Reply:
        """Let a giver say yes to a request, whole or in part."""
        asked = self._asked(row["request"])
        giver = row.get("by") or asked.row.get("giver") or asked.row["citizen"]
        visitor = await self.visitors.citizen(giver)
        yes: dict[str, Any] = {name: row[name] for name in ("to", "limit") if name in row}
        if "lines" in row:
            yes["lines"] = await self._numbers(asked, giver, row["lines"])
        reply = await visitor.post(f"/v1/me/consent-requests/{asked.id}/grant", yes)
        if reply.status < 300:
            self.given[name or row["request"]] = Given(reply.said["consent"], giver, asked.row)
        return self._noted(name or row["request"], reply)

    async def refuse(self, row: Row) -> Reply:
        """Let a giver say no to a request."""
        asked = self._asked(row["request"])
        visitor = await self.visitors.citizen(row.get("by") or asked.row["citizen"])
        return self._noted(row["request"], await visitor.post(f"/v1/me/consent-requests/{asked.id}/refuse"))

    async def give(self, name: str | None, row: Row) -> Reply:
        """Ask and say yes in one step: online by the giver, or recorded by the caseworker at a desk."""
        if row.get("form", "online") == "online":
            reply = await self.request(name or "_", row)
            return reply if reply.status >= 300 else await self.grant(name, {"request": name or "_"})
        giver = row.get("giver", row["citizen"])
        taken = {"form": row["form"], "evidence": EVIDENCE, "identity_checked": True}
        body = self._wanted(row) | taken | {"giver": self.world.cast.cpr(giver)}
        reply = await self.callers.post(row["asked_by"], "/v1/consents", body)
        if name and reply.status < 300:
            self.given[name] = Given(reply.said["consent"], giver, row)
        return self._noted(name, reply)

    async def change(self, way: str, row: Row) -> Reply:
        """Let a giver take a consent back (`withdraw`), or `pause` or `resume` it, by themselves or through a desk."""
        given = self._given(row["consent"])
        giver = row.get("by", given.giver)
        body: dict[str, Any] = {}
        if "lines" in row:
            body["lines"] = await self._ids(given, giver, row["lines"])
        if "at_desk" in row:
            body |= {"citizen": self.world.cast.cpr(giver), "identity_checked": True}
            path = f"/v1/consents/{given.id}/{AT_DESK[way]}"
            return self._noted(row["consent"], await self.callers.post(row["at_desk"], path, body))
        visitor = await self.visitors.citizen(giver)
        return self._noted(row["consent"], await visitor.post(f"/v1/me/consents/{given.id}/{way}", body))

    async def block(self, row: Row) -> Reply:
        """Let a citizen set a standing no, or lift it."""
        visitor = await self.visitors.citizen(row["citizen"])
        wish = {name: row[name] for name in ("source", "unit", "category") if name in row}
        if not row.get("lift"):
            return await visitor.post("/v1/me/blocks", wish)
        blocks = (await visitor.get("/v1/me/blocks")).said.get("blocks", ())
        for block in blocks:
            if all(block[name] == wish.get(name) for name in ("source", "unit", "category")):
                return await visitor.post(f"/v1/me/blocks/{block['id']}/lift")
        raise WorldBroken(f"{row['citizen']} has no such block to lift")

    def request_id(self, name: str) -> str:
        """Give the id of a request by its short name; raise `WorldBroken` where there is none."""
        return self._asked(name).id

    def receipt_place(self, name: str) -> str:
        """Say where the log holds what was done last with a request or a consent: municipality, year and index."""
        if name not in self.receipts:
            raise WorldBroken(f"nothing here was answered or changed as {name}")
        told = self.receipts[name]
        return "/".join([*told["log"].split("/")[-2:], str(told["index"])])

    def _noted(self, name: str | None, reply: Reply) -> Reply:
        if name and reply.status < 300:
            self.receipts[name] = reply.said["receipt"]
        return reply

    def _wanted(self, row: Row) -> dict[str, Any]:
        lines = [
            {"source": line["source"], "category": category}
            | ({"subject": self.world.cast.cpr(line["subject"])} if "subject" in line else {})
            | {name: line[name] for name in ("data_from", "data_to") if name in line}
            for line in row["lines"]
            for category in line["categories"]
        ]
        names = ("purpose", "case", "to", "from", "limit")
        told = {name: row[name] for name in names if name in row}
        return told | {"citizen": self.world.cast.cpr(row["citizen"]), "lines": lines}

    async def _numbers(self, asked: Asked, giver: str, lines: Sequence[Row]) -> list[int]:
        """Find which of a giver's own lines are meant."""
        visitor = await self.visitors.citizen(giver)
        mine = (await visitor.get("/v1/me/consent-requests")).said.get("requests", ())
        rows = next((request["my_lines"] for request in mine if request["id"] == asked.id), ())
        return [row["number"] for row in rows if _meant(row, giver, lines)]

    async def _ids(self, given: Given, giver: str, lines: Sequence[Row]) -> list[str]:
        """Find which lines of a consent are meant."""
        visitor = await self.visitors.citizen(giver)
        mine = (await visitor.get("/v1/me/consents")).said.get("consents", ())
        rows = next((consent["lines"] for consent in mine if consent["id"] == given.id), ())
        return [row["id"] for row in rows if _meant(row, giver, lines)]

    def _asked(self, name: str) -> Asked:
        if name not in self.requests:
            raise WorldBroken(f"no request here is called {name}")
        return self.requests[name]

    def _given(self, name: str) -> Given:
        if name not in self.given:
            raise WorldBroken(f"no consent here is called {name}")
        return self.given[name]


def _again(row: Row) -> dict[str, Any]:
    """Give why the citizen is asked again, where that is said: a desk that records a yes asks nobody."""
    return {"again": row["again"]} if "again" in row else {}


def _meant(row: Row, giver: str, lines: Sequence[Row]) -> bool:
    """Tell whether a line as the broker shows it to its giver is among those a scenario names."""
    for line in lines:
        about_me = line.get("subject") in {None, giver}
        same = row["source"] in {None, line["source"]} and row["category"] in line["categories"]
        # The broker names no child to a giver's client: their own data and a child's are told apart, no more.
        if same and ("subject" not in line or about_me == (row["about"] == "me")):
            return True
    return False
