"""A replica of a private PostgreSQL: follows it by streaming replication, and makes its commits wait.

    primary = PrivatePostgres(folder / "primary", followed=True)
    replica = Standby(folder / "replica", primary)
    primary.start(); replica.start(); replica.demand()

From `demand` on, a transaction with `synchronous_commit = on` that writes is over when its commit is on both disks.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

from demo.postgres import PrivatePostgres, write_secret
from demo.postgres_programs import NOBODY, PostgresUnavailable, run_as_server

SECONDS_TO_FOLLOW = 30.0
DEMAND = "ALTER SYSTEM SET synchronous_standby_names = '{}'"
FOLLOWING = "SELECT sync_state FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'"


class Standby(PrivatePostgres):
    """One replica in one folder. `name` is what the primary knows it by. Its primary must run, and let it follow."""

    def __init__(self, folder: Path, primary: PrivatePostgres, *, name: str = "replica_1") -> None:
        super().__init__(folder, durable=primary.durable, followed=True)
        self.name = name
        self._primary = primary

    def demand(self) -> None:
        """Let commits of the primary wait for this replica, and return once they do; raise PostgresUnavailable."""
        self._demand(f"FIRST 1 ({self.name})")
        self.await_state("sync")

    def release(self) -> None:
        """Let the primary's commits wait for nobody, as an operator does who goes on without a replica."""
        self._demand("")

    def await_state(self, wanted: str) -> None:
        """Wait until the primary sees this replica stream in a state (`sync`, `async`); raise PostgresUnavailable."""
        deadline = time.monotonic() + SECONDS_TO_FOLLOW
        while self._primary.query(FOLLOWING, self.name) != wanted:
            if time.monotonic() > deadline:
                raise PostgresUnavailable(f"the replica {self.name} does not follow")
            time.sleep(0.05)

    def promote(self) -> None:
        """Make this replica a primary of its own, after its primary has gone; blocks until it takes writes."""
        self.query("SELECT pg_promote(wait => true)")

    def _demand(self, names: str) -> None:
        self._primary.query(DEMAND.format(names))
        self._primary.query("SELECT pg_reload_conf()")

    def _create(self, data: Path, programs: Path) -> None:
        """Copy the primary beside the place of the data, and move the copy there when it is whole."""
        fresh, handed = data.with_name("data.new"), data.with_name(f"passwords.{secrets.token_hex(4)}")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        address = urlsplit(self._primary.dsn())
        write_secret(self.folder / "password", address.password or "")
        # Over a file, because arguments can be read by others; it stays, for the replica reads it at each start.
        write_secret(handed, f"127.0.0.1:{address.port}:*:{address.username}:{address.password}\n")
        if os.geteuid() == 0:
            for path in (fresh, handed):
                os.chown(path, NOBODY, NOBODY)
        primary = f"host=127.0.0.1 port={address.port} user={address.username} passfile={handed}"
        told = run_as_server(
            [
                str(programs / "pg_basebackup"),
                *("-D", str(fresh), "-R", "-X", "stream", "-c", "fast", "--no-sync"),
                *("-d", f"{primary} application_name={self.name}"),
            ],
            data.parent,
        )
        if told.returncode != 0:
            raise PostgresUnavailable("the replica could not copy its primary")
        fresh.rename(data)
