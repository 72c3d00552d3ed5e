"""A witness: cosigns what grew, keeps it first, and nothing takes it back."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import aiohttp
import pytest

from audit import note, witness_server
from audit.cosignature import ED25519, Cosigner, time_of
from audit.errors import PolicyRefused, StateRefused
from audit.heads_file import HeadsFile
from audit.witness import KnownLogs, Request, Witness
from audit.witness_server import MAX_BODY, WitnessServer
from tests import witness_table
from tests.witness_table import FORKED, KEY, ORIGIN, checkpoint, submission

COSIGNER = Cosigner("witness.example/w1", ED25519, b"w" * 32)
LOGS = KnownLogs.from_text(f"# the one log\n\nlog {KEY.verify_key}\n")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands."""
    return Clock()


@pytest.fixture
def witness(tmp_path: Path, clock: Clock) -> Iterator[Witness]:
    """Open a witness that has seen nothing."""
    with HeadsFile(tmp_path / "state", COSIGNER.name, new=True) as heads:
        yield Witness(heads, [COSIGNER], LOGS, now=clock, evidence=tmp_path / "evidence")


def test_a_witness_answers_as_the_table_says(witness: Witness) -> None:
    """Every step of the table, one after the other, on one witness."""
    for step in witness_table.steps():
        answer = witness.add_checkpoint(step.body)
        assert answer.status == step.status, step.name
        assert step.text in (None, answer.text), step.name


def test_what_comes_back_cosigns_the_checkpoint_at_the_witness_s_time(witness: Witness, clock: Clock) -> None:
    """The lines, put below the checkpoint, open it; the time is the clock's; a repeat is cosigned anew."""
    for _ in range(2):
        answer = witness.add_checkpoint(submission(3 if clock.now % 10 else 0, 3))
        signed = checkpoint(3) + answer.text
        assert note.open_note(signed, [COSIGNER.key])[1] == (COSIGNER.key,)
        assert time_of(note.read(signed).signatures[1].signature) == clock.now
        clock.now += 7


def test_the_head_is_kept_before_the_answer(witness: Witness, tmp_path: Path, clock: Clock) -> None:
    """After a 200 the next process, over the same file, knows the head; after a refusal the head is the old one."""
    assert witness.add_checkpoint(submission(0, 8)).status == 200
    assert witness.add_checkpoint(submission(8, 9, FORKED)).status == 422
    witness._heads.close()
    with HeadsFile(tmp_path / "state", COSIGNER.name) as heads:
        again = Witness(heads, [COSIGNER], LOGS, now=clock, evidence=tmp_path / "evidence")
        assert again.add_checkpoint(submission(0, 9)).text == "8\n"
        assert again.add_checkpoint(submission(8, 9)).status == 200


