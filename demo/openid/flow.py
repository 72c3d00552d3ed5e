"""The authorization code flow with PKCE (OpenID Connect Core 3.1, RFC 7636): a request, a choice, a code, tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from demo.openid.clock import Clock
from demo.openid.keys import SigningKey
from demo.openid.persons import claims
from demo.systems.records import Row

CODE_SECONDS = 60
CHOICE_SECONDS = 600
TOKEN_SECONDS = 300
T = TypeVar("T")


class AuthorizationRefusedError(Exception):
    """A log-in that the client is told no to; the text is the OAuth error code."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One authorization request, checked. `anew`: who is known here already must prove who they are once more."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    state: str | None
    nonce: str | None
    anew: bool


@dataclass(frozen=True, slots=True)
class Granted:
    """Who logged in for which request, and when by the provider's clock."""

    asked: Asked
    person: Row
    at: int


class Tickets(Generic[T]):
    """Things that stand behind a random ticket for a while; taking one takes it away."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[float, T]] = {}

    def put(self, thing: T) -> str:
        """Keep a thing and give its ticket."""
        now = time.monotonic()
        self._kept = {ticket: kept for ticket, kept in self._kept.items() if kept[0] > now}
        ticket = secrets.token_urlsafe(24)
        self._kept[ticket] = (now + self._seconds, thing)
        return ticket

    def see(self, ticket: str) -> T | None:
        """Give the thing behind a live ticket and keep it."""
        ends, thing = self._kept.get(ticket, (0.0, None))
        return thing if ends > time.monotonic() else None

    def take(self, ticket: str) -> T | None:
        """Give the thing behind a live ticket, once."""
        thing = self.see(ticket)
        self._kept.pop(ticket, None)
        return thing


def asked_from(params: Mapping[str, str], client: Row) -> Asked:
    """Read an authorization request of a known client and address. Raises `AuthorizationRefusedError`."""
    if "request" in params or "request_uri" in params:
        raise AuthorizationRefusedError("request_not_supported")
    if params.get("response_type") != "code":
        raise AuthorizationRefusedError("unsupported_response_type")
    scopes = frozenset(params.get("scope", "").split())
    if "openid" not in scopes:
        raise AuthorizationRefusedError("invalid_scope")
    challenge = params.get("code_challenge", "")
    if params.get("code_challenge_method") != "S256" or not re.fullmatch(r"[\w-]{43}", challenge, re.ASCII):
        raise AuthorizationRefusedError("invalid_request")
    prompt = params.get("prompt", "").split()
    if "none" in prompt:
        raise AuthorizationRefusedError("login_required")
    uri, state, nonce = params["redirect_uri"], params.get("state"), params.get("nonce")
    anew = "login" in prompt or params.get("max_age") == "0"
    return Asked(client["client_id"], uri, scopes, challenge, state, nonce, anew)


def back_to(redirect_uri: str, issuer: str, state: str | None, **told: str) -> str:
    """Write the address that leads back to the client, with who answers (RFC 9207)."""
    told |= {"iss": issuer} | ({} if state is None else {"state": state})
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(told)}"


def proves(verifier: str, challenge: str) -> bool:
    """Tell whether the verifier is the one the challenge was made of (RFC 7636 section 4.6)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), challenge.encode())


def id_token(granted: Granted, issuer: str, clock: Clock, key: SigningKey, access_token: str) -> str:
    """Sign who logged in, for the client that asked (OpenID Connect Core 2)."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    now = clock.now()
    told: dict[str, Any] = {
        **claims(granted.person, set(granted.asked.scopes), clock.today()),
        "iss": issuer,
        "aud": granted.asked.client_id,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "auth_time": granted.at,
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        "jti": secrets.token_urlsafe(12),
    }
    return key.sign(told | ({} if granted.asked.nonce is None else {"nonce": granted.asked.nonce}))
