"""The broker's two databases in a private PostgreSQL: kept from start to start, or fresh for each scenario."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import asyncpg

from broker.adapters.database import MIGRATIONS, Addresses, bootstrap, upgrade
from demo.postgres import PrivatePostgres
from demo.world.children import ROOT

MAIN, VAULT = "borgerbro", "borgerbro_vault"


class Databases:
    """One PostgreSQL and the pair of databases in use."""

    def __init__(self, folder: Path, passwords: dict[str, str], *, durable: bool = False) -> None:
        self._folder = folder
        self._server = PrivatePostgres(folder, durable=durable)
        self._passwords = passwords
        self._number = 0

    async def open(self) -> Addresses:
        """Start the server, make what is missing, bring it to the newest tables, and give the addresses."""
        await asyncio.to_thread(self._server.start)
        addresses = await bootstrap(self._server.dsn(), self._passwords, main=MAIN, vault=VAULT)
        # Looking whether there is something to migrate costs a second; nothing is where no migration has changed.
        note, state = self._folder / "migrated", _migrations()
        if not note.exists() or note.read_text("ascii") != state:
            # One after the other: Alembic keeps the migration at hand in a global.
            await upgrade(addresses.owner, "main")
            await upgrade(addresses.vault_owner, "vault")
            note.write_text(state, "ascii")
        return addresses

    async def fresh(self) -> Addresses:
        """Give a new pair of databases with all tables and no rows; the pair before it is dropped.

        Nobody may be connected to the first pair, which is only ever copied.
        """
        previous, self._number = self._number, self._number + 1
        names = [f"{name}_{self._number}" for name in (MAIN, VAULT)]
        connection = await asyncpg.connect(self._server.dsn())
        try:
            for name, template in zip(names, (MAIN, VAULT), strict=True):
                await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER borgerbro_owner')
            # A copied database loses the empty forms of its unlogged tables in a crash before the next checkpoint.
            await connection.execute("CHECKPOINT")
            for name in (MAIN, VAULT):
                if previous:
                    await connection.execute(f'DROP DATABASE IF EXISTS "{name}_{previous}" WITH (FORCE)')
        finally:
            await connection.close()
        return await bootstrap(self._server.dsn(), self._passwords, main=names[0], vault=names[1])

    @property
    def server(self) -> PrivatePostgres:
        """Give the server itself, which a replica may follow when it is durable."""
        return self._server

    @property
    def superuser(self) -> str:
        """Give the address of the main database in use, with the power to change anything."""
        return self._server.dsn(f"{MAIN}_{self._number}" if self._number else MAIN)

    def close(self) -> None:
        """Stop the server."""
        self._server.stop()


def _migrations() -> str:
    """Digest every migration there is, and what they are made of."""
    digest = hashlib.sha256()
    parts = [*MIGRATIONS.rglob("*.py"), *(ROOT / "audit" / "sql").glob("*.sql")]
    for part in sorted(parts):
        digest.update(part.read_bytes())
    return digest.hexdigest()
