"""Consent records as signed documents (JWS, RFC 7515, over canonical JSON, RFC 8785): ours signed, others' opened.

A document is `{"jws": …, "record": …}`. The JWS has the record inside it, so that any JWS program can verify it; beside
it the record stands for people to read, and must be the same, byte for byte.

Rules kept here:
- One algorithm, Ed25519; the header has `alg`, `kid` and `typ` and nothing else, so that nothing in it can choose.
- Nothing that can be read in two ways is read: a member twice, a fraction, an unsafe number, another order, base64 with
  loose bits.
- No refusal repeats what the document holds.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import rfc8785
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry
from jsonschema import Draft202012Validator

from broker.domain.errors import BadAsk

ALGORITHM, TYPE = "Ed25519", "consent-record+jws"
LARGEST = 1 << 20
SAFE = (1 << 53) - 1
SCHEMA_FILE = Path(__file__).parents[1] / "consent_record.schema.json"
_REGISTRY = JWSRegistry(algorithms=[ALGORITHM])
Keys = Mapping[str, OKPKey]


class RecordRefused(Exception):
    """A document is not a signed consent record that these keys stand behind. `why` is a code, never its content."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class RecordSigner:
    """Sign with the first key; the others are public halves of keys that signed before."""

    def __init__(self, jwks: Sequence[Mapping[str, Any]]) -> None:
        """Take JWKs of Ed25519, the newest first and private. Raises `ValueError` for any other."""
        keys = [OKPKey.import_key({**member}) for member in jwks]
        if not keys or not keys[0].is_private or any(key.curve_name != ALGORITHM or not key.kid for key in keys):
            raise ValueError("records are signed with a private key of Ed25519 that has an id")
        self._key, self._all = keys[0], keys

    def signed(self, record: Mapping[str, Any]) -> bytes:
        """Give the document of one record."""
        header = {"alg": ALGORITHM, "kid": str(self._key.kid), "typ": TYPE}
        token = jws.serialize_compact(header, _canonical(record), self._key, registry=_REGISTRY)
        return _canonical({"record": record, "jws": token})

    def exported(self, records: Sequence[Mapping[str, Any]]) -> bytes:
        """Give many documents as one file; each is signed by itself."""
        return _canonical({"records": [json.loads(self.signed(record)) for record in records]})

    def public_jwks(self) -> dict[str, Any]:
        """Give the public keys as a JWK set, those that signed before too (RFC 7517)."""
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM} for key in self._all]}


def keys_of(jwks: Any) -> Keys:
    """Read a JWK set; keys of other kinds sign no records and are passed over. Raises `RecordRefused`."""
    found: dict[str, OKPKey] = {}
    members = jwks.get("keys") if isinstance(jwks, dict) else None
    for member in members if isinstance(members, list) else ():
        if not isinstance(member, dict) or (member.get("kty"), member.get("crv")) != ("OKP", ALGORITHM):
            continue
        kid, x = member.get("kid"), member.get("x")
        if not isinstance(kid, str) or not isinstance(x, str) or kid in found:
            raise RecordRefused("bad_keys")
        try:
            found[kid] = OKPKey.import_key({"kty": "OKP", "crv": ALGORITHM, "x": x, "kid": kid})
        except (JoseError, ValueError):
            raise RecordRefused("bad_keys") from None
    if not found:
        raise RecordRefused("bad_keys")
    return found


def documents_of(data: bytes) -> list[bytes]:
    """Give each document of a file: itself, or those of an export. Raises `RecordRefused`."""
    read = _strictly(data, 64 * LARGEST)
    if set(read) != {"records"}:
        return [data.removesuffix(b"\n")]
    if not isinstance(read["records"], list) or not read["records"]:
        raise RecordRefused("not_a_record")
    return [_canonical(one) for one in read["records"]]


def opened(data: bytes, keys: Keys) -> dict[str, Any]:
    """Give the record of a document that one of these keys signed. Raises `RecordRefused`."""
    document = _strictly(data, LARGEST)
    record, token = document.get("record"), document.get("jws")
    if set(document) != {"record", "jws"} or not isinstance(record, dict) or not isinstance(token, str):
        raise RecordRefused("not_a_record")
    parts = token.split(".")
    if len(parts) != 3:
        raise RecordRefused("bad_header")
    header = _strictly(_bytes(parts[0]), LARGEST, canonical=False)
    _bytes(parts[2])
    kid = header.get("kid")
    if header != {"alg": ALGORITHM, "kid": kid, "typ": TYPE} or not isinstance(kid, str):
        raise RecordRefused("bad_header")
    if kid not in keys:
        raise RecordRefused("unknown_key")
    try:
        jws.deserialize_compact(token, keys[kid], registry=_REGISTRY)
    except (JoseError, ValueError):
        raise RecordRefused("bad_signature") from None
    if _bytes(parts[1]) != _canonical(record):
        raise RecordRefused("payload_differs")
    if next(_schema().iter_errors(record), None) is not None:
        raise RecordRefused("not_of_schema")
    return record


@lru_cache(maxsize=1)
def _schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text("utf-8")))


def _strictly(data: bytes, most: int, *, canonical: bool = True) -> dict[str, Any]:
    """Read a JSON object that can be read in one way only; `canonical`: written in the one way (RFC 8785) too."""
    if len(data) > most:
        raise RecordRefused("too_large")
    try:
        read = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_no_number,
            parse_constant=_no_number,
            parse_int=_safe,
        )
        written = _canonical(read)
    except (ValueError, RecursionError):
        raise RecordRefused("not_json") from None
    if not isinstance(read, dict):
        raise RecordRefused("not_a_record")
    if canonical and written != data.removesuffix(b"\n"):
        raise RecordRefused("not_canonical")
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise RecordRefused("member_twice")
    return dict(pairs)


def _no_number(_: str) -> Any:
    raise RecordRefused("bad_number")


def _safe(digits: str) -> int:
    if len(digits) > len(str(SAFE)) + 1 or abs(int(digits)) > SAFE:
        raise RecordRefused("bad_number")
    return int(digits)


def _canonical(value: Any) -> bytes:
    """Write JSON in the one way there is (RFC 8785); raise `ValueError` for what has none."""
    try:
        written: bytes = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise ValueError("no canonical form") from error
    return written


def _bytes(text: str) -> bytes:
    """Read base64url without padding, in the one way that writes these bytes."""
    try:
        read = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, NotBase64):
        raise RecordRefused("bad_header") from None
    if urlsafe_b64encode(read).rstrip(b"=") != text.encode("ascii"):
        raise RecordRefused("bad_header")
    return read


class IssuersOfRecords:
    """Open records of those who are registered: each with its own keys, in its own name, where it counts."""

    def __init__(self, issuers: Iterable[tuple[str, frozenset[str], Any]]) -> None:
        """Take each issuer's name, the municipalities where it counts, and its JWK set. Raises `RecordRefused`."""
        self._issuers = [(name, homes, keys_of(jwks)) for name, homes, jwks in issuers]

    def opened(self, document: str, municipality: str) -> Mapping[str, Any]:
        """Give the record of a document; raise `BadAsk("/document", why)` where nobody who counts here signed it."""
        why = "unknown_key"
        for name, homes, keys in self._issuers:
            if municipality not in homes:
                continue
            try:
                record = opened(document.encode("utf-8", "surrogatepass"), keys)
            except RecordRefused as refused:
                why = refused.why if why == "unknown_key" else why
                continue
            if record["issuer"] != name:
                raise BadAsk("/document", "not_its_issuer")
            return record
        raise BadAsk("/document", why)
