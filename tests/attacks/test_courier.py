"""What the other end of a courier's connection may try: every answer is its own question's, bounded, and read one way.

The other end is a real socket that says exactly the bytes a test gives it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme

from broker import courier as courier_module
from broker.courier import MOST_FRAME_BYTES, Courier, NoAnswer, TooMuch, up_to

# Far longer than any of these takes; only a hang reaches it.
LONGEST_SECONDS = 20
YES = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Script = Sequence[bytes | None]


@dataclass
class Mouth:
    """The other end: each connection's script, what came on it, and how many connections there were.

    A script has one entry for each question, all of which is said at once; None hangs up.
    """

    scripts: list[Script]
    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    lines: list[asyncio.StreamWriter] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection as the script says, until it ends or the courier hangs up."""
        script = self.scripts[min(len(self.lines), len(self.scripts) - 1)]
        self.lines.append(writer)
        try:
            for said in script:
                question = await reader.readuntil(b"\r\n\r\n")
                question += await reader.readexactly(_length(question))
                self.heard.append(question)
                if said is None:
                    return
                writer.write(said)
                await writer.drain()
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def _length(head: bytes) -> int:
    named = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
    return int(named[0].partition(b":")[2]) if named else 0


@asynccontextmanager
async def saying(*scripts: Script) -> AsyncIterator[tuple[Courier, Mouth]]:
    """Give a courier and the other end, whose connections follow these scripts; the last script is for all others."""
    mouth = Mouth(list(scripts))
    async with asyncio.timeout(LONGEST_SECONDS), await asyncio.start_server(mouth, "127.0.0.1", 0) as server:
        mouth.port = server.sockets[0].getsockname()[1]
        courier = Courier("127.0.0.1", mouth.port, None, {"Accept": "application/json"})
        try:
            yield courier, mouth
        finally:
            courier.close()
            await asyncio.sleep(0)


async def ask(courier: Courier, most_bytes: int = 1000, body: bytes = b"{}") -> tuple[int, bytes]:
    """Put one question."""
    return await courier.carry("POST", "/opslag", body, up_to(most_bytes))


async def test_a_connection_is_kept_and_nothing_of_an_answer_with_it() -> None:
    """Three questions go over one connection; while it rests it holds no byte of what was said (P4)."""
    async with saying([YES, YES, YES]) as (courier, mouth):
        assert [await ask(courier) for _ in range(3)] == [(200, b"yes")] * 3
        ((connection, _),) = courier._resting

        assert len(mouth.lines) == 1
        assert not [held for held in vars(connection).values() if held in (b"yes", [b"yes"]) or _is_future(held)]


def _is_future(held: object) -> bool:
    return isinstance(held, asyncio.Future)


WHOLE = {
    "with a length": YES,
    "in chunks": CHUNKED + b"1\r\ny\r\n2\r\nes\r\n0\r\n\r\n",
    "in chunks with extensions and trailers": CHUNKED + b"3;a=b\r\nyes\r\n0\r\nX-T: 1\r\n\r\n",
    "after words before it": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + YES,
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE.keys())
@pytest.mark.parametrize("cut", range(1, 12))
async def test_an_answer_is_the_same_in_any_pieces(answer: bytes, cut: int) -> None:
    """However an answer is cut on its way, it is read alike."""
    mouth = asyncio.Event()

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        for first in range(0, len(answer), cut * 7):
            writer.write(answer[first : first + cut * 7])
            await writer.drain()
            await asyncio.sleep(0)
        await mouth.wait()
        writer.close()

    async with asyncio.timeout(LONGEST_SECONDS), await asyncio.start_server(slowly, "127.0.0.1", 0) as server:
        courier = Courier("127.0.0.1", server.sockets[0].getsockname()[1], None, {})
        assert await ask(courier) == (200, b"yes")
        courier.close()
        mouth.set()


AFTER = {
    "another answer": YES.replace(b"yes", b"bad"),
    "the beginning of one": b"HTTP/1.1 200 OK\r\n",
    "a no": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "no HTTP": b"\x00\x01\x02",
}


