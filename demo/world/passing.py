"""A folder for a world that passes: whoever ends the program, nothing of it stays."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from demo.postgres import PrivatePostgres


@contextmanager
def passing_folder(name: str) -> Iterator[Path]:
    """Give a folder, and take it away with every PostgreSQL in it; meanwhile SIGTERM is taken for Ctrl-C."""
    with _ended_as_by_hand():
        folder = Path(tempfile.mkdtemp(prefix=f"borgerbro-{name}-"))
        try:
            # Root's PostgreSQL is another user, who must pass through; what is secret in here is so by itself.
            folder.chmod(0o711)
            yield folder
        finally:
            remove_clusters(folder)
            shutil.rmtree(folder, ignore_errors=True)


def remove_clusters(folder: Path) -> None:
    """Delete every PostgreSQL of a world that has ended, wherever its data had to be put."""
    for cluster in (folder / "postgres", *(folder / "systems").glob("*/")):
        PrivatePostgres(cluster).remove()


@contextmanager
def _ended_as_by_hand() -> Iterator[None]:
    """Hear SIGTERM as Ctrl-C, where this thread hears signals at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does now, which a running event loop changes; a program in the background may not hear it."""
    hears = signal.getsignal(signal.SIGINT)
    (hears if callable(hears) else signal.default_int_handler)(number, frame)
