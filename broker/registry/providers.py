"""The employers' identity providers: their certificates, and the faults of how their words are to be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate

from broker.registry.faults import Fault, shown
from broker.registry.files import OWNERS, Files, material, members
from broker.registry.sheet import Row, Sheet
from broker.saml_trust import (
    ATTESTED_ON,
    KLE,
    KLE_CONSTRAINT,
    SENSITIVITY,
    UNIT,
    UNIT_CONSTRAINT,
    BadCertificate,
    Given,
    SamlTrust,
    public_key,
    read_certificates,
)

_MEND_CERTIFICATES = "let it hold the provider's signing certificates as PEM"


class Providers:
    """What the registry's employers say of SAML. `faults` says what cannot be used."""

    def __init__(self, files: Files, folder: Path) -> None:
        self.faults: list[Fault] = []
        self._sheet = files.sheet
        self._certificates: dict[str, tuple[Certificate, ...]] = {}
        for employer, saml in _rows(files.sheet):
            file = saml.text("certificates_file")
            try:
                self._certificates[employer.name] = read_certificates(folder / (file or ""))
            except BadCertificate as error:
                self.faults.append(saml.fault("certificates_file", str(error), _MEND_CERTIFICATES))
        self.faults += [*self._strange_units(), *self._said_twice(), *self._shared_keys(files), *_silent(files.sheet)]

    @property
    def fingerprints(self) -> dict[str, list[str]]:
        """Give the SHA-256 of each employer's certificates, in the order of their file."""
        held = self._certificates.items()
        return {employer: [one.fingerprint(SHA256()).hex() for one in found] for employer, found in held}

    def trust(self, employer: str, row: Any, cvr: dict[str, str]) -> SamlTrust | None:
        """Give how an employer's assertions are read, of a registry without faults; None where it speaks no SAML.

        `cvr` leads from municipalities to their CVR numbers.
        """
        if "saml" not in row:
            return None
        said = row["saml"]
        own = {what: said.get("constraints", {}).get(what) for what in (SENSITIVITY, ATTESTED_ON)}
        return SamlTrust(
            entity_id=said["entity_id"],
            cvr=cvr[row["municipality"]],
            certificates=self._certificates[employer],
            privileges={name: Given(given["role"], given["sensitivity"]) for name, given in said["privileges"].items()},
            units=said["units"],
            unit_attribute=said.get("unit_attribute"),
            constraints={name: what for what, name in own.items() if name}
            | {KLE_CONSTRAINT: KLE, UNIT_CONSTRAINT: UNIT},
            municipalities={number: i for i, number in cvr.items()},
        )

    def _strange_units(self) -> Iterator[Fault]:
        """Refuse units that do not exist, or are another municipality's."""
        for employer, saml in _rows(self._sheet):
            home = employer.text("municipality")
            for name in self._sheet.names(*saml_path(employer), "units"):
                unit = self._sheet.at((*saml.path, "units", name))
                theirs = self._sheet.at(("units", unit, "municipality")) if isinstance(unit, str) else home
                if theirs != home:
                    what = f"{shown(str(unit))} is no unit of {shown(home or '')}"
                    yield self._sheet.fault((*saml.path, "units", name), what, "name one of its units")

    def _said_twice(self) -> Iterator[Fault]:
        """Refuse two employers that one assertion could not tell apart."""
        first: dict[tuple[str | None, str | None], str] = {}
        for employer, saml in _rows(self._sheet):
            key = (saml.text("entity_id"), employer.text("municipality"))
            if (owner := first.setdefault(key, employer.name)) != employer.name:
                what = f"is that of employers.{shown(owner)} too, in the same municipality"
                yield saml.fault("entity_id", what, "keep one entry")

    def _shared_keys(self, files: Files) -> Iterator[Fault]:
        """Refuse a certificate whose key somebody else signs with: it would make one thief both (`design.md` 6b l)."""
        owners: dict[tuple[str, ...], str] = {}
        for section in OWNERS:
            for row in files.sheet.rows(section):
                for key in members(files.keys.get(row.text("jwks_file") or "")):
                    owners[material(key)] = f"{section}.{row.name}"
        for employer, saml in _rows(self._sheet):
            # One identity provider may serve many employers, with its own key for all.
            name = f"the provider {saml.text('entity_id')}"
            for certificate in self._certificates.get(employer.name, ()):
                print_ = material(public_key(certificate).as_dict(private=False))
                if (first := owners.setdefault(print_, name)) != name:
                    what = "has the same key as " + (first if first.startswith(OWNERS) else "another provider")
                    yield saml.fault("certificates_file", what, "make a key pair for each owner")


def saml_path(employer: Row) -> tuple[str, ...]:
    """Give where an employer's row says what it says of SAML."""
    return (*(str(part) for part in employer.path), "saml")


def _rows(sheet: Sheet) -> Iterator[tuple[Row, Row]]:
    for employer in sheet.rows("employers"):
        saml = sheet.row(*saml_path(employer))
        if saml is not None:
            yield employer, saml


def _silent(sheet: Sheet) -> Iterator[Fault]:
    for row in sheet.rows("employers"):
        # A field of another name is told of already, and is probably one of these.
        if set(row.fields) <= {"issuer", "municipality"}:
            place = sheet.written.place(row.path, name=True)
            where = f"employers.{shown(row.name)}"
            yield Fault(place, where, "jwks_file is missing", f"add jwks_file: under {where}:")
