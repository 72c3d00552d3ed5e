"""The clients: department systems and citizens' browsers that reach any node, and note what they saw, and when."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from demo.scenario.callers import Callers
from demo.scenario.visitors import Visitors
from demo.world.world import World
from tests.swarm.evidence import ASK, BLOCK, GRANT, LIFT, LOOK, REQUEST, WITHDRAW, Attempt, Line
from tests.swarm.nodes import Node
from tests.swarm.town import CASEWORKERS, DESK_CLERK, LAST_DAY, PURPOSE, UNIT, case_of

SECONDS_TO_ANSWER = 30.0
EVIDENCE = "Læst op og gentaget af borgeren ved skranken, på dansk."
Row = Mapping[str, Any]


@dataclass(slots=True)
class Clients:
    """Everybody who speaks to the nodes. Tokens and log-ins come from the world's own node; all else goes to any."""

    world: World
    nodes: Sequence[Node]
    dice: random.Random
    attempts: list[Attempt] = field(default_factory=list)
    _callers: Callers = field(init=False)
    _visitors: Visitors = field(init=False)
    _http: aiohttp.ClientSession = field(init=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        self._callers = await self._stack.enter_async_context(Callers(self.world))
        self._visitors = await self._stack.enter_async_context(Visitors(self.world))
        timeout = aiohttp.ClientTimeout(total=SECONDS_TO_ANSWER)
        connector = aiohttp.TCPConnector(limit=0)
        jar = aiohttp.DummyCookieJar()
        session = aiohttp.ClientSession(timeout=timeout, connector=connector, cookie_jar=jar)
        self._http = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def log_in(self, citizen: str) -> None:
        """Log a citizen in."""
        await self._visitors.citizen(citizen)

    async def ask(self, citizen: str, lines: Sequence[Line], *, node: Node | None = None) -> Attempt:
        """Let a caseworker ask about a citizen."""
        body = {
            "citizen": self.world.cast.cpr(citizen),
            "purpose": PURPOSE,
            "case": case_of(citizen),
            "sources": sorted({source for source, _ in lines}),
            "categories": sorted({category for _, category in lines}),
        }
        attempt, told = await self._as_caseworker(ASK, citizen, "/v1/exchange", body, node=node)
        return self._note(replace(attempt, **_seen(told)))

    async def give(self, citizen: str, lines: Sequence[Line], *, at_desk: bool) -> Attempt:
        """Let a citizen say yes: to a request in their own browser, or at the desk."""
        wanted = {
            "citizen": self.world.cast.cpr(citizen),
            "purpose": PURPOSE,
            "case": case_of(citizen),
            "to": LAST_DAY,
            "lines": [{"source": source, "category": category} for source, category in lines],
        }
        if at_desk:
            taken = wanted | {"form": "oral", "evidence": EVIDENCE, "identity_checked": True}
            attempt, told = await self._as_caseworker(GRANT, citizen, "/v1/consents", taken)
        else:
            attempt, told = await self._as_caseworker(REQUEST, citizen, "/v1/consent-requests", wanted)
            if not attempt.answered:
                return self._note(attempt)
            self._note(attempt)
            path = f"/v1/me/consent-requests/{told['id']}/grant"
            attempt, told = await self._as_citizen(GRANT, citizen, path, {}, target=told["id"])
        return self._note(replace(attempt, target=str(told.get("consent", attempt.target)), lines=tuple(lines)))

    async def withdraw(
        self, citizen: str, consent: Row, lines: Sequence[Row] | None, *, at_desk: bool, node: Node | None = None
    ) -> Attempt:
        """Let a citizen take back a consent, or some of its lines: in their own browser, or by telephone."""
        body: dict[str, Any] = {} if lines is None else {"lines": [line["id"] for line in lines]}
        if at_desk:
            body |= {"citizen": self.world.cast.cpr(citizen), "identity_checked": True}
            path = f"/v1/consents/{consent['id']}/withdrawal"
            attempt, _ = await self._as_caseworker(
                WITHDRAW, citizen, path, body, node=node, by=DESK_CLERK, target=consent["id"]
            )
        else:
            path = f"/v1/me/consents/{consent['id']}/withdraw"
            attempt, _ = await self._as_citizen(WITHDRAW, citizen, path, body, node=node, target=consent["id"])
        taken = None if lines is None else tuple((line["source"], line["category"]) for line in lines)
        return self._note(replace(attempt, lines=taken))

    async def block(self, citizen: str, names: Mapping[str, str]) -> Attempt:
        """Let a citizen set a standing no."""
        attempt, told = await self._as_citizen(BLOCK, citizen, "/v1/me/blocks", dict(names))
        block = (names.get("source"), names.get("unit"), names.get("category"))
        return self._note(replace(attempt, target=str(told.get("block", "")), block=block))

    async def lift(self, citizen: str, block: str) -> Attempt:
        """Let a citizen lift a standing no."""
        attempt, _ = await self._as_citizen(LIFT, citizen, f"/v1/me/blocks/{block}/lift", {}, target=block)
        return self._note(attempt)

    async def look(self, citizen: str, what: str) -> Sequence[Row] | None:
        """Let a citizen read their `consents` or `blocks`; None when no answer came."""
        attempt, told = await self._as_citizen(LOOK, citizen, f"/v1/me/{what}", None)
        self._note(attempt)
        return told[what] if attempt.answered else None

    async def _as_caseworker(
        self, kind: str, citizen: str, path: str, body: Row, *, node: Node | None = None, by: str = "", target: str = ""
    ) -> tuple[Attempt, Row]:
        acting = await self._callers._as(by or self.dice.choice(CASEWORKERS))
        token = await acting._live_token()
        # The proof is for the public address, whichever node behind it answers.
        proof = acting._client.proof("POST", acting._client.address_of(path), token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        return await self._send(kind, citizen, path, body, headers, node=node, target=target)

    async def _as_citizen(
        self, kind: str, citizen: str, path: str, body: Row | None, *, node: Node | None = None, target: str = ""
    ) -> tuple[Attempt, Row]:
        visitor = await self._visitors.citizen(citizen)
        cookies = visitor._http.cookie_jar.filter_cookies(URL(visitor._world.address))
        headers = {"Cookie": "; ".join(f"{c.key}={c.value}" for c in cookies.values()), "X-CSRF-Token": visitor._csrf}
        return await self._send(kind, citizen, path, body, headers, node=node, target=target)

    async def _send(
        self, kind: str, citizen: str, path: str, body: Row | None, headers: Mapping[str, str], *,
        node: Node | None = None, target: str = "",
    ) -> tuple[Attempt, Row]:  # fmt: skip
        node = node or self.dice.choice([one for one in self.nodes if one.up])
        method = "GET" if body is None else "POST"
        begin, status, told, said = time.monotonic(), 0, {}, ""
        try:
            async with self._http.request(method, node.address + path, json=body, headers=headers) as answer:
                told, status = await answer.json(content_type=None), answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            told, status, said = {}, 0, type(error).__name__
        attempt = Attempt(
            kind=kind, citizen=citizen, node=node.number, begin=begin, end=time.monotonic(), status=status,
            target=target, place=_place(told), said=said or _problem(told),
        )  # fmt: skip
        return attempt, told

    def _note(self, attempt: Attempt) -> Attempt:
        self.attempts.append(attempt)
        return attempt


def _place(told: Row) -> tuple[str, int] | None:
    place = told.get("receipt") or told.get("entry")
    return (place["log"], place["index"]) if place else None


def _problem(told: Row) -> str:
    if "type" not in told:
        return ""
    codes = [reason.get("code", "") for reason in told.get("reasons", ())]
    return " ".join([str(told["type"]).rpartition(":")[2], *codes])


def _seen(told: Row) -> dict[str, Any]:
    """Gather what an answer shows of another unit's data, and what it claims to be."""
    verdicts = told.get("verdicts", ())
    counts = told.get("counts", {"own": 0, "shared": 0})
    return {
        "ask": str(told.get("ask", "")),
        "verdicts": tuple((v["source"], v["category"], v["verdict"]) for v in verdicts),
        "released": tuple(
            (v["source"], v["category"], tuple(b["id"] for b in v["basis"] if b["kind"] == "consent"))
            for v in verdicts
            if v["verdict"] != "withhold" and not v["own"]
        ),
        "items": tuple((item["source"], item["category"]) for item in told.get("items", ())),
        "counts": (counts["own"], counts["shared"]),
    }


__all__ = ["UNIT", "Clients"]
