"""The policy on an OPA server, through opa-python-client. The way of production.

Rules kept here:
- One request per question: no retry, a deadline over all of it. Whatever goes wrong is `PolicyUnavailable`.
- Built-in errors are strict, so that a rule which fails refuses instead of vanishing.
- Where its golden decisions could not be had at the start, it answers nothing until they were.
- The server says which bundle it answered from; any other revision than ours is no answer (P10).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from opa_client.opa_async import AsyncOpaClient

from broker.adapters.policy_answer import contract
from broker.domain.decisions import Decision, PolicyMark
from broker.domain.errors import PolicyBroken, PolicyUnavailable
from broker.policy_tables import Rules

DECISION, GOLDEN = ("broker.share", "decision"), ("broker.vectors", "answers")
GOLDEN_AT_ONCE = 100
# OPA reads "true", not Python's True. Provenance names the revision of the bundle that answered.
PARAMETERS = {"strict-builtin-errors": "true", "provenance": "true"}


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
        self._address = (url, token)
        self._contract = contract(rules, tables)
        self._deadline_seconds = deadline_seconds
        self._client = _client(url, token, deadline_seconds)
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
        """Open the connection; the server is first spoken to when the first question is asked."""
        policy = cls(url, rules, tables, token=token, deadline_seconds=deadline_seconds)
        await policy.connect()
        return policy

    async def connect(self) -> None:
        """Make the HTTP session, in the event loop that will use it."""
        await self._client.__aenter__()

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close_connection()

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
        url, token = self._address
        answers: list[Any] = []
        async with _client(url, token, seconds) as client:
            for first in range(0, count, GOLDEN_AT_ONCE):
                cases = list(range(first, min(first + GOLDEN_AT_ONCE, count)))
                body = await _answer(client, {"cases": cases}, GOLDEN, seconds)
                self._mark(body)
                answers += body.get("result") or []
        return answers

    async def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        if not self.vouched.by_vectors:
            raise PolicyUnavailable
        return await _answer(self._client, dict(question), DECISION, self._deadline_seconds)

    def _mark(self, body: Mapping[str, Any]) -> PolicyMark:
        """Read who answered; raise `PolicyBroken` when it answered from other rules or tables than ours."""
        match body.get("provenance"):
            case {"version": str(version), "bundles": {**bundles}}:
                revisions = {bundle.get("revision") for bundle in bundles.values() if isinstance(bundle, dict)}
                if self._contract.revision in revisions:
                    return PolicyMark(self._kind, version, self._contract.revision)
        raise PolicyBroken


async def _answer(client: Any, asked: dict[str, Any], rule: tuple[str, str], seconds: float) -> dict[str, Any]:
    """Put one request to the server; raise `PolicyUnavailable` or `PolicyBroken`."""
    try:
        async with asyncio.timeout(seconds):
            body = await client.query_rule(asked, *rule, PARAMETERS)
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise PolicyUnavailable from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise PolicyBroken from None
    if not isinstance(body, dict):
        raise PolicyBroken
    return body


def _client(url: str, token: str | None, deadline_seconds: float) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("the policy server's address is its root: http(s)://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return AsyncOpaClient(
        host=host,
        port=parts.port or (443 if parts.scheme == "https" else 8181),
        ssl=parts.scheme == "https",
        token=token,
        retries=0,
        timeout=deadline_seconds,
    )