def test_a_fork_is_kept_as_evidence(witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the log signed and should not have is kept once, as it was sent, up to a bound; nothing else is kept."""
    monkeypatch.setattr("audit.witness.MAX_EVIDENCE", 2)
    witness.add_checkpoint(submission(0, 8))
    witness.add_checkpoint(submission(8, 12))
    assert not (tmp_path / "evidence").exists()
    forks = [submission(12, size, FORKED) for size in (12, 13, 14)]
    for fork in [*forks, *forks]:
        assert witness.add_checkpoint(fork).status == 422
    kept = {file.read_bytes() for file in (tmp_path / "evidence").iterdir()}
    assert kept == set(forks[:2])


def test_made_up_proofs_do_not_fill_the_folder_of_evidence(
    witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the published heads can send false proofs with them for ever; a true fork is kept all the same."""
    monkeypatch.setattr("audit.witness.MAX_EVIDENCE", 2)
    assert witness.add_checkpoint(submission(0, 12)).status == 200
    for size in (12, 13):
        for made_up in range(5):
            body = Request(12, (bytes((made_up,)) * 32,), checkpoint(size)).to_bytes()
            assert witness.add_checkpoint(body).status == 422
    fork = submission(12, 14, FORKED)
    assert witness.add_checkpoint(fork).status == 422
    kept = [file.read_bytes() for file in (tmp_path / "evidence").iterdir()]
    assert len(kept) == 2
    assert fork in kept


def test_a_clock_that_went_back_cosigns_nothing(witness: Witness, clock: Clock) -> None:
    """Until it has caught up: a cosignature says as of when."""
    assert witness.add_checkpoint(submission(0, 3)).status == 200
    clock.now -= 1
    assert witness.add_checkpoint(submission(3, 8)).status == 503
    clock.now += 1
    assert witness.add_checkpoint(submission(3, 8)).status == 200


def test_a_witness_keeps_a_bounded_number_of_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that may name any log below its name cannot fill the witness's disk."""
    monkeypatch.setattr("audit.witness.MAX_LOGS", 1)
    logs = KnownLogs.from_text(f"log {KEY.verify_key}\nlog {KEY.verify_key} log.example/*")
    with HeadsFile(tmp_path / "state", COSIGNER.name, new=True) as heads:
        one = Witness(heads, [COSIGNER], logs, now=lambda: 7, evidence=tmp_path / "evidence")
        assert one.add_checkpoint(submission(0, 3)).status == 200
        other = Request(0, (), checkpoint(3, origin="log.example/102/2026")).to_bytes()
        assert one.add_checkpoint(other).status == 503
        assert one.add_checkpoint(submission(3, 4)).status == 200


def test_logs_are_known_by_origin_and_key_together() -> None:
    """By the key's own name, by an origin, by all below a name; a name that only begins alike is not meant."""
    other = witness_table.STRANGER.verify_key
    logs = KnownLogs.from_text(f"log {KEY.verify_key}\nlog {other} x.example/1\nlog {other} y.example/*\nlog {other}\n")
    assert logs.of(ORIGIN) == [KEY.verify_key, other]
    assert logs.of("x.example/1") == logs.of("y.example/1/2026") == [other]
    assert logs.of("x.example/1/2") == logs.of("y.example") == logs.of("y.example.evil/1") == []


@pytest.mark.parametrize("line", ["log", "log x", "logs a b", f"log {KEY.verify_key} a b", f"log {COSIGNER.key}"])
def test_a_line_that_names_no_log_is_refused(line: str) -> None:
    """With its number, and none of its text."""
    with pytest.raises(PolicyRefused, match="line 2"):
        KnownLogs.from_text("# logs\n" + line)


class Served:
    """A witness on a port of its own, and a way to ask it."""

    def __init__(self, witness: Witness) -> None:
        self.server = WitnessServer(witness, [COSIGNER.key], prefix="/w1")
        self.fault: Exception | None = None

    async def __aenter__(self) -> Self:
        self.address = f"http://127.0.0.1:{await self.server.start('127.0.0.1', 0)}/w1"
        self.running = asyncio.create_task(self.server.run())
        self.http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()
        self.server._ended.set()
        try:
            await self.running
        except StateRefused as lost:
            self.fault = lost

    async def post(self, body: bytes) -> tuple[int, str, str]:
        async with self.http.post(f"{self.address}/add-checkpoint", data=body) as answer:
            return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_over_http_the_answers_are_the_same(witness: Witness) -> None:
    """The table again, by POST; a conflict has the type the protocol names; the keys are told to whoever asks."""
    async with Served(witness) as served:
        for step in witness_table.steps():
            status, kind, text = await served.post(step.body)
            assert status == step.status, step.name
            assert step.text in (None, text), step.name
            assert (kind == "text/x.tlog.size") == (status == 409)
        async with served.http.get(f"{served.address}/") as answer:
            assert await answer.text() == f"{COSIGNER.key}\n"
        assert (await served.post(b"x" * (MAX_BODY + 1)))[0] == 413
    assert served.fault is None


async def test_racing_submissions_never_take_the_log_back(witness: Witness) -> None:
    """Thirty heads submitted at once from the same old size: one is cosigned, the others hear the size it has now."""
    async with Served(witness) as served:
        answers = await asyncio.gather(*(served.post(submission(0, size)) for size in range(1, 31)))
        statuses = [status for status, _, _ in answers]
        assert statuses.count(200) == 1
        assert {text for status, _, text in answers if status == 409} == {f"{statuses.index(200) + 1}\n"}


async def test_a_disk_that_fails_ends_the_witness_without_a_cosignature(
    witness: Witness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer is 500 and holds no signature; the process ends, and says why."""
    async with Served(witness) as served:
        assert (await served.post(submission(0, 3)))[0] == 200

        def failing(handle: int) -> None:
            raise OSError(5, os.strerror(5))

        monkeypatch.setattr(os, "fsync", failing)
        status, _, text = await served.post(submission(3, 8))
        assert (status, "—" in text) == (500, False)
    assert isinstance(served.fault, StateRefused)
    assert "state lost" in capsys.readouterr().err


async def test_a_request_that_never_arrives_whole_is_let_go(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow sender is answered 408 while others are served."""
    monkeypatch.setattr(witness_server, "SECONDS_TO_ARRIVE", 0.2)
    async with Served(witness) as served:
        port = int(served.address.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /w1/add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold")
        await writer.drain()
        assert (await served.post(submission(0, 3)))[0] == 200
        assert b"408" in await asyncio.wait_for(reader.readline(), 10)
        writer.close()
