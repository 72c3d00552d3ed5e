"""What the registry must hold true: its schema, its own references, and the rules that no schema can say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from broker.domain.addresses import address_fault
from broker.registry.directory import day
from broker.registry.values import EmployerEntry, SystemEntry

SCHEMA = Path(__file__).parents[1] / "registry.schema.json"
# L3 grants one plan in place of others, but never of this part (domain.md 1.3, C23).
NEVER_REPLACED = "rehab_forberedende_del"


def schema_faults(raw: Any) -> Iterator[str]:
    """Name everything that the schema does not allow."""
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for error in sorted(validator.iter_errors(raw), key=lambda e: e.json_path):
        yield f"{error.json_path}: {error.message}"


def loose_ends(raw: Any) -> Iterator[str]:
    """Name every reference that leads nowhere, and every rule a schema cannot say."""
    for place, name, known in [*_references(raw), *_caller_references(raw), *_dated_references(raw)]:
        if name not in known:
            yield f"{place}: no such entry: {name}"
    yield from _rule_faults(raw)


def _references(raw: Any) -> Iterator[tuple[str, str, Any]]:
    for i, row in raw["units"].items():
        yield f"units.{i}.municipality", row["municipality"], raw["municipalities"]
        if "cases" in row:
            yield f"units.{i}.cases", row["cases"], raw["registers"]["cases"]
    for i, row in raw["sources"].items():
        yield f"sources.{i}.unit", row["unit"], raw["units"]


def _caller_references(raw: Any) -> Iterator[tuple[str, str, Any]]:
    for i, row in raw["systems"].items():
        yield f"systems.{i}.municipality", row["municipality"], raw["municipalities"]
        yield from ((f"systems.{i}.units", unit, raw["units"]) for unit in row["units"])
        yield from ((f"systems.{i}.employers", employer, raw["employers"]) for employer in row["employers"])
    for i, row in raw["employers"].items():
        yield f"employers.{i}.municipality", row["municipality"], raw["municipalities"]


def _dated_references(raw: Any) -> Iterator[tuple[str, str, Any]]:
    for i, row in raw.get("delegations", {}).items():
        yield from ((f"delegations.{i}.{end}", row[end], raw["municipalities"]) for end in ("from", "to"))
    for i, row in raw.get("trials", {}).items():
        yield f"trials.{i}.municipality", row["municipality"], raw["municipalities"]
        yield f"trials.{i}.network", row["network"], raw.get("networks", {})


def _rule_faults(raw: Any) -> Iterator[str]:
    for i, row in raw.get("networks", {}).items():
        most = row.get("max_members")
        if most is not None and len(row["members"]) > most:
            yield f"networks.{i}: {len(row['members'])} members, at most {most}"
    for i, row in raw.get("trials", {}).items():
        if NEVER_REPLACED in row.get("replaces", ()):
            yield f"trials.{i}.replaces: {NEVER_REPLACED} was not granted and is never replaced"
        members = raw.get("networks", {}).get(row["network"], {}).get("members", ())
        if row["municipality"] not in members:
            yield f"trials.{i}: {row['municipality']} is not a member of {row['network']}"
    for i, row in raw.get("providers", {}).items():
        if fault := address_fault(row["issuer"]):
            yield f"providers.{i}.issuer: {fault}"
    for kind in ("delegations", "trials"):
        for i, row in raw.get(kind, {}).items():
            yield from _day_faults(f"{kind}.{i}", row)


def _day_faults(place: str, row: Any) -> Iterator[str]:
    try:
        backwards = day(row["from_day"]) > day(row["to_day"])
    except ValueError:
        yield f"{place}: from_day or to_day is no calendar day"
        return
    if backwards:
        yield f"{place}: ends before it begins"


def shared_keys(systems: Mapping[str, SystemEntry], employers: Mapping[str, EmployerEntry]) -> Iterator[str]:
    """Refuse one key used as both a system's and an employer's: it would make one thief both (`design.md` 6b l)."""
    employed = {_material(key): i for i, row in employers.items() for key in row.jwks["keys"]}
    for i, row in systems.items():
        for key in row.jwks["keys"]:
            if _material(key) in employed:
                yield f"systems.{i}: uses the same key as employers.{employed[_material(key)]}"


def _material(key: Mapping[str, Any]) -> tuple[str, ...]:
    """Give what makes a public key that key, whatever it is called (RFC 7638 names the same members)."""
    return tuple(str(key.get(member, "")) for member in ("kty", "crv", "x", "y", "n", "e"))
