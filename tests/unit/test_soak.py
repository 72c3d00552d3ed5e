"""`run.py soak`: it tries, tells what it counted, and ends with 1 where a promise was broken."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.soak import __main__ as soak
from tools.places import ROOT, environment


def test_a_short_soak_tells_what_it_counted() -> None:
    """The honest trial, once round: entries are counted, nothing broke, and the exit code says so."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--only", "honest", "--minutes", "0.001", "--json"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    (row,) = json.loads(told.stdout)["trials"]
    assert (row["trial"], row["broke"]) == ("honest", None)
    assert row["counted"]["entries"] > 0


def test_a_broken_promise_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What broke stands in the table, the other trials go on, and the exit code is 1."""

    def breaks(_: Path, __: int, ___: Callable[[int], bool]) -> Counter[str]:
        raise AssertionError("an entry that was acknowledged is lost")

    def holds(_: Path, __: int, ___: Callable[[int], bool]) -> Counter[str]:
        return Counter(tries=7)

    monkeypatch.setattr(soak, "TRIALS", {"one": ("breaks", breaks), "other": ("holds", holds)})
    monkeypatch.setattr(sys, "argv", ["soak", "--minutes", "0"])

    assert soak.main() == 1
    told = capsys.readouterr().out
    assert "acknowledged is lost" in told
    assert "tries" in told
