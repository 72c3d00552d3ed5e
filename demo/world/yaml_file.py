"""YAML as authors of registries and scenarios write it: YAML 1.2, where a day is a text like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

from demo.world.children import WorldBroken


class _PlainDays(SafeConstructor):
    """Leaves days and moments as the texts they are: our schemas check them, and JSON has no other word for them."""


_PlainDays.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def read_yaml(path: Path) -> Any:
    """Read one YAML file; raise `WorldBroken` with the place where it cannot be read."""
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _PlainDays
    try:
        return reader.load(path.read_text("utf-8"))
    except OSError as error:
        raise WorldBroken(f"{path}: {error.strerror}") from None
    except (UnicodeError, YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not YAML"
        raise WorldBroken(f"{path}: {problem}" + (f", line {mark.line + 1}" if mark else "")) from None
