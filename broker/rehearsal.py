"""A rehearsal of a registry: whatever its entries need to open is tried, and nobody is asked anything.

Rules kept here:
- Every fault is named, at its place: settings, mappings, secrets, keys; a broken entry hides no other.
- Secrets are read to see that they are there, and no word of one is repeated.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509

from broker.adapters.cases_rest import CasesRest
from broker.adapters.clock_system import SystemClock
from broker.adapters.people_rest import PeopleRest
from broker.adapters.register_line import RegisterUnusable
from broker.adapters.signed_records import RecordRefused, keys_of
from broker.registry import Examined, Fault, Path, Row, Written, secret_of, shape_faults, spelled
from broker.secrets import SecretMissing, read_secret
from broker.web.oauth.registrations import BadKey, PublicKeys
from connectors import Limits, SettingsUnusable, build
from connectors.mapping import SCHEMA

# Stands for a secret that is not looked for.
_SOME = "postgresql://some:some@localhost/some"
_SPOT = re.compile(r"\w[\w-]*|\[[0-9]+\]")
_NOW = SystemClock().now


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One look at all entries of an examined registry; without an environment no secret is looked for."""

    examined: Examined
    environ: Mapping[str, str] | None
    now: datetime
    _mappings: dict[tuple[str, str, Path], list[tuple[Path, Fault]]] = field(default_factory=dict)

    def faults(self) -> Iterator[Fault]:
        """Yield whatever would keep an entry from working."""
        sheet = self.examined.sheet
        for row in sheet.rows("sources"):
            yield from self._source(row)
        people = sheet.row("registers", "people")
        for kind, rows in ((PeopleRest, [people] if people else []), (CasesRest, [*sheet.rows("registers", "cases")])):
            for row in rows:
                yield from self._register(row, kind)
        for row in sheet.rows("providers"):
            if row.sound:
                _, faults = self._secrets(row, {"secret": row.fields["secret"]}, row.path)
                yield from faults
        for section in ("systems", "employers"):
            for row in sheet.rows(section):
                yield from self._keys(row)
        for row in sheet.rows("consent_issuers"):
            yield from self._issuer_keys(row)
        yield from self._certificates()

    def _source(self, row: Row) -> Iterator[Fault]:
        """Try a source: its settings and mapping against the schema of its kind, its secrets, then its connector."""
        kind, mapping = row.text("kind"), self.examined.mappings.get(row.text("reads_file") or "")
        reads = row.fields.get("reads") if mapping is None else mapping.value
        if not row.sound or kind is None or reads is None:
            return
        written, at = (row.sheet.written, (*row.path, "reads")) if mapping is None else (mapping, ())
        settings = row.fields["settings"]
        shapes = [*shape_faults(_part(kind), settings, row.sheet.written, (*row.path, "settings"))]
        if (tried := (kind, written.file, at)) not in self._mappings:
            # A mapping that many sources share is held against the schema once.
            self._mappings[tried] = [*shape_faults(_part(f"{kind}_reads"), reads, written, at)]
        shapes += self._mappings[tried]
        yield from (fault for _, fault in shapes)
        secrets, faults = self._secrets(row, row.fields.get("secrets", {}), (*row.path, "secrets"))
        yield from faults
        if not shapes and not faults:
            limits = Limits(**row.fields.get("limits", {}))
            try:
                build(kind, row.name, settings, reads, secrets, limits, now=_NOW)
            except SettingsUnusable as unusable:
                yield _unusable(row, unusable, mapping)

    def _register(self, row: Row, kind: type[PeopleRest | CasesRest]) -> Iterator[Fault]:
        if not row.sound:
            return
        secrets, faults = self._secrets(row, row.fields.get("secrets", {}), (*row.path, "secrets"))
        yield from faults
        if not faults:
            more = row.fields.get("limits", {}) | ({"now": _NOW} if kind is CasesRest else {})
            try:
                kind(row.name, row.fields["settings"], secrets, **more)
            except RegisterUnusable as unusable:
                yield _unusable(row, unusable, None)

    def _secrets(self, row: Row, places: Mapping[str, Any], at: Path) -> tuple[dict[str, str], list[Fault]]:
        """Read an entry's secrets, and say which are not where they should be."""
        found: dict[str, str] = {}
        faults: list[Fault] = []
        for name, where in places.items():
            try:
                secret = secret_of(where, self.examined.folder)
                found[name] = _SOME if self.environ is None else read_secret(secret, self.environ)
            except SecretMissing as missing:
                # A variable's name may be the secret itself, written in the wrong place; a file is known by its name.
                what = "the environment variable it names is not set" if "env" in where else str(missing)
                remedy = "put it there, in a file for this user alone (mode 0600), or in that variable"
                faults.append(row.sheet.fault((*at, name), what, remedy))
        return found, faults

    def _keys(self, row: Row) -> Iterator[Fault]:
        jwks = self.examined.keys.get(row.text("jwks_file") or "")
        if jwks is None:
            return
        try:
            PublicKeys.from_jwks(jwks)
        except BadKey as bad:
            yield row.fault(
                "jwks_file", str(bad), "make a key pair with broker keys system, and register the public half"
            )
        if any(_has_ended(key, self.now) for key in jwks["keys"]):
            yield row.fault("jwks_file", "holds a key that has ended", "take it out, and let its owner make a new one")

    def _issuer_keys(self, row: Row) -> Iterator[Fault]:
        jwks = self.examined.keys.get(row.text("jwks_file") or "")
        try:
            if jwks is not None:
                keys_of(jwks)
        except RecordRefused:
            yield row.fault("jwks_file", "holds no Ed25519 key that has an id", "let it hold the issuer's public keys")

    def _certificates(self) -> Iterator[Fault]:
        registry = self.examined.registry
        for employer in registry.employers.values() if registry else ():
            row = self.examined.sheet.row("employers", employer.id, "saml")
            if employer.saml is None or row is None:
                continue
            if any(certificate.not_valid_after_utc <= self.now for certificate in employer.saml.certificates):
                what = "holds a certificate that has ended"
                yield row.fault("certificates_file", what, "take it out, and let the provider send its new one")


def _part(name: str) -> Mapping[str, Any]:
    return {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}


def _unusable(row: Row, unusable: Exception, mapping: Written | None) -> Fault:
    """Turn what a connector says of its settings into a fault at their place."""
    field, _, what = str(unusable).partition("\n")[0].partition(": ")
    path = tuple(int(part[1:-1]) if part.startswith("[") else part for part in _SPOT.findall(field))
    remedy = "connectors/README.md tells what a source of this kind needs"
    if path[:1] == ("reads",) and mapping is not None:
        return Fault(mapping.place(path[1:]), spelled(path[1:]), what, remedy)
    inner = path if path[:1] in {("reads",), ("secrets",), ("settings",)} else ("settings", *path)
    return row.sheet.fault((*row.path, *inner), what, remedy)


def _has_ended(key: Any, now: datetime) -> bool:
    """Whether a JWK says that it has ended: by `exp` (OpenID Federation 1.0, 8.7.2) or its certificate (`x5c`)."""
    if not isinstance(key, Mapping):
        return False
    ends, chain = key.get("exp"), key.get("x5c")
    if isinstance(ends, int | float) and ends <= now.timestamp():
        return True
    if not isinstance(chain, list) or not chain:
        return False
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(str(chain[0]), validate=True))
    except ValueError:
        # What cannot be read proves no end; the key itself is judged by its own members.
        return False
    return certificate.not_valid_after_utc <= now
