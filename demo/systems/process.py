"""One system as one process: its arguments, its two loopback ports, its ready line, and its end.

It ends when its standard input closes, when its parent is gone, or at SIGTERM: no orphan stays behind.
Nothing is logged of a request; of an unexpected fault only its kind and place.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import select
import socket
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.systems.control import Control, Handler, control_routes
from demo.systems.records import Records, RecordsUnusableError, read_json

HOST = "127.0.0.1"
PARENT_LOOK_SECONDS = 1.0
SECRETS = ("client_id", "client_secret", "api_key", "token")


@dataclass(frozen=True, slots=True)
class Started:
    """What a system is built over: its records, its control, the secrets it checks, and its own address."""

    records: Records
    control: Control
    secrets: dict[str, str]
    address: str
    page_size: int

    def secret(self, name: str) -> str:
        """Give one secret. Raises `RecordsUnusableError` naming it if nobody set it."""
        value = self.secrets.get(name)
        if not value:
            raise RecordsUnusableError(f"set SYSTEM_{name.upper()} or `adgang.{name}` in the records file")
        return value


def system_arguments(description: str) -> argparse.ArgumentParser:
    """Give the parser of the arguments that every system has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default=HOST, help="address to listen on; another than loopback in containers only")
    parser.add_argument("--port", type=int, default=0, help="port; 0 chooses one")
    parser.add_argument("--control", type=int, metavar="PORT", help="loopback port of the test-only control channel")
    parser.add_argument("--records", type=Path, required=True, metavar="FILE.json", help="the system's records")
    parser.add_argument("--page-size", type=int, default=50, help="records a page")
    return parser


def run_system(description: str, lists: Sequence[str], build: Callable[[Started], Sequence[Route]]) -> None:
    """Run a system whose records are lists in memory, until it is told to end. Exits 2 on unusable records."""
    arguments = system_arguments(description).parse_args()
    api, control_socket = bound(arguments.port, arguments.host), optional_socket(arguments.control)
    try:
        records = Records(read_json(arguments.records), lists)
        secrets = secrets_from(records.access)
        started = Started(records, Control(), secrets, address_of(api), arguments.page_size)
        routes = build(started)
    except RecordsUnusableError as error:
        sys.exit(fault(str(error)))

    async def put(raw: Any) -> None:
        records.replace(raw)

    async def put_back() -> None:
        records.reset()

    control = application(control_routes(started.control, put, put_back))
    apps = {api: application(routes, started.control)} | ({control_socket: control} if control_socket else {})
    asyncio.run(serve(apps, f"ready {address_of(api)}", control_socket))


def secrets_from(access: dict[str, str]) -> dict[str, str]:
    """Give the secrets of the environment (`SYSTEM_API_KEY` …), else those of the records file."""
    environment = {name: os.environ.get(f"SYSTEM_{name.upper()}", "") for name in SECRETS}
    return access | {name: value for name, value in environment.items() if value}


def application(routes: Sequence[Route], control: Control | None = None) -> Starlette:
    """Make an application that answers unknown paths and faults without repeating anything of the request."""
    every = list(routes)
    if control:
        every.append(Route("/{rest:path}", control.gate("(unknown)", _unknown), methods=["GET", "POST"]))
    return Starlette(routes=every, exception_handlers={Exception: _fault_answer})


async def serve(apps: Mapping[socket.socket, ASGIApp], ready: str, control: socket.socket | None) -> None:
    """Serve every port in one event loop until told to end; print `ready`, and the control port's address."""
    by_port = {listener.getsockname()[1]: app for listener, app in apps.items()}
    line = ready if control is None else f"{ready} control {address_of(control)}"

    async def by_its_port(scope: Scope, receive: Receive, send: Send) -> None:
        await by_port[scope["server"][1]](scope, receive, send)

    config = uvicorn.Config(
        by_its_port, loop="asyncio", http="httptools", ws="none", lifespan="off", log_config=None, log_level="critical",
        access_log=False, server_header=False, timeout_graceful_shutdown=1, proxy_headers=False,
    )  # fmt: skip
    server = _Announced(config, line)
    ending = asyncio.create_task(_end(server))
    await server.serve(sockets=list(apps))
    ending.cancel()


async def until_orphaned() -> None:
    """Wait until standard input closes or the parent process is another than at the start."""
    loop, parent, orphaned = asyncio.get_running_loop(), os.getppid(), asyncio.Event()

    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.getppid() == parent:
                readable, _, _ = select.select([0], [], [], PARENT_LOOK_SECONDS)
                if readable and not os.read(0, 4096):
                    break
        with contextlib.suppress(RuntimeError):  # The loop is closed already: the process is ending anyway.
            loop.call_soon_threadsafe(orphaned.set)

    threading.Thread(target=watch, daemon=True).start()
    await orphaned.wait()


async def _end(server: uvicorn.Server) -> None:
    await until_orphaned()
    server.should_exit = server.force_exit = True


class _Announced(uvicorn.Server):
    """Prints the ready line once both ports answer, and not before."""

    def __init__(self, config: uvicorn.Config, line: str) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._line, flush=True)


def bound(port: int, host: str = HOST) -> socket.socket:
    """Bind a port, of loopback unless another address is named; 0 chooses one. Exits 2 with one line if it is taken."""
    # The protocol is named, because asyncio turns Nagle's delay off only for sockets that say that they are TCP.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(fault(f"port {port}: {error.strerror}"))
    return listener


def optional_socket(port: int | None) -> socket.socket | None:
    """Bind the control port if one is wanted."""
    return None if port is None else bound(port)


def address_of(listener: socket.socket) -> str:
    """Give the address of a bound port as an http URL."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


def fault(text: str) -> int:
    """Say in one line why the process cannot go on, and give its exit code."""
    print(text, file=sys.stderr)
    return 2


async def _unknown(_request: Request) -> Response:
    return JSONResponse({"fejl": "ukendt adresse"}, 404)


async def _fault_answer(_request: Request, error: Exception) -> Response:
    # The error's own words may hold a CPR number, so only its kind and place are told.
    place = traceback.extract_tb(error.__traceback__)[-1]
    print(f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}", file=sys.stderr)
    return JSONResponse({"fejl": "intern fejl"}, 500)


Body = Callable[[Request, dict[str, Any]], Awaitable[Response]]


def json_post(handler: Body) -> Handler:
    """Give a handler that takes one JSON object, and answers 400 to anything else without repeating it."""

    async def wrapped(request: Request) -> Response:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return JSONResponse({"fejl": "et JSON-objekt ventes"}, 400)
        return await handler(request, body)

    return wrapped
