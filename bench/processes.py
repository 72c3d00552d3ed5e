"""The CPU that processes spend, by the kernel's own books (Linux: `/proc`); elsewhere unknown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"
# Of the first line of /proc/stat: user, nice, system, irq, softirq, steal.
BUSY_FIELDS = (1, 2, 3, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Books:
    """CPU seconds of every process up to one moment, who started whom, and what the whole machine has spent."""

    seconds: Mapping[int, float]
    parents: Mapping[int, int]
    machine: float

    def family(self, *heads: int | None) -> frozenset[int]:
        """Give these processes and all that descend from them and still live."""
        family = {head for head in heads if head is not None and head in self.seconds}
        while more := {one for one, parent in self.parents.items() if parent in family} - family:
            family |= more
        return frozenset(family)

    def spent(self, processes: Iterable[int], since: Books) -> float:
        """Give the CPU seconds these processes have spent since an earlier look."""
        return sum(self.seconds.get(one, 0.0) - since.seconds.get(one, 0.0) for one in processes)


def open_books() -> Books | None:
    """Read the books of this moment; None where the kernel keeps none."""
    if not (PROC / "stat").exists():
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    parents, seconds = {}, {}
    for one in _processes():
        # The name, in brackets, may hold spaces; what follows it does not.
        fields = "".join(_lines(PROC / str(one) / "stat")).rpartition(")")[2].split()
        if fields:
            parents[one] = int(fields[1])
            seconds[one] = _exact(one) or (int(fields[11]) + int(fields[12])) / ticks
    told = next(iter(_lines(PROC / "stat")), "").split()
    return Books(seconds, parents, sum(int(told[field]) for field in BUSY_FIELDS) / ticks)


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


def started_for(folder: Path) -> frozenset[int]:
    """Find the processes whose command line names a folder, such as a PostgreSQL that left its parent."""
    name = str(folder)
    return frozenset(one for one in _processes() if any(name in line for line in _lines(PROC / str(one) / "cmdline")))


def resident_kb(process: int | None) -> int | None:
    """Give how much memory a process holds in RAM, in kB; None for one that cannot be read."""
    rows = _lines(PROC / str(process) / "status") if process is not None else []
    return next((int(row.split()[1]) for row in rows if row.startswith("VmRSS:")), None)


def _exact(process: int) -> float:
    """Sum what the scheduler has counted for each thread, in nanoseconds; 0 where it does not count."""
    try:
        threads = list((PROC / str(process) / "task").iterdir())
    except OSError:
        return 0.0
    rows = ("".join(_lines(thread / "schedstat")).split() for thread in threads)
    return sum(int(row[0]) for row in rows if row) / 1e9


def _processes() -> list[int]:
    return [int(place.name) for place in PROC.iterdir() if place.name.isdigit()] if PROC.is_dir() else []


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
