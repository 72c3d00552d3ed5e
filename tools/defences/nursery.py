"""Run the tests of many trials in children of one process, which has loaded the libraries once.

Reads one order a line from standard input (`{"tests": [...], "environment": {...}, "output": path, "seconds": n}`) and
answers each with pytest's exit code. Nothing of the project is loaded before a child is born, so that each child reads
the tree as it stands then.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

# What nearly every test loads. One that is missing is simply not kept warm.
LIBRARIES = (
    *("aiohttp.web", "alembic.command", "alembic.config", "asyncpg", "babel", "cryptography.x509", "fastapi"),
    *(
        "hypothesis.strategies",
        "jinja2",
        "jmespath",
        "joserfc.jwk",
        "joserfc.jwt",
        "jsonschema",
    ),
    *("orjson", "prometheus_client", "pydantic", "pydantic_settings", "pytest_asyncio", "regorus", "rfc8785"),
    *("ruamel.yaml", "sqlalchemy.ext.asyncio", "starlette.testclient", "structlog", "trustme", "typer", "uvicorn"),
)
NEVER_ENDED = -1
POLL_SECONDS = 0.02


def main() -> None:
    """Load the libraries, then carry out orders until there are no more."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(order)
        print(_waited_for(child, float(order["seconds"])), flush=True)


def _run(order: Mapping[str, Any]) -> NoReturn:
    """Be a test run: never comes back."""
    code = 1
    try:
        os.setsid()
        output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.update(order["environment"])
        tempfile.tempdir = None  # As the new environment says, not as it was found before.
        code = int(pytest.main(order["arguments"]))
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _waited_for(child: int, seconds: float) -> int:
    """Wait for a child's end and give its exit code; end it, and all it started, when it takes too long."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return NEVER_ENDED


if __name__ == "__main__":
    main()
