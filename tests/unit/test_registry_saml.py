"""The registry's word on identity providers: what becomes of it, and each fault at its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey

from broker.registry import read_registry
from broker.saml_trust import Given
from tests.builders import NOON, POLICIES, ROOT
from tests.identity_provider import certificate_of, ec_key, rsa_key
from tests.registry_files import SMALL, examined, faults_in, small_folder

SAML = """\
    saml:
      entity_id: https://adfs.korsbaek.example
      certificates_file: provider.crt
      privileges:
        "urn:worker": {role: sagsbehandler, sensitivity: 3}
      units:
        "b3b5": jobcentre
      constraints:
        sensitivity: "urn:level"
"""
SPEAKING = SMALL.replace("    jwks_file: korsbaek.json\n", "    jwks_file: korsbaek.json\n" + SAML)
NEIGHBOUR = """\
  noerrestrand:
    issuer: https://ansatte.noerrestrand.example
    municipality: noerrestrand
    saml: {entity_id: https://adfs.korsbaek.example, certificates_file: provider.crt, privileges: {}, units: {}}
providers:
"""


def folder(path: Path, text: str = SPEAKING, *keys: Any) -> Path:
    """Write the small registry with an identity provider's certificates, and give the file."""
    pem = b"".join(certificate_of(key).public_bytes(Encoding.PEM) for key in keys or (rsa_key(),))
    (path / "provider.crt").write_bytes(pem)
    return small_folder(path, text)


def test_what_is_registered_of_a_provider_becomes_its_trust(tmp_path: Path) -> None:
    """CVR numbers come from the municipalities; KLE and orgenhed are understood beside what is named."""
    registry = read_registry(folder(tmp_path, SPEAKING, rsa_key(), ec_key()), POLICIES / "tables")

    trust = registry.employers["korsbaek"].saml

    assert trust is not None
    assert (trust.entity_id, trust.cvr, len(trust.certificates)) == ("https://adfs.korsbaek.example", "11111111", 2)
    assert (trust.privileges, trust.units) == ({"urn:worker": Given("sagsbehandler", 3)}, {"b3b5": "jobcentre"})
    assert sorted(trust.constraints.values()) == ["kle", "sensitivity", "unit"]
    assert trust.municipalities == {"11111111": "korsbaek", "22222222": "noerrestrand"}


def test_an_employer_may_speak_saml_alone(tmp_path: Path) -> None:
    """No JWK set is needed then; with neither, nothing opens."""
    alone = SPEAKING.replace("    jwks_file: korsbaek.json\n", "")
    neither = SMALL.replace("    jwks_file: korsbaek.json\n", "")

    assert faults_in(folder(tmp_path, alone)) == []
    assert [f.what for f in examined(folder(tmp_path, neither)).faults] == ["jwks_file is missing"]


def test_one_provider_may_serve_many_municipalities(tmp_path: Path) -> None:
    """The same entity id and certificate for two employers is no fault, in two municipalities."""
    assert faults_in(folder(tmp_path, SPEAKING.replace("providers:\n", NEIGHBOUR))) == []
    same = NEIGHBOUR.replace("municipality: noerrestrand", "municipality: korsbaek")
    (fault,) = faults_in(folder(tmp_path, SPEAKING.replace("providers:\n", same)))
    assert (fault.where, "employers.korsbaek too" in fault.what) == ("employers.noerrestrand.saml.entity_id", True)


BROKEN = [
    ('b3b5": jobcentre', 'b3b5": far-jobcentre', "units.b3b5", "no unit of korsbaek"),
    ('b3b5": jobcentre', 'b3b5": library', "units.b3b5", "no unit of korsbaek"),
    ("provider.crt", "nowhere.crt", "certificates_file", "cannot be read"),
    ("provider.crt", "momentum.json", "certificates_file", "no certificates"),
    ("sensitivity: 3", "sensitivity: 5", "privileges.(no name).sensitivity", "too large"),
    ("entity_id: https", "entity-id: https", "", "there is no field"),
    ('        sensitivity: "urn', '        sector: "urn', "constraints", "there is no field"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "what"), BROKEN)
def test_each_fault_is_named_where_it_stands(tmp_path: Path, old: str, new: str, where: str, what: str) -> None:
    """A unit of others', a certificate that is none, a level above all, a field that is not known."""
    text = SPEAKING.replace(old, new, 1)

    found = [(f.where, f.place.line) for f in examined(folder(tmp_path, text)).faults if what in f.what]

    assert (
        f"employers.korsbaek.saml{'.' if where else ''}{where}",
        SPEAKING[: SPEAKING.index(old)].count("\n") + 1,
    ) in found


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 1024),
        lambda: ec.generate_private_key(ec.SECP192R1()),
        ed25519.Ed25519PrivateKey.generate,
    ],
)
def test_a_weak_key_signs_nothing(tmp_path: Path, make: Callable[[], Any]) -> None:
    """A short RSA key, a small curve or a key of another kind is refused before a node opens."""
    file = folder(tmp_path)
    (tmp_path / "provider.crt").write_bytes(certificate_of(make()).public_bytes(Encoding.PEM))

    (fault,) = examined(file).faults

    assert fault.where == "employers.korsbaek.saml.certificates_file"
    assert "RSA of 2048 bits" in fault.what


def test_a_provider_shares_its_key_with_nobody(tmp_path: Path) -> None:
    """A certificate with a system's key, or another provider's, would make one thief both."""
    key = ec_key()
    member = ECKey.import_key(key).as_dict(private=False)
    file = folder(tmp_path, SPEAKING, key)
    (tmp_path / "momentum.json").write_text(json.dumps({"keys": [member]}), "utf-8")
    (fault,) = examined(file).faults
    assert (fault.where, fault.what) == (
        "employers.korsbaek.saml.certificates_file",
        "has the same key as systems.momentum",
    )

    other = NEIGHBOUR.replace("entity_id: https://adfs.korsbaek", "entity_id: https://adfs.noerrestrand")
    (fault,) = examined(folder(tmp_path, SPEAKING.replace("providers:\n", other))).faults
    assert (fault.where, fault.what) == (
        "employers.noerrestrand.saml.certificates_file",
        "has the same key as another provider",
    )


def test_a_certificate_that_has_ended_is_told(tmp_path: Path) -> None:
    """Whoever checks the registry learns of it before its assertions are refused."""
    file = folder(tmp_path)
    ended = certificate_of(rsa_key(), ends=NOON - timedelta(days=1))
    (tmp_path / "provider.crt").write_bytes(ended.public_bytes(Encoding.PEM))

    (fault,) = faults_in(file)

    assert (fault.where, fault.what) == (
        "employers.korsbaek.saml.certificates_file",
        "holds a certificate that has ended",
    )


def test_the_page_s_example_is_a_registry_that_opens(tmp_path: Path) -> None:
    """What docs/saml.md tells an operator to write is accepted as it stands there."""
    page = (ROOT / "docs" / "saml.md").read_text("utf-8")
    example = page.partition('```yaml title="registry"\nemployers:\n')[2].partition("```")[0]
    start, end = SMALL.index("  korsbaek:\n    issuer:"), SMALL.index("providers:\n")

    registry = read_registry(folder(tmp_path, SMALL[:start] + example + SMALL[end:]), POLICIES / "tables")

    trust = registry.employers["korsbaek"].saml
    assert trust is not None
    assert sorted(trust.constraints.values()) == ["attested_on", "kle", "sensitivity", "unit"]
