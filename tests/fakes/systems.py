"""Start the invented department systems as real processes, and steer them over their control channels."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
RECORDS: dict[str, Any] = json.loads((ROOT / "tests/unit/demo/records_scenario1.json").read_text("utf-8"))
SECRETS = {"client_id": "client-a", "client_secret": "secret-b", "api_key": "key-c", "token": "token-d"}
READY_SECONDS = 30


class SystemProcess:
    """One system that runs: what its ready line said, and its control channel."""

    def __init__(self, process: subprocess.Popen[str], ready: list[str]) -> None:
        self.process = process
        self.address = ready[1]
        self._control = ready[ready.index("control") + 1]

    def control(self, path: str = "", body: Any = None) -> Any:
        """Ask the control channel, or tell it something."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._control}/control{path}", data)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def categories(self) -> list[str]:
        """List the category of each call that asked for one, in the order of arrival."""
        return [call["category"] for call in self.control("/calls") if call["category"]]


@contextmanager
def running(name: str, records: Any, *arguments: str) -> Iterator[SystemProcess]:
    """Run a system over these records, by the name of its module, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="borgerbro-system-") as folder:
        file = Path(folder) / "records.json"
        file.write_text(json.dumps(records), "utf-8")
        command = [sys.executable, "-m", f"demo.systems.{name}", "--control", "0", "--records", str(file), *arguments]
        environment = {**os.environ, **{f"SYSTEM_{one.upper()}": value for one, value in SECRETS.items()}}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield SystemProcess(process, _ready_line(process).split())
            finally:
                if process.stdin:
                    process.stdin.close()
                _ended(process)


def _ended(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def _ready_line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("the process has no pipes")
    readable, _, _ = select.select([process.stdout], [], [], READY_SECONDS)
    line = process.stdout.readline().strip() if readable else ""
    if not line:
        process.kill()
        raise RuntimeError(f"no ready line: {process.stderr.read()}")
    return line


def settings_for(name: str, address: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Give how a connector reaches a running system: settings and secrets."""
    oauth2 = {"token_url": f"{address}/oauth2/token"}
    match name:
        case "jobcentre":
            find = {"path": "/api/citizens/find", "body": {"cpr": "{cpr}"}, "id": "id"}
            return {"base_url": address, "auth": {"oauth2": oauth2, "api_key_header": "apikey"}, "find": find}, SECRETS
        case "school":
            return {"base_url": address, "auth": {"api_key_header": "X-Api-Noegle"}}, SECRETS
        case "family_centre":
            return {"base_url": f"{address}/odata", "auth": {"bearer": True}}, SECRETS
        case "health":
            body = {**oauth2, "client_authentication": "body"}
            return {"base_url": f"{address}/fhir", "auth": {"oauth2": body}}, SECRETS
    return {}, {"dsn": Path(address).read_text("utf-8")}


def reads_of(name: str) -> Any:
    """Read the shipped mapping of an invented system."""
    return YAML(typ="safe", pure=True).load((ROOT / f"demo/mappings/{name}.yaml").read_text("utf-8"))
