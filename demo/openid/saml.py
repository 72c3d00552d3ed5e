"""The employers' word as OIOSAML 3: an assertion about a caseworker, with OIO-BPP privileges, signed as XML.

What an employer calls its units and its roles stands in its row (`saml`): their ids and privileges, as its registration
at the broker names them. A role delegated by another municipality stands in a group of its own with that one's CVR.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from lxml import etree
from lxml.builder import ElementMaker
from signxml.algorithms import CanonicalizationMethod, SignatureMethod
from signxml.signer import XMLSigner

from demo.systems.records import Row

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
BPP = "http://itst.dk/oiosaml/basic_privilege_profile"
EID = "https://data.gov.dk/model/core/eid"
NSIS = "https://data.gov.dk/concept/core/nsis"
CONSTRAINTS = "http://sts.kombit.dk/constraints"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
LOGGED_IN = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
_saml = ElementMaker(namespace=SAML, nsmap={"saml": SAML})
_list = ElementMaker(namespace=BPP, nsmap={"bpp": BPP})
_inside = ElementMaker()


class SamlKey:
    """A P-256 key, its certificate, and the file beside it that holds the certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        private, public = folder / f"{name}.saml.pem", folder / f"{name}.saml.crt"
        if not private.exists():
            fresh = ec.generate_private_key(ec.SECP256R1())
            pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
                sink.write(pem)
            public.write_bytes(_certificate(fresh, name).public_bytes(Encoding.PEM))
        key = load_pem_private_key(private.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("an employer signs SAML with P-256")
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(public.read_bytes())

    def sign(self, assertion: etree._Element) -> str:
        """Sign an assertion in the place that its schema has for the signature; give it as base64url."""
        signer = XMLSigner(
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        issuer = assertion.find(f"{{{SAML}}}Issuer")
        issuer.addnext(
            etree.fromstring('<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>')
        )
        signed = signer.sign(
            assertion, key=self._key, cert=[self._certificate], reference_uri=f"#{assertion.get('ID')}"
        )  # fmt: skip
        return urlsafe_b64encode(etree.tostring(signed)).rstrip(b"=").decode()


def assertion_of(
    person: Row, employer: Row, *, audience: str, client_id: str, now: int, seconds: int
) -> etree._Element:
    """Write what the employer vouches for: to this one system (`client_id`) of this one broker (`audience`)."""
    begins, ends, ours = _moment(now), _moment(now + seconds), f"{audience}/saml/{client_id}"
    confirmed = {"Recipient": f"{audience}/oauth2/token", "NotOnOrAfter": ends}
    return _saml.Assertion(
        _saml.Issuer(employer["saml"]["entity_id"]),
        _saml.Subject(
            _saml.NameID(person["professional_id"], Format=PERSISTENT),
            _saml.SubjectConfirmation(_saml.SubjectConfirmationData(**confirmed), Method=BEARER),
        ),
        _saml.Conditions(
            _saml.AudienceRestriction(_saml.Audience(ours)), NotBefore=begins, NotOnOrAfter=ends
        ),
        _saml.AuthnStatement(_saml.AuthnContext(_saml.AuthnContextClassRef(LOGGED_IN)), AuthnInstant=begins),
        _saml.AttributeStatement(
            *(_saml.Attribute(_saml.AttributeValue(value), Name=name) for name, value in _told(person, employer))
        ),
        ID=f"_{secrets.token_hex(16)}",
        IssueInstant=begins,
        Version="2.0",
    )  # fmt: skip


def _told(person: Row, employer: Row) -> Iterator[tuple[str, str]]:
    yield f"{EID}/professional/cvr", employer["cvr"]
    yield f"{EID}/professional/uuid/persistent", f"urn:uuid:{person['professional_id']}"
    yield f"{EID}/fullName", person["name"]
    yield f"{NSIS}/loa", person.get("loa", "Substantial")
    if "cpr" in person:
        yield f"{EID}/cprNumber", person["cpr"]
    groups = [_group(role, person["unit"], employer) for role in person["roles"]]
    yield f"{EID}/privilegesIntermediate", b64encode(etree.tostring(_list.PrivilegeList(*groups))).decode()


def _group(role: Row, unit: str, employer: Row) -> etree._Element:
    """Write one role as a group of its own, with its limits."""
    said = employer["saml"]
    cvr = said["cvr"].get(role.get("delegated_from"), employer["cvr"])
    limits = {f"{CONSTRAINTS}/orgenhed/1": said["units"].get(unit, unit)}
    if role["kle"]:
        limits[f"{CONSTRAINTS}/KLE/1"] = ",".join(role["kle"])
    if name := said["constraints"].get("sensitivity"):
        limits[name] = str(role["sensitivity"])
    if "attested_on" in role and (name := said["constraints"].get("attested_on")):
        limits[name] = datetime.strptime(str(role["attested_on"]), "%Y%m%d").replace(tzinfo=UTC).date().isoformat()
    return _inside.PrivilegeGroup(
        _inside.Privilege(said["privileges"].get(role["name"], role["name"])),
        *(_inside.Constraint(value, Name=name) for name, value in limits.items()),
        Scope=f"urn:dk:gov:saml:cvrNumberIdentifier:{cvr}",
    )


def _certificate(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        # The demo's clock may stand in any year.
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