@pytest.mark.parametrize("more", AFTER.values(), ids=AFTER.keys())
async def test_what_follows_an_answer_answers_nobody(more: bytes) -> None:
    """Whatever comes with an answer, after its end: the asker has their answer, and the next has one of their own."""
    async with saying([YES + more, YES.replace(b"yes", b"bad")], [YES.replace(b"yes", b"own")]) as (courier, mouth):
        assert await ask(courier) == (200, b"yes")
        assert await ask(courier) == (200, b"own")

        assert len(mouth.lines) == 2


async def test_what_comes_unasked_answers_nobody() -> None:
    """An answer sent on a connection that rests ends it; who asks next has a new one and their own answer."""
    async with saying([YES], [YES.replace(b"yes", b"own")]) as (courier, mouth):
        assert await ask(courier) == (200, b"yes")
        ((connection, _),) = courier._resting
        mouth.lines[0].write(YES.replace(b"yes", b"bad"))
        while not connection.is_over:
            await asyncio.sleep(0.001)

        assert await ask(courier) == (200, b"own")


async def test_an_answer_that_was_called_off_answers_nobody() -> None:
    """The asker went away; their answer, which comes later, is not given to the next one."""
    async with saying([b"HTTP/1.1 200 OK\r\n"], [YES.replace(b"yes", b"own")]) as (courier, mouth):
        waiting = asyncio.create_task(ask(courier))
        while not mouth.heard:
            await asyncio.sleep(0.001)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        mouth.lines[0].write(YES.replace(b"yes", b"bad"))

        assert await ask(courier) == (200, b"own")
        assert len(mouth.lines) == 2


NOT_KEPT = {
    "close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nyes",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes",
}


@pytest.mark.parametrize("answer", NOT_KEPT.values(), ids=NOT_KEPT.keys())
async def test_a_connection_that_is_said_to_end_is_not_kept(answer: bytes) -> None:
    """Who comes next has a new connection."""
    async with saying([answer, answer]) as (courier, mouth):
        assert [await ask(courier) for _ in range(2)] == [(200, b"yes")] * 2
        assert len(mouth.lines) == 2


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    """Old servers end an answer by hanging up."""
    async with saying([b"HTTP/1.0 200 OK\r\n\r\nyes"]) as (courier, mouth):
        waiting = asyncio.create_task(ask(courier))
        while not mouth.heard:
            await asyncio.sleep(0.001)
        mouth.lines[0].close()

        assert await waiting == (200, b"yes")


