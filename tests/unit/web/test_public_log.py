"""The logs' public files over HTTP: C2SP tlog-tiles, with the headers that caches need, and nothing too early."""

import asyncio
import gzip
import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx2
import pytest

from audit.checkpoint import open_checkpoint
from audit.merkle import Frontier, leaf_hash
from audit.note import VerifyKey
from audit.tiles import bundles_of, derive, read_bundle
from broker.adapters import audit_tiles
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.audit_tiles import LogTilesPostgres
from broker.domain.errors import NotFound, TooManyAsks
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from demo.postgres import PrivatePostgres
from tests.databases import BASE
from tests.log_events import an_ask
from tests.pages_house import LOG_KEY, PUBLIC, PagesHouse, open_pages
from tests.signing import own_checkpointer, sign_and_publish

ORIGIN = f"{BASE}/korsbaek/2019"
PLACE = "/log/korsbaek/2019"
SIZE = 300
# What tests/databases.py opens.
CONNECTIONS = 8
# The last second of the year in Denmark, and the first of the next: in UTC both are in the old year.
NEW_YEAR = datetime(2019, 12, 31, 23, 0, tzinfo=UTC)


@dataclass
class Stand:
    """A house whose log has entries, and somebody who knows nothing but its address."""

    house: PagesHouse
    http: httpx2.AsyncClient

    async def append(self, count: int, at: datetime | None = None) -> None:
        """Write asks on the log."""
        anna, kim = await self.house.databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
        made = an_ask(anna, kim) if at is None else an_ask(anna, kim, at=at)
        await self.house.databases.log.append([made] * count)

    async def sign(self, origin: str = ORIGIN) -> None:
        """Let the checkpointer sign one log once."""
        async with asyncpg.create_pool(self.house.databases.at.checkpointer, min_size=1, max_size=1) as pool:
            await sign_and_publish(own_checkpointer(pool, LOG_KEY), origin)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """Fetch a file."""
        return await self.http.get(path, headers={"accept-encoding": "identity"} | headers)


@pytest.fixture
async def stand(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Stand]:
    """Open a house with a signed log of 300 entries."""
    async with open_pages(postgres, tmp_path) as house:
        made = Stand(house, house.stranger().http)
        await made.append(SIZE)
        await made.sign()
        yield made


async def test_every_file_of_the_log_is_served_and_holds(stand: Stand) -> None:
    """From checkpoint, tiles and bundles alone the whole log is checked: entries, tree, signature, origin."""
    note = (await stand.get(f"{PLACE}/checkpoint")).text
    checkpoint = open_checkpoint(note, ORIGIN, [LOG_KEY.verify_key])
    assert checkpoint.size == SIZE

    leaves: list[bytes] = []
    for bundle in bundles_of(SIZE):
        answer = await stand.get(f"{PLACE}/{bundle.path}")
        leaves += read_bundle(answer.content)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    assert Frontier().extend(hashes).root() == checkpoint.root
    for tile, packed in derive(hashes):
        answer = await stand.get(f"{PLACE}/{tile.path}")
        assert (answer.status_code, answer.content) == (200, packed)


async def test_each_kind_of_file_tells_caches_what_it_is(stand: Stand) -> None:
    """A full tile is for ever, a partial one for a while, the checkpoint is asked for again; types as C2SP says."""
    full, partial = [f"{PLACE}/tile/0/000", f"{PLACE}/tile/entries/000"], [f"{PLACE}/tile/0/001.p/44"]
    for path in (*full, *partial):
        answer = await stand.get(path)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert ("max-age=31536000" in answer.headers["cache-control"]) == (path in full)
        assert "immutable" in answer.headers["cache-control"]
    head = await stand.get(f"{PLACE}/checkpoint")
    assert head.headers["content-type"] == "text/plain; charset=utf-8"
    assert head.headers["cache-control"] == "public, no-cache"
    assert head.headers["access-control-allow-origin"] == "*"
    assert head.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in head.headers


