"""The wire to one source over HTTP: one courier, one place to ask, questions only.

Rules kept here:
- Only below the configured address: not by a redirect, not by a link in an answer, not by an odd path (SSRF).
- Only GET, and POST to the query paths that were named when the wire was made. There is no other verb.
- The subject's number is in no URL, and neither is anything that holds it.
- Answers are read against the errand's limit, uncompressed (`broker/courier.py`); what is no JSON is `unreadable`.
- Nothing is kept but the access token.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import orjson
from yarl import URL

from broker.courier import Courier, TooMuch
from broker.domain.addresses import address_fault
from broker.domain.errors import SourceFailed
from connectors.guard import Errand
from connectors.mapping import SettingsUnusable
from connectors.tokens import ClientCredentials

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


class Wire:
    """An open line to one configured address. Raises `SourceFailed` for all that goes wrong on it."""

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        query_paths: frozenset[str],
    ) -> None:
        self._name = name
        self._address = safe_address(settings["base_url"], settings)
        self._query_paths = query_paths
        auth = settings.get("auth", {})
        self._headers = dict(settings.get("headers", {})) | _fixed_credentials(auth, secrets)
        self._tokens = _client_credentials(name, auth, settings, secrets)
        self._tls = tls_context(settings.get("tls", {}))
        self._courier: Courier | None = None
        self._token_courier: Courier | None = None

    async def open(self) -> None:
        """Make ready to ask; nothing is sent yet."""
        kept = {"Accept": JSON_TYPE, "Accept-Encoding": "identity", "User-Agent": "borgerbro"}
        self._courier = self._to(self._address, kept | self._headers)
        if self._tokens is not None:
            self._token_courier = self._to(self._tokens.url, kept)

    def _to(self, url: URL, headers: Mapping[str, str]) -> Courier:
        return Courier(url.raw_host or "", url.port or 0, self._tls if url.scheme == "https" else None, headers)

    async def close(self) -> None:
        """End the connections."""
        for courier in (self._courier, self._token_courier):
            if courier is not None:
                courier.close()
        self._courier = self._token_courier = None

    async def get(self, errand: Errand, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        """Ask by GET and give the parsed answer; None when the source says that there is nothing (404)."""
        return await self._ask(errand, "GET", self._below(path).with_query(query), None, headers)

    async def follow(self, errand: Errand, link: str) -> Any:
        """Follow a link that an answer named, if it stays below the configured address."""
        try:
            url = self._address.join(URL(link))
        except ValueError:
            raise SourceFailed(self._name, "unreadable") from None
        return await self._ask(errand, "GET", url, None, {})

    async def query(self, errand: Errand, path: str, body: bytes, content_type: str, headers: Mapping[str, str]) -> Any:
        """Ask by a POST that only asks. Raises `SourceFailed` for a path that is no configured query path."""
        if path not in self._query_paths:
            raise SourceFailed(self._name, "refused")
        return await self._ask(errand, "POST", self._below(path), body, {**headers, "Content-Type": content_type})

    def _below(self, path: str) -> URL:
        # Encoded already where it must be: the parts of a path that are not configuration are quoted by their maker.
        return URL(str(self._address).rstrip("/") + path, encoded=True)

    async def _ask(self, errand: Errand, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]) -> Any:
        self._check(errand, url)
        try:
            status, told = await self._authorized(errand, method, url, body, headers)
        except OSError:
            raise SourceFailed(self._name, "unreachable") from None
        except TooMuch:
            raise SourceFailed(self._name, "too_much") from None
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK:
            # Any other word than yes: redirects too, which are never followed.
            raise SourceFailed(self._name, "refused")
        try:
            return orjson.loads(told)
        except orjson.JSONDecodeError:
            raise SourceFailed(self._name, "unreadable") from None

    async def _authorized(
        self, errand: Errand, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Send with an access token where there is one, and once more with a fresh one when the token is refused."""
        if self._tokens is None:
            return await self._send(errand, method, url, body, headers)
        token = await self._tokens.token(self._opened(self._token_courier))
        status, told = await self._send(errand, method, url, body, {**headers, **bearer(token)})
        if status == HTTPStatus.UNAUTHORIZED:
            # The source may have forgotten our token, after a restart for instance.
            self._tokens.forget(token)
            token = await self._tokens.token(self._opened(self._token_courier))
            status, told = await self._send(errand, method, url, body, {**headers, **bearer(token)})
        return status, told

    async def _send(
        self, errand: Errand, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        errand.spend_answer()
        return await self._opened(self._courier).carry(method, url.raw_path_qs, body, errand.takes, headers)

    def _opened(self, courier: Courier | None) -> Courier:
        if courier is None:
            raise SourceFailed(self._name, "unreachable")
        return courier

    def _check(self, errand: Errand, url: URL) -> None:
        """Refuse an address outside the configured one, or with the subject's number in it."""
        below = self._address.path.rstrip("/")
        inside = url.path == below or url.path.startswith(f"{below}/")
        if url.origin() != self._address.origin() or url.user or url.password or url.fragment or not inside:
            raise SourceFailed(self._name, "refused")
        plain = unquote(unquote(str(url)))
        if ".." in plain.split("?", maxsplit=1)[0] or errand.cpr in plain.replace("-", ""):
            raise SourceFailed(self._name, "refused")


def safe_address(address: str, settings: Mapping[str, Any]) -> URL:
    """Give a configured address; raise `SettingsUnusable` for one that no source may have (`domain/addresses`).

    Raises it too for plain HTTP to another machine that nobody asked for.
    """
    if fault := address_fault(address):
        raise SettingsUnusable(f"base_url: {fault}")
    url = URL(address)
    if url.scheme != "https" and not is_this_machine(url.host or "") and "plain_http" not in settings:
        raise SettingsUnusable("base_url: plain http to another machine; use https, or say `plain_http: true`")
    return url


def is_this_machine(host: str) -> bool:
    """Tell whether a configured host is loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_context(tls: Mapping[str, str]) -> ssl.SSLContext:
    """Make a TLS context that always verifies, with the named authority and our own certificate if there is one."""
    try:
        context = ssl.create_default_context(cafile=tls.get("ca_file"))
        if "client_certificate_file" in tls:
            context.load_cert_chain(tls["client_certificate_file"], tls.get("client_key_file"))
    except (OSError, ssl.SSLError):
        raise SettingsUnusable("tls: a certificate or key file cannot be read") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def secret(secrets: Mapping[str, str], name: str) -> str:
    """Give a secret; raise `SettingsUnusable` naming it when it is missing."""
    value = secrets.get(name)
    if not value:
        raise SettingsUnusable(f"secrets.{name}: is missing")
    return value


def bearer(token: str) -> dict[str, str]:
    """Give the header that carries a bearer token (RFC 6750 section 2.1)."""
    return {"Authorization": f"Bearer {token}"}


def _fixed_credentials(auth: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    if "api_key_header" in auth:
        headers[auth["api_key_header"]] = secret(secrets, "api_key")
    if "bearer" in auth:
        headers |= bearer(secret(secrets, "token"))
    return headers


def _client_credentials(
    name: str, auth: Mapping[str, Any], settings: Mapping[str, Any], secrets: Mapping[str, str]
) -> ClientCredentials | None:
    if "oauth2" not in auth:
        return None
    oauth2 = auth["oauth2"]
    return ClientCredentials(
        name,
        safe_address(oauth2["token_url"], settings),
        client_id=secret(secrets, "client_id"),
        client_secret=secret(secrets, "client_secret"),
        scope=oauth2.get("scope"),
        in_body=oauth2.get("client_authentication") == "body",
    )
