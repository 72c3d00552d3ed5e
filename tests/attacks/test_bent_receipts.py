"""Somebody bends a receipt: a byte, a key, the header, the JSON itself. Each is refused, and no refusal tells of it."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from joserfc import jws
from joserfc.jwk import OKPKey
from typer.testing import CliRunner

from broker.adapters.signed_records import RecordRefused, documents_of, keys_of, opened
from broker.cli.commands import app
from broker.cli.receipt import SAID
from tests.actors import a_key
from tests.records import a_datum, a_record, an_issuer

SIGNER, KEYS, PRIVATE = an_issuer()
GOOD = SIGNER.signed(a_record())
HEADER = {"alg": "Ed25519", "kid": "k1", "typ": "consent-record+jws"}


def encoded(value: bytes) -> str:
    """Write bytes as base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def document(record: Any, token: str) -> bytes:
    """Put a record and a JWS together, canonically."""
    return bytes(rfc8785.dumps({"record": record, "jws": token}))


def resigned(header: dict[str, Any], payload: bytes | None = None, record: Any = None) -> bytes:
    """Sign anything with the true key, under any header."""
    record = record or a_record()
    start = f"{encoded(json.dumps(header).encode())}.{encoded(payload or rfc8785.dumps(record))}"
    signature = OKPKey.import_key(PRIVATE).private_key.sign(start.encode())
    return document(record, f"{start}.{encoded(signature)}")


def parts() -> list[str]:
    """Give header, payload and signature of the good one."""
    return str(json.loads(GOOD)["jws"]).split(".")


def with_hmac_of_the_public_key() -> bytes:
    """Sign with HMAC under the public key's own bytes (the old trick with `alg`)."""
    start = f"{encoded(json.dumps(HEADER | {'alg': 'HS256'}).encode())}.{parts()[1]}"
    public = urlsafe_b64decode(SIGNER.public_jwks()["keys"][0]["x"] + "=")
    return document(a_record(), f"{start}.{encoded(hmac.digest(public, start.encode(), 'sha256'))}")


def by_another_key(**header: Any) -> bytes:
    """Sign with a stranger's key, under the true key's name."""
    key = OKPKey.import_key({**a_key("Ed25519").as_dict(private=True), "kid": "k1"})
    token = jws.serialize_compact(HEADER | header, rfc8785.dumps(a_record()), key, algorithms=["Ed25519"])
    return document(a_record(), token)


def with_loose_bits(place: int) -> bytes:
    """Change bits of the last letter that no byte holds."""
    bent = parts()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bent[place] = bent[place][:-1] + letters[letters.index(bent[place][-1]) + 1]
    return document(a_record(), ".".join(bent))


