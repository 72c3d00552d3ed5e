"""What a department system uses to ask the broker: proof by key, caseworker by assertion, tokens kept while they live.

    async with BrokerClient("https://broker.example", "korsbaek-jobcentre", read_key(Path("key.json"))) as broker:
        lene = broker.as_caseworker(sign_assertion)  # async () -> str: a fresh assertion, signed by the employer
        answer = await lene.ask({"citizen": ..., "purpose": "P04", "case": "..."})

It stands alone: it needs aiohttp and joserfc and nothing else of the broker's. It prints nothing, and no error of it
holds what was asked or answered, but for `problem`, which the broker made without repeating any input.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from joserfc import jwk, jwt
from joserfc.jwk import ECKey, Key, OKPKey

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 -- a name, no secret
# The forms in which an employer names its caseworker.
TOKEN_TYPES = {"jwt": "urn:ietf:params:oauth:token-type:jwt", "saml": "urn:ietf:params:oauth:token-type:saml2"}
JWT_TYPE = TOKEN_TYPES["jwt"]
CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
RENEW_BEFORE_SECONDS = 30
MOST_BYTES = 8 * 1024 * 1024
TRIES = 3
TRY_AGAIN = frozenset({502, 503, 504})

AssertionSource = Callable[[], Awaitable[str]]


class BrokerUnreachable(Exception):
    """The broker gave no usable answer. Whether an ask was carried out is then not known; it is never sent twice."""


class BrokerRefused(Exception):
    """The broker said no. `status` is the HTTP status, `problem` its RFC 9457 or OAuth error body."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"the broker refused with status {status}")
        self.status = status
        self.problem = problem


