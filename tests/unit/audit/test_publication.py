"""Publication: what a quorum of witnesses stands behind is shown, and nothing else; forks and rollbacks are found."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from audit import merkle, note, postgres
from audit.checkpoint import Checkpoint
from audit.checkpointer import Checkpointer
from audit.checkpointer_command import ALL_WELL, NOT_DONE, UNPUBLISHED, WRONG, Rounds
from audit.cosignature import Cosigner
from audit.errors import NotVerified, StateRefused
from audit.heads_file import HeadsFile
from audit.merkle import Frontier, leaf_hash
from audit.note import SigningKey
from audit.policy import Policy, parse
from audit.publisher import Publisher
from audit.witness import KnownLogs
from audit.witness_client import Disputed, Silent, WitnessClient
from tests.neighbour import Neighbour
from tests.unit.audit.sealed import ORIGIN, an_entry, new
from tests.witness_table import checkpoint

KEY = SigningKey("log.example", b"k" * 32)
LOGS = KnownLogs.from_text(f"log {KEY.verify_key} log.example/*\n")
START = 1_800_000_000
# Another byte, whichever stands there.
FLIPPED = "set_byte(leaf, 60, get_byte(leaf, 60) # 1)"


class Clock:
    """The clock of the checkpointer and of all witnesses; a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


@dataclass
class House:
    """A log, its checkpointer, and what a test does to them."""

    pool: "asyncpg.Pool[Any]"
    superuser: "asyncpg.Connection[Any]"
    folder: Path
    clock: Clock
    http: aiohttp.ClientSession
    seconds: float = 0.5

    @asynccontextmanager
    async def rounds(self, text: str, *, folder: str = "signer") -> AsyncIterator[tuple[Rounds, Policy]]:
        """Open a checkpointer with a policy, over the same state file each time."""
        policy = parse(f"log {KEY.verify_key}\n{text}".encode())
        (self.folder / folder).mkdir(exist_ok=True)
        with HeadsFile(self.folder / folder / "state", KEY.name, new=True) as heads:
            checkpointer = Checkpointer(self.pool, [KEY], heads)
            clients = [WitnessClient(one, self.http, seconds=self.seconds) for one in policy.witnesses.values()]
            made = Publisher(self.pool, policy, clients, checkpointer.signed, now=self.clock, rest=300)
            yield Rounds(self.pool, checkpointer, made), policy

    async def grow(self, start: int, stop: int) -> None:
        """Append entries by number."""
        await postgres.append(self.superuser, [new(number) for number in range(start, stop)])

    async def published(self) -> postgres.KeptCheckpoint | None:
        """Read what is published of the log."""
        return await postgres.published_checkpoint(self.superuser, 1)


@pytest.fixture
async def house(dsn: str, superuser: "asyncpg.Connection[Any]", tmp_path: Path) -> AsyncIterator[House]:
    """Open a house with one log."""
    await superuser.execute("DELETE FROM log.head WHERE origin <> $1", ORIGIN)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool, aiohttp.ClientSession() as http:
        yield House(pool, superuser, tmp_path, Clock(), http)


