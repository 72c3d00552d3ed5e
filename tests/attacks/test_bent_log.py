"""Whatever a superuser or a thief of files does to the log: who notices, and that nobody cries wolf (P7).

The cases stand in tests/bent_log.yaml; each is done to a log of its own, and all who could notice look.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from demo.postgres import PrivatePostgres
from tests import bending, bending_files, bending_lists
from tests.bending import (
    CASES,
    ENTRIES,
    KEY,
    SIGNED,
    a_log_to_bend,
    copy_of,
    make_mapped,
    make_noded,
    make_template,
    noticed_of_a_map,
    noticed_of_nodes,
)
from tests.bending_files import Files, copied, make_files
from tests.databases import drop
from tests.unit.audit.sealed import ORIGIN

BENT = [row for row in CASES["cases"] if "sql" in row or "act" in row]
BENT_MAPS = [row for row in CASES["cases"] if "map" in row]
BENT_NODES = [row for row in CASES["cases"] if "node" in row]
BENT_FILES = [row for row in CASES["cases"] if "check" in row]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def made(postgres: PrivatePostgres) -> AsyncIterator[dict[int, str]]:
    """Give the log at each state it has been in."""
    states = await make_template(postgres)
    yield states
    await drop(postgres, *states.values())


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_cries_wolf(postgres: PrivatePostgres, made: dict[int, str]) -> None:
    """A log that nobody bent is whole in everybody's eyes, before and after it is signed anew."""
    async with a_log_to_bend(postgres, made) as bent:
        for _ in range(2):
            assert await bent.noticed_by() == set(), bent.said


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", BENT, ids=[row["name"] for row in BENT])
async def test_what_is_bent_is_noticed(postgres: PrivatePostgres, made: dict[int, str], row: dict[str, Any]) -> None:
    """Each case is noticed by just those its row names, and one of them says what is wrong."""
    async with a_log_to_bend(postgres, made) as bent:
        if "sql" in row:
            await bent.superuser.execute(row["sql"])
        else:
            await getattr(bending, row["act"])(bent, made)
        noticed = await bent.noticed_by()

    assert noticed == set(row["found_by"]), bent.said
    assert any(row["says"] in said for said in bent.said), bent.said


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def files(postgres: PrivatePostgres, made: dict[int, str], tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Give an exported log and a proof, to be copied."""
    return await make_files(postgres, made[SIGNED[-1]], tmp_path_factory.mktemp("files"))


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_cries_wolf_over_files(files: Files) -> None:
    """An export and a proof that nobody bent hold."""
    assert files.export() == []
    assert files.proof.verify(ENTRIES[9].sealed.leaf, ORIGIN, [KEY.verify_key]).size == SIGNED[-1]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", BENT_FILES, ids=[row["name"] for row in BENT_FILES])
async def test_what_is_bent_in_files_is_noticed(files: Files, row: dict[str, Any], tmp_path: Path) -> None:
    """Each case without a database is refused, in the words of its row."""
    where = bending_lists if row["found_by"] == ["citizen"] else bending_files
    said = getattr(where, row["check"])(copied(files, tmp_path))

    assert said
    assert any(row["says"] in line for line in said), said


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def mapped(postgres: PrivatePostgres) -> AsyncIterator[str]:
    """Give a log with a map, to be copied."""
    name = await make_mapped(postgres)
    yield name
    await drop(postgres, name)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", BENT_MAPS, ids=[row["name"] for row in BENT_MAPS])
async def test_what_is_bent_in_a_map_is_noticed(postgres: PrivatePostgres, mapped: str, row: dict[str, Any]) -> None:
    """Each case is noticed by just those its row names; a map that nobody bent by nobody."""
    async with copy_of(postgres, mapped) as name:
        assert await noticed_of_a_map(postgres.dsn(name), "SELECT 1") == (set(), [])
        noticed, said = await noticed_of_a_map(postgres.dsn(name), row["map"])

    assert noticed == set(row["found_by"]), said
    assert any(row["says"] in line for line in said), said


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def noded(postgres: PrivatePostgres) -> AsyncIterator[str]:
    """Give a log of more than two tiles, to be copied."""
    name = await make_noded(postgres)
    yield name
    await drop(postgres, name)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", BENT_NODES, ids=[row["name"] for row in BENT_NODES])
async def test_what_is_bent_beside_the_log_is_noticed(
    postgres: PrivatePostgres, noded: str, row: dict[str, Any]
) -> None:
    """Each case of the roots kept for proofs is noticed by just those its row names; none where nobody bent them."""
    async with copy_of(postgres, noded) as name:
        assert await noticed_of_nodes(postgres.dsn(name), "SELECT 1") == (set(), [])
        noticed, said = await noticed_of_nodes(postgres.dsn(name), row["node"])

    assert noticed == set(row["found_by"]), said
    assert any(row["says"] in line for line in said), said


def test_every_case_is_told_apart_and_somebody_finds_it() -> None:
    """Names are unique, each case has finders that the table of layers knows, and there are the 48 of the goal."""
    names = [row["name"] for row in CASES["cases"]]
    assert len(set(names)) == len(names) >= 48
    assert all(row["found_by"] and set(row["found_by"]) <= set(CASES["layers"]) for row in CASES["cases"])
    assert {layer for row in CASES["cases"] for layer in row["found_by"]} == set(CASES["layers"])
