"""A registry as an author writes it, and as the broker reads it: what a machine must know is filled in here.

An author says who and what there is. Left out, and filled in: `settings` and `secrets` of sources and registers, `kind`
where the mapping tells it, `jwks_file` and `certificates_file`, the log-in providers' addresses and secrets. What the
author does say stays as said; `{address}` in a setting becomes the address of the system that was started for it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.world.children import ROOT, WorldBroken
from demo.world.yaml_file import read_yaml

DEMO_REGISTRY = ROOT / "demo" / "registry" / "demo.yaml"
# The invented systems, and the kind of connector that reads each.
SYSTEMS = {
    "jobcentre": "rest_json",
    "school": "rest_json",
    "social_centre": "sql_view",
    "family_centre": "odata",
    "health": "fhir",
}
PAGE_USERS = ("citizen", "officer", "caseworker")
REGISTER_SETTINGS = {"base_url": "{address}", "api_key_header": "X-Api-Key"}
SCOPES = {
    "citizen": ["openid", "mitid", "ssn"],
    "officer": ["openid", "nemlogin"],
    "caseworker": ["openid", "nemlogin"],
}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """A registry before anything was started for it. `folder` is where its relative paths begin."""

    raw: Row
    folder: Path

    @property
    def sources(self) -> dict[str, str]:
        """Name the invented system that stands for each source."""
        return {name: system_of(name, row) for name, row in self.raw["sources"].items()}

    @property
    def case_registers(self) -> list[str]:
        """List the case registers."""
        return sorted(self.raw.get("registers", {}).get("cases", {}))

    @property
    def employers(self) -> dict[str, Row]:
        """Give the employers, each with the CVR number of its municipality."""
        cvr = {name: row["cvr"] for name, row in self.raw["municipalities"].items()}
        return {name: row | {"cvr": cvr[row["municipality"]]} for name, row in self.raw["employers"].items()}

    def municipality_of(self, unit: str) -> str:
        """Name the municipality of a unit; raise `WorldBroken` for a unit that is not registered."""
        try:
            return str(self.raw["units"][unit]["municipality"])
        except KeyError:
            raise WorldBroken(f"the registry has no unit {unit}") from None

    def system_for(self, unit: str) -> str:
        """Name the first registered system that works for a unit; raise `WorldBroken` when there is none."""
        for name, row in self.raw["systems"].items():
            if unit in row["units"]:
                return str(name)
        raise WorldBroken(f"the registry has no system that works for {unit}")

    def employer_of(self, unit: str) -> str:
        """Name the employer of those who work in a unit; raise `WorldBroken` when there is none."""
        home = self.municipality_of(unit)
        for name, row in self.raw["employers"].items():
            if row["municipality"] == home:
                return str(name)
        raise WorldBroken(f"the registry has no employer in {home}")

    def spoken(self, saml: Row) -> Row:
        """Say how an employer that speaks SAML calls our units and roles, and what CVR numbers there are."""
        return {
            "entity_id": saml["entity_id"],
            "units": {ours: theirs for theirs, ours in saml["units"].items()},
            "privileges": {given["role"]: name for name, given in saml["privileges"].items()},
            "constraints": saml.get("constraints", {}),
            "cvr": {name: row["cvr"] for name, row in self.raw["municipalities"].items()},
        }

    def code_of(self, municipality: str) -> str:
        """Give the CPR municipality code of a registered municipality, or the code itself."""
        row = self.raw["municipalities"].get(municipality)
        return str(row["code"]) if row else municipality


def read_template(path: Path) -> Template:
    """Read a registry as its author wrote it; raise `WorldBroken` where it cannot be read."""
    raw = read_yaml(path)
    sections = ("municipalities", "units", "sources", "systems", "employers")
    missing = [name for name in sections if not isinstance(raw, dict) or not isinstance(raw.get(name), dict)]
    if missing:
        raise WorldBroken(f"the registry {path} has no {', '.join(missing)}")
    return Template(raw, path.parent)


def chosen_template(wanted: Any, beside: Path) -> Template:
    """Give the registry a scenario names: none (the demo's), a path, or a base with changes over it."""
    if wanted is None:
        return read_template(DEMO_REGISTRY)
    if isinstance(wanted, str):
        return read_template(beside / wanted)
    base = wanted.get("base")
    template = read_template(beside / base if base else DEMO_REGISTRY)
    return Template(merged(template.raw, wanted.get("changes", {})), template.folder)


def merged(below: Any, over: Any) -> Any:
    """Lay changes over a value, entry by entry; an entry of null is taken out."""
    if not isinstance(below, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    laid = {name: value for name, value in below.items() if over.get(name, value) is not None}
    laid |= {name: merged(below.get(name), value) for name, value in over.items() if value is not None}
    return laid


def system_of(name: str, row: Mapping[str, Any]) -> str:
    """Tell which invented system stands for a source: the one its mapping is written for, else one of its kind."""
    by_mapping = Path(str(row.get("reads_file", ""))).stem
    if by_mapping in SYSTEMS:
        return by_mapping
    for system, kind in SYSTEMS.items():
        if kind == row.get("kind"):
            return system
    raise WorldBroken(f"the registry's source {name} has neither a known mapping nor a known kind")


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is that was started: addresses by name, and where a name's secrets and keys lie."""

    sources: Mapping[str, str]
    people: str
    cases: Mapping[str, str]
    provider: str
    secret_files: Callable[[str], Mapping[str, str]]
    system_keys: Callable[[str], str]
    employer_keys: Callable[[str], str]
    employer_certificates: Callable[[str], str]


def filled(template: Template, places: Places) -> Row:
    """Write the registry that the broker reads."""
    raw = copy.deepcopy(template.raw)
    for name, row in raw["sources"].items():
        _fill_source(name, row, template, places)
    registers = raw.setdefault("registers", {})
    registers["people"] = _register("people", "people_rest", registers.get("people"), places.people, places)
    registers["cases"] = {
        name: _register(f"cases-{name}", "cases_rest", row, places.cases[name], places)
        for name, row in registers.get("cases", {}).items()
    }
    for name, row in raw["systems"].items():
        row.setdefault("jwks_file", places.system_keys(name))
    for name, row in raw["employers"].items():
        row.setdefault("jwks_file", places.employer_keys(template.employers[name]["cvr"]))
        if "saml" in row:
            saml = row["saml"]
            saml.setdefault("certificates_file", places.employer_certificates(template.employers[name]["cvr"]))
            # A scenario may take units out; the employer then has no name for them.
            saml["units"] = {theirs: ours for theirs, ours in saml["units"].items() if ours in raw["units"]}
    raw["providers"] = {
        kind: _provider(kind, raw.get("providers", {}).get(kind), places)
        for kind in PAGE_USERS
        if kind != "caseworker" or kind in raw.get("providers", {})
    }
    return raw


def _fill_source(name: str, row: Row, template: Template, places: Places) -> None:
    system, address = system_of(name, row), places.sources[name]
    row.setdefault("kind", SYSTEMS[system])
    if "reads" not in row:
        mapping = row.get("reads_file") or str(ROOT / "demo" / "mappings" / f"{system}.yaml")
        row["reads_file"] = str((template.folder / mapping).resolve())
    row["settings"] = _with_address(row.get("settings") or settings_of(system), address)
    if "secrets" not in row:
        files = {"dsn": address} if system == "social_centre" else places.secret_files(f"source-{name}")
        row["secrets"] = {secret: {"file": file} for secret, file in files.items()}


def settings_of(system: str) -> Row:
    """Give how a connector reaches one of the invented systems."""
    oauth2: Row = {"token_url": "{address}/oauth2/token"}
    match system:
        case "jobcentre":
            find = {"path": "/api/citizens/find", "body": {"cpr": "{cpr}"}, "id": "id"}
            return {"base_url": "{address}", "auth": {"oauth2": oauth2, "api_key_header": "apikey"}, "find": find}
        case "school":
            return {"base_url": "{address}", "auth": {"api_key_header": "X-Api-Noegle"}}
        case "family_centre":
            return {"base_url": "{address}/odata", "auth": {"bearer": True}}
        case "health":
            return {"base_url": "{address}/fhir", "auth": {"oauth2": oauth2 | {"client_authentication": "body"}}}
    return {}


def _with_address(value: Any, address: str) -> Any:
    match value:
        case dict():
            return {name: _with_address(inner, address) for name, inner in value.items()}
        case str():
            return value.replace("{address}", address)
    return value


def _register(name: str, kind: str, row: Any, address: str, places: Places) -> Row:
    said: Row = dict(row or {})
    said.setdefault("kind", kind)
    said["settings"] = _with_address(said.get("settings") or REGISTER_SETTINGS, address)
    said.setdefault("secrets", {"api_key": {"file": places.secret_files(name)["api_key"]}})
    return said


def _provider(kind: str, row: Any, places: Places) -> Row:
    return {
        "issuer": places.provider,
        "client_id": f"borgerbro-{kind}",
        "secret": {"file": places.secret_files(f"login-{kind}")["client_secret"]},
        "scopes": SCOPES[kind],
    } | dict(row or {})
