"""The composition root: what keeps production shut, and what a crash may leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from broker.engine import refuse_unverified
from broker.policy_tables import PolicyFaults
from broker.settings import read
from tests.builders import ROOT, a_registry
from tests.unit.test_settings import GOOD

TABLES = "categories/*,purposes/*,reasons/*,settings/*,consent_bases/*"


def test_production_refuses_law_that_nobody_verified(tmp_path: Path) -> None:
    """Each unverified row is named, and nothing is served until it is verified or named (design 6b r)."""
    with pytest.raises(PolicyFaults) as caught:
        refuse_unverified(a_registry(tmp_path), read(GOOD | {"BROKER_UNVERIFIED_LAW": TABLES}))

    assert caught.value.faults
    assert all(fault.startswith("statutes/") for fault in caught.value.faults)


def test_unverified_law_can_be_named_on_purpose(tmp_path: Path) -> None:
    """A municipality may take the responsibility, table by table or row by row."""
    refuse_unverified(a_registry(tmp_path), read(GOOD | {"BROKER_UNVERIFIED_LAW": f"{TABLES},statutes/*"}))


def test_a_node_that_cannot_open_says_why_in_a_line_each(tmp_path: Path) -> None:
    """`broker serve` with a missing registry ends with 1 and one clear line: no traceback, no path."""
    environ = GOOD | {"BROKER_REGISTRY": str(tmp_path / "none.yaml"), "BROKER_PORT": "0", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "broker", "serve"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.strip() == "none.yaml: cannot be read (FileNotFoundError); look at its name and its rights"


def test_a_taken_port_is_one_clear_line() -> None:
    """Whoever has the port keeps it; we say so."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        environ = GOOD | {"BROKER_PORT": str(taken.getsockname()[1]), "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [sys.executable, "-m", "broker", "serve"],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert "cannot be taken" in done.stderr
    assert done.stderr.count("\n") == 1
