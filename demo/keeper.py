"""Keep one child process, and never outlive the parent that asked for it.

Run as a program of its own: `python keeper.py [--user UID] [--stop SIGNAL] -- COMMAND…`. The parent holds
the other end of standard input. When that end closes, because the parent asked for it or because the parent
died in any way at all, the child gets its stop signal, then ten seconds, then SIGKILL. If the keeper itself
is killed, Linux hands the child the same signal.
"""

import argparse
import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

SECONDS_TO_STOP = 10.0
PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Start the child, print its process id, and end with the child's own exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user", type=int, help="run the child as this user and group, with no other groups")
    parser.add_argument("--stop", default="SIGTERM", help="the signal that asks the child to end")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    stop = signal.Signals[options.stop]
    # Ctrl-C at the terminal is the parent's to hear; the child ends after the parent has tidied up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a child holds in memory may be personal: it never lands in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    child = subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        user=options.user,
        group=options.user,
        extra_groups=None if options.user is None else [],
        # Runs after the change of user, which would clear it, and in a process with one thread.
        preexec_fn=_die_with_keeper(stop, os.getpid()),  # noqa: PLW1509
    )
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(stop))
    print(child.pid, flush=True)
    threading.Thread(target=_end_with_parent, args=(child, stop), daemon=True).start()
    return child.wait()


def _end_with_parent(child: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    """Wait until the parent's end of standard input closes, then end the child."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    child.send_signal(stop)
    try:
        child.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        child.kill()


def _die_with_keeper(stop: signal.Signals, keeper: int) -> Callable[[], None]:
    """Prepare the child's promise to get the stop signal when the keeper is killed (Linux only)."""
    libc = ctypes.CDLL(None)

    def promise() -> None:
        # The keeper's child ignores SIGINT by inheritance otherwise, and so could not be asked to stop by it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if sys.platform == "linux":
            libc.prctl(PR_SET_PDEATHSIG, int(stop), 0, 0, 0)
            if os.getppid() != keeper:
                os._exit(1)

    return promise


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
