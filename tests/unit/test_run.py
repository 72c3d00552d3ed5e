"""run.py and what it stands on: one clear line where it cannot go on, and no check that passes unseen."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import run
from tools import check, setup
from tools.check import Step
from tools.places import ROOT, CannotGoOn, fingerprint, is_stamped, set_stamp
from tools.progress import last_line, run_slow

UV_WITHOUT_NETWORK = """\
error: Request failed after 3 retries
  Caused by: error sending request for url (https://mirror.invalid/simple/aiofiles/)
  Caused by: dns error: failed to lookup address information: Temporary failure in name resolution
"""
PIP_WITHOUT_NETWORK = """\
WARNING: Retrying after connection broken by 'NewConnectionError(...: Failed to establish a new connection)'
ERROR: Could not find a version that satisfies the requirement uv==0.13.9
"""
WRONG_HASH = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("version_info", (3, 10, 13), "Borgerbro needs Python 3.11 or newer; this is Python 3.10.\n"),
        ("platform", "win32", "Borgerbro runs on Linux and macOS; this is win32. On Windows, use WSL 2.\n"),
    ],
)
def test_a_machine_that_cannot_is_told_in_one_line(
    name: str, value: object, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An old Python and an unsupported system get one clear line and exit code 2."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, name, value)
        code = run.main()
    assert (code, capsys.readouterr().out) == (2, line)


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), ([], 2)])
def test_help_names_every_command(arguments: list[str], code: int) -> None:
    """Help needs no set-up, and lists the commands."""
    # Without the standard library's `site`, no package that set-up installs is there.
    command = [sys.executable, "-S", ROOT / "run.py", *arguments]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == code
    assert all(f"  {command} " in told.stdout for command in ("demo", "test", "check", "fix"))


@pytest.mark.parametrize(
    ("output", "is_network"), [(UV_WITHOUT_NETWORK, True), (PIP_WITHOUT_NETWORK, True), (WRONG_HASH, False)]
)
def test_want_of_network_is_told_from_other_faults(output: str, is_network: bool) -> None:
    """What uv and pip print without a network is known as that; a wrong hash is not."""
    assert setup._is_network(output) is is_network


def test_a_step_that_fails_gives_its_reason() -> None:
    """A failed step of the set-up ends it with one line that holds the last words of the program."""
    with pytest.raises(CannotGoOn, match=r"^trying it failed: no luck$"):
        setup._must("Trying it", sys.executable, "-c", "import sys; print('no luck'); sys.exit(1)")


def test_a_stamp_holds_for_the_same_files_alone(tmp_path: Path) -> None:
    """A changed lock makes the stamp void, so that set-up runs again."""
    lock, stamp = tmp_path / "lock", tmp_path / "folder" / "stamp"
    lock.write_text("a==1")
    assert not is_stamped(stamp, fingerprint(lock))
    set_stamp(stamp, fingerprint(lock))
    assert is_stamped(stamp, fingerprint(lock))
    lock.write_text("a==2")
    assert not is_stamped(stamp, fingerprint(lock))


def test_slow_commands_say_that_they_are_at_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A long step prints lines while it runs, and keeps the program's own words for its end."""
    monkeypatch.setattr("tools.progress.SECONDS_BETWEEN_LINES", 0.1)
    told = run_slow("Waiting", [sys.executable, "-c", "import time; time.sleep(0.5); print('own words')"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Waiting …"
    assert any(line.endswith(" s") and line.startswith("Waiting … ") for line in lines)
    assert lines[-1].startswith("Waiting: done after ")
    assert last_line(told.stdout) == "own words"


FAILS = Step("fails", (sys.executable, "-c", "print('because'); raise SystemExit(1)"))
SPEAKS = Step("speaks", (sys.executable, "-c", "print('a difference')"), silent=True)
PASSES = Step("passes", (sys.executable, "-c", "print('all well')"))


def test_every_check_runs_and_one_failure_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """A failed check shows its output, does not stop the next, and makes the exit code 1."""
    assert check._run(iter([FAILS, SPEAKS, PASSES])) == 1
    told = capsys.readouterr().out
    assert [line[:14] for line in told.splitlines() if "(" in line] == [
        "FAILED  fails ",
        "FAILED  speaks",
        "ok      passes",
    ]
    assert "because" in told
    assert "all well" not in told
    assert check._run(iter([PASSES])) == 0


@pytest.mark.parametrize(("in_ci", "code", "word"), [(True, 1, "FAILED"), (False, 0, "skipped")])
def test_a_missing_tool_fails_in_ci_and_is_said_elsewhere(
    in_ci: bool,
    code: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A check whose tool is not there never passes silently."""
    monkeypatch.setattr(check, "IN_CI", in_ci)
    assert check._run(iter([Step("regal lint", missing="regal is not here")])) == code
    assert capsys.readouterr().out.startswith(f"{word} regal lint: regal is not here".replace("FAILED ", "FAILED  "))


def test_the_network_is_closed_to_tests() -> None:
    """A test that tries to leave this machine fails, by address and by name."""
    with socket.socket() as way_out, pytest.raises(RuntimeError, match="loopback only"):
        way_out.connect(("192.0.2.1", 80))
    with pytest.raises(RuntimeError, match="loopback only"):
        socket.getaddrinfo("example.invalid", 443)