async def test_who_has_a_file_is_not_sent_it_again(stand: Stand) -> None:
    """A matching tag is answered 304 with no body, and a checkpoint that has grown is sent whole."""
    for path in (f"{PLACE}/checkpoint", f"{PLACE}/tile/0/000", f"{PLACE}/tile/entries/000"):
        first = await stand.get(path)
        again = await stand.get(path, **{"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    old = (await stand.get(f"{PLACE}/checkpoint")).headers["etag"]
    await stand.append(1)
    await stand.sign()
    assert (await stand.get(f"{PLACE}/checkpoint", **{"if-none-match": old})).status_code == 200


CODINGS = [
    ("gzip", True),
    ("br, gzip;q=0.5", True),
    ("identity", False),
    ("gzip;q=0", False),
    ("gzip; q=0.0, br", False),
]


async def test_entries_are_compressed_for_who_takes_it(stand: Stand) -> None:
    """Bundles are compressed by negotiation alone, under another tag, and caches are told."""
    plain = await stand.get(f"{PLACE}/tile/entries/000")
    for wanted, packed in CODINGS:
        async with stand.http.stream("GET", f"{PLACE}/tile/entries/000", headers={"accept-encoding": wanted}) as answer:
            body = b"".join([part async for part in answer.aiter_raw()])
            assert (answer.headers.get("content-encoding") == "gzip") == packed
            assert answer.headers["vary"] == "Accept-Encoding"
            assert (answer.headers["etag"] == plain.headers["etag"]) != packed
        assert (gzip.decompress(body) if packed else body) == plain.content


async def test_nothing_is_served_beyond_the_checkpoint(stand: Stand) -> None:
    """Entries that are on the log but under no checkpoint are not there, as tile or bundle; then they are."""
    await stand.append(5)
    early = [f"{PLACE}/tile/0/001.p/49", f"{PLACE}/tile/entries/001.p/49", f"{PLACE}/tile/entries/001"]
    assert [(await stand.get(path)).status_code for path in early] == [404, 404, 404]
    assert [(await stand.get(path)).headers["cache-control"] for path in early] == ["no-store"] * 3
    await stand.sign()
    assert [(await stand.get(path)).status_code for path in early] == [200, 200, 404]
    assert (await stand.get(f"{PLACE}/tile/0/001.p/44")).status_code == 200


STRANGE = [
    "tile/0/000.p/256", "tile/0/0", "tile/0/002", "tile/1/000", "tile/1/000.p/2", "tile/2/000.p/1", "tile/63/000",
    "tile/64/000", "tile/entries/002", "tile/0/x999/x999/x999/x999/x999/x999/999",
    "tile/", "tile", "tile/0/000/", "tile/0/%D9%A0%D9%A0%D9%A0",
]  # fmt: skip


async def test_what_is_no_file_is_not_there(stand: Stand) -> None:
    """Other paths, tiles that the tree does not have, and other spellings are a plain 404."""
    told = {path: (await stand.get(f"{PLACE}/{path}")).status_code for path in STRANGE}
    assert [path for path, status in told.items() if status not in {400, 404}] == []


async def test_another_log_is_not_there(stand: Stand) -> None:
    """A year without entries, a stranger's municipality and another spelling of the year have no files."""
    for log in ("korsbaek/2020", "nowhere/2019", "korsbaek/02019", "norrestrand/2019"):
        for path in ("checkpoint", "tile/0/000", "tile/entries/000"):
            assert (await stand.get(f"/log/{log}/{path}")).status_code in {400, 404}


async def test_the_year_turns_at_danish_midnight(stand: Stand) -> None:
    """The last second of the year and the first of the next are in two logs, each under its own checkpoint."""
    await stand.append(2, NEW_YEAR.replace(hour=22, minute=59, second=59))
    await stand.append(3, NEW_YEAR)
    for year, size in ((2019, SIZE + 2), (2020, 3)):
        await stand.sign(f"{BASE}/korsbaek/{year}")
        note = (await stand.get(f"/log/korsbaek/{year}/checkpoint")).text
        assert open_checkpoint(note, f"{BASE}/korsbaek/{year}", [LOG_KEY.verify_key]).size == size
    old = await stand.get("/log/korsbaek/2019/tile/entries/000")
    new = await stand.get("/log/korsbaek/2020/tile/entries/000.p/3")
    assert (old.status_code, new.status_code) == (200, 200)
    assert not set(read_bundle(old.content)) & set(read_bundle(new.content))


async def test_a_stranger_finds_logs_and_keys(stand: Stand) -> None:
    """The page, the list and the key file name each log, its address and the key that its checkpoint opens with."""
    page = await stand.http.get("/log/", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert f"{PUBLIC}{PLACE}" in page.text
    listed = (await stand.get("/log/logs.json")).json()
    assert listed["logs"] == [
        {
            "origin": ORIGIN, "url": f"{PUBLIC}{PLACE}", "municipality": "korsbaek", "year": 2019, "size": SIZE,
            "signed_at": listed["logs"][0]["signed_at"],
        }
    ]  # fmt: skip
    keys = (await stand.get("/log/keys")).text.splitlines()
    assert keys == listed["keys"]
    # A log's name need not be where it lies; the address that is told is where its files are.
    note = (await stand.get(f"{listed['logs'][0]['url']}/checkpoint")).text
    assert open_checkpoint(note, ORIGIN, list(map(VerifyKey.from_text, keys)))


async def test_a_stranger_copies_commands_that_reach_the_log(stand: Stand) -> None:
    """They fetch the keys from where the log is served, and hold it to its name, which may be another."""
    page = await stand.http.get("/log/", headers={"accept": "text/html"})
    (block,) = re.findall(r"<code>(curl .*?)</code>", page.text, re.DOTALL)
    fetch, verify = html.unescape(block).replace("\\\n", "").splitlines()

    assert fetch == f"curl -sf {PUBLIC}/log/keys -o keys"
    assert verify.split()[-4:] == ["--origin", ORIGIN, "--url", f"{PUBLIC}{PLACE}"]
    assert (await stand.get(f"{PUBLIC}/log/keys")).text.splitlines() == [str(LOG_KEY.verify_key)]


async def test_strangers_leave_connections_for_the_road(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for files, few read at once; who comes on top of those waiting is told to come back."""
    monkeypatch.setattr(audit_tiles, "MOST_WAITING", 3)
    pool = stand.house.databases.pool
    files = LogTilesPostgres(pool)
    async with AsyncExitStack() as held:
        for _ in range(CONNECTIONS):
            await held.enter_async_context(pool.acquire())
        asked = [asyncio.create_task(files.tile(ORIGIN, "tile/0/000")) for _ in range(5)]
        done, waiting = await asyncio.wait(asked, timeout=0.5)
        assert len(waiting) == 3
        assert all(isinstance(task.exception(), TooManyAsks) for task in done)
    assert {len(await task) for task in waiting} == {8192}


async def test_strangers_who_ask_for_proofs_leave_connections_for_the_road(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proof takes more reads than a tile: few are made at once, and behind those waiting one is told to come back."""
    monkeypatch.setattr(audit_tiles, "MOST_WAITING", 3)
    house = stand.house.databases
    reader = LogReaderPostgres(house.pool, house.vault)
    async with AsyncExitStack() as held:
        for _ in range(CONNECTIONS):
            await held.enter_async_context(house.pool.acquire())
        asked = [asyncio.create_task(reader.proof(Receipt(ORIGIN, 7))) for _ in range(5)]
        done, waiting = await asyncio.wait(asked, timeout=0.5)
        assert len(waiting) == 3
        assert all(isinstance(task.exception(), TooManyAsks) for task in done)
    assert len({await task for task in waiting}) == 1


async def test_a_tile_is_not_made_of_what_is_left(stand: Stand) -> None:
    """Where rows are gone there is no tile, rather than a shorter one."""
    superuser = await asyncpg.connect(stand.house.databases.admin)
    await superuser.execute("DELETE FROM log.entry WHERE idx = 7")
    await superuser.close()
    files = LogTilesPostgres(stand.house.databases.pool)
    for path in ("tile/0/000", "tile/entries/000"):
        with pytest.raises(NotFound):
            await files.tile(ORIGIN, path)
    assert (await stand.get(f"{PLACE}/tile/0/001.p/44")).status_code == 200
