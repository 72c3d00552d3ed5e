"""Check the two assertions of the token endpoint: the system's own, and the employer's about a caseworker.

Rules kept here:
- A system proves itself by its registered key alone (RFC 7523 section 3): issuer and subject are the client, used once.
- An employer's word counts for one named client of its own municipality, or one that lists it (`design.md` 6b l).
- Nothing that an assertion says is taken on trust in its shape: every field is checked before it becomes a value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    return client, _once("client", client.client_id, claims, lifetime(claims, now, refusal=refusal), refusal)


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
    return caseworker, _once("employer", employer.issuer, claims, lives, refusal)


def _once(kind: str, owner: str, claims: Mapping[str, Any], lives: Lifetime, refusal: str) -> Once:
    name = f"{kind}\0{owner}\0{one_time_id(claims, refusal=refusal)}"
    # Longer than it lives: a node whose clock is behind must still find it.
    return Once(hashlib.sha256(name.encode()).digest(), lives.issued_at, lives.ends_at + LONGEST_ASSERTION)
