"""An employer's identity provider for tests: it writes OIOSAML 3 assertions as text and signs whatever a test wants."""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from broker.saml_trust import KLE_CONSTRAINT, UNIT_CONSTRAINT, Given, SamlTrust
from broker.web.oauth.registrations import Employer, PublicKeys
from tests.actors import ISSUER, TOKEN_ENDPOINT

SAML_TYPE = "urn:ietf:params:oauth:token-type:saml2"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
BPP = "http://itst.dk/oiosaml/basic_privilege_profile"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
ENVELOPED = f"{DS}enveloped-signature"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
EID = "https://data.gov.dk/model/core/eid/"
NSIS = "https://data.gov.dk/concept/core/nsis/loa"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
SCOPE = "urn:dk:gov:saml:cvrNumberIdentifier:"
SENSITIVITY_CONSTRAINT = "http://korsbaek.example/constraints/foelsomhed/1"
ATTESTED_CONSTRAINT = "http://korsbaek.example/constraints/attesteret/1"
WORKER = "http://borgerbro.example/roles/usersystemrole/sagsbehandler/1"
COORDINATOR = "http://borgerbro.example/roles/usersystemrole/koordinerende_sagsbehandler/1"
KORSBAEK, SKOVLUND, STRANGER = "29189999", "29188888", "10000000"
PERSON = "11111111-2222-4333-8444-555555555555"
JOB, SOCIAL = "b3b5a6a0-0000-4000-8000-000000000001", "b3b5a6a0-0000-4000-8000-000000000002"
PRIVILEGES = {WORKER: Given("sagsbehandler", 3), COORDINATOR: Given("koordinerende_sagsbehandler", 3)}
UNITS = {JOB: "korsbaek-job", SOCIAL: "korsbaek-social"}
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def rsa_key(name: str = "", bits: int = 2048) -> rsa.RSAPrivateKey:
    """Draw an RSA key, once for each name."""
    return rsa.generate_private_key(65537, bits)


def ec_key() -> ec.EllipticCurvePrivateKey:
    """Draw a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def certificate_of(key: Any, *, ends: datetime = datetime(2099, 1, 1, tzinfo=UTC)) -> x509.Certificate:
    """Write a certificate for a key, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an identity provider")])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2010, 1, 1, tzinfo=UTC))
        .not_valid_after(ends)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )


def pem_of(key: PrivateKey) -> bytes:
    """Give a private key as PEM, for another program."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def sent(document: str | bytes | etree._Element) -> str:
    """Give a document as a form's field carries it."""
    content = etree.tostring(document) if isinstance(document, etree._Element) else document
    return urlsafe_b64encode(content.encode() if isinstance(content, str) else content).rstrip(b"=").decode()


def moment(at: datetime) -> str:
    """Write a time as SAML does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def attribute(name: str, *values: str) -> str:
    """Write an attribute; values are taken as they are, markup too."""
    inside = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
    kind = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
    return f'<saml:Attribute Name="{name}" NameFormat="{kind}">{inside}</saml:Attribute>'


def group(
    privileges: Sequence[str] | str = WORKER, scope: str = SCOPE + KORSBAEK, **constraints: str
) -> str:  # fmt: skip
    """Write a privilege group; constraints by short name (kle, unit, sensitivity, attested_on) or in full."""
    named = [privileges] if isinstance(privileges, str) else privileges
    names = {
        "kle": KLE_CONSTRAINT, "unit": UNIT_CONSTRAINT,
        "sensitivity": SENSITIVITY_CONSTRAINT, "attested_on": ATTESTED_CONSTRAINT,
    }  # fmt: skip
    inside = "".join(f"<Privilege>{one}</Privilege>" for one in named)
    inside += "".join(f'<Constraint Name="{names.get(k, k)}">{value}</Constraint>' for k, value in constraints.items())
    return f'<PrivilegeGroup Scope="{scope}">{inside}</PrivilegeGroup>'


def privilege_list(*groups: str, before: str = '<?xml version="1.0" encoding="UTF-8"?>', namespace: str = BPP) -> str:
    """Write a privilege list as its attribute's value."""
    text = f'{before}<bpp:PrivilegeList xmlns:bpp="{namespace}">{"".join(groups)}</bpp:PrivilegeList>'
    return b64encode(text.encode()).decode()


