"""`broker db`: make the two databases and their roles, and bring them to their newest tables."""

from __future__ import annotations

import os
import secrets
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from broker.cli.say import FAILED, WRONG_USE, fail, out

db = typer.Typer(no_args_is_help=True, help="The two databases: consents and log; keys and handles.")
FILE = "_FILE"
T = TypeVar("T")


@db.callback()
def group() -> None:
    """Look after the databases."""


@db.command()
def bootstrap(
    folder: Annotated[Path, typer.Argument(help="Where the roles' addresses go, one file each, for you alone")],
    admin_variable: Annotated[
        str, typer.Option(help="Environment variable with a superuser's address of the main server")
    ] = "BORGERBRO_ADMIN_URL",
    vault_admin_variable: Annotated[
        str, typer.Option(help="The same for the vault's server; where it is not set, the main server has both")
    ] = "BORGERBRO_VAULT_ADMIN_URL",
) -> None:
    """Make roles, databases and tables where they are missing, with passwords drawn here; once, before anything runs.

    Addresses come by environment, or by a file that NAME_FILE names: they hold passwords. Run again, it keeps the
    passwords it wrote.
    """
    from broker.adapters.database import LOGINS
    from broker.adapters.database import bootstrap as make
    from broker.adapters.database import upgrade as to_newest

    admin, vault_admin = _address(admin_variable), _address(vault_admin_variable)
    if admin is None:
        fail(f"not set: {admin_variable}", code=WRONG_USE)

    async def whole() -> None:
        passwords = {role: _password(folder / "passwords" / role) for role in LOGINS}
        addresses = await make(admin, passwords, vault_admin_dsn=vault_admin)
        named = {
            "owner_url": addresses.owner,
            "vault_owner_url": addresses.vault_owner,
            "database_url": addresses.app,
            "vault_url": addresses.vault,
            "checkpointer_url": addresses.checkpointer,
            "reader_url": addresses.reader,
            "eraser_url": addresses.eraser,
            "vault_eraser_url": addresses.vault_eraser,
        }
        for name, address in named.items():
            _keep(folder / name, address + "\n")
        await to_newest(addresses.owner, "main")
        await to_newest(addresses.vault_owner, "vault")

    _done(whole(), "the databases could not be made")
    out.print(f"both databases stand; the roles' addresses are in {folder}", markup=False)


@db.command()
def upgrade(
    owner_variable: Annotated[
        str, typer.Option(help="Environment variable with the owner's address of the main database")
    ] = "BORGERBRO_OWNER_URL",
    vault_owner_variable: Annotated[
        str, typer.Option(help="Environment variable with the owner's address of the vault")
    ] = "BORGERBRO_VAULT_OWNER_URL",
) -> None:
    """Create or upgrade the tables of both databases. Addresses come by environment, or by a file (NAME_FILE)."""
    from broker.adapters.database import upgrade as to_newest

    addresses = [(name, _address(name)) for name in (owner_variable, vault_owner_variable)]
    missing = [name for name, value in addresses if not value]
    if missing:
        fail(f"not set: {', '.join(missing)}", code=WRONG_USE)

    async def both() -> None:
        await to_newest(addresses[0][1] or "", "main")
        await to_newest(addresses[1][1] or "", "vault")

    _done(both(), "the databases could not be upgraded")
    out.print("both databases have their newest tables")


@db.command()
def check() -> None:
    """Say whether log and vault lie on one server: a backup of it then holds keys and log together (docs/erasure.md).

    With a node's settings. Exit 1 where they do, 2 where it cannot be told.
    """
    import asyncpg

    from broker.cli.serve import read_settings

    settings = read_settings()

    async def server(url: str) -> str:
        connection = await asyncpg.connect(url, timeout=settings.database_deadline_seconds)
        try:
            return str(await connection.fetchval("SELECT system_identifier FROM pg_control_system()"))
        finally:
            await connection.close()

    async def both() -> set[str]:
        return {await server(settings.database_url), await server(settings.vault_url)}

    servers = _done(both(), "it cannot be told", code=WRONG_USE)
    if len(servers) == 1:
        fail("log and vault lie on one server: a copy of its disk holds the keys beside what they open")
    out.print("log and vault lie on servers of their own")


def _done(work: Coroutine[Any, Any, T], otherwise: str, *, code: int = FAILED) -> T:
    """Do work on a database; where it fails, end with one line that says what kind of failure it was.

    An error's own words are never said: they may hold a statement, an address or a password.
    """
    import asyncio

    from alembic.util import CommandError
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from broker.adapters.database import UNREACHABLE

    try:
        return asyncio.run(work)
    except DBAPIError as error:
        fail(f"{otherwise}: {type((error.orig and error.orig.__cause__) or error).__name__}", code=code)
    except CommandError:
        fail(f"{otherwise}: there are tables of another version, perhaps a newer one", code=code)
    except (ArgumentError, ValueError, OverflowError):
        fail(f"{otherwise}: an address cannot be used; one is postgresql://role:password@host:port/database", code=code)
    except UNREACHABLE as error:
        fail(f"{otherwise}: {type(error).__name__}", code=code)


def _address(variable: str) -> str | None:
    """Take an address from the environment, or from the file that its variable + `_FILE` names."""
    file = os.environ.get(variable + FILE)
    if file is None:
        return os.environ.get(variable)
    try:
        return Path(file).read_text("utf-8").strip()
    except OSError as error:
        fail(f"{variable}{FILE}: {error.strerror}", code=WRONG_USE)
    except UnicodeDecodeError:
        fail(f"{variable}{FILE}: is no text", code=WRONG_USE)


def _password(file: Path) -> str:
    """Give a role's password, drawn once."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep(file, secrets.token_urlsafe(24))
    return file.read_text("ascii")


def _keep(file: Path, text: str) -> None:
    """Write a file for its owner alone, whatever stood there before."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)
