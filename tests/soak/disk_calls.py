"""Each call on the disk that keeping a signed head makes, made to fail: with EIO, with ENOSPC, and killed at it.

Whatever fails: nothing is signed whose head is not on the disk, the file is never damaged, and the next try goes on.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.heads_file import HeadsFile, KeptHead
from tests.soak.keep_head import ORIGIN, OWNER, tree
from tools.places import ROOT, environment

CALLS = ("openat", "flock", "read", "write", "fsync", "close", "rename")
FAULTS = {"EIO": "error=EIO", "ENOSPC": "error=ENOSPC", "killed": "signal=KILL"}
PROGRAM = Path(__file__).with_name("keep_head.py")
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    """The n-th call of one kind on the file, what stands beside it, and its folder."""

    name: str
    number: int


def strace() -> str | None:
    """Find the program that makes calls fail; None where it is not here."""
    return shutil.which("strace")


def calls_of(folder: Path, program: Sequence[str] = ()) -> list[Call]:
    """List the calls that keeping one head makes."""
    _begin(folder)
    trace = folder / "trace"
    told = _run(folder, 2, program, ["-o", str(trace), "-e", f"trace={','.join(CALLS)}"])
    assert told == "signed", told
    seen: Counter[str] = Counter()
    found = []
    for line in trace.read_text("utf-8").splitlines():
        if match := re.match(r"(?:\d+ +)?(\w+)\(", line):
            seen[match[1]] += 1
            found.append(Call(match[1], seen[match[1]]))
    return found


def try_call(folder: Path, call: Call, fault: str, program: Sequence[str] = ()) -> str:
    """Let one call fail; give what was said, or raise AssertionError where a promise was broken."""
    _begin(folder)
    inject = f"inject={call.name}:{FAULTS[fault]}:when={call.number}"
    told = _run(folder, 2, program, ["-o", "/dev/null", "-e", f"trace={call.name}", "-e", inject])
    with HeadsFile(folder / "heads", OWNER) as heads:
        kept = heads.heads()[ORIGIN]
    assert kept in (_head(1), _head(2)), "the file holds neither the head before nor the one after"
    assert told != "signed" or kept == _head(2), "signed, and not on the disk"
    again = 3 if kept == _head(2) else 2
    assert _run(folder, again, program) == "signed", "the next try did not go on"
    return told or "nothing"


def every_call(folder: Path, program: Sequence[str] = ()) -> Iterator[str]:
    """Let each call fail in each way, one after the other; give what was said."""
    for call in calls_of(folder, program):
        for fault in FAULTS:
            yield try_call(folder, call, fault, program)


def _head(size: int) -> KeptHead:
    return KeptHead(size, tree(size).root())


def _begin(folder: Path) -> None:
    """Begin with the file as it is after one head."""
    for name in ("heads", "heads.new", "heads.lock"):
        (folder / name).unlink(missing_ok=True)
    with HeadsFile(folder / "heads", OWNER, new=True) as heads:
        heads.keep(ORIGIN, _head(1))


def _run(folder: Path, size: int, program: Sequence[str], through: Sequence[str] = ()) -> str:
    paths = [folder, *(folder / name for name in ("heads", "heads.new", "heads.lock"))]
    watched = [word for path in paths for word in ("-P", str(path))]
    before = ["strace", "-f", "-qq", *watched, *through] if through else []
    told = subprocess.run(
        [*before, sys.executable, str(PROGRAM), str(folder / "heads"), str(size), *program],
        capture_output=True, text=True, check=False, timeout=SECONDS, cwd=ROOT,
        env=environment() | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return told.stdout.strip()
