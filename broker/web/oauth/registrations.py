"""Who is registered: department systems (OAuth clients), employers who vouch for caseworkers, and their public keys.

Rules kept here:
- Keys are public, of a named kind, and each fits exactly the one algorithm pinned for its owner.
- No key serves two owners, nor a system and an employer at once (`design.md` 6b l).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode as base64url

from broker.domain.identity import System
from broker.saml_trust import SamlTrust

# FAPI 2.0 (5.4) without the two that need more than a name to be safe: RS256 is not in it, EdDSA became Ed25519.
ALGORITHMS = frozenset({"ES256", "Ed25519", "PS256"})
SHORTEST_RSA_BITS = 2048
_ALGORITHM = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "Ed25519", ("RSA", None): "PS256"}
_PUBLIC_MEMBERS = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("n", "e")}
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class BadKey(ValueError):
    """A JWK is not a public key that we accept; says why, never the key."""


def public_key(member: Mapping[str, Any]) -> tuple[str, Key]:
    """Read a public JWK (RFC 7517) and name the one algorithm it may be used with. Raises `BadKey`."""
    kind = member.get("kty")
    if not isinstance(kind, str) or kind not in _PUBLIC_MEMBERS:
        raise BadKey("key type not accepted: use EC, OKP or RSA")
    if not _SECRET_MEMBERS.isdisjoint(member):
        raise BadKey("a private key where a public one belongs")
    values = {name: member.get(name) for name in ("kty", *_PUBLIC_MEMBERS[kind])}
    if not all(isinstance(value, str) for value in values.values()):
        raise BadKey("a member of the key is missing")
    try:
        if kind == "RSA" and len(base64url(str(values["n"]).encode()).lstrip(b"\0")) * 8 < SHORTEST_RSA_BITS:
            raise BadKey("an RSA key needs 2048 bits or more")
        # Only the members that make the key: `use`, `key_ops`, `x5c`, `x5u` and the like have no say.
        key = jwk.import_key({name: str(value) for name, value in values.items()})
        return _ALGORITHM[kind, values.get("crv")], key
    except KeyError:
        raise BadKey("curve not accepted: use P-256 or Ed25519") from None
    except (JoseError, ValueError, TypeError) as error:
        raise BadKey(str(error) if isinstance(error, BadKey) else "the key cannot be read") from None


def thumbprint(member: Mapping[str, Any]) -> str:
    """Give the SHA-256 thumbprint (RFC 7638) of a public or private JWK. Raises `BadKey`."""
    return public_key({name: value for name, value in member.items() if name not in _SECRET_MEMBERS})[1].thumbprint()


def same_key(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two JWKs are one key, whatever their names and uses say. Raises `BadKey`."""
    return thumbprint(one) == thumbprint(other)


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The keys of one owner by `kid`, all for one algorithm."""

    alg: str
    keys: Mapping[str, Key]

    @classmethod
    def from_jwks(cls, jwks: Mapping[str, Any], alg: str | None = None) -> PublicKeys:
        """Read a JWK set; a key without `kid` is known by its thumbprint. Raises `BadKey`.

        The algorithm is pinned to `alg`, or to the one that the first key fits; every key must fit it.
        """
        members = jwks.get("keys")
        if not isinstance(members, list) or not members:
            raise BadKey("no keys")
        keys: dict[str, Key] = {}
        for member in members:
            if not isinstance(member, Mapping):
                raise BadKey("a key is not an object")
            fits, key = public_key(member)
            alg = alg or fits
            kid = member.get("kid", key.thumbprint())
            if fits != alg or member.get("alg", alg) != alg:
                raise BadKey("a key does not fit the pinned algorithm")
            if not isinstance(kid, str) or kid in keys:
                raise BadKey("a key id is missing or used twice")
            keys[kid] = key
        return cls(str(alg), MappingProxyType(keys))

    def pick(self, kid: object) -> Key | None:
        """Give the key of that id; without an id, the only key. Never tries one key after another."""
        if kid is None:
            return next(iter(self.keys.values())) if len(self.keys) == 1 else None
        return self.keys.get(kid) if isinstance(kid, str) else None

    @classmethod
    def none(cls) -> PublicKeys:
        """Give no keys at all, for an employer whose word comes as SAML alone: nothing verifies with them."""
        return cls("", MappingProxyType({}))

    @property
    def thumbprints(self) -> frozenset[str]:
        """The thumbprints of all keys."""
        return frozenset(key.thumbprint() for key in self.keys.values())


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered department system: its key, whose it is, and the employers whose word about caseworkers it brings.

    `employers` are issuers of other municipalities that are accepted besides those of its own.
    """

    client_id: str
    municipality: str
    units: frozenset[str]
    keys: PublicKeys
    employers: frozenset[str] = field(default_factory=frozenset)

    @property
    def system(self) -> System:
        """The system in the words of the domain."""
        return System(self.client_id, self.municipality, self.units)


