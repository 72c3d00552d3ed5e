"""The page of what can be done to the log, by whom it is found, and within which time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from docs.markdown import table

SOURCE = "tests/bent_log.yaml"
ABOUT = """\
A log is worth what it shows when somebody has bent it. Each row was done to a log of its own, on a real PostgreSQL with
a superuser's rights, or to the files offline; then all who could notice looked, and those named here did, no more and
no fewer. `tests/attacks/test_bent_log.py` does it again on every run of the tests, and first lets everybody look at a
log that nobody bent: there nobody may find anything."""
NOT = """\
## What is found by few, or by nobody

- Entries that no checkpoint covers yet, those of the last second, can be cut off by a superuser who makes the head
  anew, or go with a WAL that is taken away. Only whoever has a receipt sees that its place is empty or another's. Once
  they are signed it is too late for that.
- A superuser can call the append and put an entry of their own on the log. It stands there for good; nobody's key
  opens it.
- Whoever holds the checkpointer's key and the key of a quorum of witnesses can sign a second log. Who kept a checkpoint
  of the first still sees it.
- What was never handed to the log is not on it; that is the broker's promise (P2), not the log's.
- An access that is left out of the map and of the citizen's list alike: the citizen's own check holds. The DPO, who
  builds the map anew from the rows, finds it.
- A fence that is taken down and put back before anybody looks is not seen; what was changed meanwhile is."""


def page_of_bent_log(root: Path) -> Iterator[str]:
    """Write the page's parts."""
    bent = YAML(typ="safe").load((root / SOURCE).read_text(encoding="utf-8"))
    yield ABOUT
    yield f"{len(bent['cases'])} cases."
    yield "## Who looks"
    yield table(("name", "who", "within"), ((name, row["who"], row["within"]) for name, row in bent["layers"].items()))
    yield "## What was done"
    yield table(("case", "found by", "what one of them says"), (_row(case) for case in bent["cases"]))
    yield NOT


def _row(case: Mapping[str, Any]) -> tuple[str, str, str]:
    name = str(case["name"])
    return name[0].upper() + name[1:], ", ".join(case["found_by"]), f"`{case['says']}`" if case["says"] else ""
