"""Rules and tables: what the policy consists of, read once, checked, and named by one hash (P10).

Rules are the `.rego` files of `policies/`; tables are the law's (`policies/tables`) and the registry's, merged. An
empty or broken table refuses to load: a policy without purposes would answer, and wrongly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.policy_laws import law_faults

# Of OPA's own housekeeping, not of the decision: who may call it, what its log leaves out.
SERVER_ONLY = "opa_"
LAW_TABLES = ("categories", "consent_bases", "purposes", "reasons", "settings", "statutes")
REGISTRY_TABLES = ("delegations", "municipalities", "sources", "standing_approvals", "units")
# The only tables that may stand empty: a municipality may have no agreement with any other, a unit no standing yes.
MAY_BE_EMPTY = frozenset({"delegations", "standing_approvals"})
CATEGORY_FLAGS = ("child", "health", "never", "place")


class PolicyFaults(ValueError):
    """Rules or tables cannot be used. `faults` lists every reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules as text by file name, without their tests; `folder` also holds the schemas of question and answer."""

    folder: Path
    modules: Mapping[str, str]

    @property
    def portable(self) -> Mapping[str, str]:
        """The modules every engine runs; the rest is for an OPA server alone."""
        return {name: text for name, text in self.modules.items() if not name.startswith(SERVER_ONLY)}


def load_rules(folder: Path) -> Rules:
    """Read the rules of a folder; raise `PolicyFaults` when the entry point is not among them."""
    files = sorted(file for file in folder.glob("*.rego") if not file.name.endswith("_test.rego"))
    modules = {file.name: file.read_text("utf-8") for file in files}
    if "decision.rego" not in modules:
        raise PolicyFaults([f"{folder.name}: decision.rego is missing"])
    return Rules(folder, modules)


def load_law_tables(folder: Path) -> dict[str, Any]:
    """Read the law's tables, one JSON file each, named by the file."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))}


def revision(rules: Rules, tables: Mapping[str, Any]) -> str:
    """Name rules and tables by one SHA-256: any change of either gives another name."""
    return "sha256:" + hashlib.sha256(content(rules, tables)).hexdigest()


def content(rules: Rules, tables: Mapping[str, Any]) -> bytes:
    """Write rules and tables down, canonically: what their revision is the hash of."""
    return json.dumps([dict(rules.modules), dict(tables)], sort_keys=True, separators=(",", ":")).encode()


def unverified(tables: Mapping[str, Any]) -> list[str]:
    """List the law rows that nobody has verified yet, as `table/row` (`design.md` 6b r)."""
    return [
        f"{table}/{name}"
        for table in LAW_TABLES
        for name, row in sorted(tables[table].items())
        if isinstance(row, Mapping) and row.get("verified_by") is None
    ]


def refuse_bad_tables(tables: Mapping[str, Any]) -> None:
    """Raise `PolicyFaults` with everything that is wrong with the tables; pass when nothing is."""
    faults = [*_absent(tables)]
    if not faults:
        faults = [fault for check in _CHECKS for fault in check(tables)]
    if faults:
        raise PolicyFaults(faults)


def _absent(tables: Mapping[str, Any]) -> Iterator[str]:
    for name in (*LAW_TABLES, *REGISTRY_TABLES):
        table = tables.get(name)
        if not isinstance(table, Mapping):
            yield f"tables/{name}: missing"
        elif not table and name not in MAY_BE_EMPTY:
            yield f"tables/{name}: empty"


def _purpose_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    for name, row in tables["purposes"].items():
        rows = {"consent": "consent_bases", "statute": "statutes"}.get(row["basis"])
        if rows is None or not row[rows]:
            yield f"purposes/{name}: its basis is neither consent nor a statute, or no row of law is named"
        for category in row["categories"]:
            if category not in tables["categories"]:
                yield f"purposes/{name}: no such category: {category}"
            elif tables["categories"][category]["never"]:
                yield f"purposes/{name}: {category} is never shared"
        for table in ("statutes", "consent_bases"):
            for law in row[table]:
                if name not in tables[table].get(law, {}).get("purposes", {}):
                    yield f"purposes/{name}: {table}/{law} does not name it"


def _row_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    for name, row in tables["categories"].items():
        if row["level"] not in (1, 2, 3, 4) or not all(isinstance(row[flag], bool) for flag in CATEGORY_FLAGS):
            yield f"categories/{name}: level or flags are not readable"
        if row["area"] not in tables["settings"]["representation"]["areas"]:
            yield f"categories/{name}: no such area: {row['area']}"
    for name, row in tables["reasons"].items():
        told = row["da"] and row["en"] and row["paragraph"]
        if row["stage"] not in (1, 2, 3, 4, 5) or not isinstance(row["caller"], bool) or not told:
            yield f"reasons/{name}: stage, who may see it, or a text is missing"


def _role_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    for name, bound in tables["settings"]["roles"]["bounds"].items():
        unknown = {*bound["purposes"]} - tables["purposes"].keys() | {*bound["categories"]} - tables[
            "categories"
        ].keys()
        for what in sorted(unknown):
            yield f"settings/roles/{name}: no such purpose or category: {what}"


def _evidence_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    """Each law row is evidence: where it was read, who verified it and when (`design.md` 6b r)."""
    rows = ((f"{table}/{name}", row) for table in LAW_TABLES for name, row in tables[table].items())
    for place, row in rows:
        if isinstance(row, Mapping) and not {"source", "verified_by", "verified_on"} <= row.keys():
            yield f"{place}: does not say where it comes from and who verified it"


def _source_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    for name, row in tables["sources"].items():
        if row["unit"] not in tables["units"]:
            yield f"sources/{name}: no such unit: {row['unit']}"
        for category in row["categories"]:
            if category not in tables["categories"]:
                yield f"sources/{name}: no such category: {category}"


_CHECKS = (_purpose_faults, _role_faults, law_faults, _row_faults, _evidence_faults, _source_faults)
