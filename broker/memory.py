"""What sources answered lives in memory alone (P4): a crash of this process dumps no core, to a file or a program.

A limit of no bytes keeps the kernel from writing a file, and every program we start inherits it. It does not keep the
kernel from handing the memory to a program that `core_pattern` names, as service managers set it, often from outside
the container: only a process that may not be dumped at all is spared that (core(5)). Nor can another process of the
same user then read our memory (ptrace(2)).
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

# <linux/prctl.h>
PR_SET_DUMPABLE = 4


def leave_no_core() -> None:
    """Switch core dumps off for good; raise `OSError` where the kernel will not have it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        kernel = ctypes.CDLL(None, use_errno=True)
        if kernel.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