DEFAULT_GROUP = group(kle="15.*,32.*", unit=JOB)


HASHES: dict[str, tuple[hashes.HashAlgorithm, str]] = {
    "sha1": (hashes.SHA1(), f"{DS}sha1"),
    "sha256": (hashes.SHA256(), "http://www.w3.org/2001/04/xmlenc#sha256"),
    "sha512": (hashes.SHA512(), "http://www.w3.org/2001/04/xmlenc#sha512"),
}


def canonical(element: etree._Element) -> bytes:
    """Give an element as exclusive canonicalisation has it."""
    return bytes(etree.tostring(element, method="c14n", exclusive=True, with_comments=False))


def raw_signature(key: PrivateKey | bytes, content: bytes, name: str) -> tuple[bytes, str]:
    """Sign bytes with an elliptic curve, RSA, or a shared secret; give the algorithm's name too."""
    made = HASHES[name][0]
    if isinstance(key, bytes):
        mac = hmac.HMAC(key, made)
        mac.update(content)
        return mac.finalize(), f"{MORE}hmac-{name}"
    if isinstance(key, rsa.RSAPrivateKey):
        old = DS if name == "sha1" else MORE
        return key.sign(content, padding.PKCS1v15(), made), f"{old}rsa-{name}"
    r, s = decode_dss_signature(key.sign(content, ec.ECDSA(made)))
    size = (key.key_size + 7) // 8
    return r.to_bytes(size) + s.to_bytes(size), f"{MORE}ecdsa-{name}"


def key_info_of(*certificates: x509.Certificate | bytes) -> str:
    """Write certificates, or bytes that pass for one, as a signature or a subject carries them."""
    ders = [one if isinstance(one, bytes) else one.public_bytes(Encoding.DER) for one in certificates]
    inside = "".join(f"<ds:X509Certificate>{b64encode(der).decode()}</ds:X509Certificate>" for der in ders)
    return f'<ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data>{inside}</ds:X509Data></ds:KeyInfo>'


def signed(
    document: str,
    *,
    key: PrivateKey | bytes,
    certificate: x509.Certificate | None = None,
    digest: str = "sha256",
    sign_hash: str = "sha256",
    alg: str | None = None,
    c14n: str = EXCLUSIVE,
    transforms: Sequence[str] = (ENVELOPED, EXCLUSIVE),
    references: Sequence[str] | None = None,
    key_info: str | None = None,
    inside: str = "",
) -> etree._Element:
    """Sign a document's root where its placeholder stands, written by hand so that a test may write anything."""
    root = etree.fromstring(document)
    place = root.find(f".//{{{DS}}}Signature[@Id='placeholder']")
    bare = etree.fromstring(document)
    gone = bare.find(f".//{{{DS}}}Signature[@Id='placeholder']")
    gone.getparent().remove(gone)
    hasher = hashes.Hash(HASHES[digest][0])
    hasher.update(canonical(bare))
    value = b64encode(hasher.finalize()).decode()
    steps = "".join(f'<ds:Transform Algorithm="{one}"/>' for one in transforms)
    told = "".join(
        f'<ds:Reference URI="{uri}"><ds:Transforms>{steps}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{HASHES[digest][1]}"/><ds:DigestValue>{value}</ds:DigestValue></ds:Reference>'
        for uri in (references if references is not None else [f"#{root.get('ID')}"])
    )
    name = raw_signature(key, b"", sign_hash)[1] if alg is None else alg
    info = (
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{c14n}"/>'
        f'<ds:SignatureMethod Algorithm="{name}"/>{told}</ds:SignedInfo>'
    )
    signature, _ = raw_signature(key, canonical(etree.fromstring(info)), sign_hash)
    if key_info is None and certificate is not None:
        key_info = key_info_of(certificate)
    whole = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue>{b64encode(signature).decode()}</ds:SignatureValue>'
        f"{key_info or ''}{inside}</ds:Signature>"
    )
    place.getparent().replace(place, whole)
    return root


