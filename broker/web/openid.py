"""Log-in at an OpenID provider: code flow with PKCE, state and nonce (OpenID Connect Core 3.1, RFC 7636, RFC 9207).

Rules kept here:
- What the provider says counts only when its ID token is signed by its key, for us, for this very log-in.
- Addresses come from its metadata, which must name the issuer we were configured with; nothing is redirected.
- No secret and no claim is in an error; whatever goes wrong is `login_failed`, or broken off if the provider says it.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import orjson
from joserfc.jwk import Key

from broker.domain.addresses import address_fault
from broker.domain.errors import NotAuthenticated
from broker.web.oauth.registrations import BadKey, public_key
from broker.web.oauth.signed import EARLY, moment, read_signed

REFUSAL = "login_failed"
# The person pressed cancel there, or the provider let them in no further.
BROKEN_OFF = "login_broken_off"
UNAVAILABLE = "provider_unavailable"
MOST_BYTES = 262_144
SECONDS = 10.0
METADATA_SECONDS = 3600.0
NEW_KEYS_AFTER_SECONDS = 30.0
# OpenID Connect Core 3.1.2.1: a log-in now, whatever the provider remembers; its token then says when it was.
ANEW = {"prompt": "login", "max_age": "0"}
_ID_TOKEN_AGE = timedelta(minutes=10)
_TYPES = frozenset({"", "jwt"})
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OFFERED = ("userinfo_endpoint", "end_session_endpoint")


@dataclass(frozen=True, slots=True)
class Provider:
    """A configured provider and how we are registered there. `extra` goes along with every log-in request."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("openid",)
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Proven:
    """What the provider said of a person who just logged in; `id_token` is for logging out there.

    `tells_when` is False where it does not say when they did (`auth_time`): it may have been long ago.
    """

    claims: Mapping[str, Any]
    id_token: str
    authenticated_at: datetime
    tells_when: bool


class OpenIdClient:
    """One provider as we talk to it. `redirect_uri` is where it sends the browser back to."""

    def __init__(self, provider: Provider, redirect_uri: str, http: aiohttp.ClientSession) -> None:
        self.provider = provider
        self._redirect_uri = redirect_uri
        self._http = http
        self._metadata: Mapping[str, Any] = {}
        self._keys: Mapping[str, tuple[str, Key]] = {}
        self._metadata_until = 0.0
        self._keys_read_at = -NEW_KEYS_AFTER_SECONDS
        self._learning = asyncio.Lock()

    async def begin(self, *, anew: bool = False) -> tuple[str, dict[str, str]]:
        """Give the address to send the browser to, and what must be remembered until it comes back.

        `anew` asks that the person proves who they are now, though the provider knows them from before.
        """
        metadata = await self._known()
        running = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = urlsafe_b64encode(hashlib.sha256(running["verifier"].encode()).digest()).rstrip(b"=").decode()
        query = {
            **self.provider.extra,
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(self.provider.scopes),
            "state": running["state"],
            "nonce": running["nonce"],
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **(ANEW if anew else {}),
        }
        return f"{metadata['authorization_endpoint']}?{urlencode(query)}", running

    async def finish(self, answer: Mapping[str, str], running: Mapping[str, str], now: datetime) -> Proven:
        """Turn what the browser brought back into claims. Raises `NotAuthenticated`."""
        metadata = await self._known()
        issuer = answer.get("iss")
        named = issuer == self.provider.issuer or (
            issuer is None and not metadata.get("authorization_response_iss_parameter_supported")
        )
        # The state first: an answer that is not to our question is not even an error to act upon.
        if not compare_digest(answer.get("state", "").encode(), running["state"].encode()) or not named:
            raise NotAuthenticated(REFUSAL)
        if "error" in answer or not answer.get("code"):
            raise NotAuthenticated(BROKEN_OFF if "error" in answer and "code" not in answer else REFUSAL)
        tokens = await self._redeem(metadata["token_endpoint"], answer["code"], running["verifier"])
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise NotAuthenticated(REFUSAL)
        signed = await self._verified(id_token, running["nonce"], now)
        claims = {**await self._userinfo(metadata, tokens, signed["sub"]), **signed}
        # When they logged in is said by the signed token alone: what is told beside it nobody signed.
        tells_when = "auth_time" in signed
        at = moment(signed, "auth_time" if tells_when else "iat", refusal=REFUSAL)
        return Proven(claims, id_token, min(at, now), tells_when)

    async def farewell(self, id_token: str, back_to: str) -> str | None:
        """Give the address that ends the provider's own session (RP-initiated logout), or None if it has none."""
        endpoint = (await self._known()).get("end_session_endpoint")
        if not isinstance(endpoint, str):
            return None
        query = {"id_token_hint": id_token, "post_logout_redirect_uri": back_to, "client_id": self.provider.client_id}
        return f"{endpoint}?{urlencode(query)}"

    async def _redeem(self, endpoint: str, code: str, verifier: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        # RFC 6749 section 2.3.1: both parts are form-encoded before they become Basic.
        user, secret = quote(self.provider.client_id, safe=""), quote(self.provider.secret, safe="")
        headers = {"Authorization": aiohttp.encode_basic_auth(user, secret)}
        return await self._call("POST", endpoint, form=form, headers=headers)

    async def _verified(self, id_token: str, nonce: str, now: datetime) -> dict[str, Any]:
        await self._learn_keys(id_token)
        claims = read_signed(id_token, self._choose, types=_TYPES, refusal=REFUSAL).claims
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        us = self.provider.client_id
        held = (
            claims.get("iss") == self.provider.issuer
            and us in audiences
            and claims.get("azp", us if len(audiences) == 1 else None) == us
            and compare_digest(str(claims.get("nonce")).encode(), nonce.encode())
            and moment(claims, "exp", refusal=REFUSAL) > now
            and now - _ID_TOKEN_AGE < moment(claims, "iat", refusal=REFUSAL) <= now + EARLY
            and isinstance(claims.get("sub"), str)
            and claims.get("sub")
        )
        if not held:
            raise NotAuthenticated(REFUSAL)
        return dict(claims)

    async def _userinfo(
        self, metadata: Mapping[str, Any], tokens: Mapping[str, Any], subject: str
    ) -> Mapping[str, Any]:
        endpoint, token = metadata.get("userinfo_endpoint"), tokens.get("access_token")
        if not isinstance(endpoint, str) or not isinstance(token, str):
            return {}
        told = await self._call("GET", endpoint, headers={"Authorization": f"Bearer {token}"})
        # OpenID Connect Core 5.3.2: another subject's claims must not be used.
        if told.get("sub") != subject:
            raise NotAuthenticated(REFUSAL)
        return told

    def _choose(self, header: Mapping[str, Any]) -> tuple[str, Key] | None:
        kid = header.get("kid")
        only = next(iter(self._keys.values())) if len(self._keys) == 1 else None
        found = only if kid is None else self._keys.get(str(kid))
        if found is None:
            return None
        alg, key = found
        # Many providers sign with RS256 still; for an RSA key the token may say which of the two.
        return ("RS256", key) if alg == "PS256" and header.get("alg") == "RS256" else found

    async def _known(self) -> Mapping[str, Any]:
        if time.monotonic() >= self._metadata_until:
            issuer = self.provider.issuer
            found = await self._call("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            named = [str(found.get(name)) for name in _NEEDED] + [
                str(found[name]) for name in _OFFERED if name in found
            ]
            scheme = urlsplit(issuer).scheme
            usable = all(address_fault(one, query=True) is None and urlsplit(one).scheme == scheme for one in named)
            if found.get("issuer") != issuer or not usable:
                raise NotAuthenticated(UNAVAILABLE)
            self._metadata, self._metadata_until = found, time.monotonic() + METADATA_SECONDS
        return self._metadata

    async def _learn_keys(self, id_token: str) -> None:
        """Read the provider's keys when the token names one that we do not know; not more often than twice a minute."""
        kid = _kid(id_token)
        # Who comes while another log-in is reading the keys waits for them.
        async with self._learning:
            known = kid in self._keys or (kid is None and len(self._keys) == 1)
            if known or time.monotonic() - self._keys_read_at < NEW_KEYS_AFTER_SECONDS:
                return
            self._keys_read_at = time.monotonic()
            members = (await self._call("GET", (await self._known())["jwks_uri"])).get("keys")
            self._keys = _usable(members if isinstance(members, list) else [])

    async def _call(
        self,
        method: str,
        address: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with self._http.request(
                method, address, data=form, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                content = b""
                async for chunk in response.content.iter_chunked(16_384):
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise NotAuthenticated(UNAVAILABLE)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise NotAuthenticated(UNAVAILABLE) from None
        try:
            answer = orjson.loads(content) if status == 200 else None
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            raise NotAuthenticated(REFUSAL if status in {400, 401} else UNAVAILABLE)
        return answer


def _usable(members: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, Key]]:
    """Give the keys for signatures among these, each with its algorithm, by id."""
    keys = {}
    for member in members:
        try:
            alg, key = public_key(member)
        except BadKey:
            continue  # A key of a kind that we do not use, such as one for encryption.
        if member.get("use", "sig") == "sig":
            keys[str(member.get("kid"))] = (alg, key)
    return keys


def _kid(token: str) -> str | None:
    """Read the key id of a token before its signature is checked, only to know whether we have that key."""
    try:
        kid = orjson.loads(urlsafe_b64decode(token.partition(".")[0] + "==")).get("kid")
    except (ValueError, AttributeError):
        raise NotAuthenticated(REFUSAL) from None
    return None if kid is None else str(kid)
