"""Run a private PostgreSQL in one folder: no system service, no new user, nothing left behind.

Where the server's programs come from, first found wins: `BROKER_PG_BIN`, a PostgreSQL of version 15 or newer
on this machine, the wheel that the demo and the tests install. The server listens on loopback alone and asks
for a random password (SCRAM), which stands in a file that only its owner reads. Started by root, it runs as
the user "nobody", because PostgreSQL refuses root. It ends with the process that started it.
"""

import asyncio
import contextlib
import importlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from demo.postgres_programs import NOBODY, PostgresUnavailable, environment, find_programs, is_open, run_as_server

__all__ = ["PostgresUnavailable", "PrivatePostgres"]

SUPERUSER = "postgres"
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 15.0
KEEPER = Path(__file__).with_name("keeper.py")

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # One door is enough, and socket paths have a length limit.
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # The server's log may hold no value from a statement: not its text, its parameters or its DETAIL line.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
FAST_AND_FORGETFUL = {"fsync": "off", "full_page_writes": "off"}
FOLLOWED = {"wal_level": "replica", "max_wal_senders": "4"}


class PrivatePostgres:
    """One PostgreSQL server in one folder, started and stopped by this process.

    The folder is made if it is missing, and found again later: same data, same password, and the same port
    while that is free. With `durable` the server waits for the disk; durable or `followed`, a replica may follow it.
    """

    def __init__(self, folder: Path, *, durable: bool = False, followed: bool = False) -> None:
        self.folder = folder.absolute()
        self.port = 0
        self.durable = durable
        self._settings = SETTINGS | ({} if durable else FAST_AND_FORGETFUL) | (FOLLOWED if durable or followed else {})
        self._password = ""
        self._keeper: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and return when it takes connections.

        Raises PostgresUnavailable when no server can be found or started.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with _as_unavailable(self.folder):
            home = self._home()
            data = home / "data"
            programs = find_programs(home, _major_of(data))
            if not data.exists():
                self._create(data, programs)
            self._password = (self.folder / "password").read_text(encoding="ascii")
            _wait_for_last_server(data)
            self._run(data, programs)

    def stop(self) -> None:
        """Stop the server at once, open connections or not; does nothing when it is not running."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        if keeper.stdin is not None:
            keeper.stdin.close()
        if keeper.stdout is not None:
            keeper.stdout.close()
        keeper.wait(SECONDS_TO_STOP)

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """End the server as a power cut does: nothing is finished, nobody is told. SIGQUIT is an immediate stop."""
        status = (self._home() / "data" / "postmaster.pid").read_text(encoding="utf-8")
        os.kill(int(status.split("\n", 1)[0]), by)
        self.stop()

    def remove(self) -> None:
        """Stop the server and delete its folder with everything that belongs to it."""
        self.stop()
        if self.folder.exists():
            shutil.rmtree(self._home(), ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(
        self,
        database: str = "postgres",
        *,
        user: str = SUPERUSER,
        password: str | None = None,
        scheme: str = "postgresql",
    ) -> str:
        """Give the address of a database, as the superuser or as another role with its own password."""
        known = self._password if password is None else password
        return f"{scheme}://{quote(user)}:{quote(known)}@127.0.0.1:{self.port}/{quote(database)}"

    def create_database(self, name: str) -> str:
        """Create an empty database and give its address; blocks until it is there."""
        quoted = name.replace('"', '""')
        self.query(f'CREATE DATABASE "{quoted}"')
        return self.dsn(name)

    def query(self, statement: str, *arguments: object) -> Any:
        """Run one statement as the superuser and give the first value of its answer; blocks until it is done."""
        with ThreadPoolExecutor(1) as thread:
            # A thread of its own, because the caller may stand inside a running event loop.
            return thread.submit(asyncio.run, self._query(statement, *arguments)).result()

    async def _query(self, statement: str, *arguments: object) -> Any:
        connection = await importlib.import_module("asyncpg").connect(self.dsn())
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    def _home(self) -> Path:
        """Give the folder that holds the data: ours, or one that the user "nobody" can reach."""
        if os.geteuid() != 0:
            self.folder.chmod(0o700)
            return self.folder
        # Root's server is "nobody", who must pass through; what is secret in here is 0600 or 0700 itself.
        self.folder.chmod(0o711)
        if is_open(self.folder):
            return self.folder
        # Below a closed folder such as /root. Its doors are not ours to open, so the data lives elsewhere.
        note = self.folder / "place"
        if note.exists() and (kept := Path(note.read_text(encoding="utf-8"))).is_dir():
            return kept
        home = Path(tempfile.mkdtemp(prefix="borgerbro-postgres-"))
        home.chmod(0o711)
        note.write_text(str(home), encoding="utf-8")
        return home

    def _create(self, data: Path, programs: Path) -> None:
        """Make a new cluster beside its place and move it there when it is whole."""
        fresh = data.with_name("data.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_urlsafe(24)
        write_secret(self.folder / "password", password)
        handed = data.with_name("password.handed")
        try:
            # Over a file, because arguments and environments can be read by others.
            write_secret(handed, password)
            if os.geteuid() == 0:
                for path in (fresh, handed):
                    os.chown(path, NOBODY, NOBODY)
            _initialise(programs / "initdb", fresh, handed)
        finally:
            handed.unlink(missing_ok=True)
        fresh.rename(data)

    def _run(self, data: Path, programs: Path) -> None:
        """Start the server, on another port when the chosen one was taken in the meantime."""
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            self.port = _port_for(self.folder / "port")
            try:
                self._launch(data, programs)
            except _StillClosing:
                # Children of a killed server need a moment to notice; a port may be taken under our hands.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def _launch(self, data: Path, programs: Path) -> None:
        settings = self._settings | {"port": str(self.port)}
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        keeper = [sys.executable, "-I", "-S", str(KEEPER), "--stop", "SIGINT"]
        user = ["--user", str(NOBODY)] if os.geteuid() == 0 else []
        log = self.folder / "postgres.log"
        with log.open("wb") as sink:
            log.chmod(0o600)
            self._keeper = subprocess.Popen(
                [*keeper, *user, "--", str(programs / "postgres"), "-D", str(data), *flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                cwd=data.parent,
                env=environment(data.parent),
                start_new_session=True,
            )
        try:
            _await_ready(self._keeper, data, log)
        except BaseException:
            self.stop()
            raise


class _StillClosing(PostgresUnavailable):
    """The server could not start now, but may in a moment."""


@contextlib.contextmanager
def _as_unavailable(folder: Path) -> Iterator[None]:
    """Turn what the system says about files and programs into our one line."""
    try:
        yield
    except OSError as error:
        raise PostgresUnavailable(f"PostgreSQL cannot use {folder}: {error.strerror or error}") from error
    except subprocess.SubprocessError as error:
        raise PostgresUnavailable(f"PostgreSQL in {folder} did not answer in time") from error


def _initialise(initdb: Path, data: Path, password_file: Path) -> None:
    """Make a new cluster that asks everybody for a password."""
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    told = run_as_server(
        [
            str(initdb),
            *("-D", str(data), "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={password_file}"),
            *("-E", "UTF8", f"--locale={locale}", "--no-sync", "--no-instructions"),
        ],
        data.parent,
    )
    if told.returncode != 0:
        raise PostgresUnavailable(f"PostgreSQL could not make a data folder: {_last_line(told.stderr)}")


def _major_of(data: Path) -> int | None:
    """Give the major version that made a data folder, or None when there is none yet."""
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def _port_for(note: Path) -> int:
    """Give the remembered port if it is free, else a free one, and remember it."""
    remembered = int(note.read_text(encoding="ascii")) if note.exists() else 0
    for wanted in (remembered, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", wanted))
            port = int(probe.getsockname()[1])
            note.write_text(str(port), encoding="ascii")
            return port
    raise PostgresUnavailable("no free port on 127.0.0.1 for PostgreSQL")


def _wait_for_last_server(data: Path) -> None:
    """Wait while an earlier server over this data ends; clear a lock that a dead one left.

    PostgreSQL sees most dead locks itself, but not one whose process number another process of ours now has.
    """
    lock = data / "postmaster.pid"
    deadline = time.monotonic() + SECONDS_TO_STOP
    while lock.exists():
        process = int(lock.read_text(encoding="utf-8").split("\n", 1)[0] or 0)
        if str(data) not in _command_of(process):
            lock.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise PostgresUnavailable(f"another run is using {data.parent} (process {process}): stop that one first")
        time.sleep(0.05)


def _command_of(process: int) -> str:
    """Give the command line of a process, or nothing when there is no such process."""
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="replace")
        return ""
    told = subprocess.run(
        ["ps", "-o", "command=", "-p", str(process)], capture_output=True, text=True, check=False, timeout=20
    )
    return told.stdout


def _await_ready(keeper: subprocess.Popen[str], data: Path, log: Path) -> None:
    """Wait until the server that this keeper started says in its own status file that it is ready."""
    server = keeper.stdout.readline().strip() if keeper.stdout else ""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            status = (data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
            # Line 1 is the process, line 8 its state (src/include/utils/pidfile.h).
            if len(status) > 7 and status[0] == server and status[7].strip() == "ready":
                return
        if keeper.poll() is not None:
            raise _why_it_ended(log.read_text(encoding="utf-8", errors="replace"))
        time.sleep(0.01)
    raise PostgresUnavailable(f"PostgreSQL was not ready after {SECONDS_TO_START:.0f} seconds")


def _why_it_ended(log: str) -> PostgresUnavailable:
    """Read out of the server's log whether another try may help."""
    passing = ("pre-existing shared memory block", "could not create any TCP/IP sockets")
    kind = _StillClosing if any(words in log for words in passing) else PostgresUnavailable
    return kind(f"PostgreSQL did not start: {_last_line(log)}")


def _last_line(text: str) -> str:
    """Give the last line that says what went wrong."""
    lines = [line for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error:" in line]
    return (telling or lines or ["it gave no reason"])[-1].strip()


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whatever stood there before."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as sink:
        sink.write(text)
