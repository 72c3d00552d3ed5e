"""Attacks on the exchange of an employer's SAML assertion: on the XML, the signature, what it says, and its use."""

from __future__ import annotations

import asyncio
import copy
import logging
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from signxml.verifier import XMLVerifier

from broker.domain.identity import Caseworker
from broker.web.oauth.access import read_access
from broker.web.oauth.saml_signed import LONGEST_SAML
from demo.postgres import PrivatePostgres
from tests.actors import ISSUER, TOKEN_ENDPOINT, ASystem
from tests.doorway import Doorway
from tests.fakes.hostile import hostile
from tests.identity_provider import (
    COORDINATOR,
    DS,
    EID,
    ENVELOPED,
    EXCLUSIVE,
    HOLDER_OF_KEY,
    JOB,
    KORSBAEK,
    MORE,
    NSIS,
    PERSON,
    SAML,
    SAML_TYPE,
    SKOVLUND,
    STRANGER,
    IdentityProvider,
    attribute,
    certificate_of,
    ec_key,
    group,
    key_info_of,
    moment,
    privilege_list,
    rsa_key,
    sent,
    signed,
)  # fmt: skip
from tests.nodes import UNIT, open_town

ASSERTION, SIGNATURE = f"{{{SAML}}}Assertion", f"{{{DS}}}Signature"
VILLAIN = "99999999-2222-4333-8444-555555555555"
CANARY = "CANARY-7102740022"


@pytest.fixture
def idp() -> IdentityProvider:
    """Give the identity provider of the system's own municipality."""
    return IdentityProvider()


@pytest.fixture
def door(idp: IdentityProvider) -> Doorway:
    """Give a door where that provider is registered, another system, and another municipality's provider."""
    neighbour = IdentityProvider("https://idp.skovlund.example", "https://skovlund.example", "skovlund", SKOVLUND)
    return Doorway(
        others=(ASystem("korsbaek-school", units=frozenset({"korsbaek-school"})),), employers=(idp, neighbour)
    )


def bring(door: Doorway, word: str, system: ASystem | None = None) -> Any:
    """Bring an assertion to the token endpoint."""
    form = (system or door.system).form(door.now, word, subject_token_type=SAML_TYPE)
    return door.ask_token(form, None, system)


def refused(door: Doorway, word: str, system: ASystem | None = None) -> bool:
    """Tell whether an assertion is refused, nothing of it echoed and nothing remembered."""
    answer = bring(door, word, system)
    known = {"an encrypted assertion is not accepted: send the signed Assertion element over TLS",
             "a Response is not accepted: send the signed Assertion element alone",
             "an assertion comes as base64url", f"an assertion may have {LONGEST_SAML} bytes",
             "the assertion does not name one unit of the registry"}  # fmt: skip
    told = answer.json()
    assert told.pop("error_description", None) in {None, *known}
    return (answer.status_code, told) == (400, {"error": "invalid_grant"}) and not door.replay.seen


def named(door: Doorway, word: str) -> Caseworker:
    """Give the caseworker whom a good assertion names."""
    answer = bring(door, word)
    assert answer.status_code == 200, answer.text
    caseworker = read_access(door.tokens.read(answer.json()["access_token"], door.now), door.registrations).caseworker
    assert caseworker is not None
    return caseworker


def holds(document: etree._Element, idp: IdentityProvider) -> bool:
    """Tell whether a signature somewhere in a document holds for the library: the attack is live, not just garbled."""
    XMLVerifier().verify(etree.tostring(document), x509_cert=idp.certificates[0], validate_schema=False)
    return True


# What stands in the XML before anything is signed or checked

HOSTILE_XML = {
    "an entity from a file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file://FILE">]>',
    "an entity from the network": '<!DOCTYPE x [<!ENTITY e SYSTEM "ADDRESS/e">]>',
    "a DTD from the network": '<!DOCTYPE x SYSTEM "ADDRESS/dtd">',
    "a public DTD": '<!DOCTYPE x PUBLIC "-//X//EN" "ADDRESS/dtd">',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "ADDRESS/dtd"> %p;]>',
    "a billion laughs": '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + '<!ENTITY e "&j;">]>',
    "an empty DTD": "<!DOCTYPE x>",
    "a default for an attribute": '<!DOCTYPE x [<!ATTLIST x a CDATA "v">]>',
    "a style sheet": '<?xml-stylesheet type="text/xsl" href="ADDRESS/xsl"?>',
    "a comment": "<!-- hello -->",
}


