"""Start the invented department systems for real, each as its own process, and talk to them over HTTP."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
RECORDS: dict[str, Any] = json.loads((Path(__file__).parent / "records_scenario1.json").read_text("utf-8"))
SECRETS = {
    "SYSTEM_CLIENT_ID": "client-a",
    "SYSTEM_CLIENT_SECRET": "secret-b",
    "SYSTEM_API_KEY": "key-c",
    "SYSTEM_TOKEN": "token-d",
}
READY_SECONDS = 20


@dataclass
class Answer:
    """One HTTP answer: status, raw body, and the body read as JSON."""

    status: int
    raw: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


def call(url: str, body: Any = None, headers: dict[str, str] | None = None, seconds: float = 10) -> Answer:
    """Send one request: POST with a body (objects as JSON, texts as they are), else GET."""
    sent = dict(headers or {})
    data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
    if data is not None:
        sent.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data, sent)  # Loopback addresses of our own processes.
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return Answer(answer.status, answer.read(), dict(answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), dict(error.headers))


@dataclass
class Running:
    """One system process: its addresses, and a way to send requests to it."""

    process: subprocess.Popen[str]
    ready: list[str]

    @property
    def url(self) -> str:
        return self.ready[1]

    def call(self, path: str, body: Any = None, headers: dict[str, str] | None = None, seconds: float = 10) -> Answer:
        return call(self.url + path, body, headers, seconds)

    def control(self, path: str = "", body: Any = None) -> Any:
        answer = call(self.ready[self.ready.index("control") + 1] + "/control" + path, body)
        assert answer.status == 200, answer.raw
        return answer.json

    def refused_control(self, path: str, body: Any) -> Answer:
        return call(self.ready[self.ready.index("control") + 1] + "/control" + path, body)

    def calls(self) -> list[tuple[str, str, str | None]]:
        return [(seen["method"], seen["path"], seen["category"]) for seen in self.control("/calls")]


def first_line(process: subprocess.Popen[str], seconds: float = READY_SECONDS) -> str:
    """Read the ready line, or fail with what the process said instead."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], seconds)
    line = process.stdout.readline().strip() if readable else ""
    if not line:
        process.kill()
        assert process.stderr is not None
        pytest.fail(f"no ready line: {process.stderr.read()}")
    return line


def stop(process: subprocess.Popen[str]) -> None:
    """End a process by closing its standard input, and see that it ends."""
    with process:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


Start = Callable[..., Running]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start any system by module name; all are ended after the module's tests."""
    processes: list[subprocess.Popen[str]] = []

    def begin(name: str, records: Any, *arguments: str, option: str = "--records") -> Running:
        file = tmp_path_factory.mktemp("records") / "records.json"
        file.write_text(json.dumps(records), "utf-8")
        command = [sys.executable, "-m", f"demo.{name}", "--control", "0", option, str(file), *arguments]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **SECRETS},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return Running(process, first_line(process).split())

    yield begin
    for process in processes:
        stop(process)


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> bool:
    """Look again until it holds or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def records() -> dict[str, Any]:
    """The raw records of scenario 1, by system."""
    return RECORDS


@pytest.fixture(scope="session")
def until() -> Callable[..., bool]:
    """Wait for something to come true."""
    return wait_until
