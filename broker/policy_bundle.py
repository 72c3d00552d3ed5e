"""The bundle an OPA server loads: rules, tables and a manifest that names their revision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broker.policy_tables import Rules, refuse_bad_tables, revision


def write_bundle(folder: Path, rules: Rules, tables: Mapping[str, Any]) -> str:
    """Lay out the bundle in an empty folder and give its revision; raise `PolicyFaults` for tables that are no use."""
    refuse_bad_tables(tables)
    name = revision(rules, tables)
    manifest = json.loads((rules.folder / ".manifest").read_text("utf-8")) | {"revision": name}
    (folder / "tables").mkdir()
    (folder / "tables" / "data.json").write_text(json.dumps(dict(tables)), "utf-8")
    (folder / ".manifest").write_text(json.dumps(manifest), "utf-8")
    for module, text in rules.modules.items():
        (folder / module).write_text(text, "utf-8")
    return name
