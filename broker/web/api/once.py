"""`Idempotency-Key`: a POST that was sent twice does its work once (`design.md` 5).

The key is scoped to client, person and route; the same key with another body is `KeyReused` (422).
"""

from __future__ import annotations

import re
import uuid
from typing import Protocol

from starlette.requests import Request

from broker.domain.errors import BadAsk
from broker.domain.identity import Caller
from broker.ports import Handles

KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
HEADER = "idempotency-key"


class Claimed(Protocol):
    """The id a request's resource has, and whether an earlier request with the same key chose it."""

    @property
    def resource(self) -> str:
        """The id."""

    @property
    def repeated(self) -> bool:
        """Whether it was chosen before."""


class Idempotency(Protocol):
    """The memory of repeated requests. Raises `KeyReused`, `StoreUnavailable`."""

    async def claim(
        self, municipality: str, client: str, person: str, route: str, key: str, body: bytes, fresh: str
    ) -> Claimed:
        """Claim the id `fresh` for this request's resource, or learn the one claimed before."""


def key_of(request: Request) -> str:
    """Give the key a request came with, empty without one; raise `BadAsk` for several, or what is none."""
    keys = request.headers.getlist(HEADER)
    if keys and (len(keys) != 1 or not KEY.match(keys[0])):
        raise BadAsk("", "idempotency_key")
    return keys[0] if keys else ""


class Once:
    """Gives each request the id its resource shall have."""

    def __init__(self, idempotency: Idempotency, handles: Handles) -> None:
        self._idempotency = idempotency
        self._handles = handles

    async def resource(self, request: Request, caller: Caller) -> tuple[str, bool]:
        """Give the id for what this request makes, and whether it is a repeat. Without a key each is its own."""
        fresh = str(uuid.uuid4())
        key = key_of(request)
        if not key:
            return fresh, False
        route = getattr(request.scope.get("route"), "path", "")
        # What the path names is part of what is asked: the same key for another resource is another request.
        named = "".join(f"{name}={value}&" for name, value in sorted(request.path_params.items()))
        claimed = await self._claim(caller, route, key, named.encode() + await request.body(), fresh)
        return claimed.resource, claimed.repeated

    async def seen(self, caller: Caller, request_id: str | None) -> bool:
        """Tell whether this caller sent an ask with this request id before. It is an access of its own all the same."""
        if request_id is None:
            return False
        claimed = await self._claim(caller, "ask", request_id, b"", str(uuid.uuid4()))
        return claimed.repeated

    async def _claim(self, caller: Caller, route: str, key: str, body: bytes, fresh: str) -> Claimed:
        person = await self._handles.actor(caller.caseworker)
        return await self._idempotency.claim(
            caller.municipality, caller.system.client_id, person, route, key, body, fresh
        )
