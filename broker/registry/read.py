"""The registry file → validated values: the directory, the policy's tables, and how each source is reached.

Plain values only: `main.py` makes connectors and adapters of them. Everything that is wrong is said at once
(`RegistryFaults`), with where it stands and what was expected, and nothing opens until it is mended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broker.registry.checks import loose_ends, schema_faults, shared_keys
from broker.registry.directory import directory_of, registry_tables
from broker.registry.faults import RegistryFaults
from broker.registry.text import load
from broker.registry.values import EmployerEntry, ProviderEntry, Reached, Registry, Secret, SystemEntry


def read_registry(file: Path, law_tables: Path) -> Registry:
    """Read and check a registry file with the law tables beside it; raise `RegistryFaults` with all that is wrong."""
    raw = load(file)
    _raise_if([*schema_faults(raw)])
    raw = _with_reads(raw, file.parent)
    _raise_if([*loose_ends(raw)])
    laws = {table.stem: json.loads(table.read_text("utf-8")) for table in sorted(law_tables.glob("*.json"))}
    directory = directory_of(raw, laws)
    systems = {i: _system(i, row, file.parent) for i, row in raw["systems"].items()}
    employers = {i: _employer(i, row, file.parent) for i, row in raw["employers"].items()}
    _raise_if([*shared_keys(systems, employers)])
    return Registry(
        directory=directory,
        tables=laws | registry_tables(directory),
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


def _with_reads(raw: Any, folder: Path) -> Any:
    """Put each source's mapping in place, whether it stands in the registry or in a file of its own.

    A file is read once, however many sources share it: a country's 300 sources have a handful of mappings.
    """
    files = {row["reads_file"] for row in raw["sources"].values() if "reads_file" in row}
    mappings = {file: load(folder / file) for file in sorted(files)}
    for row in raw["sources"].values():
        if "reads_file" in row:
            row["reads"] = mappings[row["reads_file"]]
    return raw


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
        jwks = load(file)
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