@pytest.mark.parametrize("what", HOSTILE_XML)
async def test_xml_that_declares_anything_is_refused_unread(
    door: Doorway, idp: IdentityProvider, what: str, tmp_path: Path
) -> None:
    """A DTD, an entity, an instruction or a comment refuses; no file is read, no address called, nothing grows."""
    file = tmp_path / "secret"
    file.write_text(CANARY, "utf-8")
    signed_well = etree.tostring(idp.sign(idp.document(door.now))).decode()
    async with hostile(_silence) as elsewhere:
        before = HOSTILE_XML[what].replace("FILE", str(file)).replace("ADDRESS", elsewhere.address)
        for document in (before + signed_well, before + signed_well.replace("Lene Krogh", "&e;")):
            for start in ("", '<?xml version="1.0" encoding="UTF-8"?>'):
                assert await asyncio.to_thread(refused, door, sent(start + document))
        assert elsewhere.seen == []
    assert await asyncio.to_thread(named, door, sent('<?xml version="1.0" encoding="UTF-8"?>\n' + signed_well))


async def _silence(_: Any) -> Any:
    raise AssertionError("something outside was read")


def test_an_inclusion_is_not_followed(door: Doorway, idp: IdentityProvider, tmp_path: Path) -> None:
    """XInclude, a schema's location and a base address in the signed text are text."""
    file = tmp_path / "secret"
    file.write_text(CANARY, "utf-8")
    inside = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{file}" parse="text"/>'
    assert refused(door, idp.assertion(door.now, told={EID + "professional/uuid/persistent": inside}))
    assert named(door, idp.assertion(door.now, told={EID + "fullName": inside})).id.disclose() == PERSON


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-7", "utf-32", "cp037", "latin-1"])
@pytest.mark.parametrize("declared", [True, False])
def test_another_encoding_is_refused(door: Doorway, idp: IdentityProvider, encoding: str, declared: bool) -> None:
    """What is not UTF-8, or says it is not, is not read: nothing hides from the search for declarations."""
    told = {EID + "fullName": "Lene Kærgård"}
    text = etree.tostring(idp.sign(idp.document(door.now, told=told)), encoding="unicode")
    before = f'<?xml version="1.0" encoding="{encoding}"?>' if declared else ""
    content = (before + text).encode(encoding)
    if not declared and encoding == "utf-7":
        content = f'<?xml version="1.0" encoding="utf-7"?>{text}'.encode()
    assert refused(door, sent(content))


def test_what_is_too_large_deep_or_broken_is_refused(door: Doorway, idp: IdentityProvider) -> None:
    """Bytes, elements and depth have bounds; what is not XML or not base64url is not read."""
    good = idp.document(door.now)
    for document in (
        idp.document(door.now, told={EID + "fullName": "x" * LONGEST_SAML}),
        idp.document(door.now, last="<saml:Advice>" + "<a/>" * 2500 + "</saml:Advice>"),
        idp.document(door.now, told={EID + "fullName": "<a>" * 200 + "</a>" * 200}),
        idp.document(door.now, told={EID + "fullName": "<a>" * 12 + "</a>" * 12}),
    ):
        assert refused(door, sent(idp.sign(document)))
    for word in (
        "",
        "=",
        "not base64!",
        sent(good)[:-3],
        sent(good),
        sent("<a"),
        sent(""),
        sent(b"\0"),
        sent("<a>&b;</a>"),
    ):
        assert refused(door, word), word
    standard = b64encode(
        etree.tostring(idp.sign(idp.document(door.now, told={EID + "fullName": "???>>>~~~" * 9})))
    ).decode()
    assert "+" in standard or "/" in standard
    assert refused(door, standard)
    assert named(door, idp.assertion(door.now) + "==")


@pytest.mark.parametrize("times", [1, 2])
def test_a_thousand_namespaces_cost_little(door: Doorway, times: int) -> None:
    """A document full of names to carry along is refused by its size or before anything canonical is made of it."""
    names = "".join(f' xmlns:n{n}="u:{n}"' for n in range(600 * times))
    assert refused(door, sent(f'<saml:Assertion xmlns:saml="{SAML}"{names} ID="a"/>'))


# Whose signature, and by what


