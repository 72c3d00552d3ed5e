"""The text of a registry file, or of one that it names: YAML to plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from broker.registry.faults import RegistryFaults


def load(file: Path) -> Any:
    """Read one YAML file; raise `RegistryFaults` where it cannot be read, without a word of its content."""
    try:
        return YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
    except OSError as error:
        raise RegistryFaults([f"{file.name}: cannot be read ({type(error).__name__})"]) from None
    except YAMLError as error:
        place = getattr(error, "problem_mark", None)
        raise RegistryFaults([f"{file.name}: not YAML, near line {place.line + 1 if place else '?'}"]) from None
