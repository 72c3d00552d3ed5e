"""What every test stands on: no network but loopback, and one private PostgreSQL a session."""

import ipaddress
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.postgres import PrivatePostgres
from tools.parts import OLDEST_OPA, recent_opa
from tools.places import IN_CI

MEMORY, ROOM_FOR_DATABASES = Path("/dev/shm"), 4 * 1024**3


class NetworkIsClosed(RuntimeError):
    """A test tried to reach something that is not on this machine."""


def _is_here(host: object) -> bool:
    """Tell whether a host is loopback or this machine's own name for it."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in {"", "None", "localhost"} or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback or name in {"0.0.0.0", "::"}
    except ValueError:
        return False


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        closed = isinstance(address, tuple) and not _is_here(address[0])
    elif event == "socket.getaddrinfo":
        closed = not _is_here(arguments[0])
    else:
        return
    if closed:
        raise NetworkIsClosed("tests talk to loopback only")


sys.addaudithook(_guard)

# Whoever ends a run by SIGTERM, as `timeout` and CI do, ends it as by Ctrl-C: what fixtures made is taken away.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the pictures of the pages are, where they are kept, and how many."""
    kept = os.environ.get("BROWSER_PICTURES")
    if kept is not None:
        count = sum(1 for _ in Path(kept).rglob("*.png"))
        terminalreporter.write_line(f"{count} pictures of pages in {kept}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """Give one private PostgreSQL to the whole session."""
    # In memory where there is room: each test has two databases of its own, some hundred files each.
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_FOR_DATABASES
    server = PrivatePostgres(Path(tempfile.mkdtemp(prefix="borgerbro-test-", dir=MEMORY if roomy else None)))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def new_database(postgres: PrivatePostgres) -> Iterator[Callable[[], str]]:
    """Give a way to make empty databases, each with its own address; they are dropped when the test has ended."""
    names: list[str] = []

    def make() -> str:
        names.append(f"test_{secrets.token_hex(6)}")
        return postgres.create_database(names[-1])

    yield make
    for name in names:
        postgres.query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_dsn(new_database: Callable[[], str]) -> str:
    """Give the address of one empty database, for this test alone."""
    return new_database()


@pytest.fixture(scope="session")
def opa_program() -> Path:
    """Give OPA itself, the judge of the policies; without it the test is skipped, but in CI it fails."""
    program = recent_opa()
    if program is None:
        refuse = pytest.fail if IN_CI else pytest.skip
        refuse(f"OPA {'.'.join(map(str, OLDEST_OPA))} or newer is not here: `python3 run.py test` gets it where Go is")
    return program