@dataclass
class IdentityProvider:
    """The identity provider of one employer."""

    entity_id: str = "https://idp.korsbaek.example/adfs/services/trust"
    issuer: str = "https://medarbejdere.korsbaek.example"
    municipality: str = "korsbaek"
    cvr: str = KORSBAEK
    key: PrivateKey = field(default_factory=ec_key)
    unit_attribute: str | None = None
    certificates: tuple[x509.Certificate, ...] = ()

    def __post_init__(self) -> None:
        self.certificates = self.certificates or (certificate_of(self.key),)

    @property
    def registration(self) -> Employer:
        """What the registry holds of it."""
        return Employer(self.issuer, self.municipality, PublicKeys.none(), self.trust)

    @property
    def trust(self) -> SamlTrust:
        """How its word is read."""
        return SamlTrust(
            entity_id=self.entity_id,
            cvr=self.cvr,
            certificates=self.certificates,
            privileges=PRIVILEGES,
            units=UNITS,
            unit_attribute=self.unit_attribute,
            constraints={
                KLE_CONSTRAINT: "kle", UNIT_CONSTRAINT: "unit",
                SENSITIVITY_CONSTRAINT: "sensitivity", ATTESTED_CONSTRAINT: "attested_on",
            },
            municipalities={KORSBAEK: "korsbaek", SKOVLUND: "skovlund"},
        )  # fmt: skip

    def document(self, now: datetime, client_id: str = "korsbaek-jobcentre", **changes: Any) -> str:
        """Write an assertion about Lene, unsigned. `changes` replace parts by name; None leaves a part out."""
        ends = now + timedelta(minutes=4)
        told: dict[str, str | None] = {
            EID + "professional/cvr": self.cvr,
            EID + "professional/uuid/persistent": f"urn:uuid:{PERSON}",
            NSIS: "Substantial",
            EID + "privilegesIntermediate": privilege_list(DEFAULT_GROUP),
            EID + "fullName": "Lene Krogh",
        } | changes.pop("told", {})
        part: dict[str, Any] = {
            "id": f"_{secrets.token_hex(12)}",
            "version": "2.0",
            "issued": moment(now),
            "issuer": f"<saml:Issuer>{self.entity_id}</saml:Issuer>",
            "method": BEARER,
            "recipient": TOKEN_ENDPOINT,
            "confirmed_until": moment(ends),
            "holder": "",
            "audience": f"{ISSUER}/saml/{client_id}",
            "window": f'NotBefore="{moment(now - timedelta(minutes=1))}" NotOnOrAfter="{moment(ends)}"',
            "login": moment(now - timedelta(minutes=10)),
            "attributes": "".join(attribute(name, value) for name, value in told.items() if value is not None),
            "name_id": f'<saml:NameID Format="{PERSISTENT}">{PERSON}</saml:NameID>',
            "last": "",
        } | changes
        part.setdefault(
            "subject",
            f'<saml:Subject>{part["name_id"]}<saml:SubjectConfirmation Method="{part["method"]}">'
            f'<saml:SubjectConfirmationData Recipient="{part["recipient"]}" NotOnOrAfter="{part["confirmed_until"]}">'
            f"{part['holder']}</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>",
        )
        part.setdefault(
            "conditions",
            f"<saml:Conditions {part['window']}><saml:AudienceRestriction>"
            f"<saml:Audience>{part['audience']}</saml:Audience></saml:AudienceRestriction></saml:Conditions>",
        )
        part.setdefault(
            "statement",
            f'<saml:AuthnStatement AuthnInstant="{part["login"]}"><saml:AuthnContext><saml:AuthnContextClassRef>'
            "urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>",
        )
        return (
            f'<saml:Assertion xmlns:saml="{SAML}" ID="{part["id"]}" IssueInstant="{part["issued"]}" '
            f'Version="{part["version"]}">{part["issuer"]}<ds:Signature xmlns:ds="{DS}" Id="placeholder"/>'
            f"{part['subject']}{part['conditions']}{part['statement']}"
            f"<saml:AttributeStatement>{part['attributes']}</saml:AttributeStatement>{part['last']}</saml:Assertion>"
        )

    def sign(self, document: str, **how: Any) -> etree._Element:
        """Sign a document with the provider's key, or however a test wants (`signed`)."""
        return signed(document, **{"key": self.key, "certificate": self.certificates[0]} | how)

    def assertion(self, now: datetime, client_id: str = "korsbaek-jobcentre", **changes: Any) -> str:
        """Vouch for Lene to a client, with parts changed as the test wants; as a form's field carries it."""
        return sent(self.sign(self.document(now, client_id, **changes)))