def test_only_a_registered_certificate_counts(door: Doorway, idp: IdentityProvider) -> None:
    """Another's key refuses, also with its own certificate, the real one or a bare key written into KeyInfo."""
    document, thief = idp.document(door.now), ec_key()
    theirs = certificate_of(thief)
    spki = b64encode(thief.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).decode()
    bare = (
        '<ds:KeyInfo><ds:KeyValue><ec:ECKeyValue xmlns:ec="http://www.w3.org/2009/xmldsig11#"><ec:NamedCurve '
        f'URI="urn:oid:1.2.840.10045.3.1.7"/><ec:PublicKey>{spki}</ec:PublicKey></ec:ECKeyValue></ds:KeyValue></ds:KeyInfo>'
    )
    ways: list[dict[str, Any]] = [
        {"certificate": theirs},
        {"certificate": idp.certificates[0]},
        {"certificate": None},
        {"certificate": None, "key_info": bare},
        {"certificate": None, "key_info": "<ds:KeyInfo><ds:KeyName>idp</ds:KeyName></ds:KeyInfo>"},
    ]
    for how in ways:
        word = signed(document, key=thief, **how)
        assert refused(door, sent(word)), how
    assert holds(signed(document, key=thief, certificate=theirs), IdentityProvider(key=thief, certificates=(theirs,)))


def test_a_bare_key_beside_a_good_signature_has_no_say(door: Doorway, idp: IdentityProvider) -> None:
    """Whoever carries an assertion may write into KeyInfo: it only chooses among registered certificates."""
    without = idp.sign(idp.document(door.now), certificate=None)
    assert named(door, sent(without)).id.disclose() == PERSON
    stranger = idp.sign(idp.document(door.now), certificate=certificate_of(ec_key()))
    assert refused_after(door, stranger)


