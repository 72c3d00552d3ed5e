"""What an access token says: the system, the key it is bound to, and the caseworker if one was named.

Rules kept here:
- Five minutes at most; bound to the sender's key (`cnf.jkt`); no name and no CPR number inside.
- A token only points at the registration: municipality and units are those of the registry at the time of use.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broker.domain.errors import NotAuthenticated
from broker.domain.identity import Caseworker, System
from broker.web.oauth.claims import caseworker_claims, caseworker_from
from broker.web.oauth.registrations import Registration, Registrations

TOKEN_LIFE = timedelta(minutes=5)
_REFUSAL = "invalid_token"


@dataclass(frozen=True, slots=True)
class Access:
    """What a token gives: a system, the thumbprint of the key it is bound to, and perhaps a caseworker."""

    system: System
    jkt: str
    caseworker: Caseworker | None


def access_claims(client: Registration, caseworker: Caseworker | None, *, jkt: str, now: datetime) -> dict[str, Any]:
    """Lay out a new token's claims (RFC 9068 section 2.2, RFC 8693 section 4.1, RFC 9449 section 6)."""
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "sub": client.client_id,
        "client_id": client.client_id,
        "iat": issued,
        "exp": issued + int(TOKEN_LIFE.total_seconds()),
        "jti": secrets.token_urlsafe(16),
        "cnf": {"jkt": jkt},
    }
    if caseworker is None:
        return claims
    return claims | caseworker_claims(caseworker) | {"act": {"sub": client.client_id}, "employer": caseworker.issuer}


def read_access(claims: Mapping[str, Any], registrations: Registrations) -> Access:
    """Read a token's claims against today's registry, or raise `NotAuthenticated("invalid_token")`."""
    client = registrations.clients.get(str(claims.get("client_id")))
    cnf = claims.get("cnf")
    if client is None or not isinstance(cnf, dict) or not isinstance(cnf.get("jkt"), str):
        raise NotAuthenticated(_REFUSAL)
    if "act" not in claims:
        return Access(client.system, cnf["jkt"], None)
    employer = registrations.employer_for(client, claims.get("employer"))
    if employer is None:
        raise NotAuthenticated(_REFUSAL)
    caseworker = caseworker_from(claims, issuer=employer.issuer, municipality=employer.municipality, refusal=_REFUSAL)
    return Access(client.system, cnf["jkt"], caseworker)