@asynccontextmanager
async def neighbours(house: House, *names: str) -> AsyncIterator[list[Neighbour]]:
    """Start witnesses."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(Neighbour(house.folder / name, name, LOGS, now=house.clock))
            for name in names
        ]


async def test_a_checkpoint_is_published_with_its_quorum(house: House) -> None:
    """Grown and signed and cosigned in one round: what is published opens with the policy, as of now."""
    async with neighbours(house, "w1") as (one,), house.rounds(one.line + "quorum w1\n") as (rounds, policy):
        for start, size in ((0, 0), (0, 3), (3, 300)):
            await house.grow(start, size)
            assert await rounds.once() == ALL_WELL
            shown = await house.published()
            assert shown is not None
            assert policy.open(shown.note, ORIGIN, now=house.clock.now, oldest=0).size == size
            house.clock.now += 1


async def test_a_log_at_rest_is_cosigned_again_now_and_then(house: House) -> None:
    """Nothing new: nobody is asked for five minutes, then the same head is cosigned as of that time."""
    async with neighbours(house, "w1") as (one,), house.rounds(one.line + "quorum w1\n") as (rounds, policy):
        await house.grow(0, 3)
        times = []
        for _ in range(7):
            assert await rounds.once() == ALL_WELL
            shown = await house.published()
            assert shown is not None
            times.append(policy.cosigned(shown.note)["w1"] - START)
            house.clock.now += 100
    assert times == [0, 0, 0, 300, 300, 300, 600]


async def test_without_its_quorum_the_last_published_one_stands(house: House) -> None:
    """A witness gone: heads are signed and kept, none is published, and it is told; when it is back, the newest is."""
    async with neighbours(house, "w1", "w2") as (one, two):
        text = one.line + two.line + "group both all w1 w2\nquorum both\n"
        async with house.rounds(text) as (rounds, _):
            await house.grow(0, 3)
            assert await rounds.once() == ALL_WELL
            await two.stop()
            for start in (3, 4):
                await house.grow(start, start + 1)
                assert await rounds.once() == UNPUBLISHED
                assert set(rounds.wrong) == {"witness w2", f"quorum of {ORIGIN}"}
            shown, signed = await house.published(), await postgres.last_checkpoint(house.superuser, 1)
            assert (shown and shown.size, signed and signed.size) == (3, 5)
            await two.start()
            assert await rounds.once() == ALL_WELL
            shown = await house.published()
            assert shown is not None
            assert (shown.size, rounds.wrong) == (5, {})


async def test_one_slow_witness_of_three_delays_by_its_deadline_alone(house: House) -> None:
    """Two of three are enough, and are asked at once: the third never answers, and the rest is published."""

    async def never(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async with neighbours(house, "w1", "w2") as (one, two), lying(never) as third:
        text = one.line + third + two.line + "group most 2 w1 liar w2\nquorum most\n"
        async with house.rounds(text) as (rounds, policy):
            await house.grow(0, 3)
            async with asyncio.timeout(20):
                assert await rounds.once() == ALL_WELL
            shown = await house.published()
            assert shown is not None
            assert set(policy.cosigned(shown.note)) == {"w1", "w2"}
            assert rounds.wrong == {"witness liar": "silent: no answer in time"}


async def _put_back(house: House, size: int) -> Callable[[], Awaitable[None]]:
    """Take a backup of the database as it is now, and give what puts it back."""
    head = await house.superuser.fetchrow("SELECT size, root, frontier FROM log.head WHERE id = 1")
    assert head is not None

    async def put_back() -> None:
        for table in ("entry", "body", "index"):
            await house.superuser.execute(f"DELETE FROM log.{table} WHERE idx >= $1", size)
        await house.superuser.execute("DELETE FROM log.checkpoint WHERE size > $1", size)
        await house.superuser.execute("UPDATE log.head SET size = $1, root = $2, frontier = $3", *head.values())

    return put_back


@pytest.mark.parametrize("again", [0, 2, 4, 9], ids="grown by {}".format)
async def test_a_database_and_a_state_file_put_back_together_are_found_by_the_witness(house: House, again: int) -> None:
    """Both from the same moment, so that they agree, and grown otherwise since: the witness has seen more."""
    async with neighbours(house, "w1") as (one,):
        text = one.line + "quorum w1\n"
        async with house.rounds(text) as (rounds, _):
            await house.grow(0, 5)
            assert await rounds.once() == ALL_WELL
            put_back = await _put_back(house, 5)
            state = (house.folder / "signer" / "state").read_bytes()
            await house.grow(5, 9)
            assert await rounds.once() == ALL_WELL
        await put_back()
        (house.folder / "signer" / "state").write_bytes(state)
        await house.grow(105, 105 + again)
        async with house.rounds(text) as (rounds, _):
            for _ in range(2):
                assert await rounds.once() == UNPUBLISHED
                assert "disputes" in rounds.wrong[f"witness w1 on {ORIGIN}"]
        shown = await house.published()
        assert shown is not None
        assert shown.size == 5
        assert one.forks == (1 if again >= 4 else 0)


async def test_a_split_view_by_a_thief_of_the_log_s_key_has_no_quorum(house: House) -> None:
    """The key is stolen and another tree signed, smaller, as large and larger: nobody cosigns or believes it."""
    async with neighbours(house, "w1", "w2") as (one, two):
        text = one.line + two.line + "group most 2 w1 w2\nquorum most\n"
        async with house.rounds(text) as (rounds, policy):
            await house.grow(0, 8)
            assert await rounds.once() == ALL_WELL
        forged = [leaf_hash(an_entry(1000 + number).leaf) for number in range(20)]

        async def prove(old: int) -> list[bytes]:
            return merkle.consistency_proof(forged[:size], old)

        for size in (3, 8, 20):
            tree = Frontier().extend(forged[:size])
            split = Checkpoint(ORIGIN, size, tree.root()).signed_by(KEY)
            for witness in policy.witnesses.values():
                client = WitnessClient(witness, house.http, seconds=5)
                assert isinstance(await client.cosign(split, prove), Disputed)
            with pytest.raises(NotVerified, match="quorum"):
                policy.open(split, ORIGIN)


FAILING = [
    (owner, name, when)
    for owner, name in (
        (postgres, "flush"),
        (HeadsFile, "keep"),
        (Checkpointer, "_keep"),
        (WitnessClient, "_submit"),
        (postgres, "publish_checkpoint"),
    )
    for when in ("before", "after")
]


@pytest.mark.parametrize(("owner", "name", "when"), FAILING, ids=[f"{row[1]} {row[2]}" for row in FAILING])
async def test_whatever_fails_before_or_after_it_has_persisted_the_next_round_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, when: str
) -> None:
    """Each dependency fails once, before it has done its work or after: no fork, and the next process publishes."""
    async with neighbours(house, "w1") as (one,):
        text = one.line + "quorum w1\n"
        async with house.rounds(text) as (rounds, _):
            await house.grow(0, 3)
            assert await rounds.once() == ALL_WELL
            await house.grow(3, 8)
            with monkeypatch.context() as patched:
                patched.setattr(owner, name, _failing(getattr(owner, name), when, sync=name == "keep"))
                try:
                    assert await rounds.once() in (NOT_DONE, UNPUBLISHED)
                except StateRefused:
                    assert name == "keep"
        await house.grow(8, 9)
        async with house.rounds(text) as (rounds, policy):
            assert await rounds.once() == ALL_WELL
        shown = await house.published()
        assert shown is not None
        assert policy.open(shown.note, ORIGIN).size == 9
        assert one.forks == 0


def _failing(real: Callable[..., Any], when: str, *, sync: bool) -> Callable[..., Any]:
    def told() -> Exception:
        return StateRefused("the disk failed") if sync else ConnectionResetError("the line broke")

    def failing(*given: Any) -> None:
        if when == "after":
            real(*given)
        raise told()

    async def failing_later(*given: Any) -> None:
        if when == "after":
            await real(*given)
        raise told()

    return failing if sync else failing_later


Liar = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def lying(answer: Liar) -> AsyncIterator[str]:
    """Serve a witness that answers as a test says; give the line of a policy that names it."""
    app = web.Application()
    app.router.add_post("/add-checkpoint", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    liar = Cosigner("witness.example/liar", 4, b"z" * 32)
    yield f"witness liar {liar.key} http://127.0.0.1:{runner.addresses[0][1]}\n"
    await runner.cleanup()


def _says(status: int, text: bytes, kind: str = "text/plain", **headers: str) -> Liar:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=text, headers={"Content-Type": kind, **headers})

    return answer


def _cosigns(name: str, at: int, text: str | None = None) -> Liar:
    """Answer with a cosignature by a name, of a time, over the text sent or another."""

    async def answer(request: web.Request) -> web.Response:
        sent = (await request.read()).decode().partition("\n\n")[2]
        seed = b"z" * 32 if name == "liar" else b"y" * 32
        line = Cosigner(f"witness.example/{name}", 4, seed).cosign(text or note.read(sent).text, at)
        return web.Response(body=line.encode())

    return answer


SIZE = "text/x.tlog.size"
LIES = [
    ("nothing", _says(200, b"")),
    ("no signature", _says(200, "— w\n".encode())),
    ("bytes that are no text", _says(200, b"\xff\xfe")),
    ("a page without end", _says(200, b"x" * 1_000_000)),
    ("a stranger's line", _cosigns("stranger", START)),
    ("a line over another checkpoint", _cosigns("liar", START, Checkpoint(ORIGIN, 9, b"r" * 32).to_text())),
    ("a line of long ago", _cosigns("liar", START - 301)),
    ("a line of the future", _cosigns("liar", START + 61)),
    ("another old size, for ever", _says(409, b"1\n", SIZE)),
    ("an old size that is none", _says(409, b"-1\n", SIZE)),
    ("a conflict without a size", _says(409, b"1\n")),
    ("a server error", _says(500, b"")),
    ("elsewhere", _says(307, b"", Location="http://127.0.0.1:1/add-checkpoint")),
]


@pytest.mark.parametrize("lie", [row[1] for row in LIES], ids=[row[0] for row in LIES])
async def test_a_witness_that_lies_publishes_nothing(house: House, lie: Liar) -> None:
    """It is believed for its own signature over this checkpoint, as of now, and for nothing else."""
    async with lying(lie) as line, house.rounds(line + "quorum liar\n") as (rounds, _):
        await house.grow(0, 3)
        assert await rounds.once() == UNPUBLISHED
        assert await house.published() is None


async def test_a_log_that_was_changed_is_told_and_the_others_go_on(house: House) -> None:
    """One log's rows are bent: it stays as published; the other is signed and published all the same."""
    other = "log.example/147/2026"
    await postgres.open_log(house.superuser, other, "0147", 2026)
    async with neighbours(house, "w1") as (one,), house.rounds(one.line + "quorum w1\n") as (rounds, _):
        await house.grow(0, 3)
        assert await rounds.once() == ALL_WELL
        await house.grow(3, 5)
        await postgres.append(house.superuser, [new(50, other)])
        await house.superuser.execute(f"UPDATE log.entry SET leaf = {FLIPPED} WHERE idx = 4")
        assert await rounds.once() == WRONG
        assert set(rounds.wrong) == {f"log {ORIGIN}"}
        sizes = "SELECT max(size) FROM log.checkpoint WHERE published_at IS NOT NULL GROUP BY log_id ORDER BY log_id"
        assert [row["max"] for row in await house.superuser.fetch(sizes)] == [3, 1]


