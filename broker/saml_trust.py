"""What is registered of an employer that speaks OIOSAML 3: its name, certificates, and how its words read as ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, load_pem_x509_certificates
from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import Key

KLE = "kle"
UNIT = "unit"
SENSITIVITY = "sensitivity"
ATTESTED_ON = "attested_on"
# The two that KOMBIT's frame fixes; each municipality may name its own for sensitivity and attestation.
KLE_CONSTRAINT = "http://sts.kombit.dk/constraints/KLE/1"
UNIT_CONSTRAINT = "http://sts.kombit.dk/constraints/orgenhed/1"
SHORTEST_RSA_BITS = 2048
CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})


class BadCertificate(ValueError):
    """A certificate cannot be trusted with signing assertions; says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a privilege gives here: one of our roles, and the highest sensitivity level it ever reaches."""

    role: str
    sensitivity: int


@dataclass(frozen=True, slots=True)
class SamlTrust:
    """An employer's identity provider as it is registered.

    `units` leads from the employer's ids of organisational units to ours; `unit_attribute` names the attribute that
    says a person's unit, where privileges do not. `constraints` leads from a constraint's name to what it limits.
    `municipalities` leads from CVR numbers to ours, for privileges that another municipality delegated.
    """

    entity_id: str
    cvr: str
    certificates: tuple[Certificate, ...]
    privileges: Mapping[str, Given]
    units: Mapping[str, str]
    unit_attribute: str | None
    constraints: Mapping[str, str]
    municipalities: Mapping[str, str]

    @property
    def thumbprints(self) -> frozenset[str]:
        """The thumbprints of the certificates' keys."""
        return frozenset(public_key(certificate).thumbprint() for certificate in self.certificates)


def read_certificates(file: Path) -> tuple[Certificate, ...]:
    """Read an identity provider's certificates (PEM, one or more). Raises `BadCertificate`."""
    try:
        found = tuple(load_pem_x509_certificates(file.read_bytes()))
    except OSError as error:
        raise BadCertificate(f"cannot be read ({type(error).__name__})") from None
    except ValueError:
        raise BadCertificate("no certificates in PEM") from None
    if not all(_strong(certificate) for certificate in found):
        raise BadCertificate("a key is not RSA of 2048 bits or more, nor P-256, P-384 or P-521")
    return found


def public_key(certificate: Certificate) -> Key:
    """Give a certificate's key as a JWK, to compare with registered ones. Raises `BadCertificate`."""
    key = certificate.public_key()
    spki = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        return jwk.import_key(spki, "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC")
    except (JoseError, ValueError, TypeError):
        raise BadCertificate("a key of another kind") from None


def _strong(certificate: Certificate) -> bool:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= SHORTEST_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES
