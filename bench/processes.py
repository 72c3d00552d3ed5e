"""The CPU that a server spends, by the kernel's own books (Linux: `/proc`); elsewhere unknown."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds so far: a process's own, and its living descendants'."""

    own: float
    children: float


def listener_on(port: int) -> int | None:
    """Find the process that listens on a loopback port; None where the kernel does not tell."""
    inodes = {
        f"socket:[{row[9]}]"
        for row in map(str.split, _lines(PROC / "net" / "tcp"))
        if len(row) > 9 and row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port
    }
    for process in _processes():
        try:
            if any(os.readlink(file) in inodes for file in (PROC / str(process) / "fd").iterdir()):  # noqa: PTH115 -- Path would resolve it
                return process
        except OSError:
            continue  # It has ended, or is somebody else's.
    return None


def spent_by(process: int | None) -> Spent | None:
    """Read what a process and its descendants have spent; None for a process that cannot be read."""
    if process is None:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    parents, seconds = {}, {}
    for one in _processes():
        # The name, in brackets, may hold spaces; what follows it does not.
        fields = "".join(_lines(PROC / str(one) / "stat")).rpartition(")")[2].split()
        if fields:
            parents[one], seconds[one] = int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks
    if process not in seconds:
        return None
    family = {process}
    while more := {one for one, parent in parents.items() if parent in family} - family:
        family |= more
    return Spent(seconds[process], sum(seconds[one] for one in family - {process}))


def _processes() -> list[int]:
    return [int(place.name) for place in PROC.iterdir() if place.name.isdigit()] if PROC.is_dir() else []


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
