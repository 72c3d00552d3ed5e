"""`broker db upgrade`: bring both databases to their newest tables, as their owner."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from broker.cli.say import fail, out

db = typer.Typer(no_args_is_help=True, help="The two databases: consents and log; keys and handles.")


@db.callback()
def group() -> None:
    """Look after the databases."""


@db.command()
def upgrade(
    owner_variable: Annotated[
        str, typer.Option(help="Environment variable with the owner's address of the main database")
    ] = "BORGERBRO_OWNER_URL",
    vault_owner_variable: Annotated[
        str, typer.Option(help="Environment variable with the owner's address of the vault")
    ] = "BORGERBRO_VAULT_OWNER_URL",
) -> None:
    """Create or upgrade the tables of both databases. Addresses come by environment: they hold passwords."""
    import asyncio

    import asyncpg

    from broker.adapters.database import upgrade as to_newest

    addresses = [(name, os.environ.get(name)) for name in (owner_variable, vault_owner_variable)]
    missing = [name for name, value in addresses if not value]
    if missing:
        fail(f"not set: {', '.join(missing)}", code=2)

    async def both() -> None:
        await to_newest(addresses[0][1] or "", "main")
        await to_newest(addresses[1][1] or "", "vault")

    try:
        asyncio.run(both())
    except (OSError, asyncpg.PostgresError) as error:
        fail(f"the database could not be upgraded: {type(error).__name__}")
    out.print("both databases have their newest tables")
