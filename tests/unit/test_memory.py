"""A crash leaves nothing of what was in memory."""

import subprocess
import sys
from pathlib import Path

import pytest

TELL = """
import ctypes, os, resource, subprocess, sys
from broker.memory import leave_no_core
if os.geteuid() == 0:
    os.setuid(65534)
leave_no_core()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
# What a node does beside: start a program, count its open files, read its own size.
inner = subprocess.run(["/bin/sh", "-c", "ulimit -c; ulimit -Hc"], capture_output=True, text=True, check=True)
files, size = len(os.listdir("/proc/self/fd")), open("/proc/self/statm").read()
print(dumpable, resource.getrlimit(resource.RLIMIT_CORE), inner.stdout.split(), files > 0, bool(size), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
def test_no_core_and_no_reading_by_others_of_the_same_user() -> None:
    """The kernel dumps nothing of the process to anybody, and no other process of its user can read its memory."""
    command, root = [sys.executable, "-c", TELL], Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = process.stdout.readline().strip()
        # Owned by root, whoever runs it: the kernel's word that nobody else of the same user may look into it.
        owner = Path(f"/proc/{process.pid}/mem").stat().st_uid
        process.stdin.close()

    assert told == "0 (0, 0) ['0', '0'] True True"
    assert owner == 0
