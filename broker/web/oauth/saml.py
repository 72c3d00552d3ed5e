"""Check an employer's word given as an OIOSAML 3 assertion (SAML 2.0; RFC 8693 section 3, RFC 7522 section 3).

The same word as the JWT of `assertions`, in the form that municipalities have (`docs/decisions/0040`): what comes out
is the same caseworker, and nothing behind knows which it was. Rules kept here:
- The audience names us and the one system it is for: `ISSUER/saml/CLIENT`; the recipient is our token endpoint.
- It lives five minutes at most, by whichever of its ends comes first, and is used once by its ID.
- Who vouches is known by entity id and CVR number together: one identity provider may serve many municipalities.
- Whatever is repeated, or stands where we do not look, refuses: nothing is said twice, nothing is overlooked.
"""

from __future__ import annotations

import re
import uuid
from base64 import b64decode, urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.x509 import load_der_x509_certificate
from lxml import etree

from broker.domain.errors import NotAuthenticated
from broker.domain.identity import Caseworker
from broker.saml_trust import SamlTrust, public_key
from broker.web.oauth.assertions import Once, used_once
from broker.web.oauth.claims import caseworker_from, nsis_level
from broker.web.oauth.registrations import Employer, Registration, Registrations
from broker.web.oauth.saml_privileges import BadPrivileges, Granted, granted
from broker.web.oauth.saml_signed import LONGEST_SAML, SAML, looks_signed, prove
from broker.web.oauth.signed import EARLY, LONGEST_ASSERTION, Lifetime

_REFUSAL = "invalid_grant"
_EID = "https://data.gov.dk/model/core/eid/"
CVR = f"{_EID}professional/cvr"
PERSON = f"{_EID}professional/uuid/persistent"
CPR = f"{_EID}cprNumber"
PRIVILEGES = f"{_EID}privilegesIntermediate"
NSIS = "https://data.gov.dk/concept/core/nsis/loa"
_READ = frozenset({CVR, PERSON, CPR, PRIVILEGES, NSIS})
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
_CERTIFICATE = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
# The schema leaves the order of the two statements open; identity providers differ.
_PARTS = ("Issuer", "Subject", "Conditions", "AuthnStatement", "AttributeStatement")


def audience_of(issuer: str, client_id: str) -> str:
    """Give the audience by which an assertion names us and the system it is for."""
    return f"{issuer}/saml/{client_id}"


@dataclass(frozen=True, slots=True)
class SamlCheck:
    """How assertions are checked here: `issuer` is our own name, `address` the token endpoint's."""

    issuer: str
    address: str

    def caseworker(
        self, assertion: str, client: Registration, registrations: Registrations, now: datetime
    ) -> tuple[Caseworker, Once]:
        """Name the caseworker whom their employer vouches for to this client, or raise `NotAuthenticated`."""
        document = looks_signed(_decoded(assertion), refusal=_REFUSAL)
        employer, trust = _claimed(document.root, client, registrations)
        signed = prove(document, trust.certificates, now=now, refusal=_REFUSAL)
        # From here on nothing is read but what was signed.
        if signed.get("Version") != "2.0" or sorted(_parts(signed)) != sorted(_PARTS):
            raise NotAuthenticated(_REFUSAL)
        said = _attributes(signed)
        if _text(_only(signed, "Issuer")) != trust.entity_id or said.get(CVR) != trust.cvr:
            raise NotAuthenticated(_REFUSAL)
        if not self._meant(signed, client):
            raise NotAuthenticated(_REFUSAL)
        lives = _lifetime(signed, now)
        claims = _claims(signed, said, trust, client)
        caseworker = caseworker_from(
            claims, issuer=employer.issuer, municipality=employer.municipality, refusal=_REFUSAL
        )  # fmt: skip
        if caseworker.authenticated_at > lives.ends_at:
            raise NotAuthenticated(_REFUSAL)
        return caseworker, used_once("employer", employer.issuer, str(signed.get("ID")), lives)

    def _meant(self, signed: etree._Element, client: Registration) -> bool:
        """Tell whether it is made out for us and this one system, to be brought by whoever may bring it."""
        conditions = _only(signed, "Conditions")
        audiences = _only(conditions, "AudienceRestriction")
        audience = _text(_only(audiences, "Audience"))
        confirmation = _only(_only(signed, "Subject"), "SubjectConfirmation")
        data, method = _only(confirmation, "SubjectConfirmationData"), confirmation.get("Method")
        return (
            set(_parts(conditions)) <= {"AudienceRestriction", "OneTimeUse"}
            and len(audiences) == 1
            and audience == audience_of(self.issuer, client.client_id)
            and data.get("Recipient") == self.address
            and "Address" not in data.attrib
            and (method == BEARER or (method == HOLDER_OF_KEY and _holds(client, data)))
        )


def _lifetime(signed: etree._Element, now: datetime) -> Lifetime:
    """Check that it lives now and for five minutes at most, or raise `NotAuthenticated`."""
    confirmation = _only(_only(signed, "Subject"), "SubjectConfirmation")
    data, conditions = _only(confirmation, "SubjectConfirmationData"), _only(signed, "Conditions")
    login = _only(signed, "AuthnStatement")
    issued_at = _moment(signed.get("IssueInstant"))
    begins = [issued_at, *(_moment(of.get("NotBefore")) for of in (conditions, data) if "NotBefore" in of.attrib)]
    ends = [_moment(data.get("NotOnOrAfter"))]
    ends += [_moment(conditions.get("NotOnOrAfter"))] if "NotOnOrAfter" in conditions.attrib else []
    ends += [_moment(login.get("SessionNotOnOrAfter"))] if "SessionNotOnOrAfter" in login.attrib else []
    if max(begins) > now + EARLY or min(ends) <= now or min(ends) - issued_at > LONGEST_ASSERTION:
        raise NotAuthenticated(_REFUSAL)
    return Lifetime(issued_at, min(ends))


