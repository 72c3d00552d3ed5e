"""`python -m audit witness` and `keys`: what an operator in another municipality types."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from audit import key_files
from audit.__main__ import main
from audit.cosignature import CosignerKey, has_ml_dsa
from audit.note import VerifyKey
from tests.witness_table import KEY, submission


def run(*arguments: str | Path) -> int:
    """Run one command in this process."""
    return main([str(argument) for argument in arguments])


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Give what was printed since the last look, line by line."""
    return capsys.readouterr().out.splitlines()


def test_keys_are_drawn_shown_rotated_and_retired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log's key: the new one signs beside the old, then alone; the file is never replaced by `new`, and private."""
    file = tmp_path / "log.skey"
    assert run("keys", "new", file, "--name", "log.example") == 0
    (first,) = told(capsys)
    assert VerifyKey.from_text(first).name == "log.example"
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("keys", "new", file, "--name", "log.example") == 2
    assert run("keys", "rotate", file) == 0
    (second,) = told(capsys)
    assert run("keys", "show", file) == 0
    assert told(capsys) == [second, first]
    assert [str(key.verify_key) for key in key_files.read_signing(file)] == [second, first]
    assert run("keys", "retire", file) == 0
    assert run("keys", "show", file) == 0
    assert told(capsys) == [second, second]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_witness_s_keys_are_of_its_own_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ed25519, and ML-DSA-44 beside it where the library has it; a log's keys are not a witness's, nor the reverse."""
    wanted = ["--ml-dsa"] if has_ml_dsa() else []
    assert run("keys", "new", tmp_path / "w.skey", "--name", "witness.example/w1", "--witness", *wanted) == 0
    kinds = [CosignerKey.from_text(line).kind for line in told(capsys)]
    assert kinds == ([4, 6] if wanted else [4])
    assert run("keys", "rotate", tmp_path / "w.skey") == 2
    assert run("keys", "new", tmp_path / "log.skey", "--name", "log.example", "--ml-dsa") == 2
    assert run("keys", "new", tmp_path / "bad.skey", "--name", "no spaces") == 2
    assert not (tmp_path / "bad.skey").exists()


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said in one line that repeats nothing of it; so is one that is empty or holds something else."""
    file = tmp_path / "w.skey"
    run("keys", "new", file, "--name", "witness.example/w1", "--witness")
    secret = file.read_text()
    file.chmod(0o640)
    assert run("keys", "show", file) == 2
    for content in ("", "# nothing\n", secret[:-5]):
        file.write_text(content)
        file.chmod(0o600)
        assert run("keys", "show", file) == 2
    said = capsys.readouterr().err
    assert "only its owner may read" in said
    assert secret.strip()[-20:] not in said


@contextmanager
def process(folder: Path, *also: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run a witness as its own process over a folder's files, and give where it listens."""
    command = [sys.executable, "-m", "audit", "witness", "--key", folder / "w.skey", "--logs", folder / "logs"]
    command += ["--state", folder / "state", "--listen", "127.0.0.1:0", *also]
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield child, child.stdout.readline().removeprefix("ready ").strip()
    finally:
        child.kill()
        child.communicate()


async def post(address: str, body: bytes) -> tuple[int, str]:
    """Submit one checkpoint."""
    async with aiohttp.ClientSession() as http, http.post(f"{address}/add-checkpoint", data=body) as answer:
        return answer.status, await answer.text()


def test_a_witness_that_is_killed_remembers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Started, asked, killed, started again: the head it cosigned still stands; without its state it does not start."""
    run("keys", "new", tmp_path / "w.skey", "--name", "witness.example/w1", "--witness")
    (tmp_path / "logs").write_text(f"log {KEY.verify_key}\n")
    with process(tmp_path) as (child, address):
        assert address == ""
        assert child.wait(20) == 2
        assert "--new-state" in child.communicate()[1]
    with process(tmp_path, "--new-state", "--prefix", "/w1") as (child, address):
        assert address.endswith("/w1")
        status, line = asyncio.run(post(address, submission(0, 3)))
        assert (status, line[0]) == (200, "—")
        child.send_signal(signal.SIGKILL)
        child.wait(20)
    with process(tmp_path) as (child, address):
        assert asyncio.run(post(address, submission(0, 9))) == (409, "3\n")
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


@pytest.mark.parametrize("listen", ["7380", "127.0.0.1:x", "127.0.0.1:70000"])
def test_an_address_that_is_none_is_said(tmp_path: Path, listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is opened."""
    run("keys", "new", tmp_path / "w.skey", "--name", "witness.example/w1", "--witness")
    (tmp_path / "logs").write_text("")
    words = ("--key", tmp_path / "w.skey", "--logs", tmp_path / "logs", "--state", tmp_path / "state")
    assert run("witness", *words, "--listen", listen) == 2
    assert "HOST:PORT" in capsys.readouterr().err
