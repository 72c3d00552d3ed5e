"""Check a DPoP proof: the sender holds the key that the token is bound to, and sends this very request (RFC 9449).

Rules kept here (RFC 9449 section 4.3, numbers as there):
- Type, algorithm and a public key in the header (4 to 7), method and address of this request (8, 9).
- The address is compared with the configured public one, never with what the Host header says.
- Issued within the last minute, five seconds ahead at most (11); bound to the token by `ath` (12); used once (11.1).
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import Key

from broker.domain.errors import NotAuthenticated
from broker.web.oauth.registrations import BadKey, public_key
from broker.web.oauth.signed import EARLY, moment, one_time_id, read_signed

PROOF_AGE = timedelta(seconds=60)
PROOF_ALGORITHMS = ("ES256", "Ed25519")
_REFUSAL = "invalid_dpop_proof"
_TYPES = frozenset({"dpop+jwt"})
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that held: the thumbprint of its key, and what the replay memory must know of it."""

    jkt: str
    replay_key: bytes
    issued_at: datetime
    keep_until: datetime


def check_proof(proof: str, *, method: str, address: str, now: datetime, token: str | None = None) -> Proof:
    """Check a proof for this method and address, and for this access token if one came with it.

    Raises `NotAuthenticated("invalid_dpop_proof")`. The caller still asks the replay memory.
    """
    signed = read_signed(proof, _key_in_header, types=_TYPES, refusal=_REFUSAL)
    claims = signed.claims
    issued_at = moment(claims, "iat", refusal=_REFUSAL)
    held = (
        claims.get("htm") == method
        and isinstance(claims.get("htu"), str)
        and _plain_address(claims["htu"]) == _plain_address(address)
        and now - PROOF_AGE <= issued_at <= now + EARLY
        and (token is None or _names_token(claims.get("ath"), token))
    )
    if not held:
        raise NotAuthenticated(_REFUSAL)
    jkt = _key(_key_members(signed.header))[2]
    replay_key = hashlib.sha256(f"dpop\0{jkt}\0{one_time_id(claims, refusal=_REFUSAL)}".encode()).digest()
    # Kept longer than any clock on any node would still take the proof.
    return Proof(jkt, replay_key, issued_at, issued_at + PROOF_AGE + 2 * EARLY)


def _names_token(ath: object, token: str) -> bool:
    expected = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=")
    return isinstance(ath, str) and compare_digest(ath.encode(), expected)


@lru_cache(maxsize=1024)
def _plain_address(address: str) -> tuple[str, str, int, str] | None:
    """Take an address apart without query and fragment, so that equal ones compare equal (RFC 3986 section 6.2)."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path or "/"


def _key_in_header(header: Mapping[str, Any]) -> tuple[str, Key] | None:
    alg, key, _ = _key(_key_members(header))
    return (alg, key) if alg in PROOF_ALGORITHMS else None


def _key_members(header: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    member = header.get("jwk")
    if not isinstance(member, dict) or not all(isinstance(value, str) for value in member.values()):
        raise NotAuthenticated(_REFUSAL)
    return tuple(sorted(member.items()))


@lru_cache(maxsize=4096)
def _key(members: tuple[tuple[str, str], ...]) -> tuple[str, Key, str]:
    """Read a key once for the many proofs that name it; a private or unknown key refuses."""
    try:
        alg, key = public_key(dict(members))
    except BadKey:
        raise NotAuthenticated(_REFUSAL) from None
    return alg, key, key.thumbprint()
