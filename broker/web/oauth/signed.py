"""Read a signed JWT strictly: one way for every kind, so that no kind is read more kindly than another.

Rules kept here:
- The caller says which key and which single algorithm count; the token's own header chooses only among them.
- `jku`, `x5u`, `x5c` and (but for a DPoP proof) `jwk` in a header have no say; unknown critical headers refuse.
- Size is bounded before anything is parsed; whatever goes wrong has the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from joserfc import jws
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from broker.domain.errors import NotAuthenticated
from broker.web.oauth.registrations import ALGORITHMS, PublicKeys

LONGEST_TOKEN = 8192
LONGEST_ID = 255
LONGEST_ASSERTION = timedelta(minutes=5)
EARLY = timedelta(seconds=5)

KeyChoice = Callable[[Mapping[str, Any]], tuple[str, Key] | None]
_EXTENSIONS = frozenset({"crit", "b64"})
# What can be verified at all; what may be is said by each choice of a key. RS256 is for providers' ID tokens alone.
_REGISTRY = JWSRegistry(algorithms=sorted({*ALGORITHMS, "RS256"}))
_REGISTRY.max_header_length = 2048


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """A JWT whose signature held: header and claims, nothing yet judged of what they say."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def read_signed(token: str, choose: KeyChoice, *, types: frozenset[str], refusal: str) -> Signed:
    """Give header and claims of a JWT that the chosen key signed, or raise `NotAuthenticated(refusal)`.

    `types` are the accepted `typ` values in lower case; the empty text among them accepts a JWT without one.
    """
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise NotAuthenticated(refusal)
    try:
        found = jws.extract_compact(token.encode("ascii"), registry=_REGISTRY)
        header = found.protected
        chosen = choose(header)
        held = chosen is not None and header.get("alg") == chosen[0] and _verify(found, *chosen)
        claims = orjson.loads(found.payload) if held and found.payload else None
    except Exception as error:
        # Hostile bytes break parsers in many ways; every way means no, and none is told.
        raise NotAuthenticated(refusal) from error
    typ = header.get("typ", "")
    if not isinstance(claims, dict) or not isinstance(typ, str) or typ.lower() not in types:
        raise NotAuthenticated(refusal)
    return Signed(header, claims)


def _verify(found: jws.CompactSignature, alg: str, key: Key) -> bool:
    # Extensions (`crit`) change what a signature means, `b64` even what was signed; nobody who talks to us needs one.
    return _EXTENSIONS.isdisjoint(found.protected) and jws.validate_compact(found, key, [alg], registry=_REGISTRY)


def registered_key(keys: PublicKeys) -> KeyChoice:
    """Choose among the registered keys of one owner, by `kid` alone."""

    def choose(header: Mapping[str, Any]) -> tuple[str, Key] | None:
        key = keys.pick(header.get("kid"))
        return None if key is None else (keys.alg, key)

    return choose


def unverified_issuer(token: str, *, refusal: str) -> object:
    """Read `iss` before any signature is checked, only to know whose keys to check it with."""
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise NotAuthenticated(refusal)
    try:
        claims = orjson.loads(jws.extract_compact(token.encode("ascii"), registry=_REGISTRY).payload or b"")
    except Exception as error:
        raise NotAuthenticated(refusal) from error
    return claims.get("iss") if isinstance(claims, dict) else None


def moment(claims: Mapping[str, Any], name: str, *, refusal: str) -> datetime:
    """Give a NumericDate claim (RFC 7519 section 2) as a time, or raise `NotAuthenticated(refusal)`."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotAuthenticated(refusal)
    if not 0 <= value < 1 << 33:
        raise NotAuthenticated(refusal)
    return datetime.fromtimestamp(value, UTC)


def one_time_id(claims: Mapping[str, Any], *, refusal: str) -> str:
    """Give `jti`, by which a token is used once, or raise `NotAuthenticated(refusal)`."""
    value = claims.get("jti")
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise NotAuthenticated(refusal)
    return value


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a one-time assertion was issued and when it ends."""

    issued_at: datetime
    ends_at: datetime


def lifetime(claims: Mapping[str, Any], now: datetime, *, refusal: str) -> Lifetime:
    """Check that an assertion lives now and for five minutes at most, or raise `NotAuthenticated(refusal)`."""
    issued_at = moment(claims, "iat", refusal=refusal)
    ends_at = moment(claims, "exp", refusal=refusal)
    begun = "nbf" not in claims or moment(claims, "nbf", refusal=refusal) <= now + EARLY
    if not begun or issued_at > now + EARLY or ends_at <= now or ends_at - issued_at > LONGEST_ASSERTION:
        raise NotAuthenticated(refusal)
    return Lifetime(issued_at, ends_at)


def meant_for(claims: Mapping[str, Any], audiences: frozenset[str]) -> bool:
    """Tell whether `aud` names us and nobody else: a second audience could use the token against us."""
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    return isinstance(audience, str) and audience in audiences
