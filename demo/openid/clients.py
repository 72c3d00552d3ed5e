"""Registered clients, and how one proves itself at the token endpoint: a secret, or a signed assertion."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from demo.openid.clock import Clock
from demo.openid.keys import TokenRefusedError, read_signed
from demo.systems.access import basic_of, same
from demo.systems.records import Records, Row

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEPT_SECONDS = 600


class Clients:
    """The clients of the persons file; assertions are taken once."""

    def __init__(self, records: Records, clock: Clock, audiences: frozenset[str]) -> None:
        self._records = records
        self._clock = clock
        self._audiences = audiences
        self._used: dict[str, float] = {}

    def named(self, client_id: str) -> Row | None:
        """Give the client of that id, if it is registered."""
        found = self._records.matching("clients", client_id=client_id)
        return found[0] if found else None

    def authenticated(self, request: Request, form: dict[str, str]) -> Row | None:
        """Give the client that proved itself, by `client_secret_basic` or `private_key_jwt`, or None."""
        if form.get("client_assertion_type") == ASSERTION_TYPE:
            return self._by_assertion(form.get("client_assertion", ""), form.get("client_id"))
        basic = basic_of(request)
        client = self.named(unquote(basic[0])) if basic else None
        secret = client.get("client_secret") if client else None
        if basic is None or not isinstance(secret, str) or not same(unquote(basic[1]), secret):
            return None
        return client

    def _by_assertion(self, assertion: str, client_id: str | None) -> Row | None:
        for client in self._records.rows("clients"):
            try:
                told = read_signed(assertion, client["jwks"]) if "jwks" in client else {}
            except TokenRefusedError:
                continue
            if client_id in {None, client["client_id"]} and self._holds(told, client["client_id"]):
                return client
        return None

    def _holds(self, told: dict[str, Any], client_id: str) -> bool:
        audience = told.get("aud")
        named = set(audience) if isinstance(audience, list) else {audience}
        ends, once = told.get("exp"), told.get("jti")
        if (told.get("iss"), told.get("sub")) != (client_id, client_id) or not named & self._audiences:
            return False
        # Real time beside our own clock: a client need not know that the demo's clock stands still.
        alive = isinstance(ends, int | float) and ends > min(self._clock.now(), time.time())
        return alive and isinstance(once, str) and self._first_use(f"{client_id} {once}")

    def _first_use(self, name: str) -> bool:
        now = time.monotonic()
        self._used = {one: until for one, until in self._used.items() if until > now}
        if name in self._used:
            return False
        self._used[name] = now + KEPT_SECONDS
        return True
