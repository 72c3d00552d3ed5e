"""Check an assertion's XML signature, and give the signed element alone.

Rules kept here:
- The certificate is a registered one. What the signature brings along (KeyInfo) only chooses among the registered.
- One signature in the whole document, a child of the assertion that is its root, with one reference, to that root.
- The only transforms are the enveloped signature's and exclusive canonicalisation; algorithms are pinned below.
- What comes back was parsed from the very bytes that were signed; nobody reads the document as it was sent.
"""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from broker.domain.errors import NotAuthenticated
from broker.web.oauth.xml import PARSER, BadXml, plain_xml, read_xml

LONGEST_SAML = 32_768
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
ASSERTION = f"{SAML}Assertion"
_PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_TRANSFORMS = ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", _EXCLUSIVE]
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_SIGNATURE_METHODS = frozenset(
    SignatureMethod[f"{kind}_SHA{bits}"] for kind in ("RSA", "ECDSA") for bits in (256, 384, 512)
) | {SignatureMethod[f"SHA{bits}_RSA_MGF1"] for bits in (256, 384, 512)}
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_HINTS = {
    f"{SAML}EncryptedAssertion": "an encrypted assertion is not accepted: send the signed Assertion element over TLS",
    f"{_PROTOCOL}Response": "a Response is not accepted: send the signed Assertion element alone",
}
# At its finest level the library writes the whole canonical document, personal values and all.
logging.getLogger("signxml").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True, repr=False)
class Unproven:
    """A document whose root is one signed assertion by its looks; its signature has not been checked."""

    body: bytes
    root: etree._Element


def looks_signed(content: bytes, *, refusal: str) -> Unproven:
    """Read a document that may be a signed assertion, or raise `NotAuthenticated(refusal)`."""
    try:
        body = plain_xml(content, most_bytes=LONGEST_SAML)
        root = read_xml(body)
    except BadXml:
        raise NotAuthenticated(refusal) from None
    if root.tag in _HINTS:
        raise NotAuthenticated(refusal, _HINTS[root.tag])
    if root.tag != ASSERTION or not _one_plain_signature(root):
        raise NotAuthenticated(refusal)
    return Unproven(body, root)


def prove(
    document: Unproven, certificates: Sequence[Certificate], *, now: datetime, refusal: str
) -> etree._Element:  # fmt: skip
    """Give the assertion that one of these certificates signed, or raise `NotAuthenticated(refusal)`."""
    certificate = _chosen(document.root, certificates)
    if certificate is None:
        raise NotAuthenticated(refusal)
    expected = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=_SIGNATURE_METHODS,
        digest_algorithms=_DIGESTS,
        ignore_ambiguous_key_info=True,
        verification_time=now,
    )
    try:
        proven = XMLVerifier().verify(
            document.body, x509_cert=certificate, parser=PARSER, id_attribute="ID", expect_config=expected
        )
        signed = None if isinstance(proven, list) else proven.signed_xml
    except Exception:  # noqa: BLE001 -- hostile bytes break libraries in many ways; every way means no, quoting nothing
        raise NotAuthenticated(refusal) from None
    if signed is None or signed.tag != ASSERTION or signed.get("ID") != document.root.get("ID"):
        raise NotAuthenticated(refusal)
    return signed


def _one_plain_signature(root: etree._Element) -> bool:
    """Tell whether the one signature is the root's own and covers the root alone, by the only way we know."""
    name = root.get("ID", "")
    names = [value for element in root.iter() for key, value in element.attrib.items() if _is_id(key)]
    signatures = [*root.iter(f"{_DS}Signature")]
    return (
        _ID.fullmatch(name) is not None
        and len(names) == len(set(names))
        and len([*root.iter(ASSERTION)]) == 1
        and len(signatures) == 1
        and signatures[0].getparent() is root
        and _covers(signatures[0], name)
    )


def _covers(signature: etree._Element, name: str) -> bool:
    """Tell whether a signature's one reference is to this name, through the pinned transforms alone."""
    infos = signature.findall(f"{_DS}SignedInfo")
    references = signature.findall(f"{_DS}SignedInfo/{_DS}Reference")
    methods = signature.findall(f"{_DS}SignedInfo/{_DS}CanonicalizationMethod")
    transforms = signature.findall(f"{_DS}SignedInfo/{_DS}Reference/{_DS}Transforms/{_DS}Transform")
    return (
        len(infos) == len(references) == len(methods) == 1
        and references[0].get("URI") == f"#{name}"
        and methods[0].get("Algorithm") == _EXCLUSIVE
        and [transform.get("Algorithm") for transform in transforms] == _TRANSFORMS
        # An Object in a signature could hold another document; nobody who vouches needs one.
        and signature.find(f"{_DS}Object") is None
    )


def _is_id(attribute: str) -> bool:
    return attribute.rpartition("}")[2].lower() == "id"


def _chosen(root: etree._Element, certificates: Sequence[Certificate]) -> Certificate | None:
    """Choose the registered certificate that the signature names; without a name, the only one."""
    named = [element.text or "" for element in root.iterfind(f"{_DS}Signature/{_DS}KeyInfo//{_DS}X509Certificate")]
    if not named:
        return certificates[0] if len(certificates) == 1 else None
    try:
        given = {b64decode("".join(text.split()), validate=True) for text in named}
    except (NotBase64, ValueError):
        return None
    return next((one for one in certificates if one.public_bytes(Encoding.DER) in given), None)