@dataclass(frozen=True, slots=True)
class Employer:
    """An employer whose signed assertions name caseworkers: its issuer URL, municipality, and keys for either kind."""

    issuer: str
    municipality: str
    keys: PublicKeys
    saml: SamlTrust | None = None


@dataclass(frozen=True, slots=True)
class Registrations:
    """All clients and employers of one registry revision."""

    clients: Mapping[str, Registration]
    employers: Mapping[str, Employer]

    @classmethod
    def of(cls, clients: Iterable[Registration], employers: Iterable[Employer]) -> Registrations:
        """Put them together. Raises `BadKey` when one key has two owners."""
        clients, employers = tuple(clients), tuple(employers)
        if faults := key_faults(clients, employers):
            raise BadKey("; ".join(faults))
        return cls(
            MappingProxyType({client.client_id: client for client in clients}),
            MappingProxyType({employer.issuer: employer for employer in employers}),
        )

    def employer_for(self, client: Registration, issuer: object) -> Employer | None:
        """Give the employer if its word counts for this client: same municipality, or listed by name."""
        employer = self.employers.get(issuer) if isinstance(issuer, str) else None
        if employer is None:
            return None
        return employer if _counts(employer, client) else None

    def accepted(self) -> dict[str, frozenset[str]]:
        """Give the issuers whose word counts at the systems of each municipality, or names its own employees."""
        found = defaultdict[str, set[str]](set)
        for employer in self.employers.values():
            found[employer.municipality].add(employer.issuer)
        for client in self.clients.values():
            found[client.municipality].update(client.employers)
        return {home: frozenset(issuers) for home, issuers in found.items()}

    def saml_employer_for(self, client: Registration, entity_id: object, cvr: object) -> Employer | None:
        """Give the employer of that identity provider and CVR number, if its word counts for this client."""
        for employer in self.employers.values():
            trust = employer.saml
            if trust is not None and (trust.entity_id, trust.cvr) == (entity_id, cvr) and _counts(employer, client):
                return employer
        return None


def _counts(employer: Employer, client: Registration) -> bool:
    return employer.municipality == client.municipality or employer.issuer in client.employers


def key_faults(clients: Iterable[Registration], employers: Iterable[Employer]) -> tuple[str, ...]:
    """Name every owner whose name or key is already another's (for `registry check`)."""
    faults: list[str] = []
    names: set[str] = set()
    owners: dict[str, str] = {}
    employers = tuple(employers)
    registered = [(f"system {client.client_id}", client.keys.thumbprints) for client in clients]
    registered += [(f"employer {employer.issuer}", employer.keys.thumbprints) for employer in employers]
    for owner, _ in registered:
        if owner in names:
            faults.append(f"{owner} is registered twice")
        names.add(owner)
    # One identity provider may serve many employers, with its own key for all.
    registered += [(f"provider {of.saml.entity_id}", of.saml.thumbprints) for of in employers if of.saml is not None]
    for owner, prints in registered:
        for print_ in sorted(prints):
            first = owners.setdefault(print_, owner)
            if first != owner:
                faults.append(f"{owner} has the same key as {first}")
    return tuple(faults)
