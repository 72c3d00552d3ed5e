"""What the commands of `python -m audit` share: where a log is, which keys are trusted, how results are told."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from audit.note import VerifyKey
from audit.sources import FolderSource, HttpSource

SECONDS_BEFORE_PROGRESS = 1.0
PLACE = "DSN|@FILE"
FROM_FILE = (
    "@FILE reads the address from a file (@- from standard input), so that its password does not show among the "
    "machine's processes"
)


def database_address(text: str) -> str:
    """Take a database's address, or read it from the file that `@` names, or from standard input for `@-`."""
    if not text.startswith("@"):
        return text
    if text == "@-":
        return sys.stdin.readline().strip()
    try:
        return Path(text[1:]).read_text("utf-8").strip()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text[1:]}: {error.strerror}") from None


def source_of(given: argparse.Namespace) -> HttpSource | FolderSource:
    """Open a log's files where the command says: at an address, or in a folder. Raises Malformed."""
    return HttpSource(given.url) if given.url else FolderSource(given.export)


def add_keys(parser: argparse.ArgumentParser) -> None:
    """Let a command be told the public keys that are trusted."""
    parser.add_argument("--vkey", action="append", default=[], help="the log's public key; may be repeated")
    parser.add_argument("--vkey-file", type=Path, action="append", default=[], help="a file with such keys, one a line")


def keys_of(given: argparse.Namespace) -> list[VerifyKey]:
    """Read the trusted keys. Raises Malformed, OSError."""
    return [*map(VerifyKey.from_text, given.vkey), *keys_in(given.vkey_file)]


def keys_in(paths: Sequence[Path]) -> list[VerifyKey]:
    """Read files of public keys, one a line. Raises Malformed, OSError."""
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [VerifyKey.from_text(line) for line in lines]


class ProgressLines:
    """Says on standard error how far a check has come, a line a second at most, for whatever runs it."""

    def __init__(self) -> None:
        self._said = 0.0

    def show(self, _: str, done: int, total: int) -> None:
        """Hear how many entries of a log are checked."""
        if time.monotonic() - self._said >= SECONDS_BEFORE_PROGRESS or done == total:
            self._said = time.monotonic()
            sys.stderr.write(f"progress {done} {total}\n")
            sys.stderr.flush()


def print_json(value: dict[str, Any]) -> None:
    """Write one JSON object for machines."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


class ProgressBar:
    """Shows how far a check has come, on a terminal, once it has taken a second."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, origin: str, done: int, total: int) -> None:
        """Hear how many entries of a log are checked."""
        if self._bar is None:
            if not sys.stderr.isatty() or time.monotonic() - self._started < SECONDS_BEFORE_PROGRESS:
                return
            # Imported here: most runs are over before a bar is wanted.
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import Progress  # noqa: PLC0415

            self._bar = Progress(console=Console(stderr=True))
            self._bar.start()
        if origin not in self._tasks:
            self._tasks[origin] = self._bar.add_task(origin, total=total)
        self._bar.update(self._tasks[origin], completed=done)