class Answered(dict[str, Any]):
    """An answer's JSON object, and the status it came with."""

    status = 200


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key, its id, and the one algorithm it signs with."""

    key: Key
    alg: str

    def sign(self, claims: Mapping[str, Any], *, typ: str, **header: Any) -> str:
        """Sign claims as a JWT."""
        return jwt.encode({"typ": typ, "alg": self.alg, **header}, {**claims}, self.key, algorithms=[self.alg])


@dataclass(slots=True)
class _Token:
    text: str = field(repr=False)
    good_until: float


def signing_key(member: Mapping[str, Any]) -> SigningKey:
    """Take a private JWK of P-256, Ed25519 or RSA. Raises `ValueError`."""
    key = jwk.import_key({**member})
    algorithm = "ES256" if isinstance(key, ECKey) else "Ed25519" if isinstance(key, OKPKey) else "PS256"
    if not key.is_private or key.key_type == "oct":
        raise ValueError("a private key of P-256, Ed25519 or RSA is needed")
    return SigningKey(key, algorithm)


def read_key(file: Path) -> SigningKey:
    """Read a private JWK from a file. Raises `OSError`, `ValueError`."""
    return signing_key(json.loads(file.read_text("utf-8")))


class BrokerClient:
    """One department system's connection to one broker.

    `tls` says whom to trust where that is not the machine's own list of authorities.
    """

    def __init__(
        self,
        address: str,
        client_id: str,
        key: SigningKey,
        *,
        seconds: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address = _checked(address)
        self._client_id = client_id
        self._key = key
        self._proof_key = signing_key(ECKey.generate_key("P-256").as_dict(private=True))
        self._seconds = seconds
        self._tls: ssl.SSLContext | bool = tls or True
        self._metadata: Mapping[str, Any] | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._seconds))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    def as_system(self) -> Acting:
        """Act as the system alone, for what needs no caseworker."""
        return Acting(self, None)

    def as_caseworker(self, assertion: AssertionSource, token_type: str = JWT_TYPE) -> Acting:
        """Act for one caseworker. `assertion` is called whenever a token is needed and signs a fresh one each time.

        A SAML assertion is given as base64url, with its type of `TOKEN_TYPES`.
        """
        return Acting(self, assertion, token_type)

    async def metadata(self) -> Mapping[str, Any]:
        """Fetch the broker's metadata once (RFC 8414), and make sure that it is this broker's."""
        if self._metadata is None:
            found = await self.send("GET", f"{self._address}/.well-known/oauth-authorization-server")
            if found.get("issuer") != self._address or not isinstance(found.get("token_endpoint"), str):
                raise BrokerUnreachable("the metadata is not this broker's")
            self._metadata = found
        return self._metadata

    async def token(self, assertion: str | None, token_type: str = JWT_TYPE) -> Mapping[str, Any]:
        """Get a token for the system, or in exchange for an employer's assertion (RFC 8693)."""
        endpoint = _checked((await self.metadata())["token_endpoint"])
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": CLIENT_ASSERTION_TYPE,
            "client_assertion": self._client_assertion(),
        }
        if assertion is not None:
            form |= {"grant_type": TOKEN_EXCHANGE, "subject_token": assertion, "subject_token_type": token_type}
        headers = {"DPoP": self.proof("POST", endpoint)}
        answer = await self.send("POST", endpoint, form=form, headers=headers)
        if str(answer.get("token_type")).lower() != "dpop" or not isinstance(answer.get("access_token"), str):
            raise BrokerUnreachable("the token is not bound to our key")
        return answer

    def proof(self, method: str, address: str, token: str | None = None) -> str:
        """Prove that we hold the key a token is bound to, for one request (RFC 9449 section 4)."""
        claims: dict[str, Any] = {
            "htm": method,
            "htu": address.partition("?")[0],
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(16),
        }
        if token is not None:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = urlsafe_b64encode(digest).rstrip(b"=").decode()
        public = self._proof_key.key.as_dict(private=False)
        member = {name: public[name] for name in ("kty", "crv", "x", "y")}
        return self._proof_key.sign(claims, typ="dpop+jwt", jwk=member)

    def address_of(self, path: str) -> str:
        """Give the full address of a path of the broker."""
        return self._address + path

    async def send(
        self,
        method: str,
        address: str,
        *,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Send one request, once. Raises `BrokerRefused`, `BrokerUnreachable`."""
        if self._http is None:
            raise RuntimeError("use the client in an `async with` block")
        try:
            async with self._http.request(
                method, address, data=form, json=body, headers=headers, allow_redirects=False, ssl=self._tls
            ) as response:
                content = await response.content.read(MOST_BYTES + 1)
                while len(content) <= MOST_BYTES and (more := await response.content.read(MOST_BYTES)):
                    content += more
        except (aiohttp.ClientError, TimeoutError, OSError):
            # The library's own words may hold an address or a body.
            raise BrokerUnreachable("no answer") from None
        return _understood(response.status, content)

    def _client_assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._address,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        kid = {"kid": str(self._key.key.kid)} if self._key.key.kid else {}
        return self._key.sign(claims, typ="JWT", **kid)


class Acting:
    """A system, or a system with one caseworker: asks, with a token that is renewed before it ends."""

    def __init__(self, client: BrokerClient, assertion: AssertionSource | None, token_type: str = JWT_TYPE) -> None:
        self._client = client
        self._assertion = assertion
        self._token_type = token_type
        self._token: _Token | None = None
        self._renewing = asyncio.Lock()

    async def ask(self, ask: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask about one citizen (`POST /v1/exchange`)."""
        return await self.post("/v1/exchange", ask)

    async def view(self, ask: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask for the whole-person view (`POST /v1/views`)."""
        return await self.post("/v1/views", ask)

    async def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answered:
        """Post JSON once. Not repeated when no answer comes: every ask is an access of its own on the log."""
        return await self._send("POST", path, body, headers)

    async def get(self, path: str) -> Mapping[str, Any]:
        """Read; tried again, a little later each time, while the broker cannot be reached."""
        for attempt in range(1, TRIES):
            try:
                return await self._send("GET", path, None, None)
            except BrokerUnreachable:
                pass
            except BrokerRefused as refusal:
                if refusal.status not in TRY_AGAIN:
                    raise
            await asyncio.sleep(0.2 * 2**attempt)
        return await self._send("GET", path, None, None)

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str] | None
    ) -> Answered:
        address = self._client.address_of(path)
        token = await self._live_token()
        proven = {"Authorization": f"DPoP {token}", "DPoP": self._client.proof(method, address, token)}
        try:
            return await self._client.send(method, address, body=body, headers={**(headers or {}), **proven})
        except BrokerRefused as refusal:
            if refusal.status == 401:
                # The broker may have new keys; the next ask starts with a new token.
                self._token = None
            raise

    async def _live_token(self) -> str:
        async with self._renewing:
            if self._token is None or time.time() >= self._token.good_until:
                asked_at = time.time()
                word = None if self._assertion is None else await self._assertion()
                answer = await self._client.token(word, self._token_type)
                lives = float(answer.get("expires_in", 0)) - RENEW_BEFORE_SECONDS
                self._token = _Token(answer["access_token"], asked_at + lives)
            return self._token.text


def _understood(status: int, content: bytes) -> Answered:
    try:
        answer = json.loads(content) if len(content) <= MOST_BYTES else None
    except ValueError:
        answer = None
    if 200 <= status < 300 and isinstance(answer, dict):
        told = Answered(answer)
        told.status = status
        return told
    if status >= 400:
        raise BrokerRefused(status, answer if isinstance(answer, dict) else {})
    raise BrokerUnreachable("not an answer of the broker")


def _checked(address: str) -> str:
    """Take an address without its last slash; plain HTTP is for this very machine only."""
    parts = urlsplit(address)
    here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise ValueError("the broker's address begins with https://")
    return address.rstrip("/")
