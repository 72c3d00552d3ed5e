"""What a process says of its own accord holds no word of what it was doing (P4)."""

import subprocess
import sys
from pathlib import Path

import pytest

CANARY = "qhzvkwmtxjrpbnlfgd"
BEGIN = f"""
import asyncio, gc, logging, threading, warnings
from broker.telemetry import set_up
set_up("debug")
said = "{CANARY}"
class Falls:
    def __del__(self):
        raise ValueError(said)
def fall():
    raise RuntimeError(said) from KeyError(said)
async def fall_alone():
    task = asyncio.ensure_future(asyncio.to_thread(fall))
    await asyncio.sleep(0.1)
    del task
    gc.collect()
"""
WAYS = {
    "uncaught": ("fall()", "RuntimeError"),
    "a thread": ("threading.Thread(target=fall).start()", "RuntimeError"),
    "a finaliser": ("Falls()", "ValueError"),
    "a task nobody waited for": ("asyncio.run(fall_alone())", "asyncio"),
    "a group": ("raise ExceptionGroup(said, [ValueError(said)])", "ExceptionGroup"),
    "a warning": ("warnings.warn(said)", "py.warnings"),
    "a library": ("logging.getLogger('lib').error('%s', said)", "lib"),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_error_s_words_are_never_written(way: str) -> None:
    """However an error ends, its kind is written down and none of its words."""
    act, kind = WAYS[way]
    command = [sys.executable, "-c", BEGIN + act]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)

    assert kind in ended.stderr
    assert CANARY not in ended.stderr + ended.stdout
    assert ended.returncode == (1 if way in {"uncaught", "a group"} else 0)
