"""The registry file → validated values: the directory, the policy's tables, and how each source is reached.

Plain values only: `main.py` makes connectors and adapters of them. Everything that is wrong is said at once
(`RegistryFaults`), with where it stands and what was expected, and nothing opens until it is mended.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from broker.domain.addresses import address_fault
from broker.domain.days import day_number
from broker.domain.directory import (
    Category,
    Delegation,
    Directory,
    Municipality,
    Purpose,
    ReasonText,
    SourceEntry,
    Trial,
    Unit,
)

SCHEMA = Path(__file__).with_name("registry.schema.json")
# L3 grants one plan in place of others, but never of this part (domain.md 1.3, C23).
NEVER_REPLACED = "rehab_forberedende_del"


class RegistryFaults(ValueError):
    """The registry cannot be used. `faults` lists every reason, each with its place."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies: a file beside the registry, or an environment variable. Never the secret itself."""

    file: Path | None = None
    env: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """How a source or register is reached: kind, settings, mapping, secrets and limits, as its connector reads them."""

    kind: str
    settings: Mapping[str, Any]
    reads: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """A registered department system: municipality, units, the employers whose word it may bring, its public keys."""

    client_id: str
    municipality: str
    units: frozenset[str]
    employers: frozenset[str]
    jwks: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EmployerEntry:
    """Who signs for caseworkers of a municipality, and the public keys they sign with."""

    id: str
    issuer: str
    municipality: str
    jwks: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """An OpenID provider for one kind of page user."""

    issuer: str
    client_id: str
    secret: Secret
    scopes: tuple[str, ...]
    system: str | None = None
    employer: str | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """All of the registry file and the law tables, as values."""

    directory: Directory
    tables: Mapping[str, Any]
    sources: Mapping[str, Reached]
    people: Reached
    cases: Mapping[str, Reached]
    unit_cases: Mapping[str, str]
    systems: Mapping[str, SystemEntry]
    employers: Mapping[str, EmployerEntry]
    providers: Mapping[str, ProviderEntry]


def read_registry(file: Path, law_tables: Path) -> Registry:
    """Read and check a registry file with the law tables beside it; raise `RegistryFaults` with all that is wrong."""
    raw = _load(file)
    _raise_if([*_schema_faults(raw)])
    raw = _with_reads(raw, file.parent)
    _raise_if([*_loose_ends(raw)])
    laws = {table.stem: json.loads(table.read_text("utf-8")) for table in sorted(law_tables.glob("*.json"))}
    directory = _directory(raw, laws)
    systems = {i: _system(i, row, file.parent) for i, row in raw["systems"].items()}
    employers = {i: _employer(i, row, file.parent) for i, row in raw["employers"].items()}
    _raise_if([*_shared_keys(systems, employers)])
    return Registry(
        directory=directory,
        tables=laws | _registry_tables(directory),
        sources={i: _reached(row, file.parent) for i, row in raw["sources"].items()},
        people=_reached(raw["registers"]["people"], file.parent),
        cases={i: _reached(row, file.parent) for i, row in raw["registers"]["cases"].items()},
        unit_cases={i: row["cases"] for i, row in raw["units"].items() if "cases" in row},
        systems=systems,
        employers=employers,
        providers={i: _provider(row, file.parent) for i, row in raw.get("providers", {}).items()},
    )


def _raise_if(faults: list[str]) -> None:
    if faults:
        raise RegistryFaults(faults)


def _load(file: Path) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
    except OSError as error:
        raise RegistryFaults([f"{file.name}: cannot be read ({type(error).__name__})"]) from None
    except YAMLError as error:
        place = getattr(error, "problem_mark", None)
        raise RegistryFaults([f"{file.name}: not YAML, near line {place.line + 1 if place else '?'}"]) from None


def _schema_faults(raw: Any) -> Iterator[str]:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for error in sorted(validator.iter_errors(raw), key=lambda e: e.json_path):
        yield f"{error.json_path}: {error.message}"


def _with_reads(raw: Any, folder: Path) -> Any:
    """Put each source's mapping in place, whether it stands in the registry or in a file of its own.

    A file is read once, however many sources share it: a country's 300 sources have a handful of mappings.
    """
    files = {row["reads_file"] for row in raw["sources"].values() if "reads_file" in row}
    mappings = {file: _load(folder / file) for file in sorted(files)}
    for row in raw["sources"].values():
        if "reads_file" in row:
            row["reads"] = mappings[row["reads_file"]]
    return raw


def _loose_ends(raw: Any) -> Iterator[str]:
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
        backwards = _day(row["from_day"]) > _day(row["to_day"])
    except ValueError:
        yield f"{place}: from_day or to_day is no calendar day"
        return
    if backwards:
        yield f"{place}: ends before it begins"


def _shared_keys(systems: Mapping[str, SystemEntry], employers: Mapping[str, EmployerEntry]) -> Iterator[str]:
    """Refuse one key used as both a system's and an employer's: it would make one thief both (`design.md` 6b l)."""
    employed = {_material(key): i for i, row in employers.items() for key in row.jwks["keys"]}
    for i, row in systems.items():
        for key in row.jwks["keys"]:
            if _material(key) in employed:
                yield f"systems.{i}: uses the same key as employers.{employed[_material(key)]}"


