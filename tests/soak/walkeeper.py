"""Base backups and a keeper of WAL for a private PostgreSQL, and the way back from them, as an operator does it.

    keeper = WalKeeper(folder / "kept", server)
    keeper.start(); keeper.demand()          # from here on a commit is over when its WAL is in the keeper's folder
    base_backup(server, folder / "base")
    restore(server, folder / "base", keeper.folder)

`pg_receivewal` and `pg_basebackup` come with PostgreSQL; docs/restore-drill.md says the same for a real house.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from demo.postgres import PrivatePostgres, write_secret
from demo.postgres_programs import NOBODY, PostgresUnavailable, environment, find_programs, run_as_server

NAME = "walkeeper"
SECONDS_TO_FOLLOW = 60.0
FOLLOWING = "SELECT sync_state FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'"
# What a restored server is told: where its WAL is, and to wait for nobody until a keeper follows it again.
RECOVERY = "restore_command = 'cp {wal}/%f %p'\nsynchronous_standby_names = ''\n"
# What nobody should tell it: to stop as soon as the backup is whole.
TOO_EARLY = "recovery_target = 'immediate'\nrecovery_target_action = 'promote'\n"


class WalKeeper:
    """One process that takes a server's WAL to a folder of its own as it is written, and says when it is on disk."""

    def __init__(self, folder: Path, server: PrivatePostgres) -> None:
        self.folder = folder
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Follow the server from now on; raise PostgresUnavailable where its programs lack `pg_receivewal`."""
        passfile = handed(self.folder, self._server)
        programs = find_programs(self.folder, None)
        where = f"{address(self._server, passfile)} application_name={NAME}"
        command = [str(programs / "pg_receivewal"), "-D", str(self.folder), "-d", where, "--slot", NAME]
        try:
            told = run_as_server([*command, "--create-slot", "--if-not-exists"], self.folder)
        except OSError:
            raise PostgresUnavailable("pg_receivewal is not among PostgreSQL's programs here") from None
        if told.returncode != 0:
            raise PostgresUnavailable("the keeper of WAL has no slot")
        root = os.geteuid() == 0
        self._process = subprocess.Popen(
            [*command, "--synchronous", "--no-loop"], cwd=self.folder, env=environment(self.folder),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            user=NOBODY if root else None, group=NOBODY if root else None, extra_groups=[] if root else None,
        )  # fmt: skip

    def demand(self) -> None:
        """Let the server's commits wait for this keeper, and return once they do; raise PostgresUnavailable."""
        self._server.query(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
        self._server.query("SELECT pg_reload_conf()")
        deadline = time.monotonic() + SECONDS_TO_FOLLOW
        while self._server.query(FOLLOWING, NAME) != "sync":
            if time.monotonic() > deadline:
                raise PostgresUnavailable("the keeper of WAL does not follow")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the process; what it keeps stays."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(SECONDS_TO_FOLLOW)

    def close_the_last(self) -> None:
        """Give the segment that was being written its own name: it holds every commit that anybody heard of."""
        for partial in self.folder.glob("*.partial"):
            partial.rename(partial.with_suffix(""))


def base_backup(server: PrivatePostgres, folder: Path) -> None:
    """Copy a running server's files into a new folder."""
    passfile = handed(folder.parent, server)
    programs = find_programs(folder.parent, None)
    command = [str(programs / "pg_basebackup"), "-D", str(folder), "-X", "none", "-c", "fast"]
    told = run_as_server([*command, "-d", address(server, passfile)], folder.parent)
    if told.returncode != 0:
        raise PostgresUnavailable("the server could not be copied")


def lose(server: PrivatePostgres) -> None:
    """Take a server's disk away, while it runs: the processes die, and no file of it is left."""
    server.kill()
    shutil.rmtree(data_of(server))


def restore(server: PrivatePostgres, base: Path, wal: Path, *, too_early: bool = False) -> tuple[float, float]:
    """Put a base backup where a lost server stood, let it read all the WAL that was kept, and open it.

    `too_early` stops it at the moment of the backup. Gives the seconds to copy, and to recover until it takes writes.
    """
    began = time.monotonic()
    data = data_of(server)
    subprocess.run(["cp", "-a", str(base), str(data)], check=True)
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(RECOVERY.format(wal=wal) + (TOO_EARLY if too_early else ""))
    (data / "recovery.signal").touch()
    if os.geteuid() == 0:
        os.chown(data / "recovery.signal", NOBODY, NOBODY)
    copied = time.monotonic()
    server.start()
    # It may be read from before it takes writes.
    deadline = time.monotonic() + SECONDS_TO_FOLLOW
    while server.query("SELECT pg_is_in_recovery()::text") != "false":
        if time.monotonic() > deadline:
            raise PostgresUnavailable("the server that was put back takes no writes")
        time.sleep(0.02)
    return copied - began, time.monotonic() - copied


def data_of(server: PrivatePostgres) -> Path:
    """Give the folder of a server's files."""
    return server._home() / "data"


def address(server: PrivatePostgres, passfile: Path) -> str:
    """Write a server's address for PostgreSQL's own programs."""
    parts = urlsplit(server.dsn())
    return f"host=127.0.0.1 port={parts.port} user={parts.username} dbname=replication passfile={passfile}"


def handed(folder: Path, server: PrivatePostgres) -> Path:
    """Make a folder, and in it the file with the password that the server's user may read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    parts = urlsplit(server.dsn())
    passfile = folder / f"passwords.{parts.port}"
    write_secret(passfile, f"127.0.0.1:{parts.port}:*:{parts.username}:{parts.password}\n")
    if os.geteuid() == 0:
        for path in (folder, passfile):
            os.chown(path, NOBODY, NOBODY)
    return passfile
