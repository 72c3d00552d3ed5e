"""The damages that change nothing anybody could see, each with the reason why (`tests/rules/equal_mutants.yaml`)."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from tools.places import ROOT

EQUAL = Path("tests", "rules", "equal_mutants.yaml")


def equal_mutants(root: Path = ROOT) -> dict[str, str]:
    """Read them: the mutant's name and the reason."""
    told: dict[str, str] = YAML(typ="safe").load(root / EQUAL) or {}
    return told