def _material(key: Mapping[str, Any]) -> tuple[str, ...]:
    """Give what makes a public key that key, whatever it is called (RFC 7638 names the same members)."""
    return tuple(str(key.get(member, "")) for member in ("kty", "crv", "x", "y", "n", "e"))


def _day(text: str) -> int:
    return day_number(date.fromisoformat(text))


def _directory(raw: Any, laws: Mapping[str, Any]) -> Directory:
    canonical = json.dumps([raw, laws], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    units = {
        i: Unit(i, u["municipality"], u["kind"], u["name"]["da"], u["name"]["en"]) for i, u in raw["units"].items()
    }
    return Directory(
        revision=hashlib.sha256(canonical.encode()).hexdigest(),
        municipalities={
            i: Municipality(i, row["cvr"], row["name"], row["code"], row.get("strict_kle", False))
            for i, row in raw["municipalities"].items()
        },
        units=units,
        sources={i: _source(i, row, units) for i, row in raw["sources"].items()},
        categories={i: _category(i, row) for i, row in laws["categories"].items()},
        purposes={i: _purpose(i, row) for i, row in laws["purposes"].items()},
        delegations={i: _delegation(i, row) for i, row in raw.get("delegations", {}).items()},
        reasons={i: _reason(i, row) for i, row in laws["reasons"].items()},
        trials={i: _trial(i, row) for i, row in raw.get("trials", {}).items()},
    )


def _source(i: str, row: Any, units: Mapping[str, Unit]) -> SourceEntry:
    return SourceEntry(
        id=i,
        unit=row["unit"],
        municipality=units[row["unit"]].municipality,
        kind=row["kind"],
        categories=frozenset(row["reads"]),
        name_da=row["name"]["da"],
        name_en=row["name"]["en"],
    )


def _category(i: str, row: Any) -> Category:
    return Category(
        id=i,
        level=row["level"],
        area=row.get("area", i[0]),
        child=bool(row.get("child")),
        health=bool(row.get("health")),
        never=bool(row.get("never")),
        name_da=row["name_da"],
        name_en=row["name_en"],
    )


def _purpose(i: str, row: Any) -> Purpose:
    statutes = row.get("statutes") or [None]
    consent = row["basis"] == "consent"
    return Purpose(
        i, frozenset(row["categories"]), consent, None if consent else statutes[0], row["name_da"], row["name_en"]
    )


def _delegation(i: str, row: Any) -> Delegation:
    return Delegation(i, row["from"], row["to"], tuple(row["kle"]), _day(row["from_day"]), _day(row["to_day"]))


def _reason(i: str, row: Any) -> ReasonText:
    return ReasonText(i, row["stage"], row["caller"], row["paragraph"], row["da"], row["en"])


def _trial(i: str, row: Any) -> Trial:
    days = (_day(row["from_day"]), _day(row["to_day"]))
    return Trial(i, row["network"], row["municipality"], row["kind"], *days, frozenset(row.get("replaces", ())))


def _registry_tables(directory: Directory) -> dict[str, Any]:
    """Lay out the registry's part of the policy's data: objects keyed by id (`policy.md` 4, rule 9)."""
    return {
        "municipalities": {i: {"strict_kle": m.strict_kle} for i, m in directory.municipalities.items()},
        "units": {i: {"municipality": u.municipality, "kind": u.kind} for i, u in directory.units.items()},
        "sources": {
            i: {"unit": s.unit, "municipality": s.municipality, "categories": sorted(s.categories)}
            for i, s in directory.sources.items()
        },
        "delegations": {
            i: {
                "from_municipality": d.from_municipality,
                "to_municipality": d.to_municipality,
                "kle": sorted(d.kle),
                "from": d.from_day,
                "to": d.to_day,
            }
            for i, d in directory.delegations.items()
        },
    }


def _reached(row: Any, folder: Path) -> Reached:
    secrets = {name: _secret(where, folder) for name, where in row.get("secrets", {}).items()}
    return Reached(row["kind"], row["settings"], row.get("reads", {}), secrets, row.get("limits", {}))


def _secret(where: Any, folder: Path) -> Secret:
    return Secret(file=folder / where["file"]) if "file" in where else Secret(env=where["env"])


def _jwks(row: Any, folder: Path) -> Mapping[str, Any]:
    file = folder / row["jwks_file"]
    try:
        # Key sets are JSON as a rule (RFC 7517), and many; YAML's reader takes fifty times as long.
        jwks: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        jwks = _load(file)
    return jwks


def _system(i: str, row: Any, folder: Path) -> SystemEntry:
    return SystemEntry(i, row["municipality"], frozenset(row["units"]), frozenset(row["employers"]), _jwks(row, folder))


def _employer(i: str, row: Any, folder: Path) -> EmployerEntry:
    return EmployerEntry(i, row["issuer"], row["municipality"], _jwks(row, folder))


def _provider(row: Any, folder: Path) -> ProviderEntry:
    return ProviderEntry(
        row["issuer"], row["client_id"], _secret(row["secret"], folder), tuple(row.get("scopes", ())),
        row.get("system"), row.get("employer"),
    )  # fmt: skip
