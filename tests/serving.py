"""A real HTTP server on loopback for the length of a test, and a way to run a peer program against it."""

import asyncio
import contextlib
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from broker.settings import Settings
from broker.web.server import configured

NODE = Path(__file__).parent / "peers" / "node"


@contextlib.asynccontextmanager
async def serving(make: Callable[[str], ASGIApp]) -> AsyncIterator[str]:
    """Serve the application that `make` builds for its own address, and give that address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(make(address), log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            yield address
        finally:
            server.should_exit = True
            await task


@contextlib.asynccontextmanager
async def as_a_node(app: FastAPI) -> AsyncIterator[int]:
    """Serve an application on loopback just as a node does (`broker.node`), and give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        limits = {name: Settings.model_fields[name].default for name in ("request_seconds", "most_head_bytes")}
        server = uvicorn.Server(configured(app, **limits))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


def node_or_skip() -> str:
    """Give the path of node, or skip the test when it or its packages are missing."""
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules").is_dir():
        pytest.skip("node or its packages are not installed (npm ci in tests/peers/node)")
    return node


async def node(script: str, told: dict[str, Any]) -> Any:
    """Run a peer script with one JSON value on its standard input, and give the JSON it prints."""
    process = await asyncio.create_subprocess_exec(
        node_or_skip(), "--no-warnings", str(NODE / script), cwd=NODE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(json.dumps(told).encode()), 60)
    assert process.returncode == 0, err.decode()
    return json.loads(out)
