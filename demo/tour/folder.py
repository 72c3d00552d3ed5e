"""The demo's folder: marked as a world's and deleted only then, and held by one demo at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from demo.world.children import WorldBroken
from demo.world.passing import remove_clusters

MARK = "a world of Borgerbro"


def prepare(folder: Path, *, anew: bool) -> None:
    """Make the folder, mark it and hold it until this process ends; with `anew`, delete what an earlier run left.

    Raises `WorldBroken` for a folder with content that is not a world's, and for one that a running demo holds: nothing
    is then touched.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise WorldBroken(f"{folder} holds something that is not the demo's; name another with --folder")
    if folder.exists():
        _hold(folder)
    if anew and folder.exists():
        remove_clusters(folder)
        shutil.rmtree(folder)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    (folder / MARK).touch()
    _hold(folder)


_held: dict[tuple[int, int], int] = {}


def _hold(folder: Path) -> None:
    """Lock the folder itself; the lock ends with this process and those it started."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    place = os.fstat(handle)
    if (place.st_dev, place.st_ino) in _held:
        os.close(handle)
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise WorldBroken(f"a demo is running in {folder}; stop it, or name another folder with --folder") from None
    _held[place.st_dev, place.st_ino] = handle
