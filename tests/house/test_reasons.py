"""Every reason for which something may be held back has a case of its own that a lawyer can read."""

import json
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scenarios" / "reasons"
# No scenario can bring these about: an engine that fails (`tests/attacks/test_lying_engine.py`), and a yes to
# everything, which only another's records could hold (`tests/rules/test_conditions.py`).
NOT_TO_BE_PLAYED = {"POLICY_ERROR", "CONSENT_TOO_GENERAL"}


def test_every_reason_has_its_scenario() -> None:
    """For each code there is a file named by it whose expectations name it; no file is left without a code."""
    reasons = json.loads((ROOT / "policies" / "tables" / "reasons.json").read_text("utf-8"))
    wanted = {code.lower().replace("_", "-"): code for code in reasons if code not in NOT_TO_BE_PLAYED}
    files = {file.stem: YAML(typ="safe").load(file) for file in FOLDER.glob("*.yaml")}

    assert sorted(wanted.keys() - files.keys()) == []
    assert sorted(files.keys() - wanted.keys()) == []
    steps = {name: json.dumps(file["steps"], default=str) for name, file in files.items()}
    # A log that takes nothing is a problem of that name, and no verdict.
    assert [name for name, code in wanted.items() if code not in steps[name] and f'"{name}"' not in steps[name]] == []
