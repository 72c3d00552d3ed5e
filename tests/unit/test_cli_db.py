"""`broker db bootstrap`: from a bare server to databases that a node can use, with secrets for their owner alone."""

import asyncio
import secrets
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from broker.cli.commands import app
from demo.postgres import PrivatePostgres

NAMES = (
    "owner_url", "vault_owner_url", "database_url", "vault_url", "checkpointer_url", "reader_url", "eraser_url",
    "vault_eraser_url",
)  # fmt: skip


NOBODY = "postgresql://nobody:secret@127.0.0.1:1/none"


def a_node(addresses: dict[str, str], vault: str) -> dict[str, str]:
    """Give the settings of a node whose vault lies at one of these addresses."""
    return {
        "BROKER_PROFILE": "test",
        "BROKER_PUBLIC_URL": "https://broker.example",
        "BROKER_REGISTRY": "registry.yaml",
        "BROKER_POLICIES": "policies",
        "BROKER_KEY_FOLDER": "keys",
        "BROKER_DATABASE_URL": addresses["database_url"],
        "BROKER_VAULT_URL": addresses[vault],
    }


async def first(address: str, statement: str) -> object:
    """Give the first value of a statement's answer."""
    connection = await asyncpg.connect(address)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture
def servers(tmp_path_factory: pytest.TempPathFactory) -> tuple[PrivatePostgres, PrivatePostgres]:
    """Give two bare servers, so that the vault stands apart."""
    folder = tmp_path_factory.mktemp("servers")
    return PrivatePostgres(folder / "main"), PrivatePostgres(folder / "vault")


def test_bare_servers_become_a_house(servers: tuple[PrivatePostgres, PrivatePostgres], tmp_path: Path) -> None:
    """Roles, databases and tables stand, each role gets in with what was written, and a second run changes nothing."""
    main, vault = servers
    secret = tmp_path / "admin"
    with main, vault:
        secret.write_text(main.dsn())
        environment = {"BORGERBRO_ADMIN_URL_FILE": str(secret), "BORGERBRO_VAULT_ADMIN_URL": vault.dsn()}
        for _ in range(2):
            told = CliRunner().invoke(app, ["db", "bootstrap", str(tmp_path / "secrets")], env=environment)
            assert told.exit_code == 0, told.output
        addresses = {name: (tmp_path / "secrets" / name).read_text().strip() for name in NAMES}
        for name, address in addresses.items():
            assert (tmp_path / "secrets" / name).stat().st_mode & 0o777 == 0o600, name
            assert str(vault.port if "vault" in name else main.port) in address
            # The owners may see no row of the log's, and the vault has none; whoever works with it can.
            statement = "SELECT 1" if "owner" in name or "vault" in name else "SELECT 1 + count(*) FROM log.head"
            assert asyncio.run(first(address, statement)) == 1, name
        for vault_name, code in (("vault_url", 0), ("database_url", 1), ("nothing", 2)):
            checked = CliRunner().invoke(app, ["db", "check"], env=a_node(addresses | {"nothing": NOBODY}, vault_name))
            assert (checked.exit_code, "secret" in checked.output) == (code, False), checked.output
    for server in servers:
        server.remove()


def test_without_an_address_nothing_is_made(tmp_path: Path) -> None:
    """A missing variable is named, and no password is drawn."""
    told = CliRunner().invoke(app, ["db", "bootstrap", str(tmp_path / "secrets")], env={})

    assert told.exit_code == 2
    assert not (tmp_path / "secrets").exists()


# Nobody listens; a name, a port, brackets and a scheme that are none; nothing at all.
UNUSABLE = (
    NOBODY, "secret", "http://nobody:secret@127.0.0.1:1/none", "postgresql://nobody:secret@127.0.0.1:secret/none",
    "postgresql://nobody:secret@[::1/none", "postgresql://nobody:secret@127.0.0.1:99999/none",
    f"postgresql://nobody:secret@{'x' * 70}.example/none",
)  # fmt: skip


def refused(told: Result, code: int, *words: str) -> None:
    """Hold that a command ended with one line of its own, which tells of no statement, address or password."""
    assert (told.exit_code, type(told.exception)) == (code, SystemExit), told.output
    assert len(told.output.splitlines()) == 1, told.output
    assert not [word for word in ("secret", "127.0.0.1", "CREATE", "alembic", "sqlalch", *words) if word in told.output]


@pytest.mark.parametrize("address", UNUSABLE)
def test_what_is_no_database_is_said_in_one_line(address: str, tmp_path: Path) -> None:
    """Whatever stands where an address belongs, each command says so in a line of its own, without it."""
    owners = {"BORGERBRO_OWNER_URL": address, "BORGERBRO_VAULT_OWNER_URL": address}
    made = CliRunner().invoke(app, ["db", "bootstrap", str(tmp_path / "made")], env={"BORGERBRO_ADMIN_URL": address})
    upgraded = CliRunner().invoke(app, ["db", "upgrade"], env=owners)
    checked = CliRunner().invoke(app, ["db", "check"], env=a_node({"database_url": address, "x": address}, "x"))

    refused(made, 1)
    refused(upgraded, 1)
    refused(checked, 2)


def test_a_database_that_refuses_is_said_in_one_line(postgres: PrivatePostgres) -> None:
    """A role without rights, a database that is not there, and tables of a newer version: one line, and no SQL."""
    name = f"refuses_{secrets.token_hex(4)}"
    server, guest = postgres.dsn(), f"{postgres.dsn(name).rpartition('@')[2]}"
    asyncio.run(first(server, f"CREATE DATABASE {name}"))
    asyncio.run(first(server, f"CREATE ROLE {name} LOGIN PASSWORD 'secret'"))

    def upgraded(address: str) -> Result:
        owners = {"BORGERBRO_OWNER_URL": address, "BORGERBRO_VAULT_OWNER_URL": address}
        return CliRunner().invoke(app, ["db", "upgrade"], env=owners)

    refused(upgraded(f"postgresql://{name}:secret@{guest}"), 1)
    refused(upgraded(f"postgresql://{name}:wrong@{guest}_none"), 1)
    asyncio.run(first(postgres.dsn(name), "CREATE TABLE alembic_version AS SELECT 'main_9999' AS version_num"))
    refused(upgraded(postgres.dsn(name)), 1, "main_9999")


@pytest.mark.parametrize("holds", [b"\xff", None])
def test_an_address_file_that_is_none(holds: bytes | None, tmp_path: Path) -> None:
    """A file that is missing, or no text, is named by its variable alone."""
    if holds is not None:
        (tmp_path / "admin").write_bytes(holds)
    told = CliRunner().invoke(
        app, ["db", "bootstrap", str(tmp_path)], env={"BORGERBRO_ADMIN_URL_FILE": str(tmp_path / "admin")}
    )

    refused(told, 2)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """Where the secrets cannot be kept nothing is made, and one line says so."""
    (tmp_path / "file").write_text("")
    told = CliRunner().invoke(app, ["db", "bootstrap", str(tmp_path / "file")], env={"BORGERBRO_ADMIN_URL": NOBODY})

    refused(told, 1)
