"""The table of signs, `signs.json`: read once, held against what the code can look at, named by its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broker.domain.directory import Directory
from broker.domain.sightings import EXPLAINS, TESTS
from broker.domain.signs import Explanation, RankingRules, Sign

TABLE = Path(__file__).with_name("signs.json")
NOBODY = Directory("", {}, {}, {}, {}, {}, {}, {}, {})


def load_rules(directory: Directory = NOBODY, table: Path = TABLE) -> RankingRules:
    """Read the table, with units and delegations of a registry; raise ValueError where a row says what nothing does."""
    content = table.read_bytes()
    told = json.loads(content)
    signs = {row["id"]: _sign(row) for row in told["signs"]}
    explanations = {row["id"]: Explanation(**row) for row in told["explanations"]}
    if (
        len(signs) != len(told["signs"])
        or not signs.keys() <= TESTS.keys()
        or not explanations.keys() <= EXPLAINS.keys()
    ):
        raise ValueError("a sign or an explanation is there twice, or nothing looks at it")
    if any(not set(sign.explained_by) <= explanations.keys() for sign in signs.values()):
        raise ValueError("a sign names an explanation that is not there")
    return RankingRules(
        revision=hashlib.sha256(content).hexdigest(),
        signs=signs,
        explanations=explanations,
        homes={unit.id: unit.municipality for unit in directory.units.values()},
        agreements=tuple(directory.delegations.values()),
        **{
            name: int(told[name]) for name in ("reviews_a_day", "rest_days", "remember_days", "open_hour", "close_hour")
        },
    )


def _sign(row: Mapping[str, Any]) -> Sign:
    sign = Sign(**{**row, "explained_by": tuple(row["explained_by"])})
    if not (
        0 < sign.expected < 1 and sign.weight > 0 and sign.source and all(bound > 0 for bound in sign.bounds.values())
    ):
        raise ValueError("a sign has a weight, an expected share below one, bounds above nought and a source")
    return sign