CUT = {
    "a length that is not reached": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nyes",
    "chunks without an end": CHUNKED + b"3\r\nyes\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
async def test_half_an_answer_is_none(answer: bytes) -> None:
    """A connection that ends in the middle of an answer gives none, and the question is not put again."""
    async with saying([answer]) as (courier, mouth):
        waiting = asyncio.create_task(ask(courier))
        while not mouth.heard:
            await asyncio.sleep(0.001)
        mouth.lines[0].close()

        with pytest.raises(NoAnswer):
            await waiting
        assert len(mouth.heard) == 1


TWO_WAYS = {
    "length and chunks": CHUNKED[:-2] + b"Content-Length: 3\r\n\r\n3\r\nyes\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nyes",
    "a length below nothing": b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nyes",
    "a chunk of no length": CHUNKED + b"x\r\nyes\r\n0\r\n\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 3\r\n\r\nyes",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nyes",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nyes",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no HTTP": b"\x15\x03\x01\x00\x02\x02\x46",
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nyes",
}


@pytest.mark.parametrize("answer", TWO_WAYS.values(), ids=TWO_WAYS.keys())
async def test_what_can_be_read_in_two_ways_is_not_read(answer: bytes) -> None:
    """What is no answer, or two, is none; its connection is not kept."""
    async with saying([answer]) as (courier, mouth):
        with pytest.raises(NoAnswer):
            await ask(courier)
        assert (len(mouth.lines), list(courier._resting)) == (1, [])


WITHOUT_END: dict[str, Callable[[], list[bytes]]] = {
    "a head": lambda: [b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000],
    "a header": lambda: [b"HTTP/1.1 200 OK\r\nX: ", b"y" * 4000],
    "a status line": lambda: [b"HTTP/1.1 200 ", b"O" * 4000],
    "words before the answer": lambda: [b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 200],
    "an extension of a chunk": lambda: [CHUNKED + b"3;", b"a" * 4000],
    "trailers": lambda: [CHUNKED + b"0\r\n", b"X: y\r\n" * 1000],
    "a trailer": lambda: [CHUNKED + b"0\r\nX: ", b"y" * 4000],
}


@pytest.mark.parametrize("pieces", WITHOUT_END.values(), ids=WITHOUT_END.keys())
async def test_what_frames_an_answer_has_an_end(pieces: Callable[[], list[bytes]]) -> None:
    """Whatever around a body goes on for ever is left alone, long before it is much."""
    first, again = pieces()
    said: list[int] = []

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(first)
        try:
            while True:
                writer.write(again)
                said.append(len(again))
                await writer.drain()
        except OSError:
            pass
        finally:
            # Called off at the end of the test it ends too, with all that was not taken yet: else another test is told.
            writer.transport.abort()

    async with asyncio.timeout(LONGEST_SECONDS), await asyncio.start_server(endless, "127.0.0.1", 0) as server:
        courier = Courier("127.0.0.1", server.sockets[0].getsockname()[1], None, {})
        with pytest.raises(NoAnswer):
            await ask(courier)
        courier.close()
    # What the two machines between them hold on the way comes on top.
    assert sum(said) < MOST_FRAME_BYTES + 20_000_000


@pytest.mark.parametrize("answer", [YES, CHUNKED + b"1\r\ny\r\n2\r\nes\r\n0\r\n\r\n"], ids=["at once", "in chunks"])
async def test_a_body_has_a_limit(answer: bytes) -> None:
    """As much as the asker allows is taken, one byte more is not; that connection is not kept."""
    async with saying([answer, answer], [answer]) as (courier, mouth):
        assert await ask(courier, 3) == (200, b"yes")
        with pytest.raises(TooMuch):
            await ask(courier, 2)
        assert await ask(courier, 3) == (200, b"yes")

        assert len(mouth.lines) == 2


@pytest.mark.parametrize("status", [204, 301, 307, 401, 404, 500])
async def test_what_is_said_beside_a_no_is_not_waited_for(status: int) -> None:
    """Any other word than yes is told at once, without its body; the connection is not kept, no address followed."""
    head = f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 900\r\n\r\nsomebody".encode()
    async with saying([head.replace(b"900", b"0") if status == 204 else head]) as (courier, mouth):
        assert await ask(courier) == (status, b"")
        assert not courier._resting
        assert len(mouth.heard) == 1


BENT = {
    "a line in a header": ("/a", {"X": "a\r\nY: b"}),
    "a line end in a header": ("/a", {"X": "a\nb"}),
    "a header that ends the head": ("/a", {"X": "a\r\n\r\nGET /b HTTP/1.1"}),
    "a line in a name": ("/a", {"X: a\r\nY": "b"}),
    "nothing in a header": ("/a", {"X": "a\0b"}),
    "a space in an address": ("/a HTTP/1.1\r\nX: y", {}),
    "a word in an address": ("/a b", {}),
    "letters of ours": ("/a", {"X": "æ"}),
}


@pytest.mark.parametrize(("target", "headers"), BENT.values(), ids=BENT.keys())
async def test_a_question_that_would_be_two_is_not_sent(target: str, headers: dict[str, str]) -> None:
    """What a source gave us, or a registry, cannot write lines of its own into a question."""
    async with saying([YES]) as (courier, mouth):
        with pytest.raises(NoAnswer):
            await courier.carry("GET", target, None, up_to(10), headers)
        assert not mouth.lines


async def test_ours_is_the_length_and_the_host() -> None:
    """Headers of a registry replace one another however they are written, and never where a question ends or goes."""
    async with saying([YES]) as (courier, mouth):
        told = {"ACCEPT": "text/plain", "Content-Length": "99", "host": "elsewhere.example"}
        await courier.carry("POST", "/a?b=c", b"{}", up_to(10), told)

        host = f"host: 127.0.0.1:{mouth.port}\r\n\r\n{{}}"
        assert mouth.heard == [b"POST /a?b=c HTTP/1.1\r\naccept: text/plain\r\ncontent-length: 2\r\n" + host.encode()]


async def test_a_kept_connection_that_ended_costs_no_answer_and_a_new_one_does() -> None:
    """Where nothing was said on a kept connection the question is put once more; on a new one it is not."""
    async with saying([YES, None], [None]) as (courier, mouth):
        assert await ask(courier) == (200, b"yes")
        with pytest.raises(ConnectionError):
            await ask(courier)

        assert (len(mouth.lines), len(mouth.heard)) == (2, 3)


async def test_what_rested_long_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that nobody used for long is ended by us, before the other end forgets it."""
    monkeypatch.setattr(courier_module, "REST_SECONDS", -1.0)
    async with saying([YES, YES]) as (courier, mouth):
        assert [await ask(courier) for _ in range(2)] == [(200, b"yes")] * 2
        assert len(mouth.lines) == 2


async def test_a_closed_courier_carries_nothing() -> None:
    """Closed, it asks nobody; what was on its way ends with its own answer, and nothing is kept."""
    async with saying([YES], [YES]) as (courier, mouth):
        assert await ask(courier) == (200, b"yes")
        courier.close()
        with pytest.raises(ConnectionError):
            await ask(courier)
        assert (len(mouth.heard), list(courier._resting)) == (1, [])


async def test_a_silent_name_server_is_asked_once_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks hold threads that all sources share: however many ask and are called off, one look is under way (P12)."""
    looks: list[str] = []

    async def silent(host: str, *_: object, **__: object) -> list[object]:
        looks.append(host)
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", silent)
    courier = Courier("kilde.example", 80, None, {})
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await ask(courier)

    assert looks == ["kilde.example"]


async def test_a_look_that_failed_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that was not known is not unknown for ever, and nobody is told more than that nobody is there."""
    looks: list[str] = []

    async def unknown(host: str, *_: object, **__: object) -> list[object]:
        looks.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    courier = Courier("kilde.example", 80, None, {})
    for _ in range(2):
        with pytest.raises(OSError, match="no such name"):
            await ask(courier)

    assert len(looks) == 2


async def test_an_address_that_is_silent_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with a dead address before a living one is reached, by its own name, long before an asker gives up."""
    async with saying([YES]) as (_, mouth):
        monkeypatch.setattr(courier_module, "PATIENCE_SECONDS", 0.05)
        loop = asyncio.get_running_loop()
        connect, tried = loop.create_connection, []

        async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(0, 0, 0, "", (address, mouth.port)) for address in ("192.0.2.1", "127.0.0.1")]

        async def told(make: Any, address: str, *more: Any, **named: Any) -> Any:
            tried.append((address, named["server_hostname"]))
            if address == "192.0.2.1":
                await asyncio.Event().wait()
            return await connect(make, address, *more, **named)

        monkeypatch.setattr(loop, "getaddrinfo", found)
        monkeypatch.setattr(loop, "create_connection", told)
        courier = Courier("kilde.example", mouth.port, None, {})

        assert await ask(courier) == (200, b"yes")
        assert tried == [("192.0.2.1", None), ("127.0.0.1", None)]
        assert b"host: kilde.example:" in mouth.heard[0]
        courier.close()


@pytest.mark.parametrize(("named", "is_taken"), [("kilde.example", True), ("127.0.0.1", False), ("b.example", False)])
async def test_a_certificate_names_the_host_and_not_its_address(
    named: str, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers at the address that a name server told must prove the name that a registry gave; else no word."""
    authority, theirs, ours = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(named).configure_cert(theirs)
    authority.configure_trust(ours)
    mouth = Mouth([[YES]])
    async with (
        asyncio.timeout(LONGEST_SECONDS),
        await asyncio.start_server(mouth, "127.0.0.1", 0, ssl=theirs) as server,
    ):
        port = server.sockets[0].getsockname()[1]

        async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(0, 0, 0, "", ("127.0.0.1", port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
        courier = Courier("kilde.example", port, ours, {})
        if is_taken:
            assert await ask(courier) == (200, b"yes")
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                await ask(courier)
        courier.close()

    assert bool(mouth.heard) is is_taken
