"""A passing folder goes with whoever made it, also where that one is told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo.world.passing import passing_folder

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio, signal, sys
from demo.world.passing import passing_folder

signal.signal(signal.SIGINT, {hears})
with passing_folder("test") as folder:
    (folder / "systems" / "one").mkdir(parents=True)

    async def stay():
        try:
            print("here", flush=True)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            print("tidied", flush=True)

    asyncio.run(stay())
"""


@pytest.mark.parametrize("hears", ["signal.default_int_handler", "signal.SIG_IGN"])
def test_who_is_told_to_end_leaves_nothing(hears: str, tmp_path: Path) -> None:
    """SIGTERM ends the loop as Ctrl-C does, each block in it tidies up, and the folder is gone; so too from behind."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(hears=hears)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        assert [path.name.startswith("borgerbro-test-") for path in tmp_path.iterdir()] == [True]
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "tidied\n"
        process.wait(60)

    assert process.returncode != 0
    assert [*tmp_path.iterdir()] == []


def test_the_signal_is_handed_back() -> None:
    """After the folder is gone, SIGTERM means what it meant."""
    before = signal.getsignal(signal.SIGTERM)
    with passing_folder("test") as folder:
        assert folder.is_dir()
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert not folder.exists()