def refused_after(door: Doorway, document: etree._Element) -> bool:
    """Tell whether a document is refused at a door that has let others in."""
    answer = bring(door, sent(document))
    return (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_two_certificates_while_they_change(door: Doorway) -> None:
    """Of two registered certificates either counts, when the signature names it; unnamed, neither is tried."""
    old, new = ec_key(), rsa_key()
    idp = IdentityProvider(key=new, certificates=(certificate_of(old), certificate_of(new)))
    door = Doorway(employers=(idp,))

    assert named(door, sent(idp.sign(idp.document(door.now), key=old, certificate=idp.certificates[0])))
    assert named(door, sent(idp.sign(idp.document(door.now), key=new, certificate=idp.certificates[1])))
    assert refused_after(door, idp.sign(idp.document(door.now), key=new, certificate=idp.certificates[0]))
    assert refused_after(door, idp.sign(idp.document(door.now), key=new, certificate=None))


def test_an_expired_certificate_signs_nothing(idp: IdentityProvider) -> None:
    """A registered certificate counts until its own end."""
    ending = IdentityProvider(
        certificates=(certificate_of(idp.key, ends=datetime(2026, 1, 1, tzinfo=UTC)),), key=idp.key
    )
    door = Doorway(employers=(ending,))
    assert refused(door, ending.assertion(door.now))


ALGORITHMS: dict[str, dict[str, Any]] = {
    "SHA-1 in the signature": {"sign_hash": "sha1"},
    "SHA-1 in the digest": {"digest": "sha1"},
    "no algorithm": {"alg": ""},
    "an algorithm called none": {"alg": "none"},
    "DSA": {"alg": "http://www.w3.org/2009/xmldsig11#dsa-sha256"},
    "RSA said, elliptic curve used": {"alg": f"{MORE}rsa-sha256"},
    "a hash other than said": {"alg": f"{MORE}ecdsa-sha512"},
    "inclusive canonicalisation": {"c14n": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
    "canonicalisation with comments": {"c14n": f"{EXCLUSIVE}WithComments"},
    "no transform": {"transforms": ()},
    "no enveloped transform": {"transforms": (EXCLUSIVE,)},
    "no canonicalisation of the reference": {"transforms": (ENVELOPED,)},
    "reference canonicalised with comments": {"transforms": (ENVELOPED, f"{EXCLUSIVE}WithComments")},
    "one transform too many": {"transforms": (ENVELOPED, EXCLUSIVE, EXCLUSIVE)},
    "an XPath": {"transforms": (ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE)},
    "an XSLT": {"transforms": (ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116", EXCLUSIVE)},
    "base64": {"transforms": (ENVELOPED, f"{DS}base64", EXCLUSIVE)},
    "the whole document": {"references": [""]},
    "no reference": {"references": []},
    "two references": {"references": ["#_one", "#_one"]},
    "another's reference": {"references": ["#_two"]},
    "a reference to a file": {"references": ["file:///etc/hostname"]},
    "a reference to the network": {"references": ["http://127.0.0.1:9/x"]},
    "an XPointer": {"references": ["#xpointer(id('_one'))"]},
}  # fmt: skip


@pytest.mark.parametrize("what", ALGORITHMS)
def test_an_algorithm_or_reference_of_the_signer_s_choosing_is_refused(
    door: Doorway, idp: IdentityProvider, what: str
) -> None:
    """Only what is pinned counts, though the right key signed; the same signer's plain signature does."""
    document = idp.document(door.now, id="_one")
    assert refused(door, sent(idp.sign(document, **ALGORITHMS[what])))
    assert named(door, sent(idp.sign(document)))


def test_a_public_key_is_no_shared_secret(door: Doorway, idp: IdentityProvider) -> None:
    """HMAC with the certificate, or its key, as the secret is refused."""
    (certificate,) = idp.certificates
    secrets = [certificate.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.DER)]
    secrets += [
        certificate.public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
        for form in (Encoding.PEM, Encoding.DER)
    ]
    for secret in secrets:
        for info in (certificate, None):
            assert refused(door, sent(signed(idp.document(door.now), key=secret, certificate=info)))


def test_a_missing_or_touched_signature_refuses(door: Doorway, idp: IdentityProvider) -> None:
    """Without its signature, with an empty or a doubled one, or with a letter changed, an assertion says nothing."""
    good = idp.sign(idp.document(door.now))
    stripped, emptied, doubled = (copy.deepcopy(good) for _ in range(3))
    stripped.remove(stripped.find(SIGNATURE))
    emptied.find(f"{SIGNATURE}/{{{DS}}}SignatureValue").text = ""
    doubled.insert(1, copy.deepcopy(doubled.find(SIGNATURE)))
    text = etree.tostring(good).decode()
    for document in (
        stripped, emptied, doubled, text.replace(PERSON, VILLAIN), text.replace("Substantial", "High"),
        text.replace(ISSUER + "/saml", ISSUER + "//saml"), text.replace('Version="2.0"', 'Version="2.1"'),
    ):  # fmt: skip
        assert refused(door, sent(document))
    assert named(door, sent(good))


# Signature wrapping: the signed assertion is somewhere, another one is where a reader would look


def evil(idp: IdentityProvider, now: datetime, ident: str) -> etree._Element:
    """Write an unsigned assertion about somebody else."""
    told = {
        EID + "professional/uuid/persistent": VILLAIN,
        EID + "privilegesIntermediate": privilege_list(group(COORDINATOR, kle="00.*,15.*", unit=JOB)),
    }
    return etree.fromstring(unsigned(idp.document(now, id=ident, told=told)))


def unsigned(document: str) -> str:
    """Take the place of the signature out of a document."""
    return document.replace(f'<ds:Signature xmlns:ds="{DS}" Id="placeholder"/>', "")


def response(*inside: etree._Element) -> etree._Element:
    """Put assertions into a protocol message."""
    root = etree.fromstring('<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0"/>')
    root.extend(inside)
    return root


def _moved(into: Callable[[etree._Element, etree._Element, etree._Element], etree._Element]) -> Any:
    """Build a wrapping from the evil assertion, the good one without its signature, and that signature."""

    def wrap(idp: IdentityProvider, now: datetime, ident: str) -> etree._Element:
        good = idp.sign(idp.document(now, id="_good"))
        signature = good.find(SIGNATURE)
        good.remove(signature)
        return into(evil(idp, now, ident), good, signature)

    return wrap


def _kept(into: Callable[[etree._Element, etree._Element], etree._Element]) -> Any:
    """Build a wrapping from the evil assertion and the good one with its signature."""

    def wrap(idp: IdentityProvider, now: datetime, ident: str) -> etree._Element:
        return into(evil(idp, now, ident), idp.sign(idp.document(now, id="_good")))

    return wrap


def put(parent: etree._Element, *children: etree._Element, at: int | None = None) -> etree._Element:
    """Put children into a parent, at its end or at a place."""
    for child in children:
        parent.append(child) if at is None else parent.insert(at, child)
    return parent


def made(tag: str, *children: etree._Element) -> etree._Element:
    """Make an element of children."""
    return put(etree.Element(tag), *children)


OBJECT, ADVICE, EXTENSIONS = f"{{{DS}}}Object", f"{{{SAML}}}Advice", "{urn:oasis:names:tc:SAML:2.0:protocol}Extensions"
WRAPPINGS: dict[str, Any] = {
    "1: the signed copy inside the signature": _moved(lambda bad, good, sig: put(bad, put(sig, good), at=1)),
    "2: the signed copy beside the signature": _moved(lambda bad, good, sig: put(put(bad, sig, at=1), good)),
    "3: an evil assertion before the signed one": _kept(response),
    "3: an evil assertion after the signed one": _kept(lambda bad, good: response(good, bad)),
    "4: the signed one inside the evil one": _kept(put),
    "4: the signed one first inside the evil one": _kept(lambda bad, good: put(bad, good, at=0)),
    "4: the signed one in the evil one's advice": _kept(lambda bad, good: put(bad, made(ADVICE, good), at=3)),
    "5: the signature in the evil one, the copy at the end": _moved(
        lambda bad, good, sig: response(put(bad, sig, at=1), good)
    ),
    "6: the copy in the signature in the evil one": _moved(
        lambda bad, good, sig: response(put(bad, put(sig, good), at=1))
    ),
    "7: the evil one in extensions": _kept(lambda bad, good: response(made(EXTENSIONS, bad), good)),
    "7: the evil one in the signed one's own extensions": _kept(lambda bad, good: put(bad, made(EXTENSIONS, good))),
    "8: the copy in an object of the signature": _moved(
        lambda bad, good, sig: put(bad, put(sig, made(OBJECT, good)), at=1)
    ),
    "8: the same in a response": _moved(lambda bad, good, sig: response(put(bad, put(sig, made(OBJECT, good)), at=1))),
    "two assertions under a root of no name": _kept(lambda bad, good: made("x", bad, good)),
    "the signed one in an attribute's value": _kept(
        lambda bad, good: put(bad, made(f"{{{SAML}}}AttributeStatement", good))
    ),
    "the signed one in the subject": _kept(lambda bad, good: put(bad, put(bad.find(f"{{{SAML}}}Subject"), good))),
}  # fmt: skip


@pytest.mark.parametrize("ident", ["_evil", "_good"])
@pytest.mark.parametrize("how", WRAPPINGS)
def test_a_wrapped_signature_vouches_for_nobody(door: Doorway, idp: IdentityProvider, how: str, ident: str) -> None:
    """Where a good signature covers another element than the one that would be read, nothing is read."""
    document = WRAPPINGS[how](idp, door.now, ident)
    if ident == "_evil":
        assert holds(document, idp)
    text = etree.tostring(document).decode()
    assert VILLAIN in text
    assert PERSON in text
    assert refused(door, sent(text))
    # Once more under names that a reader by local name would mix up.
    assert refused(door, sent(text.replace("Response", "Assertion")))


@pytest.mark.parametrize("name", ["Id", "id", "xml:id", "x:ID"])
def test_another_kind_of_id_does_not_lead_elsewhere(door: Doorway, idp: IdentityProvider, name: str) -> None:
    """Two elements that some reader takes for the one referred to refuse, whatever their ids are called."""
    good = etree.tostring(idp.sign(idp.document(door.now, id="_good"))).decode()
    doubled = good.replace("<ds:KeyInfo", f'<ds:KeyInfo xmlns:x="urn:x" {name}="_good"', 1)
    assert doubled != good
    assert refused(door, sent(doubled))
    assert named(door, sent(good))


def test_a_signed_response_is_no_assertion(door: Doorway, idp: IdentityProvider) -> None:
    """A signature over the message around it does not sign the assertion; the refusal says what to send."""
    document = idp.document(door.now)
    inside = (
        etree.tostring(etree.fromstring(document))
        .decode()
        .replace(f'<ds:Signature xmlns:ds="{DS}" Id="placeholder"/>', "")
    )
    whole = (
        '<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0">'
        f'<ds:Signature xmlns:ds="{DS}" Id="placeholder"/>{inside}</p:Response>'
    )
    message = idp.sign(whole)
    assert holds(message, idp)
    assert refused(door, sent(message))
    assert "Response" in bring(door, sent(message)).json()["error_description"]
    assert refused(door, sent(message.find(ASSERTION)))


def test_an_encrypted_assertion_is_refused_with_a_clear_word(door: Doorway) -> None:
    """Whoever encrypts is told what to send instead."""
    document = f'<saml:EncryptedAssertion xmlns:saml="{SAML}"><x/></saml:EncryptedAssertion>'
    assert refused(door, sent(document))
    assert "encrypted" in bring(door, sent(document)).json()["error_description"]


@pytest.mark.parametrize("place", ["NameID", "person", "cvr", "issuer", "privilege"])
def test_a_comment_splits_no_name(door: Doorway, idp: IdentityProvider, place: str) -> None:
    """A comment put into signed text leaves the signature whole and makes the text two to some readers: refused."""
    text = etree.tostring(idp.sign(idp.document(door.now))).decode()
    of = {
        "NameID": f">{PERSON}<",
        "person": f"urn:uuid:{PERSON}",
        "cvr": f">{idp.cvr}<",
        "issuer": f">{idp.entity_id}<",
    }
    whole = of.get(place, text[text.index("privilegesIntermediate") :].split(">", 2)[2][:40])
    split = text.replace(whole, f"{whole[:9]}<!-- -->{whole[9:]}", 1)
    assert split != text
    assert holds(etree.fromstring(split), idp)
    assert refused(door, sent(split))
    for other in ("<?x y?>", "<![CDATA[]]>"):
        assert refused(door, sent(text.replace(whole, f"{whole[:9]}{other}{whole[9:]}", 1)))


# What it says


def again(idp: IdentityProvider, now: datetime, part: str) -> dict[str, Any]:
    """Say one part of a good assertion twice."""
    parts = {
        "issuer": f"<saml:Issuer>{idp.entity_id}</saml:Issuer>",
        "conditions": f"<saml:Conditions><saml:AudienceRestriction><saml:Audience>{ISSUER}/saml/korsbaek-jobcentre"
        "</saml:Audience></saml:AudienceRestriction></saml:Conditions>",
        "statement": f'<saml:AuthnStatement AuthnInstant="{moment(now)}"/>',
    }  # fmt: skip
    return {part: parts[part] * 2}


def lies(idp: IdentityProvider, now: datetime) -> dict[str, dict[str, Any]]:
    """List what an assertion must not say, signed by the right key."""
    late, early = now + timedelta(minutes=10), now - timedelta(seconds=1)
    client = f"{ISSUER}/saml/korsbaek-jobcentre"
    audience = "<saml:Audience>{}</saml:Audience>"
    restricted = "<saml:Conditions><saml:AudienceRestriction>{}</saml:AudienceRestriction>{}</saml:Conditions>"
    cvr = EID + "professional/cvr"
    person = EID + "professional/uuid/persistent"
    privileges = EID + "privilegesIntermediate"
    two = audience.format(client) + audience.format("https://x.example")
    value = "</saml:AttributeValue>"
    told = "".join(attribute(name, value) for name, value in (
        (cvr, idp.cvr), (person, PERSON), (NSIS, "High"), (privileges, privilege_list(group(unit=JOB))),
    ))  # fmt: skip
    return {
        "another issuer": {"issuer": "<saml:Issuer>https://idp.elsewhere.example</saml:Issuer>"},
        "the neighbour's issuer": {"issuer": "<saml:Issuer>https://idp.skovlund.example</saml:Issuer>"},
        "no issuer": {"issuer": ""},
        "two issuers": again(idp, now, "issuer"),
        "another audience": {"audience": "https://other.example"},
        "us, but no system": {"audience": ISSUER},
        "the token endpoint, but no system": {"audience": TOKEN_ENDPOINT},
        "another system": {"audience": f"{ISSUER}/saml/korsbaek-school"},
        "the system in other letters": {"audience": f"{ISSUER}/saml/Korsbaek-Jobcentre"},
        "two audiences": {"conditions": restricted.format(two, "")},
        "two restrictions": {"conditions": restricted.format(audience.format(client), "<saml:AudienceRestriction/>")},
        "no audience": {"conditions": "<saml:Conditions/>"},
        "no conditions": {"conditions": ""},
        "a condition of its own": {"conditions": restricted.format(audience.format(client), "<saml:Condition/>")},
        "a proxy's condition": {"conditions": restricted.format(audience.format(client), "<saml:ProxyRestriction/>")},
        "two conditions": again(idp, now, "conditions"),
        "conditions over": {"window": f'NotOnOrAfter="{moment(now)}"'},
        "conditions not begun": {"window": f'NotBefore="{moment(now + timedelta(seconds=6))}"'},
        "confirmation over": {"confirmed_until": moment(early), "window": ""},
        "confirmation for ever": {"confirmed_until": moment(late), "window": ""},
        "confirmation without end": {"confirmed_until": ""},
        "a time of its own writing": {"confirmed_until": "2026-03-02 12:03:00"},
        "a time in another zone": {"confirmed_until": "2026-03-02T14:03:00+02:00"},
        "a day that is none": {"confirmed_until": "2026-02-30T12:03:00Z"},
        "issued tomorrow": {"issued": moment(now + timedelta(days=1))},
        "issued long ago": {"issued": moment(now - timedelta(minutes=2))},
        "issued never": {"issued": ""},
        "another recipient": {"recipient": "https://other.example/oauth2/token"},
        "no recipient": {"recipient": ""},
        "us, but not the endpoint": {"recipient": ISSUER},
        "a network address that we cannot see": {"recipient": f'{TOKEN_ENDPOINT}" Address="10.0.0.1'},
        "confirmed by nothing": {"method": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"},
        "no subject": {"subject": ""},
        "an encrypted subject beside": {"subject": "<saml:Subject><saml:EncryptedID/></saml:Subject>"},
        "logged in tomorrow": {"login": moment(now + timedelta(days=1))},
        "logged in never": {"login": ""},
        "a session that is over": {"login": f'{moment(early)}" SessionNotOnOrAfter="{moment(early)}'},
        "two log-ins": again(idp, now, "statement"),
        "no log-in": {"statement": ""},
        "another version": {"version": "1.1"},
        "no person": {"told": {person: None}},
        "a person who is no UUID": {"told": {person: "lene"}},
        "an empty person": {"told": {person: ""}},
        "no NSIS level": {"told": {NSIS: None}},
        "an NSIS level of its own": {"told": {NSIS: "Ultra"}},
        "an old level": {"told": {NSIS: None, "dk:gov:saml:attribute:AssuranceLevel": "3"}},
        "no CVR": {"told": {cvr: None}},
        "another's CVR": {"told": {cvr: SKOVLUND}},
        "a stranger's CVR": {"told": {cvr: STRANGER}},
        "a CPR number that is none": {"told": {EID + "cprNumber": "1"}},
        "an empty CPR number": {"told": {EID + "cprNumber": ""}},
        "a CPR number in an element": {"told": {EID + "cprNumber": "<x>0102030405</x>"}},
        "privileges that are no base64": {"told": {EID + "privilegesIntermediate": "<x/>"}},
        "privileges that are no list": {"told": {EID + "privilegesIntermediate": b64encode(b"<x/>").decode()}},
        "no unit": {"told": {EID + "privilegesIntermediate": privilege_list(group())}},
        "no privileges": {"told": {EID + "privilegesIntermediate": None}},
        "the same attribute twice": {"attributes": told + attribute(person, VILLAIN)},
        "two values": {"attributes": told.replace(value, f"{value}<saml:AttributeValue>{VILLAIN}{value}")},
        "two CPR numbers": {"attributes": told + attribute(EID + "cprNumber", "0102030405", "0102030406")},
        "a CPR number twice": {"attributes": told + attribute(EID + "cprNumber", "0102030405") * 2},
        "an encrypted attribute": {"attributes": told + "<saml:EncryptedAttribute/>"},
        "an attribute without name": {"attributes": told + "<saml:Attribute/>"},
        "two statements": {"last": f"<saml:AttributeStatement>{told}</saml:AttributeStatement>"},
        "advice": {"last": "<saml:Advice/>"},
        "a decision of its own": {"last": '<saml:AuthzDecisionStatement Decision="Permit"/>'},
        "something of another name": {"last": "<x/>"},
        "another assertion inside": {"last": f"<saml:Advice>{unsigned(idp.document(now))}</saml:Advice>"},
        "too many roles": {"told": {EID + "privilegesIntermediate": privilege_list(*[group(unit=JOB)] * 51)}},
    }  # fmt: skip


LIES = list(lies(IdentityProvider(), datetime(2026, 3, 2, 12, 0, tzinfo=UTC)))


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_assertion_is_refused(door: Doorway, idp: IdentityProvider, lie: str) -> None:
    """Each wrong, missing, doubled or misshapen part refuses the exchange, though the right key signed it."""
    document = idp.sign(idp.document(door.now, **lies(idp, door.now)[lie]))
    assert refused(door, sent(document))
    assert named(door, idp.assertion(door.now))


def test_an_employer_s_word_stays_in_its_municipality(door: Doorway, idp: IdentityProvider) -> None:
    """A neighbour's employer counts where a registration lists it alone; nobody vouches under another's CVR number."""
    neighbour = door.employers[1]
    assert isinstance(neighbour, IdentityProvider)
    assert refused(door, neighbour.assertion(door.now))
    assert refused(door, neighbour.assertion(door.now, told={EID + "professional/cvr": KORSBAEK}))
    borrowed = IdentityProvider(idp.entity_id, cvr=KORSBAEK, key=neighbour.key)
    assert refused(door, borrowed.assertion(door.now))

    listed = Doorway(ASystem(employers=frozenset({neighbour.issuer})), employers=(neighbour,))
    assert named(listed, neighbour.assertion(listed.now)).municipality == "skovlund"


def test_one_provider_for_many_municipalities_mixes_none_up() -> None:
    """Where many employers share an identity provider, the signed CVR number says whose caseworker it is."""
    key = ec_key()
    certificates = (certificate_of(key),)
    shared = "https://saml.adgangsstyring.example/runtime"
    ours = IdentityProvider(shared, key=key, certificates=certificates)
    theirs = IdentityProvider(shared, "https://skovlund.example", "skovlund", SKOVLUND, key, certificates=certificates)
    door = Doorway(employers=(theirs, ours))

    assert named(door, ours.assertion(door.now)).municipality == "korsbaek"
    assert refused_after(door, theirs.sign(theirs.document(door.now)))


# Its use


def test_an_assertion_works_once(door: Doorway, idp: IdentityProvider) -> None:
    """Brought again with fresh proofs it is refused, also written with other white space and another KeyInfo."""
    document = idp.sign(idp.document(door.now))
    assert named(door, sent(document))
    assert refused_after(door, document)
    text = etree.tostring(document).decode()
    other = text[: text.index("<ds:KeyInfo")] + text[text.index("</ds:KeyInfo>") + len("</ds:KeyInfo>") :]
    for written in (other, f'<?xml version="1.0"?>\n{text}\n', text.replace(" IssueInstant", "\n  IssueInstant")):
        assert bring(door, sent(written)).status_code == 400


def test_another_system_cannot_use_an_assertion(door: Doorway, idp: IdentityProvider) -> None:
    """Stolen by a system of the same municipality it is worth nothing there, and stays good for its owner."""
    word = idp.assertion(door.now)
    assert refused(door, word, door.others[0])
    assert named(door, word)


def test_a_kind_is_not_taken_for_the_other(door: Doorway, idp: IdentityProvider) -> None:
    """A JWT brought as SAML, SAML as a JWT, and either under SAML's older names are refused."""
    jwt, saml = door.employer.assertion(door.now), idp.assertion(door.now)
    jwt_type = door.system.form(door.now, jwt)["subject_token_type"]
    tries = [(jwt, SAML_TYPE), (saml, jwt_type), (saml, SAML_TYPE.replace("saml2", "saml1")), (saml, "saml2")]
    for word, kind in tries:
        answer = door.ask_token(door.system.form(door.now, word, subject_token_type=kind), None)
        assert answer.status_code == 400, kind
    assert not door.replay.seen
    assert named(door, saml)


def test_the_holder_of_a_key_must_be_the_system(door: Doorway, idp: IdentityProvider) -> None:
    """Holder-of-key counts when the key is one the asking system proved itself with, and no other."""

    def holder(*certificates: Any) -> dict[str, str]:
        return {"method": HOLDER_OF_KEY, "holder": key_info_of(*certificates)}

    own = certificate_of(door.system.key.private_key)
    for others in ([], [certificate_of(ec_key())], [own, certificate_of(ec_key())], [certificate_of(rsa_key())]):
        assert refused(door, idp.assertion(door.now, **holder(*others)))
    assert refused(door, idp.assertion(door.now, **holder(b"\0")))
    assert named(door, idp.assertion(door.now, **holder(own)))


async def test_an_assertion_is_dead_at_every_node_once_used(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Brought to one node, then to the others, and to all at once: one token comes of it."""
    async with open_town(postgres, tmp_path, nodes=2, employers=(idp := IdentityProvider(),)) as town:
        told = {EID + "privilegesIntermediate": privilege_list(group(kle="32.*", unit=JOB))}
        assert UNIT
        once, raced = (idp.assertion(town.now, "momentum", told=told) for _ in range(2))

        def form(word: str) -> dict[str, str]:
            return town.system.form(town.now, word, subject_token_type=SAML_TYPE)

        first, second = [await town.ask_token(node, form(once)) for node in town.nodes]
        assert (first.status_code, second.status_code, second.json()) == (200, 400, {"error": "invalid_grant"})
        third = await town.ask_token(await town.restart(town.nodes[0]), form(once))
        assert third.json() == {"error": "invalid_grant"}
        answers = await asyncio.gather(*(town.ask_token(node, form(raced)) for node in town.nodes * 3))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 5


def test_nothing_personal_reaches_the_program_s_log(
    door: Doorway, idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever level the program's log stands at, the signature's library writes no assertion into it."""
    told = {EID + "cprNumber": "0102030405", EID + "fullName": CANARY}
    with caplog.at_level(logging.DEBUG):
        assert named(door, idp.assertion(door.now, told=told)).cpr is not None
        bring(door, idp.assertion(door.now, told=told | {NSIS: "Ultra"}))
    written = "\n".join(record.getMessage() for record in caplog.records)
    assert not any(secret in written for secret in (CANARY, "0102030405", PERSON))