BENT: dict[str, tuple[str, Callable[[], bytes]]] = {
    "another word in what is shown": (
        "payload_differs",
        lambda: GOOD.replace(b'"category":"S01"', b'"category":"S04"'),
    ),
    "another word in what is signed": (
        "bad_signature",
        lambda: document(
            a_record(case="x"), ".".join([parts()[0], encoded(rfc8785.dumps(a_record(case="x"))), parts()[2]])
        ),
    ),
    "another key of that name": ("bad_signature", by_another_key),
    "a key of another name": ("unknown_key", lambda: resigned(HEADER | {"kid": "k2"})),
    "alg none": (
        "bad_header",
        lambda: document(a_record(), f"{encoded(json.dumps(HEADER | {'alg': 'none'}).encode())}.{parts()[1]}."),
    ),
    "alg HS256 under the public key": ("bad_header", with_hmac_of_the_public_key),
    "alg EdDSA, the old name": ("bad_header", lambda: resigned(HEADER | {"alg": "EdDSA"})),
    "a key in the header": ("bad_header", lambda: resigned(HEADER | {"jwk": SIGNER.public_jwks()["keys"][0]})),
    "an address of keys in the header": ("bad_header", lambda: resigned(HEADER | {"jku": "https://evil.example"})),
    "a critical extension": ("bad_header", lambda: resigned(HEADER | {"crit": ["exp"], "exp": 1})),
    "an unencoded payload": ("bad_header", lambda: resigned(HEADER | {"b64": False, "crit": ["b64"]})),
    "the type of an access token": ("bad_header", lambda: resigned(HEADER | {"typ": "at+jwt"})),
    "a name of the key that is no text": ("bad_header", lambda: resigned(HEADER | {"kid": 1})),
    "two parts": ("bad_header", lambda: document(a_record(), ".".join(parts()[:2]))),
    "an empty signature": ("bad_signature", lambda: document(a_record(), ".".join([*parts()[:2], ""]))),
    "loose bits in the signature": ("bad_header", lambda: with_loose_bits(2)),
    "a member twice": ("member_twice", lambda: GOOD.replace(b'"case":', b'"case":"x","case":')),
    "a member twice in the header": (
        "member_twice",
        lambda: document(
            a_record(), ".".join([encoded(b'{"alg":"none",' + json.dumps(HEADER).encode()[1:]), *parts()[1:]])
        ),
    ),
    "spaces": ("not_canonical", lambda: json.dumps(json.loads(GOOD)).encode()),
    "another order": (
        "not_canonical",
        lambda: json.dumps(dict(reversed(json.loads(GOOD).items())), separators=(",", ":")).encode(),
    ),
    "a letter written as its number": ("not_canonical", lambda: GOOD.replace(b'"S01"', b'"\\u005301"')),
    "a fraction": ("bad_number", lambda: GOOD.replace(b'"version":1', b'"version":1.0')),
    "a number that is too large": ("bad_number", lambda: GOOD.replace(b'"version":1', b'"version":9007199254740993')),
    "a number without end": ("bad_number", lambda: GOOD.replace(b'"version":1', b'"version":' + b"9" * 10_000)),
    "NaN": ("bad_number", lambda: GOOD.replace(b'"version":1', b'"version":NaN')),
    "half a letter": ("not_json", lambda: GOOD.replace(b'"S01"', b'"\\ud800"')),
    "bytes that are no UTF-8": ("not_json", lambda: GOOD.replace(b"S01", b"\xff01")),
    "a mark before it": ("not_json", lambda: b"\xef\xbb\xbf" + GOOD),
    "depth without end": ("not_json", lambda: b"[" * 100_000),
    "a list": ("not_a_record", lambda: b"[]"),
    "something more beside it": ("not_a_record", lambda: bytes(rfc8785.dumps(json.loads(GOOD) | {"also": 1}))),
    "more than any receipt": ("too_large", lambda: b'"' + b"x" * (1 << 20) + b'"'),
    "another payload, signed, not canonical": (
        "payload_differs",
        lambda: resigned(HEADER, json.dumps(a_record()).encode()),
    ),
    "no version 1": ("not_of_schema", lambda: SIGNER.signed(a_record(schema="urn:borgerbro:consent-record:2"))),
    "no lines": ("not_of_schema", lambda: SIGNER.signed(a_record(personal_data=[]))),
    "a term that is no term": ("not_of_schema", lambda: SIGNER.signed(a_record(state="https://evil.example/x"))),
    "a number of a person that is none": (
        "not_of_schema",
        lambda: SIGNER.signed(a_record(pii_principal={"scheme": "urn:oid:1.2.208.176.1.2", "id": "x"})),
    ),
}


def test_a_good_one_is_opened() -> None:
    """What everything below is held against: just as it was signed, it opens, with a line's end too."""
    assert opened(GOOD, KEYS) == opened(GOOD + b"\n", KEYS) == a_record()


@pytest.mark.parametrize("how", BENT)
def test_a_bent_receipt_is_refused(how: str) -> None:
    """Each by its own reason, in words of ours that repeat nothing of it."""
    why, bend = BENT[how]
    with pytest.raises(RecordRefused) as refused:
        opened(bend(), KEYS)

    assert refused.value.why == str(refused.value) == why
    assert why in SAID