async def test_the_database_publishes_what_is_on_record_and_never_goes_back(house: House) -> None:
    """Another text under the same size, a size that is not on record, one smaller than what is published: refused."""
    await house.grow(0, 5)
    leaves = [leaf_hash(leaf) for leaf in await postgres.leaves(house.superuser, 1, 0, 5)]
    notes = {}
    for size in (3, 5):
        frontier = Frontier().extend(leaves[:size])
        notes[size] = Checkpoint(ORIGIN, size, frontier.root()).signed_by(KEY)
        await postgres.keep_checkpoint(house.superuser, ORIGIN, frontier, notes[size])
    forged = Checkpoint(ORIGIN, 5, b"r" * 32).signed_by(KEY)
    await postgres.publish_checkpoint(house.superuser, ORIGIN, 5, notes[5] + "— w AAAAAAAA\n")
    for size, text in ((5, forged), (4, notes[5]), (3, notes[3])):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await postgres.publish_checkpoint(house.superuser, ORIGIN, size, text)
        assert refused.value.sqlstate == "LG005"
    shown = await house.published()
    assert shown is not None
    assert shown.note.endswith("— w AAAAAAAA\n")


async def test_a_node_cannot_publish(dsn: str, pool: "asyncpg.Pool[Any]") -> None:
    """The application's role has no right to the function, nor to the row."""
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await postgres.publish_checkpoint(connection, ORIGIN, 0, "x")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE log.checkpoint SET published_at = now()")


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(house: House) -> None:
    """A cosignature longer than one packet, or one sent slowly, is a cosignature all the same."""

    async def in_pieces(request: web.Request) -> web.StreamResponse:
        sent = (await request.read()).decode().partition("\n\n")[2]
        line = Cosigner("witness.example/liar", 4, b"z" * 32).cosign(note.read(sent).text, START).encode()
        answer = web.StreamResponse()
        await answer.prepare(request)
        for piece in (line[:30], line[30:]):
            await answer.write(piece)
            await asyncio.sleep(0.05)
        return answer

    async with lying(in_pieces) as line, house.rounds(line + "quorum liar\n") as (rounds, _):
        await house.grow(0, 3)
        assert await rounds.once() == ALL_WELL


async def test_a_client_says_why_there_is_no_cosignature() -> None:
    """Nobody there: silence with its kind, told without waiting; a witness without an address cannot be a client."""
    policy = parse(f"witness w {Cosigner('w', 4, b'w' * 32).key} http://127.0.0.1:9\nquorum w\n".encode())

    async def prove(old: int) -> list[bytes]:
        raise AssertionError

    async with aiohttp.ClientSession() as http:
        told = await WitnessClient(policy.witnesses["w"], http, seconds=5).cosign(checkpoint(3), prove)
        assert told == Silent("ClientConnectorError")
        nowhere = parse(f"witness w {Cosigner('w', 4, b'w' * 32).key}\nquorum w\n".encode()).witnesses["w"]
        with pytest.raises(ValueError, match="address"):
            WitnessClient(nowhere, http, seconds=5)
