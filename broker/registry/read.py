"""The registry file → validated values: the directory, the policy's tables, and how each source is reached.

Plain values only: `main.py` makes connectors and adapters of them. Everything that is wrong is said at once
(`RegistryFaults`), with where it stands and what would mend it, and nothing opens until it is mended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from broker.registry.directory import directory_of, registry_tables
from broker.registry.faults import Fault, RegistryFaults
from broker.registry.files import Files, shared_keys
from broker.registry.laws import law_faults
from broker.registry.providers import Providers
from broker.registry.references import loose_ends
from broker.registry.rules import rule_faults
from broker.registry.shape import shape_faults
from broker.registry.sheet import Sheet
from broker.registry.text import Written, read_file
from broker.registry.values import EmployerEntry, IssuerEntry, ProviderEntry, Reached, Registry, Secret, SystemEntry
from broker.saml_trust import SamlTrust

SCHEMA = Path(__file__).parents[1] / "registry.schema.json"


@dataclass(frozen=True, slots=True)
class Examined:
    """A registry file as it was read: its sheet, the mappings it names, what is wrong, and the registry if nothing is.

    `mappings` and `keys` are what the files hold that `reads_file` and `jwks_file` name, by those names.
    """

    folder: Path
    sheet: Sheet
    mappings: Mapping[str, Written]
    keys: Mapping[str, Mapping[str, Any]]
    faults: tuple[Fault, ...]
    registry: Registry | None


def read_registry(file: Path, law_tables: Path) -> Registry:
    """Read and check a registry file with the law tables beside it; raise `RegistryFaults` with all that is wrong."""
    examined = examine(file, law_tables)
    if examined.registry is None:
        raise RegistryFaults(examined.faults)
    return examined.registry


def examine(file: Path, law_tables: Path) -> Examined:
    """Read a registry file and find all that is wrong; raise `RegistryFaults` where it cannot be read at all."""
    laws = {table.stem: json.loads(table.read_text("utf-8")) for table in sorted(law_tables.glob("*.json"))}
    written = read_file(file, file.name)
    shapes = [*shape_faults(_schema(), written.value, written)]
    sheet = Sheet(written, frozenset(path for path, _ in shapes))
    files = Files(sheet, file.parent)
    providers = Providers(files, file.parent)
    faults = [*written.faults, *(fault for _, fault in shapes), *files.faults]
    faults += [*loose_ends(sheet), *rule_faults(sheet), *law_faults(sheet, files.mappings, laws), *shared_keys(files)]
    faults += providers.faults
    registry = None if faults else _registry(written.value, files, providers, laws, file.parent)
    return Examined(file.parent, sheet, files.mappings, files.keys, tuple(faults), registry)


@cache
def _schema() -> Any:
    return json.loads(SCHEMA.read_text("utf-8"))


def _registry(raw: Any, files: Files, providers: Providers, laws: Mapping[str, Any], folder: Path) -> Registry:
    """Make the values of a registry that has no fault."""
    for row in raw["sources"].values():
        if "reads_file" in row:
            row["reads"] = files.mappings[row["reads_file"]].value
    # A key that is changed in its file, under the same name, is a change of the registry like any other.
    directory = directory_of(raw, laws, {"keys": files.keys, "certificates": providers.fingerprints})
    cvr = {i: municipality.cvr for i, municipality in directory.municipalities.items()}
    return Registry(
        directory=directory,
        tables={**laws, **registry_tables(directory)},
        sources={i: _reached(row, folder) for i, row in raw["sources"].items()},
        people=_reached(raw["registers"]["people"], folder),
        cases={i: _reached(row, folder) for i, row in raw["registers"]["cases"].items()},
        unit_cases={i: row["cases"] for i, row in raw["units"].items() if "cases" in row},
        systems={i: _system(i, row, files) for i, row in raw["systems"].items()},
        employers={i: _employer(i, row, files, providers.trust(i, row, cvr)) for i, row in raw["employers"].items()},
        providers={i: _provider(row, folder) for i, row in raw.get("providers", {}).items()},
        consent_issuers={i: _issuer(i, row, files) for i, row in raw.get("consent_issuers", {}).items()},
    )


def _reached(row: Any, folder: Path) -> Reached:
    secrets = {name: secret_of(where, folder) for name, where in row.get("secrets", {}).items()}
    return Reached(row["kind"], row["settings"], row.get("reads", {}), secrets, row.get("limits", {}))


def secret_of(where: Any, folder: Path) -> Secret:
    """Give where a secret lies, from what the registry says of it."""
    return Secret(file=folder / where["file"]) if "file" in where else Secret(env=where["env"])


def _system(i: str, row: Any, files: Files) -> SystemEntry:
    return SystemEntry(
        i, row["municipality"], frozenset(row["units"]), frozenset(row["employers"]), files.keys[row["jwks_file"]]
    )


def _employer(i: str, row: Any, files: Files, saml: SamlTrust | None) -> EmployerEntry:
    jwks = files.keys[row["jwks_file"]] if "jwks_file" in row else None
    return EmployerEntry(i, row["issuer"], row["municipality"], jwks, saml)


def _issuer(i: str, row: Any, files: Files) -> IssuerEntry:
    return IssuerEntry(i, row["issuer"], frozenset(row["municipalities"]), files.keys[row["jwks_file"]])


def _provider(row: Any, folder: Path) -> ProviderEntry:
    return ProviderEntry(
        row["issuer"], row["client_id"], secret_of(row["secret"], folder), tuple(row.get("scopes", ())),
        row.get("system"), row.get("employer"),
    )  # fmt: skip
