"""Run a slow command, and say now and then that it is still at work."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.places import ROOT, environment

SECONDS_BETWEEN_LINES = 15.0


def run_slow(
    what: str, command: Sequence[str | Path], *, cwd: Path = ROOT, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, keep its output, and print what it is for and how long it takes."""
    began = time.monotonic()
    on_terminal = sys.stdout.isatty()
    _say(f"{what} …", on_terminal)
    with subprocess.Popen(
        list(command),
        cwd=cwd,
        env=environment() | dict(extra or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=1.0 if on_terminal else SECONDS_BETWEEN_LINES)
                break
            except subprocess.TimeoutExpired:
                _say(f"{what} … {time.monotonic() - began:.0f} s", on_terminal)
            except BaseException:
                process.terminate()
                raise
    outcome = "done" if process.returncode == 0 else "failed"
    _say(f"{what}: {outcome} after {time.monotonic() - began:.1f} s", on_terminal)
    if on_terminal:
        print(flush=True)
    return subprocess.CompletedProcess(list(command), process.returncode, output, "")


def last_line(output: str) -> str:
    """Give the last line that says anything, cut to fit on one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:160] if lines else "it gave no reason"


def _say(text: str, on_terminal: bool) -> None:  # noqa: FBT001 - A fact about the terminal, not a mode.
    """Print a line, over the last one where there is a terminal."""
    print(f"\r\033[K{text}" if on_terminal else text, end="" if on_terminal else "\n", flush=True)
