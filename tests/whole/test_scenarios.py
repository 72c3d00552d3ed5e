"""The whole of it: every shipped scenario, a wrong one, and the live demo with its tour, as real processes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCENARIOS = [*sorted((ROOT / "scenarios").rglob("*.yaml")), Path(__file__).with_name("every_verb.yaml")]
SECONDS = 600  # Dozens of cases, each with databases of its own.
# Expectations that the broker does not meet, and what must be said of each.
WRONG = f"""
extends: {ROOT}/scenarios/s1-annette.yaml
title: Forventninger, der ikke holder
steps:
  - ask: {{by: lene, citizen: annette, purpose: helhedsorienteret_plan, case: JC-2019-0417, sources: [korsbaek-social],
          categories: [S01, S03], view: false}}
    expect:
      verdicts:
        - {{source: korsbaek-social, category: S03, verdict: release, basis: c1}}
        - {{source: korsbaek-social, category: S01, verdict: release, basis: c1}}
      items: [S1, S4]
      counts: {{shared: 2}}
      log: []
  - withdraw: {{consent: nobody}}
"""
SAID = [
    "step 1, verdicts: korsbaek-social/S03: expected release c1, got withhold OUT_OF_SCOPE_CATEGORY",
    "step 1, items: missing S4",
    "step 1, items, shared: expected 2, got 1",
    "step 1, log of korsbaek, entries: expected none, got ask annette, outcome annette",
    "step 2, withdraw: it could not be done: no consent here is called nobody",
]


def test_every_scenario_holds_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    """Each expectation of the shipped files holds; each unmet one is named; the output keeps to its schema."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(WRONG, "utf-8")
    command = [sys.executable, "-m", "broker", "scenario", "--json", *map(str, SCENARIOS), str(wrong)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    output: dict[str, Any] = json.loads(told.stdout)

    Draft202012Validator(json.loads((ROOT / "scenarios/output.schema.json").read_text("utf-8"))).validate(output)
    played = {
        one["file"]: [line for step in one["steps"] for line in step["differences"]] for one in output["scenarios"]
    }
    assert played.pop(str(wrong)) == SAID
    assert {Path(file).name: lines for file, lines in played.items() if lines} == {}
    assert (len(played), output["not_played"]) == (len(SCENARIOS), [])
    assert (output["failed"], told.returncode) == (len(SAID), 1)


def test_a_file_that_is_no_scenario_is_one_clear_line(tmp_path: Path) -> None:
    """What cannot be played is said before anything is started."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 1\ntitle: Nej\nclock: i går\npeople: {}\nsteps: []\n", "utf-8")
    command = [sys.executable, "-m", "broker", "scenario", str(broken)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert (told.returncode, told.stdout) == (2, "")
    assert "$.clock" in told.stderr
    assert "Traceback" not in told.stderr


class Demo:
    """A live demo: its process, and what it has printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def until(self, words: str) -> str:
        """Read on until a line holds these words, and give it."""
        assert self.process.stdout is not None
        # A demo that hangs is ended, and the reading with it.
        watch = threading.Timer(SECONDS, self.process.kill)
        watch.start()
        try:
            for line in iter(self.process.stdout.readline, ""):
                self.lines.append(line)
                if words in line:
                    return line
        finally:
            watch.cancel()
        raise AssertionError("".join(self.lines[-30:]))

    def family(self) -> set[int]:
        """Give every process that came of it, as far as the system tells."""
        parents: dict[int, int] = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(status.parent.name)] = int(fields[1])
        found = {self.process.pid}
        while more := {child for child, parent in parents.items() if parent in found} - found:
            found |= more
        return found


@contextmanager
def a_demo(folder: Path, *options: str) -> Iterator[Demo]:
    """Run the live demo until the block ends."""
    command = [sys.executable, "-m", "broker", "demo", "--folder", str(folder), "--port", "0", *options]
    # Tests that a shell runs in the background ignore Ctrl-C, and what they start would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Demo(process)
        finally:
            process.kill()


def all_gone(processes: set[int], seconds: float = 20) -> bool:
    """Wait until none of these processes is there any more; a zombie is none."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(_lives(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the process tree from /proc")
def test_the_demo_gives_its_tour_and_leaves_nothing_running(tmp_path: Path) -> None:
    """The tour tells what it promises; the pages answer; Ctrl-C, and even a kill, leave no process; state stays.

    And the tour goes again over what the last one left.
    """
    with a_demo(tmp_path / "demo", "--tour") as demo:
        address = demo.until("the broker ").split()[-1]
        demo.until("Ctrl-C ends the demo")
        told = "".join(demo.lines)
        with urllib.request.urlopen(f"{address}/health/ready", timeout=10) as answer:
            assert answer.status == 200
        family = demo.family()
        os.kill(demo.process.pid, signal.SIGINT)
        assert demo.process.wait(30) == 130
        assert all_gone(family)
    for words in ("a yes to these would open it", "O3: ", "three or more 60", "CONSENT_REVOKED", "NOT INTACT"):
        assert words in told
    for words in ("slidgigt", "Viktor Holm"):
        assert words not in told.partition("1. An ask")[2]
    assert told.rfind("intact, ") > told.rfind("NOT INTACT")

    with a_demo(tmp_path / "demo", "--tour") as again:
        again.until("That was the tour")
        family = again.family()
        again.process.kill()
        again.process.wait(30)
        assert all_gone(family)


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    """A port that somebody else has is said so, with what to do, and nothing stays behind."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with a_demo(tmp_path / "demo", "--port", str(port)) as demo:
            demo.until(f"port {port} is taken: choose another with --port")
            assert demo.process.wait(30) == 2


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    """Nothing is deleted or written in a folder with somebody's files, not even with --reset."""
    (tmp_path / "mine.txt").write_text("mit", "utf-8")
    with a_demo(tmp_path, "--reset") as demo:
        demo.until("holds something that is not the demo's")
        assert demo.process.wait(30) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
