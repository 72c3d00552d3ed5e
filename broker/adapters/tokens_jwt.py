"""Tokens as signed JWTs (RFC 9068), with the broker's own keys.

A token that held once is remembered until it ends, so that the next ask with it costs no second signature check.
The memory is small, holds no citizen, and forgets the oldest first.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson
from joserfc import jwk, jwt
from joserfc.jwk import ECKey, Key, KeySet, OKPKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode as base64url

from broker.adapters.sealing import derive, seal, unseal
from broker.domain.errors import NotAuthenticated

LONGEST_TOKEN = 8192
MOST_REMEMBERED = 4096
_TYPE = "at+jwt"
_PLACE = "access token"
_ALGORITHM = {ECKey: "ES256", OKPKey: "Ed25519"}


class JwtTokens:
    """Mint with the first key, read with any: the others are those that are going out of use (or coming)."""

    def __init__(self, private_jwks: Sequence[Mapping[str, Any]], issuer: str) -> None:
        """Take private JWKs of P-256 or Ed25519, newest first. Raises `ValueError` if there is none or another kind."""
        keys = [jwk.import_key({**member}) for member in private_jwks]
        for key in keys:
            if not isinstance(key, ECKey | OKPKey) or not key.is_private or key.curve_name not in {"P-256", "Ed25519"}:
                raise ValueError("the broker signs with private keys of P-256 or Ed25519")
            key.ensure_kid()
        if not keys:
            raise ValueError("the broker has no signing key")
        self._keys = {str(key.kid): key for key in keys}
        self._sealing = {kid: _sealing_key(key) for kid, key in self._keys.items()}
        self._newest = keys[0]
        self._issuer = issuer
        self._registry = JWSRegistry(algorithms=list(_ALGORITHM.values()))
        self._remembered: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def mint(self, claims: Mapping[str, Any], private: Mapping[str, Any] | None = None) -> str:
        """Sign the claims as an access token; who it is from and for is ourselves.

        The private claims are sealed inside: whoever holds or logs a token can read the others only.
        """
        key = self._newest
        header = {"typ": _TYPE, "alg": _ALGORITHM[type(key)], "kid": str(key.kid)}
        everything = {**claims, "iss": self._issuer, "aud": self._issuer}
        if private:
            sealed = seal(self._sealing[str(key.kid)], orjson.dumps({**private}), _PLACE)
            everything["sealed"] = urlsafe_b64encode(sealed).decode()
        return jwt.encode(header, everything, key, registry=self._registry)

    def read(self, token: str, now: datetime) -> Mapping[str, Any]:
        """Give the claims of a live token that we made, or raise `NotAuthenticated("invalid_token")`."""
        claims = self._remembered.get(token) or self._verified(token)
        if claims["exp"] <= now.timestamp():
            self._remembered.pop(token, None)
            raise NotAuthenticated("invalid_token")
        return claims

    def public_jwks(self) -> dict[str, Any]:
        """Give the public keys as a JWK set."""
        return {
            "keys": [
                {**key.as_dict(private=False), "use": "sig", "alg": _ALGORITHM[type(key)]}
                for key in KeySet(list(self._keys.values())).keys
            ]
        }

    def _verified(self, token: str) -> Mapping[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise NotAuthenticated("invalid_token")
        try:
            found = jwt.decode(token, lambda of: self._keys[of.headers()["kid"]], registry=self._registry)
            private = self._unsealed(found)
        except Exception as error:
            # Hostile bytes break parsers in many ways; every way means no, and none is told.
            raise NotAuthenticated("invalid_token") from error
        claims = found.claims
        ours = claims.get("iss") == self._issuer and claims.get("aud") == self._issuer
        typed = found.header.get("typ") == _TYPE and "b64" not in found.header
        if not ours or not typed or not isinstance(claims.get("exp"), int | float):
            raise NotAuthenticated("invalid_token")
        self._remembered[token] = MappingProxyType({**claims, **private})
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return self._remembered[token]

    def _unsealed(self, found: jwt.Token) -> dict[str, Any]:
        sealed = found.claims.get("sealed")
        if sealed is None:
            return {}
        key = self._sealing[found.header["kid"]]
        return dict(orjson.loads(unseal(key, urlsafe_b64decode(sealed), _PLACE)))


def _sealing_key(key: Key) -> bytes:
    """Derive, from a signing key, the key that seals what stands inside its tokens."""
    return derive(base64url(str(key.as_dict(private=True)["d"]).encode()), "claims in access tokens")
