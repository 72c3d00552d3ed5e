"""A registry is on the log before it is used: once for each change, on each municipality's log, by its hash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.house_keys import make_key_folder
from broker.domain.entries import LogFilter
from broker.domain.errors import LogUnavailable
from broker.main import open_house
from broker.oversight.registry import record_registry
from broker.ports import LogReader, Ports
from broker.settings import Settings, read
from demo.postgres import PrivatePostgres
from tests.builders import POLICIES, a_house
from tests.databases import Databases, opened
from tests.registry_files import ENVIRON, small_folder

HOMES = ("korsbaek", "norrestrand")


@pytest.fixture
async def databases(postgres: PrivatePostgres) -> AsyncIterator[Databases]:
    """Two fresh databases."""
    async with opened(postgres) as databases:
        yield databases


async def opened_with(databases: Databases, folder: Path, revision: str) -> tuple[Ports, LogReader]:
    """Give the doors of a node with a registry of that revision."""
    house = await a_house(folder)
    directory = replace(house.directory, revision=revision)
    ports = replace(house.ports, directory=directory, handles=databases.vault, log=databases.log)
    return ports, LogReaderPostgres(databases.pool, databases.vault)


async def told(reader: LogReader) -> list[tuple[str, str, str | None, str]]:
    """Give what the logs tell of registries, oldest first: municipality, revision, the one before, node."""
    found = []
    for home in HOMES:
        page = await reader.search([home], LogFilter(kind="registry.loaded"))
        for listed in reversed(page.entries):
            body = (await reader.entry(listed.receipt, municipalities=[home])).body or {}
            assert listed.index["revision"] == body["revision"]
            found.append((home, body["revision"], body["previous"], body["node"]))
    return found


async def test_a_registry_is_on_each_log_once(databases: Databases, tmp_path: Path) -> None:
    """The first start writes it on every municipality's log; a restart, and another node, write nothing."""
    ports, reader = await opened_with(databases, tmp_path, "a" * 64)

    assert await record_registry("node-1", ports, reader) == HOMES
    assert await record_registry("node-1", ports, reader) == ()
    assert await record_registry("node-2", ports, reader) == ()

    assert await told(reader) == [(home, "a" * 64, None, "node-1") for home in HOMES]


async def test_a_change_names_the_one_before(databases: Databases, tmp_path: Path) -> None:
    """Each change is an entry of its own, back to an older one too: that is a change like any other."""
    for revision in ("a" * 64, "b" * 64, "a" * 64):
        ports, reader = await opened_with(databases, tmp_path, revision)
        await record_registry("node-1", ports, reader)

    rows = [(revision[0], previous and previous[0]) for _, revision, previous, _ in await told(reader)]
    assert rows == [("a", None), ("b", "a"), ("a", "b")] * 2


async def test_a_log_that_was_changed_tells_nothing(databases: Databases, tmp_path: Path) -> None:
    """Whoever writes tomorrow's hash into the last entry's index row does not keep tomorrow's registry off the log."""
    ports, reader = await opened_with(databases, tmp_path, "a" * 64)
    await record_registry("node-1", ports, reader)
    connection = await asyncpg.connect(databases.admin)
    await connection.execute(
        "UPDATE log.index SET index_bytes = jsonb_set(fields, '{revision}', to_jsonb(repeat('b', 64)))::text,"
        " fields = jsonb_set(fields, '{revision}', to_jsonb(repeat('b', 64)))"
    )
    await connection.close()

    ports, reader = await opened_with(databases, tmp_path, "b" * 64)
    assert await record_registry("node-1", ports, reader) == HOMES


def settings_over(databases: Databases, folder: Path) -> Settings:
    """Give the settings of a node over these databases, with the small registry."""
    make_key_folder(folder / "keys", "borgerbro.example/log")
    given = {
        "PROFILE": "test", "PUBLIC_URL": "https://broker.example", "REGISTRY": str(small_folder(folder)),
        "POLICIES": str(POLICIES), "DATABASE_URL": databases.at.app, "VAULT_URL": databases.at.vault,
        "KEY_FOLDER": str(folder / "keys"), "POLICY_ENGINE": "embedded", "NODE_NAME": "node-7",
    }  # fmt: skip
    return read({f"BROKER_{name}": value for name, value in given.items()})


async def test_no_house_opens_before_its_registry_is_on_the_log(databases: Databases, tmp_path: Path) -> None:
    """Whoever has an open house has a registry that every municipality's log names: nothing is served before."""
    async with open_house(settings_over(databases, tmp_path), ENVIRON) as house:
        reader = LogReaderPostgres(house.pool, house.vault)
        for home in ("korsbaek", "noerrestrand"):
            page = await reader.search([home], LogFilter())
            told = [(entry.kind, entry.index["node"], entry.index["revision"]) for entry in page.entries]
            assert told == [("registry.loaded", "node-7", house.registry.directory.revision)]


async def test_no_house_opens_where_the_log_takes_nothing(databases: Databases, tmp_path: Path) -> None:
    """With the log's append broken the house stays shut, and nothing is served."""
    settings = settings_over(databases, tmp_path)
    owner = await asyncpg.connect(databases.admin)
    await owner.execute(
        """CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER no BEFORE INSERT ON log.entry FOR EACH ROW EXECUTE FUNCTION public.no()"""
    )
    await owner.close()
    with pytest.raises(LogUnavailable):
        async with open_house(settings, ENVIRON):
            pytest.fail("opened")