def _decoded(assertion: str) -> bytes:
    """Undo base64url (RFC 8693 section 3), with or without its padding."""
    bare = assertion.rstrip("=")
    if len(bare) > LONGEST_SAML * 4 // 3 + 3:
        raise NotAuthenticated(_REFUSAL, f"an assertion may have {LONGEST_SAML} bytes")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", bare):
        raise NotAuthenticated(_REFUSAL, "an assertion comes as base64url")
    try:
        return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except NotBase64:
        raise NotAuthenticated(_REFUSAL) from None


def _claimed(root: etree._Element, client: Registration, registrations: Registrations) -> tuple[Employer, SamlTrust]:
    """Find whom a document says it is from, before any signature is checked, only to know whose keys to check with."""
    issuer, cvr = root.findtext(f"{SAML}Issuer"), None
    for attribute in root.iterfind(f"{SAML}AttributeStatement/{SAML}Attribute"):
        if attribute.get("Name") == CVR:
            cvr = attribute.findtext(f"{SAML}AttributeValue")
    employer = registrations.saml_employer_for(client, issuer, cvr)
    if employer is None or employer.saml is None:
        raise NotAuthenticated(_REFUSAL)
    return employer, employer.saml


def _claims(
    signed: etree._Element, said: Mapping[str, str], trust: SamlTrust, client: Registration
) -> dict[str, Any]:  # fmt: skip
    """Say in our claims what the assertion says in OIOSAML's."""
    login = _only(signed, "AuthnStatement")
    try:
        person = uuid.UUID(said.get(PERSON, "").removeprefix("urn:uuid:"))
        gives = granted(said[PRIVILEGES], trust) if PRIVILEGES in said else ()
    except (ValueError, BadPrivileges):
        raise NotAuthenticated(_REFUSAL) from None
    unit = _unit(said, gives, trust, client)
    return {
        "sub": str(person),
        "unit": unit,
        "roles": [dict(one.role) for one in gives if one.units is None or unit in one.units],
        "nsis": nsis_level(said.get(NSIS)),
        "auth_time": _moment(login.get("AuthnInstant")).timestamp(),
        "cpr": said.get(CPR),
    }


def _unit(said: Mapping[str, str], gives: tuple[Granted, ...], trust: SamlTrust, client: Registration) -> str:
    """Tell for which unit they act: as the registered attribute says, else where their privileges hold.

    Privileges in several units mean the one that the asking system works for. Raises `NotAuthenticated` when that
    leaves none, or a choice.
    """
    if trust.unit_attribute is not None:
        named = {trust.units.get(said.get(trust.unit_attribute, ""))}
    else:
        named = {unit for one in gives for unit in one.units or ()}
        named = named if len(named) == 1 else named & client.units
    unit = named.pop() if len(named) == 1 else None
    if unit is None:
        raise NotAuthenticated(_REFUSAL, "the assertion does not name one unit of the registry")
    return unit


def _attributes(signed: etree._Element) -> dict[str, str]:
    """Give what is said once and in plain text; raise `NotAuthenticated` for a name that stands twice."""
    said: dict[str, str] = {}
    names: set[str] = set()
    for attribute in _only(signed, "AttributeStatement"):
        name = attribute.get("Name")
        if attribute.tag != f"{SAML}Attribute" or not name or name in names:
            raise NotAuthenticated(_REFUSAL)
        names.add(name)
        if _parts(attribute) == ["AttributeValue"] and not len(attribute[0]):
            said[name] = attribute[0].text or ""
        elif name in _READ:
            # Not as if it were not said: a CPR number given twice would hide that somebody asks about themself.
            raise NotAuthenticated(_REFUSAL)
    return said


def _holds(client: Registration, data: etree._Element) -> bool:
    """Tell whether the key that the holder must prove is one that the asking system proved itself with."""
    found = [*data.iter(_CERTIFICATE)]
    try:
        certificate = load_der_x509_certificate(b64decode("".join((found[0].text or "").split())))
        return len(found) == 1 and public_key(certificate).thumbprint() in client.keys.thumbprints
    except Exception:  # noqa: BLE001 -- hostile bytes break parsers in many ways; every way means no, quoting nothing
        raise NotAuthenticated(_REFUSAL) from None


def _parts(parent: etree._Element) -> list[str]:
    """Name the children of SAML's own namespace; another's child is named in full, which fits nothing."""
    return [child.tag.removeprefix(SAML) for child in parent]


def _only(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(f"{SAML}{name}")
    if len(found) != 1:
        raise NotAuthenticated(_REFUSAL)
    return found[0]


def _text(element: etree._Element) -> str:
    if len(element):
        raise NotAuthenticated(_REFUSAL)
    return element.text or ""


def _moment(value: str | None) -> datetime:
    if value is None or not _MOMENT.fullmatch(value):
        raise NotAuthenticated(_REFUSAL)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise NotAuthenticated(_REFUSAL) from None
