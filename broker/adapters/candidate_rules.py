"""Rules that somebody would like to have, in folders that operations has placed: named, read, and set beside a day's.

Rules kept here:
- A candidate is a folder laid out as `policies/`, right below the one that the settings name: rules, `tables/`, or one
  of the two. Its name is a plain word, so that it can stand in a form and on the log.
- It is read whole and once: what its SHA-256 names is what is tried.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.adapters.policy_batch import RuleSet
from broker.domain.errors import NotFound
from broker.policy_tables import PolicyFaults, load_law_tables, load_rules

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Candidate:
    """Rules and tables to be tried; without modules the rules of the day are kept."""

    modules: Mapping[str, str] = field(repr=False)
    tables: Mapping[str, Any] = field(repr=False)

    @property
    def digest(self) -> str:
        """The SHA-256 of what is tried."""
        written = json.dumps([dict(self.modules), dict(self.tables)], sort_keys=True, separators=(",", ":")).encode()
        return f"sha256:{hashlib.sha256(written).hexdigest()}"

    def beside(self, recorded: RuleSet, schemas: Path) -> RuleSet:
        """Put it in the place of a revision: new rules and law, with the registry of that day."""
        return RuleSet(self.modules or recorded.modules, {**recorded.tables, **self.tables}, schemas)


def read_candidate(folder: Path) -> Candidate:
    """Read a folder; raise `PolicyFaults` where rules are there without their entry point.

    Raises OSError and ValueError for what cannot be read.
    """
    modules = dict(load_rules(folder).modules) if any(folder.glob("*.rego")) else {}
    return Candidate(modules, load_law_tables(folder / "tables"))


@dataclass(frozen=True, slots=True)
class Candidates:
    """The folders below one."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        """Name them, sorted; none where the folder cannot be read."""
        try:
            return tuple(sorted(one.name for one in self.folder.iterdir() if _is_candidate(one)))
        except OSError:
            return ()

    def read(self, name: str) -> Candidate:
        """Read one; raise `NotFound` where there is none of that name, or none that can be read."""
        if name not in self.names():
            raise NotFound
        try:
            return read_candidate(self.folder / name)
        except (OSError, ValueError, PolicyFaults):
            raise NotFound from None


def _is_candidate(folder: Path) -> bool:
    """Say whether a folder holds rules or tables, and no more than can be tried."""
    if not NAME.fullmatch(folder.name) or not folder.is_dir():
        return False
    files = [*folder.glob("*.rego"), *folder.glob("tables/*.json")]
    return bool(files) and sum(file.stat().st_size for file in files) <= MOST_BYTES
