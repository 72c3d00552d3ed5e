"""What the mutants of each file met when they were last tried: kept beside the tests, so that the page of it is made.

A row says of which very text it was measured. Where the file has changed since, whoever reads it is told.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tools.mutants.damage import Mutant
from tools.places import ROOT

RECORD = Path("tests", "rules", "mutants_measured.json")
POLICIES = ROOT / "policies"
Tried = tuple[Mutant, str]  # Who noticed it first.


def keep(tried: Sequence[Tried], equal: Mapping[str, str], texts: Mapping[str, str], root: Path = ROOT) -> None:
    """Write down what the mutants of each file met, and of which text; the rows of other files stay as they are."""
    rows = measured(root)
    for file, text in texts.items():
        rows[file] = row_of([one for one in tried if one[0].file == file], equal) | {"text": text}
    # A file of rules that is no more has no row.
    rows = {file: row for file, row in sorted(rows.items()) if (POLICIES / file).exists()}
    (root / RECORD).write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


def measured(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Give the row of each file that was measured; none before the first time."""
    file = root / RECORD
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return rows


def row_of(tried: Sequence[Tried], equal: Mapping[str, str]) -> dict[str, Any]:
    """Count who noticed, and name those that nobody did."""
    counted = [(mutant, verdict) for mutant, verdict in tried if verdict != "no rules" and mutant.name not in equal]
    survived = [mutant.name for mutant, verdict in counted if verdict == "survived"]
    return {
        "mutants": len(counted),
        "noticed": len(counted) - len(survived),
        "by": dict(sorted(Counter(verdict for _, verdict in counted).items())),
        "equal": sum(mutant.name in equal for mutant, _ in tried),
        "no_rules": sum(verdict == "no rules" for _, verdict in tried),
        "survived": survived,
    }


def files_of_rules() -> list[str]:
    """Name the files of rules that are damaged: neither tests, nor an OPA server's own housekeeping."""
    names = sorted(file.name for file in POLICIES.glob("*.rego"))
    return [name for name in names if not name.endswith("_test.rego") and not name.startswith("opa_")]


def text_of(file: str) -> str:
    """Name a file's text by its hash."""
    return sha256((POLICIES / file).read_bytes()).hexdigest()
