"""`python -m audit checkpointer`: what an operator types, and what it says by its exit code."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit import key_files, postgres
from audit.__main__ import main
from audit.note import SigningKey
from audit.witness import KnownLogs
from tests.neighbour import Neighbour
from tests.unit.audit.sealed import ORIGIN, new

KEY = SigningKey("log.example", b"k" * 32)
LOGS = KnownLogs.from_text(f"log {KEY.verify_key} log.example/*\n")


@pytest.fixture
def folder(tmp_path: Path, dsn: str) -> Path:
    """Lay out the files of a checkpointer; its policy says that nobody is asked."""
    key_files.write_new(tmp_path / "log.skey", [KEY])
    (tmp_path / "log.vkey").write_text(f"{KEY.verify_key}\n")
    (tmp_path / "policy").write_text("quorum none\n")
    (tmp_path / "database").write_text(dsn)
    return tmp_path


def command(folder: Path, *also: str) -> list[str]:
    """Write the command over a folder's files."""
    named = {"--key": "log.skey", "--known": "log.vkey", "--policy": "policy", "--state": "state"}
    words = [word for name, file in named.items() for word in (name, str(folder / file))]
    return ["checkpointer", "--database", f"@{folder / 'database'}", *words, *also]


async def once(folder: Path, *also: str) -> tuple[int, list[dict[str, Any]]]:
    """Go round once in a process of its own; give the exit code and what was told."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "audit", *command(folder, "--once", *also), stderr=subprocess.PIPE
    )
    _, said = await child.communicate()
    lines = [line for line in said.decode().splitlines() if line.startswith("{")]
    return child.returncode or 0, [json.loads(line) for line in lines]


async def test_its_exit_code_says_how_it_went(folder: Path, superuser: "asyncpg.Connection[Any]") -> None:
    """Published, without a quorum, not the log that was signed: each with its code, and told as a line of JSON."""
    await superuser.execute("DELETE FROM log.head WHERE origin <> $1", ORIGIN)
    await postgres.append(superuser, [new(number) for number in range(3)])
    async with Neighbour(folder / "w1", "w1", LOGS, now=lambda: 1_900_000_000) as late:
        (folder / "policy").write_text(late.line + "quorum w1\n")
        code, told = await once(folder, "--new-state")
        assert (code, {row["what"] for row in told}) == (3, {f"quorum of {ORIGIN}"}), told
    (folder / "policy").write_text("quorum none\n")
    assert await once(folder) == (0, [])
    shown = await postgres.published_checkpoint(superuser, 1)
    assert shown is not None
    assert shown.size >= 3
    await superuser.execute("UPDATE log.head SET root = sha256('x') WHERE origin = $1", ORIGIN)
    code, told = await once(folder)
    assert (code, told[0]["event"], told[0]["what"]) == (1, "wrong", f"log {ORIGIN}")


def test_what_cannot_be_used_is_said_before_anything_is_signed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No state file, a policy that nobody can meet, a witness's key for the log's: code 2 and one line."""
    assert main(command(folder, "--once")) == 2
    assert "--new-state" in capsys.readouterr().err
    witness = key_files.new_keys("witness.example/w1", witness=True)
    (folder / "policy").write_text(f"witness w1 {key_files.public_of(witness[0])}\nquorum w1\n")
    assert main(command(folder, "--once", "--new-state")) == 2
    assert "no quorum" in capsys.readouterr().err
    (folder / "policy").write_text("quorum none\n")
    (folder / "log.skey").unlink()
    key_files.write_new(folder / "log.skey", witness)
    assert main(command(folder, "--once", "--new-state")) == 2
    assert "not keys of a log" in capsys.readouterr().err
