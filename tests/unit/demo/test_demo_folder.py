"""The demo's folder: whose it is, and who holds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from demo.tour.folder import MARK, prepare
from demo.world.children import WorldBroken
from tests.builders import ROOT

HOLD = (
    "from pathlib import Path; import sys; from demo.tour.folder import prepare; prepare(Path(sys.argv[1]), anew=False)"
)


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    """A second demo on the same folder is told so, with --reset too, and what the first one has stays."""
    folder = tmp_path / "demo"
    running = subprocess.Popen(
        [sys.executable, "-c", f"{HOLD}; print('held', flush=True); sys.stdin.read()", str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "held\n"
        for anew in (False, True):
            with pytest.raises(WorldBroken, match="a demo is running"):
                prepare(folder, anew=anew)
        assert (folder / MARK).exists()
    finally:
        running.communicate()
    prepare(folder, anew=True)


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """With --reset too, nothing of a foreign folder is deleted."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WorldBroken, match="not the demo's"):
        prepare(tmp_path, anew=True)

    assert (tmp_path / "mine.txt").read_text() == "mine"
