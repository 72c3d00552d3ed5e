"""The whole application behind its real HTTP server, over real databases: for callers who know HTTP alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx2
import uvicorn

from broker.web.server import configured
from demo.postgres import PrivatePostgres
from tests.actors import TOKEN_ENDPOINT
from tests.builders import NOON
from tests.pages_house import EMPLOYER, PUBLIC, SYSTEM, PagesHouse, Reader, open_pages

T = TypeVar("T")
ROLE = {"name": "koordinerende_sagsbehandler", "kle": ["15.*"], "sensitivity": 3, "attested_on": 20190101}
HOMES = {"citizen": "/mine", "officer": "/dpo", "caseworker": "/case", "desk": "/desk"}
REQUEST_SECONDS, MOST_HEAD_BYTES = 2.0, 16_384


@dataclass
class Served:
    """A house that is served at `port`. `readers` are the people logged in, `token` the system's for Lene."""

    house: PagesHouse
    loop: asyncio.AbstractEventLoop
    port: int
    token: str = field(default="", repr=False)
    readers: dict[str, Reader] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Let the house's own loop do something, and give what came of it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def credentials(self, caller: str | None, method: str, path: str) -> dict[str, str]:
        """Give the headers by which this caller is known for one request; `path` is raw, without its query."""
        if caller is None:
            return {}
        if caller == "system":
            proof = SYSTEM.proof(NOON, PUBLIC + path, method, token=self.token)
            return {"Authorization": f"DPoP {self.token}", "DPoP": proof}
        reader = self.readers[caller]
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in reader.http.cookies.jar)
        return {"Cookie": cookies, "X-CSRF-Token": reader.csrf}

    async def log_in(self) -> None:
        """Let one of each kind of caller in."""
        vouched = EMPLOYER.assertion(NOON, SYSTEM.client_id, sub="lene", unit="jobcentre", roles=[ROLE])
        proof = {"DPoP": SYSTEM.proof(NOON, TOKEN_ENDPOINT)}
        stranger = self.house.stranger().http
        answer = await stranger.post("/oauth2/token", data=SYSTEM.form(NOON, vouched), headers=proof)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        self.readers = {
            "citizen": await self.house.citizen(),
            "officer": await self.house.officer(),
            "caseworker": await self.house.caseworker(),
            "desk": await self.house.desk(),
        }
        for kind, reader in self.readers.items():
            page: httpx2.Response = await reader.get(HOMES[kind])
            assert page.status_code == 200, page.text

    async def rows(self) -> dict[str, int]:
        """Count the rows of every table of ours."""
        return await rows_of(self.house)


async def rows_of(house: PagesHouse) -> dict[str, int]:
    """Count the rows of every table of the main database, past row-level security."""
    superuser = await asyncpg.connect(house.databases.admin)
    try:
        names = await superuser.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        )
        # In one go: hundreds of tests count before and after.
        counts = " UNION ALL ".join(f"SELECT '{row['name']}', count(*) FROM {row['name']}" for row in names)
        return {row[0]: row[1] for row in await superuser.fetch(counts)}
    finally:
        await superuser.close()


@contextlib.contextmanager
def open_served(postgres: PrivatePostgres, folder: Path) -> Iterator[Served]:
    """Serve a small house on loopback until the end, with one of each kind of caller logged in."""
    started, stop = threading.Event(), threading.Event()
    made: list[Served] = []
    faults: list[BaseException] = []

    async def serve() -> None:
        async with open_pages(postgres, folder) as house:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                config = configured(house.app, request_seconds=REQUEST_SECONDS, most_head_bytes=MOST_HEAD_BYTES)
                server = uvicorn.Server(config)
                serving = asyncio.create_task(server.serve(sockets=[listener]))
                served = Served(house, asyncio.get_running_loop(), listener.getsockname()[1])
                await served.log_in()
                made.append(served)
                started.set()
                while not stop.is_set():
                    await asyncio.sleep(0.02)
                server.should_exit = True
                await serving

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            faults.append(error)
            raise
        finally:
            started.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    # Far more than is needed: it bounds a hang, and says nothing of speed.
    assert started.wait(300), "the house does not open"
    if faults:
        raise faults[0]
    try:
        yield made[0]
    finally:
        stop.set()
        thread.join(30)