def test_every_bit_is_signed() -> None:
    """Whichever bit of a receipt is turned, it does not open."""
    for place in range(0, len(GOOD) * 8, 61):
        bent = bytearray(GOOD)
        bent[place // 8] ^= 1 << place % 8
        with pytest.raises(RecordRefused):
            opened(bytes(bent), KEYS)


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        [],
        {"keys": []},
        {"keys": "x"},
        {"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "AAAA"}]},
        {"keys": SIGNER.public_jwks()["keys"] * 2},
    ],
    ids=["nothing", "a list", "no key", "no list", "a secret", "no point", "half a point", "one name twice"],
)
def test_keys_that_cannot_verify_are_refused(jwks: Any) -> None:
    """A key file that says nothing, or two things by one name, verifies nothing."""
    with pytest.raises(RecordRefused):
        keys_of(jwks)


def test_one_bad_receipt_spoils_an_export(tmp_path: Path) -> None:
    """The command ends with 1 for a file in which one record was changed, with 0 for the whole one; it names nobody."""
    keys, good, bad = tmp_path / "keys.json", tmp_path / "good.json", tmp_path / "bad.json"
    keys.write_text(json.dumps(SIGNER.public_jwks()), "utf-8")
    made = SIGNER.exported([a_record(), a_record(personal_data=[a_datum(category="S02")])])
    good.write_bytes(made)
    bad.write_bytes(made.replace(b'"category":"S02"', b'"category":"S04"', 1))
    run = CliRunner()
    told = {name: run.invoke(app, ["receipt", "verify", str(file), "--jwks", str(keys)]) for name, file in
            {"good": good, "bad": bad, "missing": tmp_path / "none", "keys": keys}.items()}  # fmt: skip

    assert {name: answer.exit_code for name, answer in told.items()} == {"good": 0, "bad": 1, "missing": 2, "keys": 1}
    assert SAID["payload_differs"] in told["bad"].output
    assert not any("7102740022" in answer.output for answer in told.values())
    assert len(documents_of(made)) == 2


def test_a_text_that_its_digest_does_not_fit_is_told(tmp_path: Path) -> None:
    """A no of ours, checked with no network: its text is named by its SHA-256; another text fails, though signed.

    A record without a text says so, and nothing of any text is printed.
    """
    keys, file = tmp_path / "keys.json", tmp_path / "file.json"
    keys.write_text(json.dumps(SIGNER.public_jwks()), "utf-8")
    no, notice = "https://w3id.org/dpv#ConsentRefused", a_record()["notice"]
    told = []
    for words in (notice["text"], notice["text"] + "Og alt andet.", None):
        file.write_bytes(SIGNER.signed(a_record(state=no, notice=notice | {"text": words})))
        told.append(CliRunner().invoke(app, ["receipt", "verify", str(file), "--jwks", str(keys)]))

    assert [answer.exit_code for answer in told] == [0, 1, 0]
    assert f"in it, SHA-256 {notice['sha256']}" in told[0].output.replace("\n", " ")
    assert SAID["text_differs"] in told[1].output.replace("\n", " ")
    assert "not in it" in told[2].output
    assert not any("Jobcentret" in answer.output for answer in told)


def test_the_command_says_it_to_machines_too(tmp_path: Path) -> None:
    """`--json`: which receipt, of when, how it stands, or why not; a key file that is none ends with 2."""
    keys, file = tmp_path / "keys.json", tmp_path / "file.json"
    keys.write_text(json.dumps(SIGNER.public_jwks()), "utf-8")
    file.write_bytes(GOOD)
    run = CliRunner()
    good = run.invoke(app, ["receipt", "verify", str(file), "--jwks", str(keys), "--json"])
    wrong = run.invoke(app, ["receipt", "verify", str(file), "--jwks", str(file)])
    file.write_bytes(by_another_key())
    bad = run.invoke(app, ["receipt", "verify", str(file), "--jwks", str(keys), "--json"])

    assert json.loads(good.stdout)["valid"] is True
    assert json.loads(good.stdout)["receipts"][0]["state"] == "ConsentGiven"
    assert json.loads(bad.stdout) == {"valid": False, "why": "bad_signature"}
    assert [one.exit_code for one in (good, wrong, bad)] == [0, 2, 1]
