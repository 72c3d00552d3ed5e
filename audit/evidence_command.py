"""`python -m audit verify --evidence`: the evidence package of one entry, checked without any network."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from audit.command import print_json
from audit.errors import LogError, Malformed, NotVerified
from audit.evidence import MAX_BYTES, unpack, verify
from audit.note import VerifyKey
from audit.policy import Policy


def check_evidence(file: Path, keys: Sequence[VerifyKey], policy: Policy | None, *, as_json: bool) -> int:
    """Check a package and say what it proves. Raises NotVerified, LogError without a key, OSError."""
    if not keys and policy is None:
        raise LogError("--evidence needs --vkey, --vkey-file or --policy: a package says nothing without the log's key")
    with file.open("rb") as source:
        content = source.read(MAX_BYTES + 1)
    try:
        evidence = unpack(content)
        believed = verify(evidence, keys, policy)
    except Malformed as bent:
        # Whatever came from elsewhere has been read by now: what is of no form is the package.
        raise NotVerified(str(bent)) from None
    row = json.loads(evidence.index_bytes)
    told = {
        "origin": evidence.origin,
        "index": evidence.index,
        "size": believed.checkpoint.size,
        "kind": row.get("kind"),
        "at": row.get("at"),
        "shown": None if evidence.shown is None else json.loads(evidence.shown),
        "witnesses": list(believed.witnesses),
        "policy_brought": believed.policy_brought,
    }
    if as_json:
        print_json(told)
        return 0
    whose = "the policy that was brought" if believed.policy_brought else "the package's own policy, not compared"
    sys.stdout.write(
        f"{evidence.origin}: entry {evidence.index} of {believed.checkpoint.size} is on the log, and says what was"
        f" logged ({row.get('kind')}{'' if evidence.shown is not None else '; what was shown of it is erased'})\n"
        f"witnesses: {', '.join(believed.witnesses) or 'none'}, by {whose}\n"
    )
    return 0
