"""Those who knock at the broker's door: a department system, an employer. Each signs whatever a test wants."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from broker.adapters.signed_records import RecordSigner
from broker.web.oauth.registrations import Employer, PublicKeys, Registration

ISSUER = "https://broker.example"
TOKEN_ENDPOINT = f"{ISSUER}/oauth2/token"
CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
ROLE = {"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3, "attested_on": 20260101}


def a_key(alg: str = "ES256") -> Key:
    """Draw a fresh private key for an algorithm."""
    if alg == "ES256":
        return ECKey.generate_key("P-256")
    if alg == "Ed25519":
        return OKPKey.generate_key("Ed25519")
    return RSAKey.generate_key(2048)


def a_signer(*old: Key) -> RecordSigner:
    """Sign receipts with a fresh key, after these."""
    made = OKPKey.generate_key("Ed25519", {"kid": secrets.token_hex(4)})
    return RecordSigner([made.as_dict(private=True), *(key.as_dict(private=False) for key in old)])


def public(key: Key, **more: str) -> dict[str, Any]:
    """Give a key's public half as a JWK."""
    return {**key.as_dict(private=False), **more}


def signed(key: Key, claims: dict[str, Any], alg: str = "ES256", **header: Any) -> str:
    """Sign claims; a claim or header of None is left out."""
    present = {name: value for name, value in {"alg": alg, **header}.items() if value is not None}
    said = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, said, key, algorithms=[alg], default_type=None)


@dataclass
class ASystem:
    """A department system with its registered key and its DPoP key."""

    client_id: str = "korsbaek-jobcentre"
    municipality: str = "korsbaek"
    alg: str = "ES256"
    units: frozenset[str] = frozenset({"korsbaek-job"})
    employers: frozenset[str] = frozenset()
    key: Key = field(default_factory=a_key)
    proof_key: Key = field(default_factory=a_key)

    @property
    def registration(self) -> Registration:
        """What the registry holds of it."""
        keys = PublicKeys.from_jwks({"keys": [public(self.key, kid="one")]}, self.alg)
        return Registration(self.client_id, self.municipality, self.units, keys, self.employers)

    def assertion(self, now: datetime, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign a client assertion, with claims changed as the test wants."""
        at = int(now.timestamp())
        said = {
            "iss": self.client_id, "sub": self.client_id, "aud": ISSUER,
            "iat": at, "exp": at + 60, "jti": secrets.token_urlsafe(8),
        }  # fmt: skip
        return signed(self.key, said | claims, self.alg, **({"typ": "JWT", "kid": "one"} | (header or {})))

    def proof(
        self, now: datetime, address: str = TOKEN_ENDPOINT, method: str = "POST", *,
        token: str | None = None, header: dict[str, Any] | None = None, **claims: Any,
    ) -> str:  # fmt: skip
        """Sign a DPoP proof, with claims changed as the test wants."""
        said = {"htm": method, "htu": address, "iat": int(now.timestamp()), "jti": secrets.token_urlsafe(8)}
        if token is not None:
            said["ath"] = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        head = {"typ": "dpop+jwt", "jwk": public(self.proof_key)} | (header or {})
        return signed(self.proof_key, said | claims, head.pop("alg", "ES256"), **head)

    def form(self, now: datetime, subject_token: str | None = None, **more: str) -> dict[str, str]:
        """Fill in a token request: for the system, or in exchange for an employer's assertion."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": CLIENT_ASSERTION_TYPE,
            "client_assertion": self.assertion(now),
        }
        if subject_token is not None:
            form |= {"grant_type": TOKEN_EXCHANGE, "subject_token": subject_token, "subject_token_type": JWT_TYPE}
        return form | more


@dataclass
class AnEmployer:
    """An employer that vouches for its caseworkers."""

    issuer: str = "https://login.korsbaek.example"
    municipality: str = "korsbaek"
    alg: str = "ES256"
    key: Key = field(default_factory=a_key)

    @property
    def registration(self) -> Employer:
        """What the registry holds of it."""
        return Employer(self.issuer, self.municipality, PublicKeys.from_jwks({"keys": [public(self.key)]}, self.alg))

    def assertion(
        self, now: datetime, client_id: str = "korsbaek-jobcentre", *, header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:  # fmt: skip
        """Vouch for Lene to a client, with claims changed as the test wants."""
        at = int(now.timestamp())
        said = {
            "iss": self.issuer, "aud": ISSUER, "sub": "lene.krogh", "client_id": client_id,
            "iat": at, "exp": at + 120, "jti": secrets.token_urlsafe(8),
            "unit": "korsbaek-job", "roles": [ROLE], "nsis": "Substantial", "auth_time": at - 600,
        }  # fmt: skip
        return signed(self.key, said | claims, self.alg, **({"typ": "caseworker-assertion+jwt"} | (header or {})))
