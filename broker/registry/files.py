"""The files a registry names: mappings of sources, and key sets of all whose signatures count. Each is read once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from broker.registry.faults import Fault, RegistryFaults
from broker.registry.sheet import Row, Sheet
from broker.registry.text import MOST_BYTES, Written, read_file

OWNERS = ("systems", "employers", "consent_issuers")


class Files:
    """What the files of a registry hold. `faults` says which cannot be read, or are no key set or mapping."""

    def __init__(self, sheet: Sheet, folder: Path) -> None:
        self.sheet = sheet
        self.mappings: dict[str, Written] = {}
        self.keys: dict[str, Mapping[str, Any]] = {}
        self.faults: list[Fault] = []
        self._folder = folder
        self._unread: set[str] = set()
        for row in sheet.rows("sources"):
            self._read_mapping(row)
        for section in OWNERS:
            for row in sheet.rows(section):
                self._read_keys(row)

    def _read_mapping(self, row: Row) -> None:
        """Read a mapping, however many sources share it: a country's 300 sources have a handful of mappings."""
        name = row.text("reads_file")
        if name is None or name in self.mappings or name in self._unread:
            return
        try:
            found = read_file(self._folder / name, _called(name))
        except RegistryFaults as error:
            self._refuse(row, "reads_file", name, error)
            return
        self.mappings[name] = found
        self.faults += found.faults
        if not isinstance(found.value, dict) or not found.value:
            self.faults.append(row.fault("reads_file", "the file maps no category", "begin it with a category: B01:"))

    def _read_keys(self, row: Row) -> None:
        name = row.text("jwks_file")
        if name is None or name in self.keys or name in self._unread:
            return
        try:
            found = self._key_set(name)
        except RegistryFaults as error:
            self._refuse(row, "jwks_file", name, error)
            return
        if not isinstance(found, dict) or not members(found):
            what, remedy = "the file is no set of keys", "let it hold a JWK set (broker keys system writes one)"
            self.faults.append(row.fault("jwks_file", what, remedy))
            return
        self.keys[name] = found

    def _key_set(self, name: str) -> Any:
        """Read a key set: JSON as a rule (RFC 7517), and many; YAML's reader takes fifty times as long."""
        file = self._folder / name
        try:
            if file.is_file() and file.stat().st_size <= MOST_BYTES:
                return json.loads(file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            pass
        return read_file(file, _called(name)).value

    def _refuse(self, row: Row, field: str, name: str, error: RegistryFaults) -> None:
        """Say that a file cannot be read: at the name that leads to it when there is none, else inside of it."""
        self._unread.add(name)
        inside = [fault for fault in error.found if fault.place.line]
        self.faults += inside
        self.faults += [row.fault(field, f"the file {f.what}", f.remedy) for f in error.found if not f.place.line]


def shared_keys(files: Files) -> Iterator[Fault]:
    """Refuse one key with two owners: a system's and an employer's would make one thief both (`design.md` 6b l)."""
    owners: dict[tuple[str, ...], str] = {}
    for section in OWNERS:
        for row in files.sheet.rows(section):
            jwks = files.keys.get(row.text("jwks_file") or "")
            name = f"{section}.{row.name}"
            for print_ in sorted({material(key) for key in members(jwks) if "x" in key or "n" in key}):
                if (first := owners.setdefault(print_, name)) != name:
                    yield row.fault("jwks_file", f"has the same key as {first}", "make a key pair for each owner")


def _called(name: str) -> str:
    """Give a file's name as faults may repeat it."""
    return name if name.isprintable() and len(name) <= 200 else "(a file)"


def members(jwks: Any) -> list[Mapping[str, Any]]:
    """Give the keys of a JWK set; none of what is no such set."""
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    return [key for key in keys if isinstance(key, Mapping)] if isinstance(keys, list) else []


def material(key: Mapping[str, Any]) -> tuple[str, ...]:
    """Give what makes a public key that key, whatever it is called (RFC 7638 names the same members)."""
    return tuple(str(key.get(member, "")) for member in ("kty", "crv", "x", "y", "n", "e"))
