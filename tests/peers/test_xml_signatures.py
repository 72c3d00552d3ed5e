"""Assertions signed by others' XML signatures (xml-crypto, xmlsec1) name the caseworker at our door."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from tests.doorway import Doorway
from tests.identity_provider import (
    DS,
    ENVELOPED,
    EXCLUSIVE,
    MORE,
    PERSON,
    SAML,
    SAML_TYPE,
    IdentityProvider,
    ec_key,
    pem_of,
    rsa_key,
    sent,
)  # fmt: skip
from tests.serving import node

PREFIXES = f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="xs saml"/>'
KEYS = {"rsa-sha256": rsa_key, "ecdsa-sha256": ec_key}
TEMPLATE = (
    f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
    f'<ds:SignatureMethod Algorithm="{MORE}ALG"/><ds:Reference URI="#ID"><ds:Transforms><ds:Transform '
    f'Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXCLUSIVE}">PREFIXES</ds:Transform></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>'
    "<ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"
)


def as_others_write(document: str) -> str:
    """Write an assertion as AD FS does: no prefix, and the attributes before the log-in."""
    root = etree.fromstring(document)
    root.append(root.find(f"{{{SAML}}}AuthnStatement"))
    root.remove(root.find(f"{{{DS}}}Signature"))
    return etree.tostring(root).decode().replace("saml:", "").replace("xmlns:saml", "xmlns")


def named_by(door: Doorway, signed: str) -> str:
    """Exchange an assertion, and say whom the token names."""
    form = door.system.form(door.now, sent(signed), subject_token_type=SAML_TYPE)
    answer = door.ask_token(form, None)
    assert answer.status_code == 200, answer.text
    return str(door.tokens.read(answer.json()["access_token"], door.now)["sub"])


@pytest.mark.parametrize("alg", ["rsa-sha256", "rsa-sha512"])
async def test_xml_crypto_s_signature_is_understood(alg: str) -> None:
    """What Node's xml-crypto signs is accepted whole, and refused with a letter changed."""
    idp = IdentityProvider(key=rsa_key())
    door = Doorway(employers=(idp,))
    wish = {
        "document": as_others_write(idp.document(door.now)), "key": pem_of(idp.key).decode(),
        "certificate": idp.certificates[0].public_bytes(Encoding.PEM).decode(),
        "algorithm": MORE + alg, "place": "/*/*[local-name(.)='Issuer']",
    }  # fmt: skip
    told = await node("identity_provider.mjs", wish)
    await asyncio.to_thread(both_ways, door, told["signed"])


@pytest.mark.parametrize("prefixes", ["", PREFIXES])
@pytest.mark.parametrize("alg", KEYS)
async def test_xmlsec1_s_signature_is_understood(alg: str, prefixes: str, tmp_path: Path) -> None:
    """What the C library behind most identity providers signs is accepted whole, and refused with a letter changed."""
    program = shutil.which("xmlsec1")
    if program is None:
        pytest.skip("xmlsec1 is not on PATH: the C library signs nothing")
    idp = IdentityProvider(key=KEYS[alg]())
    door = Doorway(employers=(idp,))
    (tmp_path / "key.pem").write_bytes(pem_of(idp.key))
    (tmp_path / "crt.pem").write_bytes(idp.certificates[0].public_bytes(Encoding.PEM))
    document = as_others_write(idp.document(door.now, id="_1")).replace(
        "</Issuer>", "</Issuer>" + TEMPLATE.replace("ALG", alg).replace("#ID", "#_1").replace("PREFIXES", prefixes)
    )
    (tmp_path / "template.xml").write_text(document, "utf-8")
    process = await asyncio.create_subprocess_exec(
        program, "--sign", "--privkey-pem", f"{tmp_path}/key.pem,{tmp_path}/crt.pem", "--id-attr:ID", "Assertion",
        "--output", str(tmp_path / "signed.xml"), str(tmp_path / "template.xml"),
    )  # fmt: skip
    assert await asyncio.wait_for(process.wait(), 30) == 0
    await asyncio.to_thread(both_ways, door, (tmp_path / "signed.xml").read_text("utf-8"))


def both_ways(door: Doorway, signed: str) -> None:
    """See a signed assertion accepted, and refused when it is changed."""
    form = door.system.form(door.now, sent(signed.replace("Substantial", "Substantjal")), subject_token_type=SAML_TYPE)
    assert door.ask_token(form, None).json() == {"error": "invalid_grant"}
    assert named_by(door, signed) == PERSON
