"""Start many Python programs quickly: import once what they share, then fork a process of its own for each.

Run as a program: `python -m demo.world.nursery MODULE…` imports those modules and then takes orders, one JSON object a
line: `{"name", "module", "argv", "env", "user", "ready", "errors"}` starts one, `{"stop": name}` ends one. What a
program prints goes to its file `ready`, what it complains of to its file `errors`; when it has ended, `ready` says
`ended`.

Every program ends when this one does, however that came about: each holds one end of a pipe whose other end is here.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import runpy
import signal
import sys
import threading
from typing import Any

SECONDS_TO_END = 10


def main() -> int:
    """Take orders until standard input closes, then end every program and wait for it."""
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.freeze()  # What is shared stays shared: the collector does not touch it in the forked processes.
    # Ctrl-C is the parent's to hear; it tidies up through the pipes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    running: dict[str, int] = {}
    print("ready", flush=True)
    while line := _line():
        order = json.loads(line)
        if "stop" in order:
            if (pipe := running.pop(order["stop"], None)) is not None:
                _stop(pipe)
            continue
        theirs, ours = os.pipe()
        if os.fork() == 0:
            for other in running.values():
                os.close(other)
            os.close(ours)
            _become(order, theirs)
            return 0
        os.close(theirs)
        running[order["name"]] = ours
    _end_all(running)
    return 0


def _line() -> bytes:
    """Read one order straight from the pipe: what a buffer read ahead would be copied into every fork."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            return b""
        line += piece
    return line


def _stop(pipe: int) -> None:
    """Close the pipe to a program, which then sends itself the signal to end.

    One signal and no second from here: that would strike when the program has ended its loop, which put back what a
    signal does by default, and has not said its last word yet.
    """
    os.close(pipe)


def _end_all(running: dict[str, int]) -> None:
    """Ask every program to end, and wait; whoever has not ended in time is killed, and so is this process."""
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
    signal.alarm(SECONDS_TO_END)
    for pipe in running.values():
        _stop(pipe)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def _become(order: dict[str, Any], stdin: int) -> None:
    """Be that program from now on, with files of its own in place of the terminal."""
    os.dup2(stdin, 0)
    os.close(stdin)
    for place, path in ((1, order["ready"]), (2, order["errors"])):
        sink = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(sink, place)
        os.close(sink)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Uvicorn hands the signal on to whom it found here; the last word below is then still said.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    random.seed()
    os.environ.update(order.get("env", {}))
    if order.get("user") is not None:
        os.setgroups([])
        os.setgid(order["user"])
        os.setuid(order["user"])
    sys.argv = [order["module"], *order["argv"]]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    finally:
        print("ended", flush=True)


def _end_with_parent() -> None:
    """Wait until the other end of standard input closes, then ask this process to end."""
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
