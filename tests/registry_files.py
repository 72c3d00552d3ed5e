"""Registry files for tests: a small whole one as text, and the demo's as the broker reads it; with their key files."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey
from ruamel.yaml import YAML

from broker.registry import Examined, Fault, RegistryFaults, address_faults, examine
from broker.rehearsal import Rehearsal
from demo.world.files import SYSTEM_SECRETS, write_private
from demo.world.template import DEMO_REGISTRY, Places, filled, read_template
from tests.builders import NOON, POLICIES
from tests.identity_provider import certificate_of, rsa_key

ENVIRON = {"LOGIN_SECRET": "hunter2"}
SMALL = """\
version: 1
municipalities:
  korsbaek: {cvr: "11111111", name: Korsbæk, code: "0999"}
  noerrestrand: {cvr: "22222222", name: Nørrestrand, code: "0998"}
units:
  jobcentre:
    municipality: korsbaek
    kind: jobcentre
    name: {da: Jobcentret, en: the jobcentre}
    cases: sager
  far-jobcentre:
    municipality: noerrestrand
    kind: jobcentre
    name: {da: Jobcentret, en: the jobcentre}
sources:
  jobs:
    unit: jobcentre
    kind: rest_json
    name: {da: fagsystemet, en: the system}
    settings: {base_url: "https://jobs.example", auth: {api_key_header: X-Key}}
    secrets:
      api_key: {file: secret}
    reads_file: mapping.yaml
registers:
  people: {kind: people_rest, settings: {base_url: "https://cpr.example"}}
  cases:
    sager: {kind: cases_rest, settings: {base_url: "https://sager.example"}}
systems:
  momentum:
    municipality: korsbaek
    units: [jobcentre]
    employers: [korsbaek]
    jwks_file: momentum.json
employers:
  korsbaek:
    issuer: https://ansatte.korsbaek.example
    municipality: korsbaek
    jwks_file: korsbaek.json
providers:
  caseworker:
    issuer: https://login.example
    client_id: broker
    secret: {env: LOGIN_SECRET}
    system: momentum
    employer: korsbaek
delegations:
  employment: {from: noerrestrand, to: korsbaek, kle: ["15.*"], from_day: 2016-01-01, to_day: 2021-12-31}
networks:
  en-plan:
    name: Én plan
    max_members: 2
    members: [korsbaek, noerrestrand]
trials:
  one-plan:
    {network: en-plan, municipality: korsbaek, kind: en_handleplan, from_day: 2017-01-01, to_day: 2018-12-31}
"""
MAPPING = """\
B01:
  - ask: {method: POST, path: /help, body: {cpr: "{cpr}"}}
    records: rows
    person: cpr
    item: {kind: {value: intervention}, id: id, unit: {value: Jobcentret}, title: title}
"""


@cache
def public_key(owner: str) -> Mapping[str, Any]:
    """Give an owner's public key; the same one each time."""
    return ECKey.generate_key("P-256", {"kid": owner}).as_dict(private=False)


def key_set(*owners: str) -> str:
    """Write a set of public keys."""
    return json.dumps({"keys": [public_key(owner) for owner in owners]})


def certificate(*, days: int) -> str:
    """Make a certificate that ends so many days after noon of the tests, as a JWK holds it (RFC 7517, 4.7)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "owner")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON - timedelta(days=9))
        .not_valid_after(NOON + timedelta(days=days))
        .sign(key, SHA256())
    )
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


def small_folder(folder: Path, text: str = SMALL, mapping: str = MAPPING) -> Path:
    """Write the small registry with all that it names, and give the file."""
    (folder / "mapping.yaml").write_text(mapping, "utf-8")
    for owner in ("momentum", "korsbaek"):
        (folder / f"{owner}.json").write_text(key_set(owner), "utf-8")
    write_private(folder / "secret", "hunter2")
    file = folder / "registry.yaml"
    file.write_text(text, "utf-8")
    return file


def demo_registry(folder: Path) -> dict[str, Any]:
    """Give the demo's registry as the broker reads it, with key files that are there."""
    template = read_template(DEMO_REGISTRY)

    def keys(owner: str) -> str:
        (folder / f"{owner}.json").write_text(key_set(owner), "utf-8")
        return str(folder / f"{owner}.json")

    def secrets(name: str) -> dict[str, str]:
        files = {one: folder / f"{name}.{one}" for one in SYSTEM_SECRETS}
        for file in files.values():
            write_private(file, "hunter2")
        return {one: str(file) for one, file in files.items()}

    for name in template.sources:
        write_private(folder / f"{name}.dsn", f"postgresql://reader:hunter2@127.0.0.1/{name}")

    def certificate(cvr: str) -> str:
        file = folder / f"employer-{cvr}.crt"
        file.write_bytes(certificate_of(rsa_key(cvr)).public_bytes(Encoding.PEM))
        return str(file)

    places = Places(
        sources={
            name: str(folder / f"{name}.dsn") if kind == "social_centre" else f"http://127.0.0.1:{9000 + number}"
            for number, (name, kind) in enumerate(template.sources.items())
        },
        people="http://127.0.0.1:9900",
        cases=dict.fromkeys(template.case_registers, "http://127.0.0.1:9901"),
        provider="http://127.0.0.1:9902",
        secret_files=secrets,
        system_keys=lambda name: keys(f"system-{name}"),
        employer_keys=lambda cvr: keys(f"employer-{cvr}"),
        employer_certificates=certificate,
    )
    return filled(template, places)


def written(folder: Path, raw: Any) -> Path:
    """Write a registry as YAML, one field a line."""
    file = folder / "registry.yaml"
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # the library's own switch
    with file.open("w", encoding="utf-8") as sink:
        writer.dump(raw, sink)
    return file


def examined(file: Path) -> Examined:
    """Examine a registry file with the law tables."""
    return examine(file, POLICIES / "tables")


def faults_in(file: Path, *, demo: bool = False) -> list[Fault]:
    """Give every fault of a registry file, as `broker registry check` does."""
    try:
        found = examined(file)
    except RegistryFaults as error:
        return list(error.found)
    rehearsal = Rehearsal(found, ENVIRON, NOON)
    return sorted({*found.faults, *address_faults(found.sheet, demo=demo), *rehearsal.faults()})
