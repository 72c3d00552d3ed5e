"""Check the two assertions of the token endpoint: the system's own, and the employer's about a caseworker.

Rules kept here:
- A system proves itself by its registered key alone (RFC 7523 section 3): issuer and subject are the client, used once.
- An employer's word counts for one named client of its own municipality, or one that lists it (`design.md` 6b l).
- Nothing that an assertion says is taken on trust in its shape: every field is checked before it becomes a value.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from broker.domain.errors import NotAuthenticated
from broker.domain.identity import Caseworker
from broker.web.oauth.claims import CASEWORKER_TYPE, caseworker_from
from broker.web.oauth.registrations import Registration, Registrations
from broker.web.oauth.signed import (
    LONGEST_ASSERTION,
    Lifetime,
    lifetime,
    meant_for,
    one_time_id,
    read_signed,
    registered_key,
    unverified_issuer,
)

_CLIENT_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})
_CASEWORKER_TYPES = frozenset({"", "jwt", CASEWORKER_TYPE})


@dataclass(frozen=True, slots=True)
class Once:
    """What the replay memory must know of something that may be used once."""

    key: bytes
    issued_at: datetime
    keep_until: datetime


def check_client(
    assertion: str, registrations: Registrations, *, audiences: frozenset[str], now: datetime
) -> tuple[Registration, Once]:
    """Name the registered system that signed this, or raise `NotAuthenticated("invalid_client")`."""
    refusal = "invalid_client"
    issuer = unverified_issuer(assertion, refusal=refusal)
    client = registrations.clients.get(issuer) if isinstance(issuer, str) else None
    if client is None:
        raise NotAuthenticated(refusal)
    claims = read_signed(assertion, registered_key(client.keys), types=_CLIENT_TYPES, refusal=refusal).claims
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise NotAuthenticated(refusal)
    if not meant_for(claims, audiences):
        raise NotAuthenticated(refusal)
    name, lives = one_time_id(claims, refusal=refusal), lifetime(claims, now, refusal=refusal)
    return client, used_once("client", client.client_id, name, lives)


def check_caseworker(
    assertion: str, client: Registration, registrations: Registrations, *, issuer: str, now: datetime
) -> tuple[Caseworker, Once]:
    """Name the caseworker whom their employer vouches for to this client, or raise `NotAuthenticated("invalid_grant")`.

    `issuer` is our own name, which the assertion must carry as its only audience.
    """
    refusal = "invalid_grant"
    employer = registrations.employer_for(client, unverified_issuer(assertion, refusal=refusal))
    if employer is None:
        raise NotAuthenticated(refusal)
    claims = read_signed(assertion, registered_key(employer.keys), types=_CASEWORKER_TYPES, refusal=refusal).claims
    if claims.get("iss") != employer.issuer or not meant_for(claims, frozenset({issuer})):
        raise NotAuthenticated(refusal)
    # Without this, a system could use an assertion that its caseworker made out for another system.
    if claims.get("client_id") != client.client_id:
        raise NotAuthenticated(refusal)
    lives = lifetime(claims, now, refusal=refusal)
    caseworker = caseworker_from(claims, issuer=employer.issuer, municipality=employer.municipality, refusal=refusal)
    if caseworker.authenticated_at > lives.ends_at:
        raise NotAuthenticated(refusal)
    return caseworker, used_once("employer", employer.issuer, one_time_id(claims, refusal=refusal), lives)


def used_once(kind: str, owner: str, name: str, lives: Lifetime) -> Once:
    """Say how an assertion of this name, by this owner, is remembered."""
    # Longer than it lives: a node whose clock is behind must still find it.
    key = hashlib.sha256(f"{kind}\0{owner}\0{name}".encode()).digest()
    return Once(key, lives.issued_at, lives.ends_at + LONGEST_ASSERTION)
