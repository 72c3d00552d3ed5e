"""A consent record as values, and its signed document: for tests that bend one. Say only what the test is about."""

from __future__ import annotations

import hashlib
from typing import Any

from broker.adapters.signed_records import Keys, RecordSigner, keys_of
from tests.actors import a_key

DPV = "https://w3id.org/dpv#"
TEXT = "Jobcentret beder om lov til at hente oplysninger om dig.\n"
ISSUER = "https://samtykke.example"
NAMES = {"da": "navn", "en": "name"}


def a_datum(**given: Any) -> dict[str, Any]:
    """One line of a record: the citizen's own, from the social centre."""
    return {
        "line": "one",
        "category": "S01",
        "name": NAMES,
        "term": DPV + "PersonalData",
        "source": "social",
        "about": "me",
        "capacity": "self",
        "lawful_basis": {"term": DPV + "ExplicitlyExpressedConsent", "paragraph": None, "gdpr": None},
        "data_from": None,
        "data_to": None,
        "from": "2019-03-04",
        "to": "2020-03-03",
        "state": DPV + "ConsentGiven",
    } | given


def a_record(**given: Any) -> dict[str, Any]:
    """A yes that was given to the jobcentre elsewhere, at noon of the day on which all tests stand still."""
    controller = {"term": DPV + "DataController", "id": "korsbaek", "name": "Korsbæk Kommune", "cvr": "11111111"}
    event = {"time": "2019-03-04T09:00:00Z", "type": "granted", "state": DPV + "ConsentGiven", "channel": "online"}
    return {
        "schema": "urn:borgerbro:consent-record:1",
        "conforms_to": "ISO/IEC TS 27560:2023",
        "type": DPV + "ConsentReceipt",
        "record_id": "elsewhere-1",
        "receipt_id": "elsewhere-1-1",
        "version": 1,
        "issuer": ISSUER,
        "issued_at": "2019-03-04T10:59:00Z",
        "jurisdiction": "https://w3id.org/dpv/loc#DK",
        "pii_principal": {"scheme": "urn:oid:1.2.208.176.1.2", "id": "7102740022"},
        "notice": {
            "type": DPV + "ConsentNotice",
            "version": "elsewhere-text-1",
            "language": "da",
            "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
            "text": TEXT,
        },
        "purpose": {"term": DPV + "PublicBenefit", "code": "helhedsorienteret_plan", "name": NAMES},
        "case": "JC-2019-0417",
        "recipient": "jobcentre",
        "parties": [{"id": "jobcentre", "role": DPV + "Recipient", "name": NAMES, "controller": controller}],
        "personal_data": [a_datum()],
        "storage": NAMES,
        "withdrawal": {"term": DPV + "WithdrawConsent", "at": ISSUER, **NAMES},
        "rights": ["https://w3id.org/dpv/legal/eu/gdpr#A7-3"],
        "complaint": {"term": DPV + "DataProtectionAuthority", **NAMES},
        "events": [{**event, "lines": ["one"], "log": []}],
        "state": DPV + "ConsentGiven",
    } | given


def an_issuer(kid: str = "k1") -> tuple[RecordSigner, Keys, dict[str, Any]]:
    """Somebody who signs records, the keys that verify them, and the private key."""
    key = {**a_key("Ed25519").as_dict(private=True), "kid": kid}
    signer = RecordSigner([key])
    return signer, keys_of(signer.public_jwks()), key
