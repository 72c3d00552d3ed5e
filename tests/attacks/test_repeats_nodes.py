"""An idempotency key at two nodes: one thing is made, another body is refused, and another caller's key is another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from demo.postgres import PrivatePostgres
from tests.nodes import PUBLIC, Node, Town, open_town

CPR = "7102740022"
LINES = [{"source": "social", "category": "S01"}]
ROLE = {"name": "koordinerende_sagsbehandler", "kle": ["32.*"], "sensitivity": 4, "attested_on": 20190101}
DESK = {"form": "oral", "evidence": "Read aloud and read back at the desk.", "identity_checked": True}
ROUTES = {"/v1/consent-requests": {}, "/v1/consents": DESK}


@pytest.fixture
async def town(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Town]:
    """Open a town with two nodes."""
    async with open_town(postgres, tmp_path) as town:
        yield town


async def send(town: Town, node: Node, token: str, path: str, body: Any) -> httpx2.Response:
    """Post with the same key each time."""
    proof = town.system.proof(town.now, PUBLIC + path, token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof, "Idempotency-Key": "one"}
    async with node.client() as http:
        return await http.post(path, json=body, headers=headers)


@pytest.mark.parametrize("path", ROUTES)
async def test_a_key_is_one_thing_over_nodes(town: Town, path: str) -> None:
    """Raced and after a restart the key makes one thing; another body is 422 at every node and keeps no row more."""
    case = town.open_case("S-1", CPR)
    body = case | {"purpose": "helhedsorienteret_plan", "lines": LINES, "to": "2020-02-28"} | ROUTES[path]
    token = await town.token(town.nodes[0], roles=[ROLE])

    raced = await asyncio.gather(*(send(town, node, token, path, body) for node in town.nodes * 2))
    statuses = sorted(answer.status_code for answer in raced)
    assert statuses[0] in {200, 201}, raced[0].text
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 409}

    await town.restart(town.nodes[0])
    for node in town.nodes:
        other = await send(town, node, token, path, body | {"to": "2020-01-01"})
        assert (other.status_code, other.json()["type"]) == (422, "urn:borgerbro:problem:key-reused")
        assert "2020-01-01" not in other.text
        assert (await send(town, node, token, path, body)).status_code in {200, 409}
    superuser = await asyncpg.connect(town.databases.admin)
    kept = await superuser.fetchval("SELECT count(*) FROM consents.idempotency")
    await superuser.close()
    assert kept == 1

    mallory = await town.token(town.nodes[1], roles=[ROLE], sub="mallory")
    assert (await send(town, town.nodes[1], mallory, path, body)).status_code == 403
