"""Access tokens by OAuth 2.0 client credentials (RFC 6749 section 4.4), kept until shortly before they end."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import orjson
from yarl import URL

from broker.courier import Courier, up_to
from broker.domain.errors import SourceFailed

SECONDS_BEFORE_THE_END = 30.0
SECONDS_IF_UNSAID = 60.0
MOST_BYTES = 65_536


class ClientCredentials:
    """One client at one token endpoint; asks that come together share one request."""

    def __init__(
        self,
        source: str,
        token_url: URL,
        *,
        client_id: str,
        client_secret: str,
        scope: str | None,
        in_body: bool,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self.url: Final = token_url
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if in_body:
            form |= {"client_id": client_id, "client_secret": client_secret}
        else:
            # RFC 6749 2.3.1: both are form-encoded before they are joined.
            pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._body = urlencode(form).encode()
        self._ticks = ticks
        self._token: str | None = None
        self._ends_at = 0.0
        self._one_at_a_time = asyncio.Lock()

    def forget(self, refused: str) -> None:
        """Drop a token that the source no longer takes, unless another read has already brought a fresh one."""
        if self._token == refused:
            self._token = None

    async def token(self, courier: Courier) -> str:
        """Give a token that still lives, asking for one if need be. Raises `SourceFailed`, and as a courier."""
        async with self._one_at_a_time:
            if self._token is None or self._ticks() >= self._ends_at:
                self._token, self._ends_at = await self._fresh(courier)
            return self._token

    async def _fresh(self, courier: Courier) -> tuple[str, float]:
        asked_at = self._ticks()
        may = up_to(MOST_BYTES)
        status, told = await courier.carry("POST", self.url.raw_path_qs, self._body, may, self._headers)
        if status != HTTPStatus.OK:
            raise SourceFailed(self._source, "refused")
        try:
            return self._read(orjson.loads(told), asked_at)
        except (orjson.JSONDecodeError, TypeError, KeyError, ValueError):
            raise SourceFailed(self._source, "unreadable") from None

    def _read(self, answer: Any, asked_at: float) -> tuple[str, float]:
        token = answer["access_token"]
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError
        seconds = float(answer.get("expires_in", SECONDS_IF_UNSAID))
        # A token that lives less than our margin still serves this one read.
        return token, asked_at + max(seconds - SECONDS_BEFORE_THE_END, 0.0)
