"""`python -m audit verify --bundle FILE`: tell a citizen, in words, whether their list is whole."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit.bundle import WholeList, verify_bundle
from audit.errors import LogError
from audit.note import VerifyKey
from audit.policy import Policy


def check_bundle(path: Path, keys: Sequence[VerifyKey], policy: Policy | None = None, *, as_json: bool) -> int:
    """Check a downloaded bundle and print what holds; give 0 where every list is whole, 1 where one is not.

    With a policy each checkpoint needs its quorum of witnesses.
    Raises LogError without keys, Malformed where the file is no bundle, OSError where it cannot be read.
    """
    if not keys:
        raise LogError("--bundle needs --vkey: a bundle says nothing without the logs' keys")
    found = verify_bundle(path.read_text(encoding="utf-8"), keys, policy=policy)
    if as_json:
        sys.stdout.write(json.dumps({"logs": [_as_json(one) for one in found]}, indent=2) + "\n")
    else:
        for one in found:
            sys.stdout.write(f"{one.origin}: {_summary(one)}\n")
        if not found:
            sys.stdout.write("the bundle names no log: it does not prove that there is no entry\n")
    return 1 if any(one.fault for one in found) else 0


def _summary(one: WholeList) -> str:
    if one.fault is not None or one.whole_until is None:
        return f"NOT PROVEN WHOLE: {one.fault}"
    count = len(one.lists[0])
    later = sum(len(entries) for entries in one.lists[1:])
    kept = f", and {later} that had been kept back" if later else ""
    entries = "entry" if count == 1 else "entries"
    return f"whole until {one.whole_until:%Y-%m-%d %H:%M:%S} UTC: {count} {entries}{kept}, none is missing"


def _as_json(one: WholeList) -> dict[str, Any]:
    return {
        "origin": one.origin,
        "size": one.size,
        "whole_until": one.whole_until.isoformat() if one.whole_until else None,
        "fault": one.fault,
        "lists": [[{"index": entry.index, "shown": entry.shown} for entry in entries] for entries in one.lists],
    }
