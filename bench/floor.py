"""The floor: an endpoint written by hand that does what an ask cannot do without, and nothing else.

Verify one token (ES256), one durable row, one look-up in each of two registers, one select, one call to the source,
one more durable row, answer. It decides nothing, proves nothing and protects nobody: it is there to be compared with.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
import uvicorn
import uvloop
from joserfc import jwk, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.systems.process import address_of, bound, until_orphaned

TABLES = """
CREATE TABLE bench_consent (citizen text PRIMARY KEY, granted boolean NOT NULL);
CREATE TABLE bench_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, citizen text NOT NULL, body bytea NOT NULL);
CREATE INDEX ON bench_row (citizen);
INSERT INTO bench_consent VALUES ('{citizen}', true);
"""
INSERT = "INSERT INTO bench_row (citizen, body) VALUES ($1, $2)"
SELECT = "SELECT granted FROM bench_consent WHERE citizen = $1"
ROW_BYTES = 320  # As a sealed entry with a small body has.
CONNECTIONS = 16


@dataclass(slots=True)
class Floor:
    """The endpoint and what it holds open."""

    told: dict[str, Any]
    pool: asyncpg.Pool[Any] = field(init=False)
    http: aiohttp.ClientSession = field(init=False)
    key: jwk.Key = field(init=False)

    @asynccontextmanager
    async def open(self, _app: Starlette) -> AsyncIterator[None]:
        """Open database and connections for as long as the server serves."""
        self.key = jwk.import_key(self.told["public_key"])
        settings = {"synchronous_commit": "on"}
        pool = asyncpg.create_pool(self.told["dsn"], min_size=1, max_size=CONNECTIONS, server_settings=settings)
        async with pool as self.pool, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self.http:
            yield

    async def ask(self, request: Request) -> Response:
        """Carry out one ask; a token that does not verify and a source that does not answer are server errors."""
        token = jwt.decode(request.headers["authorization"].removeprefix("Bearer "), self.key, algorithms=["ES256"])
        jwt.JWTClaimsRegistry(iss={"essential": True, "value": "bench"}).validate(token.claims)
        body = orjson.loads(await request.body())
        citizen = body["citizen"]
        await self.pool.execute(INSERT, citizen, os.urandom(ROW_BYTES))
        case = {"sagsnummer": body["case"], "cpr": citizen}
        await asyncio.gather(self._post("people", {"personnummer": citizen}), self._post("cases", case))
        if not await self.pool.fetchval(SELECT, citizen):
            return Response(status_code=403)
        told = await self._post("source", {"cpr": citizen})
        await self.pool.execute(INSERT, citizen, os.urandom(ROW_BYTES))
        return Response(orjson.dumps(told), media_type="application/json")

    async def ready(self, _request: Request) -> Response:
        """Tell a proxy in front that this is up."""
        return Response()

    async def _post(self, place: str, body: dict[str, Any]) -> Any:
        where = self.told[place]
        try:
            return await self._once(where, body)
        except aiohttp.ClientConnectionError:
            # A kept connection that the other end has just closed; the broker's own lines try once more too.
            return await self._once(where, body)

    async def _once(self, where: dict[str, Any], body: dict[str, Any]) -> Any:
        async with self.http.post(where["url"], data=orjson.dumps(body), headers=where["headers"]) as answer:
            answer.raise_for_status()
            return orjson.loads(await answer.read())


async def _serve(told: dict[str, Any]) -> None:
    floor = Floor(told)
    listener = bound(0)
    routes = [Route("/ask", floor.ask, methods=["POST"]), Route("/health/ready", floor.ready)]
    app = Starlette(routes=routes, lifespan=floor.open)
    server = uvicorn.Server(
        uvicorn.Config(app, access_log=False, log_level="error", server_header=False, timeout_keep_alive=30)
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 -- uvicorn tells it by a flag alone
        await asyncio.sleep(0.01)
    print(f"ready {address_of(listener)}", flush=True)
    orphaned = asyncio.create_task(until_orphaned())
    await asyncio.wait({serving, orphaned}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
