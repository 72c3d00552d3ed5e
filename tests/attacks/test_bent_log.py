"""Whatever a superuser or a thief of files does to the log: who notices, and that nobody cries wolf (P7).

The cases stand in tests/bent_log.yaml; each is done to a log of its own, and all who could notice look.
"""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from demo.postgres import PrivatePostgres
from tests import bending
from tests.bending import CASES, a_log_to_bend, make_template

BENT = [row for row in CASES["cases"] if "check" not in row]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def made(postgres: PrivatePostgres) -> dict[int, str]:
    """Give the log at each state it has been in."""
    return await make_template(postgres)


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
