"""The line to a register over HTTP: one look-up by POST, answered cleanly and in time, or `RegisterUnavailable`.

Rules kept here:
- The number asked about goes in the body, never in a URL; nothing of an answer goes into an error.
- Only 200 (an object) and 404 (no such thing) are answers; redirects are not followed, cookies not kept.
- Every look-up has a deadline and a limit of bytes; connections are kept open between them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Self

import orjson
from yarl import URL

from broker.courier import Courier, up_to
from broker.domain.addresses import address_fault
from broker.domain.errors import RegisterUnavailable


class RegisterUnusable(ValueError):
    """A register's settings cannot be used. Says which setting and what was expected."""


class RegisterLine:
    """An open line to one register. Settings: `base_url`, `api_key_header`, `tls`, `plain_http`; secret `api_key`."""

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        deadline_seconds: float = 2.0,
        most_bytes: int = 65_536,
        most_at_once: int = 32,
    ) -> None:
        self.name = name
        self.tally: Counter[str] = Counter()
        self._address = _address(settings)
        self._headers = _headers(settings, secrets)
        self._tls = _tls(settings.get("tls", {})) if self._address.scheme == "https" else None
        self._seconds = deadline_seconds
        self._most_bytes = most_bytes
        self._places = asyncio.Semaphore(most_at_once)
        self._courier: Courier | None = None

    async def __aenter__(self) -> Self:
        url = self._address
        self._courier = Courier(url.raw_host or "", url.port or 0, self._tls, self._headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._courier is not None:
            self._courier.close()
        self._courier = None

    async def look_up(self, path: str, question: Mapping[str, str]) -> dict[str, Any] | None:
        """Ask once and give the answer, or None when the register has no such thing. Raises `RegisterUnavailable`."""
        try:
            async with asyncio.timeout(self._seconds), self._places:
                status, told = await self._send(path, orjson.dumps(question))
            answer = orjson.loads(told) if status == HTTPStatus.OK else None
        except (OSError, ValueError):
            # A timeout is an OSError; what cannot be parsed is a ValueError.
            status, answer = 0, None
        found = isinstance(answer, dict)
        self.tally["answered" if found or status == HTTPStatus.NOT_FOUND else "unavailable"] += 1
        if status == HTTPStatus.NOT_FOUND:
            return None
        if not isinstance(answer, dict):
            # Raised out here, so that the register's own words hang on it in no way (P4).
            raise RegisterUnavailable(self.name)
        return answer

    async def _send(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send one look-up and read its answer, no further than the limit."""
        if self._courier is None:
            raise RegisterUnavailable(self.name)
        return await self._courier.carry("POST", _target(self._address, path), body, up_to(self._most_bytes))


@lru_cache(maxsize=256)
def _target(address: URL, path: str) -> str:
    """Write a path below an address, as it stands in a request."""
    return (address / path.lstrip("/")).raw_path


def _address(settings: Mapping[str, Any]) -> URL:
    address = str(settings.get("base_url", ""))
    if fault := address_fault(address):
        raise RegisterUnusable(f"base_url: {fault}")
    url = URL(address)
    if url.scheme == "http" and not _is_this_machine(url.host or "") and settings.get("plain_http") is not True:
        raise RegisterUnusable("base_url: plain http to another machine; use https, or say `plain_http: true`")
    return url


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _headers(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}
    if "api_key_header" in settings:
        if not secrets.get("api_key"):
            raise RegisterUnusable("secrets.api_key: is missing")
        headers[settings["api_key_header"]] = secrets["api_key"]
    return headers


def _tls(tls: Mapping[str, str]) -> ssl.SSLContext:
    """Make a TLS context that always verifies, with the named authority and our own certificate if there is one."""
    try:
        context = ssl.create_default_context(cafile=tls.get("ca_file"))
        if "client_certificate_file" in tls:
            context.load_cert_chain(tls["client_certificate_file"], tls.get("client_key_file"))
    except (OSError, ssl.SSLError):
        raise RegisterUnusable("tls: a certificate or key file cannot be read") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
