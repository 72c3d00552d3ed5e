"""What a backup could give away or keep too long: `deploy/database/backup.sh`, run as it is, with a pg_dump of ours."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.house.source import ROOT

SCRIPT = ROOT / "deploy" / "database" / "backup.sh"
# Tells what it was given, writes half a dump, and ends as it is told to.
PG_DUMP = """#!/bin/sh
printf '%s\\n' "$@" >"$TOLD/arguments"
printf '%s' "${PGPASSWORD-}" >"$TOLD/password"
for word in "$@"; do case $word in --file=*) echo half >"${word#--file=}" ;; esac; done
exit "$ENDS"
"""
ADDRESS = "postgresql://postgres:hunter2@vault:5432/borgerbro_vault?sslmode=require"
DAY = 86_400


def run(folder: Path, *, address: str = ADDRESS, ends: int = 0) -> subprocess.CompletedProcess[str]:
    """Dump the vault into `folder`/vault, keeping it for 14 days."""
    (folder / "pg_dump").write_text(PG_DUMP)
    (folder / "pg_dump").chmod(0o700)
    (folder / "address").write_text(address + "\n")
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), "vault", str(folder / "vault"), "14"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "DATABASE_URL_FILE": str(folder / "address"), "TOLD": str(folder),
             "ENDS": str(ends)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def _left(folder: Path, name: str, days: float) -> None:
    (folder / "vault").mkdir(exist_ok=True)
    (folder / "vault" / name).write_text("keys")
    os.utime(folder / "vault" / name, (time.time() - days * DAY,) * 2)


def test_a_password_is_no_argument(tmp_path: Path) -> None:
    """Everybody on a machine sees what a program was started with; the password goes another way, all else stays."""
    assert run(tmp_path).returncode == 0

    told = (tmp_path / "arguments").read_text().splitlines()
    assert told[-1] == "postgresql://postgres@vault:5432/borgerbro_vault?sslmode=require"
    assert not [word for word in told if "hunter2" in word]
    assert (tmp_path / "password").read_text() == "hunter2"


@pytest.mark.parametrize("address", ["postgresql://vault:5432/v", "postgresql://postgres@vault:5432/v"])
def test_an_address_without_a_password_stays_as_it_is(tmp_path: Path, address: str) -> None:
    """A port is no password."""
    assert run(tmp_path, address=address).returncode == 0
    assert (tmp_path / "arguments").read_text().splitlines()[-1] == address
    assert (tmp_path / "password").read_text() == ""


def test_a_password_that_cannot_be_told_right_is_not_guessed(tmp_path: Path) -> None:
    """One that is written with % is refused, and not repeated."""
    told = run(tmp_path, address=ADDRESS.replace("hunter2", "hunter%402"))

    assert (told.returncode, (tmp_path / "arguments").exists()) == (2, False)
    assert "hunter" not in told.stdout + told.stderr


def test_half_a_dump_does_not_stay(tmp_path: Path) -> None:
    """A dump that fails leaves nothing, and what an earlier one left goes: keys would lie there for ever."""
    _left(tmp_path, "vault-20260101T000000Z.dump.new", 2)

    assert run(tmp_path, ends=1).returncode != 0
    assert list((tmp_path / "vault").iterdir()) == []


def test_what_is_due_goes_the_same_night(tmp_path: Path) -> None:
    """Runs are never exactly a day apart; whoever was told fourteen days was not told fifteen. Younger ones stay."""
    _left(tmp_path, "vault-due.dump", 14 - 60 / DAY)
    _left(tmp_path, "vault-young.dump", 13)

    assert run(tmp_path).returncode == 0
    names = {file.name for file in (tmp_path / "vault").iterdir()}
    assert "vault-due.dump" not in names
    assert len(names) == 2
    assert "vault-young.dump" in names
