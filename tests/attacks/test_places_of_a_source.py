"""The places, the breaker and the wire of a source serve its other readers, whatever one reader meets (P5, P12)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web

from broker.domain.errors import SourceFailed
from broker.domain.personal import Personal
from connectors import Connector, Limits, build
from connectors.guard import Errand
from connectors.wire import Wire
from tests.fakes.hostile import HostileServer, hostile

PERSON, OTHER = Personal("7102740022"), Personal("8009064011")
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)
B01 = frozenset({"B01"})
READS = {
    "B01": [
        {
            "ask": {"method": "POST", "path": "/plans", "body": {"cpr": "{cpr}"}},
            "records": "data",
            "person": "cpr",
            "item": {"kind": {"value": "plan"}, "id": "id", "unit": {"value": "Enheden"}},
        }
    ]
}


def connect(server: HostileServer, limits: Limits) -> Connector:
    """Make a connector that leads to the server."""
    return build("rest_json", "jobcentre", {"base_url": server.address}, READS, {}, limits, now=lambda: NOW)


async def test_waiting_for_a_place_counts_against_the_deadline() -> None:
    """While all places are held by reads that hang, a further read ends at its own deadline, not after theirs."""
    hanging = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        await hanging.wait()
        return web.json_response({"data": []})

    limits = Limits(deadline_seconds=0.4, most_at_once=1, most_failures=100)
    async with hostile(answer) as server, connect(server, limits) as source:
        reads = [asyncio.create_task(source.read(PERSON, "person-1", B01)) for _ in range(8)]
        done, waiting = await asyncio.wait(reads, timeout=1.4)
        hanging.set()
        for read in waiting:
            read.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    assert (len(done), len(waiting)) == (8, 0)
    assert {getattr(read.exception(), "why", "answered") for read in done} == {"timeout"}


async def test_the_wire_sends_to_named_paths_alone() -> None:
    """Whatever a kind of source would like to post to, a path that its settings do not name is not asked (P5)."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({})

    async with hostile(answer) as server:
        wire = Wire("jobcentre", {"base_url": server.address}, {}, frozenset({"/plans"}))
        await wire.open()
        errand = Errand("jobcentre", PERSON.disclose(), Limits())
        with pytest.raises(SourceFailed) as failed:
            await wire.query(errand, "/plans/delete", b"{}", "application/json", {})
        await wire.close()

    assert failed.value.why == "refused"
    assert server.seen == []


async def test_a_person_with_too_much_closes_no_source_for_others() -> None:
    """However often somebody with too many records is asked about, the next person's read is answered."""

    async def answer(request: web.Request) -> web.StreamResponse:
        cpr = (await request.json())["cpr"]
        many = 50 if cpr == PERSON.disclose() else 1
        return web.json_response({"data": [{"cpr": cpr, "id": str(n)} for n in range(many)]})

    limits = Limits(deadline_seconds=2.0, most_records=10, most_failures=2, rest_seconds=60.0)
    async with hostile(answer) as server, connect(server, limits) as source:
        for _ in range(4):
            with pytest.raises(SourceFailed) as failed:
                await source.read(PERSON, "person-1", B01)
            assert failed.value.why == "too_much"

        assert len(await source.read(OTHER, "person-2", B01)) == 1
