"""Try defences: copies of the tree, the tests in them, and what is to be made of how they ended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from tempfile import mkdtemp
from typing import Any, Self, TypeVar

from tools.defences.table import Defence
from tools.defences.witness import FILE, plain
from tools.places import PYTHON, ROOT, environment

T = TypeVar("T")

BITTEN, SURVIVED, BROKEN = "bitten", "SURVIVED", "BROKEN"
LONGEST_SECONDS = 120
# Which errors are a promise broken, said by the test itself: any other may as well be a fault in the edit.
SAID = frozenset({"AssertionError", "Failed", "TimeoutError"})
_LINKED = (".venv", ".tools", "tests/peers/node/node_modules")
_PASSABLE = 0o711
_WARM = "ignore::pytest.PytestAssertRewriteWarning"  # Plugins are loaded before pytest looks for them.


class NotGreen(RuntimeError):
    """Without any edit a named test fails or does not run: nothing can be shown by it. The message names them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial went: `bitten`, `SURVIVED` (with the tests that did not fail) or `BROKEN` (with why)."""

    defence: Defence
    verdict: str
    seconds: float
    notes: tuple[str, ...] = ()


class Copy:
    """A copy of the working tree, and the process that runs tests in it."""

    def __init__(self, place: Path, files: Sequence[str]) -> None:
        self.tree = _copied(place, files)
        self._nursery = subprocess.Popen(
            [PYTHON, "-m", "tools.defences.nursery"],
            cwd=self.tree,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, tests: Sequence[str]) -> tuple[list[dict[str, Any]], str]:
        """Run tests; give what the witness saw, and the output."""
        place = Path(mkdtemp(prefix="run-", dir=self.tree.parent))
        place.chmod(_PASSABLE)
        seen, output = place / "seen.json", place / "output"
        arguments = [
            "-q",
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
            "-p",
            "no:cacheprovider",
            "-p",
            "tools.defences.witness",
            "--hypothesis-seed=0",
        ]
        order = {
            "arguments": [*arguments, "--tb=short", f"--basetemp={place / 'tests'}", *tests],
            "environment": {
                FILE: str(seen),
                "HYPOTHESIS_STORAGE_DIRECTORY": str(place / "hypothesis"),
                "TMPDIR": str(place),
            },
            "output": str(output),
            "seconds": LONGEST_SECONDS,
        }
        self._say(order)
        rows = json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else []
        told = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        shutil.rmtree(place, ignore_errors=True)
        return rows, told

    def _say(self, order: dict[str, Any]) -> None:
        """Give an order and wait until it is carried out."""
        if self._nursery.stdin is None or self._nursery.stdout is None:
            raise RuntimeError("the nursery has no ears")
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        if not self._nursery.stdout.readline():
            raise RuntimeError("the nursery is gone")

    def close(self) -> None:
        """End the process."""
        self._nursery.terminate()
        self._nursery.wait()


class Copies:
    """Some copies of the working tree, lent out one at a time; removed at the end."""

    def __init__(self, count: int) -> None:
        self._home = Path(mkdtemp(prefix="borgerbro-defences-"))
        self._home.chmod(_PASSABLE)  # PostgreSQL runs as somebody else where the tests run as root.
        files = _files()
        self.all = [Copy(self._home / str(number), files) for number in range(count)]
        self._free: SimpleQueue[Copy] = SimpleQueue()
        for copy in self.all:
            self._free.put(copy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for copy in self.all:
            copy.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def with_one(self, work: Callable[[Copy], T]) -> T:
        """Do some work in a copy that nobody else uses meanwhile."""
        copy = self._free.get()
        try:
            return work(copy)
        finally:
            self._free.put(copy)


def must_be_green(copies: Copies, defences: Sequence[Defence]) -> None:
    """Run every named test without any edit. Raises `NotGreen`."""
    tests = sorted({test for defence in defences for test in defence.tests})
    count = len(copies.all)
    cuts = [len(tests) * number // count for number in range(count + 1)]
    parts = [tests[low:high] for low, high in pairwise(cuts) if low < high]
    with ThreadPoolExecutor(count) as together:
        runs = list(together.map(lambda part: copies.with_one(lambda copy: copy.run(part)), parts))
    seen = [row for rows, _ in runs for row in rows]
    failed = {plain(row["test"]) for row in seen if row["errors"]}
    passed = {plain(row["test"]) for row in seen} - failed
    if wrong := [test for test in tests if not _is_among(test, passed)]:
        output = "\n".join(output[-3000:] for _, output in runs)
        raise NotGreen(f"without any edit these fail or do not run: {', '.join(wrong)}\n{output}")


def try_all(
    copies: Copies, defences: Iterable[Defence], tell: Callable[[Outcome], None], at_once: int
) -> list[Outcome]:
    """Try defences, some at once, telling of each as it ends; give them in their own order."""

    def one(defence: Defence) -> Outcome:
        outcome = copies.with_one(lambda copy: _try(copy, defence))
        tell(outcome)
        return outcome

    with ThreadPoolExecutor(at_once) as together:
        return list(together.map(one, defences))


def _try(copy: Copy, defence: Defence) -> Outcome:
    began = time.monotonic()
    before = {file: (copy.tree / file).read_text(encoding="utf-8") for file in defence.files}
    try:
        for file, text in defence.edited(copy.tree).items():
            (copy.tree / file).write_text(text, encoding="utf-8")
        seen, output = copy.run(defence.tests)
    finally:
        for file, text in before.items():
            (copy.tree / file).write_text(text, encoding="utf-8")
    verdict, notes = judge(defence, seen, output)
    return Outcome(defence, verdict, time.monotonic() - began, notes)


def judge(defence: Defence, seen: Sequence[dict[str, Any]], output: str) -> tuple[str, tuple[str, ...]]:
    """Say what the ends of the tests mean: each named one must have failed, and have said so itself."""
    said = SAID | set(defence.raises)
    failures = [row for row in seen if row["errors"]]
    failed = {plain(row["test"]) for row in failures if row["stage"] == "call" and said & set(row["errors"])}
    if odd := [row for row in failures if plain(row["test"]) not in failed]:
        why = tuple(f"{row['test']} ended in {row['stage']} by {', '.join(row['errors'])}" for row in odd)
        return BROKEN, (*why, output[-1500:])
    if survivors := tuple(test for test in defence.tests if not _is_among(test, failed)):
        ran = {plain(row["test"]) for row in seen}
        if not all(_is_among(test, ran) for test in survivors):
            return BROKEN, ("a named test did not run", output[-1500:])
        return SURVIVED, survivors
    return BITTEN, ()


def _is_among(test: str, names: set[str]) -> bool:
    return plain(test) in names


def _files() -> list[str]:
    """Name every file of the working tree that git knows or would take."""
    listing = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({name for name in told.split("\0") if name and (ROOT / name).is_file()})


def _copied(to: Path, files: Sequence[str]) -> Path:
    for name in files:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name)
    for name in _LINKED:
        if (ROOT / name).exists():
            (to / name).symlink_to((ROOT / name).resolve())
    # Compiled once, and held against the source by its hash: an edit and its undoing within a second look alike.
    compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
    subprocess.run([*compiling, "."], cwd=to, env=dict(os.environ), capture_output=True, check=False)
    return to
