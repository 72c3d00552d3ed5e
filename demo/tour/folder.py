"""The demo's folder: marked as a world's, and deleted only then."""

from __future__ import annotations

import shutil
from pathlib import Path

from demo.world.children import WorldBroken
from demo.world.databases import remove_clusters

MARK = "a world of Borgerbro"


def prepare(folder: Path, *, anew: bool) -> None:
    """Make the folder and mark it; with `anew`, delete what an earlier run left in it.

    Raises `WorldBroken` for a folder with content that is not a world's: nothing is then touched.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise WorldBroken(f"{folder} holds something that is not the demo's; name another with --folder")
    if anew and folder.exists():
        remove_clusters(folder)
        shutil.rmtree(folder)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    (folder / MARK).touch()
