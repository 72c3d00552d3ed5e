"""Every system can be made silent, slow, wrong or waiting from outside, and leaves no orphan."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
KEY = {"X-Api-Key": "key-c"}
ASKED = {"personnummer": "7102740022"}


@pytest.fixture(scope="module")
def people(start: Any, records: Any) -> Any:
    """The CPR register over scenario 1."""
    return start("systems.people", records["people"])


@pytest.fixture(autouse=True)
def _as_at_the_start(people: Any) -> Any:
    yield
    people.control("/reset", {})


def test_an_error_status_is_answered(people: Any) -> None:
    """The wished status is answered to every call, with nothing about a person."""
    people.control("", {"error": 503})
    answer = people.call("/cpr/person", ASKED, KEY)
    assert (answer.status, answer.json) == (503, {"fejl": "intern fejl"})


def test_garbage_is_no_json(people: Any) -> None:
    """A system gone wrong answers 200 with bytes nobody can parse."""
    people.control("", {"garbage": True})
    answer = people.call("/cpr/person", ASKED, KEY)
    assert answer.status == 200
    with pytest.raises(ValueError, match=r"decode|utf"):
        json.loads(answer.raw)


def test_a_far_too_long_answer_has_the_wished_size(people: Any) -> None:
    """An oversized answer is as long as the engine says."""
    people.control("", {"oversize_bytes": 3_000_000})
    assert len(people.call("/cpr/person", ASKED, KEY).raw) == 3_000_000


def test_slow_takes_its_time(people: Any) -> None:
    """A slow system answers rightly, after the wished delay."""
    people.control("", {"mode": "slow", "delay_ms": 300})
    begun = time.monotonic()
    assert people.call("/cpr/person", ASKED, KEY).status == 200
    assert time.monotonic() - begun >= 0.3


def test_flapping_answers_every_second_call(people: Any) -> None:
    """A flapping system is ill and well by turns."""
    people.control("", {"mode": "flap"})
    assert [people.call("/cpr/person", ASKED, KEY).status for _ in range(4)] == [503, 200, 503, 200]


def test_dripping_tells_all_of_it_byte_by_byte(people: Any) -> None:
    """A dripping answer is the same answer, in as many pieces as it has bytes."""
    whole = people.call("/cpr/person", ASKED, KEY)
    people.control("", {"mode": "drip", "delay_ms": 1})
    begun = time.monotonic()
    dripped = people.call("/cpr/person", ASKED, KEY)
    assert (dripped.status, dripped.json) == (200, whole.json)
    assert time.monotonic() - begun >= 0.001 * len(whole.raw)


def test_the_most_calls_at_once_are_counted(people: Any) -> None:
    """However many were answered since the reset: how many were inside at the same moment."""
    people.control("/reset", {})
    for _ in range(3):
        people.call("/cpr/person", ASKED, KEY)
    assert people.control()["most_inside"] == 1


def test_silent_never_answers(people: Any) -> None:
    """A silent system takes the call and says nothing, until the caller gives up."""
    people.control("", {"mode": "silent"})
    with pytest.raises(TimeoutError):
        people.call("/cpr/person", ASKED, KEY, seconds=0.4)
    assert people.calls() == [("POST", "/cpr/person", None)]


def test_a_held_call_waits_until_it_is_released(people: Any, until: Any) -> None:
    """While held, a call is seen and waits; released, it is answered."""
    people.control("", {"hold": True})
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(people.call("/cpr/person", ASKED, KEY)))
    asking.start()
    assert until(lambda: people.control()["waiting"] == 1)
    assert answers == []

    people.control("", {"hold": False})
    asking.join(10)
    assert answers[0].status == 200
    assert people.control()["waiting"] == 0


@pytest.mark.parametrize("wish", [{"mode": "odd"}, {"speed": 1}, {"delay_ms": "1"}, {"hold": 1}, [], {"error": "500"}])
def test_a_wish_that_is_none_changes_nothing(people: Any, wish: Any) -> None:
    """An unknown field, value or type is refused and the mode stays."""
    assert people.refused_control("", wish).status == 400
    assert people.control()["mode"] == "normal"


@pytest.mark.parametrize("raw", [[], {"personer": {}}, {"persons": []}, {"personer": ["x"]}])
def test_records_of_another_shape_are_refused(people: Any, raw: Any) -> None:
    """Wrong records are refused whole, and the old ones stay."""
    assert people.refused_control("/records", raw).status == 400
    assert people.call("/cpr/person", ASKED, KEY).status == 200


def test_the_department_port_has_no_control(people: Any) -> None:
    """The control channel is not reachable through the department's own interface, nor the other way."""
    assert people.call("/control", {"mode": "silent"}, KEY).status == 404
    assert people.refused_control("/../cpr/person", ASKED).status == 404


def begin(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a system without waiting for it."""
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, **(env or {"SYSTEM_API_KEY": "k"})},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path, records: Any) -> str:
    """Records of the CPR register in a file."""
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records["people"]), "utf-8")
    return str(path)


def test_it_ends_when_its_input_closes(file: str) -> None:
    """Closing standard input ends the process cleanly."""
    with begin("-m", "demo.systems.people", "--records", file) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline().startswith("ready http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(10) == 0


def test_it_ends_with_its_parent(file: str, until: Any) -> None:
    """A system whose parent is killed ends too, though its input is held open by someone else."""
    script = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-m', 'demo.systems.people', '--records', sys.argv[1]])\n"
        "print(p.pid, flush=True); time.sleep(60)\n"
    )
    with begin("-c", script, file) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline().startswith("ready")
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        assert until(lambda: not running(pid))


def running(pid: int) -> bool:
    """Tell whether a process runs (a zombie nobody waits for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (("--records", "none.json"), {"SYSTEM_API_KEY": "k"}, "none.json: No such file or directory"),
        (("--records", "pyproject.toml"), {"SYSTEM_API_KEY": "k"}, "pyproject.toml: not JSON"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(arguments: tuple[str, ...], env: Any, said: str) -> None:
    """Unusable records end the start with exit code 2 and one clear line."""
    with begin("-m", "demo.systems.people", *arguments, env=env) as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (2, "", said)


def test_a_missing_secret_is_named(file: str) -> None:
    """Without its key the system does not start, and says which setting is missing."""
    with begin("-m", "demo.systems.people", "--records", file, env={"SYSTEM_API_KEY": ""}) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "SYSTEM_API_KEY" in err
