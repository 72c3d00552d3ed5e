"""The policy on an OPA server, over its REST API. The way of production.

Rules kept here:
- One answer per question, with a deadline over all of it. Whatever goes wrong is `PolicyUnavailable`.
- Built-in errors are strict, so that a rule which fails refuses instead of vanishing.
- Where its golden decisions could not be had at the start, it answers nothing until they were.
- The server says which bundle it answered from; any other revision than ours is no answer (P10).
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from broker.adapters.policy_answer import contract
from broker.courier import Courier, up_to
from broker.domain.decisions import Decision, PolicyMark
from broker.domain.errors import PolicyBroken, PolicyUnavailable
from broker.policy_tables import Rules

# Provenance names the revision of the bundle that answered.
DECISION = "/v1/data/broker/share/decision?strict-builtin-errors=true&provenance=true"
GOLDEN = "/v1/data/broker/vectors/answers?strict-builtin-errors=true&provenance=true"
GOLDEN_AT_ONCE = 100
# More than a decision about everything a registry can hold.
MOST_BYTES = 32_000_000


@dataclass(slots=True)
class Vouched:
    """Whether the engine gave every golden decision, or was never asked for them; until then it answers nothing."""

    by_vectors: bool = True


class OpaPolicy:
    """A policy engine behind HTTP, kept open; answers for one revision of rules and tables. Keeps the door `Policy`.

    `url` is the server's root, such as `https://opa.internal:8181`. `deadline_seconds` covers a whole question.
    """

    def __init__(
        self,
        url: str,
        rules: Rules,
        tables: Mapping[str, Any],
        *,
        token: str | None = None,
        deadline_seconds: float = 0.25,
        kind: str = "opa server",
    ) -> None:
        self._kind = kind
        self.url = url
        self._contract = contract(rules, tables)
        self._deadline_seconds = deadline_seconds
        self._courier = _courier(url, token)
        self.mark = PolicyMark(self._kind, "", self._contract.revision)
        self.tally: Counter[str] = Counter()
        self.vouched = Vouched()

    @classmethod
    async def open(
        cls,
        url: str,
        rules: Rules,
        tables: Mapping[str, Any],
        *,
        token: str | None = None,
        deadline_seconds: float = 0.25,
    ) -> Self:
        """Make ready to ask; the server is first spoken to when the first question is asked."""
        return cls(url, rules, tables, token=token, deadline_seconds=deadline_seconds)

    async def close(self) -> None:
        """Close the connections."""
        self._courier.close()

    async def decide(self, question: Mapping[str, Any]) -> Decision:
        """Answer the whole question in one request; raise `PolicyUnavailable` or `PolicyBroken`."""
        self._contract.refuse_bad(question)
        try:
            body = await self._ask(question)
            self.mark = self._mark(body)
            decision = self._contract.decision(body.get("result"), question, self.mark)
        except (PolicyUnavailable, PolicyBroken) as no:
            self.tally["unavailable" if isinstance(no, PolicyUnavailable) else "broken"] += 1
            raise
        self.tally["answered"] += 1
        return decision

    async def golden(self, count: int, *, seconds: float = 15.0) -> list[Any]:
        """Give the server's own decisions of the golden vectors in its bundle; fewer where it gives none.

        Raises `PolicyUnavailable` or `PolicyBroken`.
        """
        answers: list[Any] = []
        for first in range(0, count, GOLDEN_AT_ONCE):
            cases = list(range(first, min(first + GOLDEN_AT_ONCE, count)))
            body = await self._answer({"cases": cases}, GOLDEN, seconds)
            self._mark(body)
            told = body.get("result")
            answers += told if isinstance(told, list) else []
        return answers

    async def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        if not self.vouched.by_vectors:
            raise PolicyUnavailable
        return await self._answer(question, DECISION, self._deadline_seconds)

    async def _answer(self, asked: Mapping[str, Any], target: str, seconds: float) -> dict[str, Any]:
        """Put one request to the server; raise `PolicyUnavailable` or `PolicyBroken`."""
        question = orjson.dumps({"input": asked})
        try:
            async with asyncio.timeout(seconds):
                status, told = await self._courier.carry("POST", target, question, up_to(MOST_BYTES))
        except (OSError, ValueError):
            # A timeout is an OSError; what is no HTTP is a ValueError.
            raise PolicyUnavailable from None
        if status != HTTPStatus.OK:
            raise PolicyUnavailable
        try:
            body = orjson.loads(told)
        except orjson.JSONDecodeError:
            raise PolicyBroken from None
        if not isinstance(body, dict):
            raise PolicyBroken
        return body

    def _mark(self, body: Mapping[str, Any]) -> PolicyMark:
        """Read who answered; raise `PolicyBroken` when it answered from other rules or tables than ours."""
        match body.get("provenance"):
            case {"version": str(version), "bundles": {**bundles}}:
                revisions = {bundle.get("revision") for bundle in bundles.values() if isinstance(bundle, dict)}
                if self._contract.revision in revisions:
                    return PolicyMark(self._kind, version, self._contract.revision)
        raise PolicyBroken


def _courier(url: str, token: str | None) -> Courier:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("the policy server's address is its root: http(s)://host:port")
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    headers = {"Content-Type": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    return Courier(parts.hostname, parts.port or (443 if tls else 8181), tls, headers)
