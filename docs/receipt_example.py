"""The worked example of a receipt: an invented yes, made and signed by the code itself, and its public key."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.adapters.signed_records import SCHEMA_FILE, RecordSigner
from broker.consents.records import Frame, Logged, Text, record_of_consent
from broker.consents.texts import TEXT_VERSION, consent_text, text_digest
from broker.domain.consents import DIGITAL, GRANTED, SELF, Consent, LineState, RequestLine
from broker.domain.directory import Category, Directory, Municipality, Purpose, SourceEntry, Unit
from broker.domain.facts import ConsentLine
from broker.domain.laws import LawRow
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.web.record_wire import record_body

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DAYS = (20260302, 20270301)
CITIZEN, CONSENT, LINE = "h1", "6f0c2a0e-6a1e-4a57-9d0d-2f1b8f1d2c11", "0f6a9d0a-2a54-4c3e-8b8e-0d4f6a1c7e21"
PURPOSE = "helhedsorienteret_plan"


def schema() -> str:
    """Give the schema of a record, as the broker itself holds records against it."""
    return SCHEMA_FILE.read_text("utf-8")


def example() -> str:
    """Give the signed document of the example."""
    return _signer().signed(_record()).decode() + "\n"


def keys() -> str:
    """Give the public key that verifies the example."""
    return json.dumps(_signer().public_jwks(), indent=2) + "\n"


def _signer() -> RecordSigner:
    """Make the example's key, which everybody may know: it signs nothing else."""
    seed = hashlib.sha256(b"the key of the example in docs/receipts.md").digest()
    key = {"kty": "OKP", "crv": "Ed25519", "kid": "example", "d": urlsafe_b64encode(seed).rstrip(b"=").decode()}
    return RecordSigner([key | {"x": _public(seed)}])


def _public(seed: bytes) -> str:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return urlsafe_b64encode(public).rstrip(b"=").decode()


def _record() -> dict[str, Any]:
    directory = _directory()
    asked = RequestLine(CITIZEN, CITIZEN, SELF, "social", "korsbaek", "S01")
    text = consent_text("jobcentre", PURPOSE, [asked], DAYS, "da", directory)
    line = ConsentLine(
        LINE, CONSENT, 1, CITIZEN, CITIZEN, SELF, "social", "S01", "jobcentre", PURPOSE, "c1", *DAYS, GRANTED
    )  # fmt: skip
    consent = Consent(
        id=CONSENT,
        request=None,
        municipality="korsbaek",
        citizen=CITIZEN,
        giver=CITIZEN,
        unit="jobcentre",
        purpose=PURPOSE,
        case="c1",
        form=DIGITAL,
        language="da",
        text_version=TEXT_VERSION,
        text_digest=text_digest(text),
        given_at=AT,
        lines=(line,),
        history=(LineState(LINE, 1, GRANTED, AT, "online"),),
    )
    shown = Text(TEXT_VERSION, "da", consent.text_digest, Personal(text))
    frame = Frame("https://broker.example.dk", AT, Personal("7102740022"), (CITIZEN,))
    place = Logged(1, Receipt("broker.example.dk/log/korsbaek/2026", 4711))
    return record_body(record_of_consent(consent, shown, frame, [place], directory))


def _directory() -> Directory:
    """Register what the example names, and no more."""
    home, everybody = "korsbaek", frozenset({"jobcentre", "social_centre"})
    purpose = Purpose(PURPOSE, frozenset({"S01"}), True, None, "helhedsorienteret plan", "one plan")
    law = LawRow(
        "example", "SEL § 141, stk. 7", "GDPR art. 6(1)(e)", 0, 99991231, everybody, everybody,
        {PURPOSE: frozenset({"S01"})},
    )  # fmt: skip
    return Directory(
        revision="",
        municipalities={home: Municipality(home, "11111111", "Korsbæk Kommune", "0999")},
        units={
            "jobcentre": Unit("jobcentre", home, "jobcentre", "Jobcentret", "The job centre"),
            "social-centre": Unit("social-centre", home, "social_centre", "Socialcentret", "The social centre"),
        },
        sources={
            "social": SourceEntry(
                "social", "social-centre", home, "rest_json", frozenset({"S01"}), "Socialcentret", "The social centre"
            )
        },
        categories={
            "S01": Category("S01", 2, "social", False, False, False, "støtte i hverdagen", "support in everyday life")
        },
        purposes={PURPOSE: purpose},
        delegations={},
        reasons={},
        trials={},
        consent_laws=(law,),
    )
