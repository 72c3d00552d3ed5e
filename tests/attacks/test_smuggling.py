"""Requests that two readers would read in two ways, at a real node's socket: none is smuggled, none is a fault of ours.

Every attack carries a whole, rightly signed ask where only one reader would see it. If the node read it, it would be
on the log.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from broker.settings import Settings
from demo.postgres import PrivatePostgres
from tests.nodes import EXCHANGE, Town, open_town
from tests.serving import as_a_node

MOST_HEAD_BYTES = int(Settings.model_fields["most_head_bytes"].default)
CPR = "7102740022"
CANARY = b"CANARY-7102740022"
STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
ROUTE_500 = re.compile(r'^borgerbro_requests_total\{[^}]*status="5', re.MULTILINE)


@dataclass
class Socket:
    """A node's real socket, and the ask to smuggle: whole, signed, and never yet used."""

    town: Town
    port: int
    ask: bytes

    async def send(self, *pieces: bytes, seconds: float = 5.0) -> bytes:
        """Send bytes as they are, and read until the node hangs up or has answered and says no more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        told = b""
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        with suppress(ConnectionError, TimeoutError):
            while piece := await asyncio.wait_for(reader.read(65_536), 0.4 if told else seconds):
                told += piece
        writer.close()
        return told

    async def metrics(self) -> str:
        """Read what the node counted."""
        async with httpx2.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{self.port}/metrics")).text


@pytest.fixture
async def at(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Socket]:
    """Serve one node as a node is served."""
    async with open_town(postgres, tmp_path, nodes=1) as town:
        (node,) = town.nodes
        async with as_a_node(node.app) as port:
            yield Socket(town, port, await _an_ask(town))


async def _an_ask(town: Town) -> bytes:
    body = json.dumps(town.open_case("S-1", CPR)).encode()
    token = await town.token(town.nodes[0])
    proof = town.system.proof(town.now, EXCHANGE, token=token)
    head = f"Authorization: DPoP {token}\r\nDPoP: {proof}\r\nContent-Length: {len(body)}\r\n"
    return (
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + head.encode() + b"\r\n" + body
    )


POST = b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

# What is sent before the smuggled ask: a head that one reader ends here and another does not.
BEFORE: dict[str, bytes] = {
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 4000\r\n\r\n{}",
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a length below nothing": POST + b"Content-Length: -1\r\n\r\n",
    "a length in hexadecimal": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length in two words": POST + b"Content-Length: 2 0\r\n\r\n{}",
    "a length without end": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a length in foreign digits": POST + "Content-Length: ٢\r\n\r\n{}".encode(),
    "chunks and a length": POST + CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    "a length and chunks": POST + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "a coding nobody knows": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "the identity coding": POST + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
    "chunks that are not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "packed chunks": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two codings": POST + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunks twice": POST + CHUNKED * 2 + b"\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a folded coding": POST + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a quoted coding": POST + b'Transfer-Encoding: "chunked"\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    "chunks in HTTP/1.0": POST.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n0\r\n\r\n",
    "a chunk that ends in a bare LF": POST + CHUNKED + b"\r\n2\n{}\n0\n\n",
    "a chunk's extension with a bare LF": POST + CHUNKED + b"\r\n0;a\n\r\n\r\n",
    "a chunk below nothing": POST + CHUNKED + b"\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a chunk in 0x": POST + CHUNKED + b"\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk over all bounds": POST + CHUNKED + b"\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a chunk that is longer than it says": POST + CHUNKED + b"\r\n2\r\n{}XX\r\n0\r\n\r\n",
    "a trailer": POST + CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX-Any: thing\r\n\r\n",
    "a trailer with a length": POST + CHUNKED + b"\r\n0\r\nContent-Length: 50\r\n\r\n",
    "a folded line": GET + b"X-Any: thing\r\n Content-Length: 50\r\n\r\n",
    "lines of LF alone": GET.replace(b"\r\n", b"\n") + b"\n",
    "one line of LF alone": GET + b"X-Any: thing\nX-Other: thing\r\n\r\n",
    "a bare CR": GET + b"X-Any: thing\rContent-Length: 50\r\n\r\n",
    "a null byte": GET + b"X-Any: th\x00ing\r\n\r\n",
    "a null byte in a name": GET + b"X-\x00Any: thing\r\n\r\n",
    "a name in two words": GET + b"X Any: thing\r\n\r\n",
    "a line before all": b"GET /health/live HTTP/1.1\r\n Host: x\r\n\r\n",
    "no name": GET + b": thing\r\n\r\n",
    "no colon": GET + b"thing\r\n\r\n",
    "no host": b"GET /health/live HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: y\r\n\r\n",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": GET.replace(b"1.1", b"9.9") + b"\r\n",
    "no version": b"GET /health/live\r\n\r\n",
    "a tunnel": b"CONNECT inside.internal:5432 HTTP/1.1\r\nHost: x\r\n\r\n",
    "only an authority": b"GET inside.internal:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space in the address": b"GET /health/live x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a null byte in the address": b"GET /health/\x00live HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the address": "GET /hælth HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a method of one's own": GET.replace(b"GET", CANARY) + b"\r\n",
    "a method in small letters": GET.replace(b"GET", b"get") + b"\r\n",
    "TLS": bytes.fromhex("160301020001000001fc0303") + b"x" * 40 + b"\r\n\r\n",
    "a line without end": GET + b"X-Any: " + CANARY * (MOST_HEAD_BYTES // len(CANARY) + 1) + b"\r\n\r\n",
    "too many lines": GET + b"X-Any: thing\r\n" * (MOST_HEAD_BYTES // 8) + b"\r\n",
    "an address without end": b"GET /" + b"a" * MOST_HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}

# RFC 6585, section 5: a head that is whole but too large is told so.
TOO_LARGE = dict.fromkeys(("a line without end", "too many lines", "an address without end"), b"431")


def a_plain_refusal(told: bytes, status: bytes = b"400") -> bool:
    """Tell whether these bytes are one refusal in our form, with our headers, that repeats nothing and closes."""
    head, _, body = told.partition(b"\r\n\r\n")
    lines = {line.partition(b":")[0]: line.partition(b":")[2].strip() for line in head.split(b"\r\n")[1:]}
    return (
        STATUS.findall(told) == [status]
        and lines[b"content-type"] == b"application/problem+json"
        and (lines[b"cache-control"], lines[b"connection"]) == (b"no-store", b"close")
        and lines[b"x-content-type-options"] == b"nosniff"
        and int(lines[b"content-length"]) == len(body)
        and json.loads(body)["type"].startswith("urn:borgerbro:problem:")
        and CANARY not in told
    )


async def test_no_ask_is_smuggled(at: Socket) -> None:
    """Behind each of these heads stands a good ask: the head is refused in our own form, and the ask is not read.

    Sent alone afterwards, the same ask is answered: its proof was never used.
    """
    for what, before in BEFORE.items():
        told = await at.send(before + at.ask)

        assert a_plain_refusal(told, TOO_LARGE.get(what, b"400")), (what, told[:300])
        assert await at.town.entries() == 0, what
        assert at.town.source.asked == [], what

    assert STATUS.findall(await at.send(at.ask)) == [b"200"]
    assert await at.town.entries() == 2
    assert not ROUTE_500.search(await at.metrics())


async def test_a_body_is_never_a_request(at: Socket) -> None:
    """An ask in the body of another request, in a chunk, or behind an upgrade or a last request, is none."""
    length = f"Content-Length: {len(at.ask)}\r\n\r\n".encode()
    chunks = CHUNKED + f"\r\n{len(at.ask):x};ext=1\r\n".encode() + at.ask + b"\r\n0\r\n\r\n"
    upgrade = b"Connection: Upgrade\r\nUpgrade: %s\r\n\r\n"
    for before in (
        GET + length + at.ask,
        POST + length + at.ask,
        POST + chunks,
        GET + b"Connection: close\r\n\r\n" + at.ask,
        GET + upgrade % b"h2c" + at.ask,
        GET + upgrade % b"websocket" + at.ask,
        GET.replace(b"1.1", b"1.0") + b"\r\n" + at.ask,
    ):
        told = await at.send(before)

        assert len(STATUS.findall(told)) == 1, told[:300]
        assert await at.town.entries() == 0
    assert not ROUTE_500.search(await at.metrics())


async def test_credentials_behind_the_body_are_none(at: Socket) -> None:
    """A token and a proof that stand in the trailers, where no proxy looks for headers, log nobody in."""
    head, _, body = at.ask.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    credentials = b"\r\n".join(line for line in lines if line.startswith((b"Authorization", b"DPoP")))
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n"

    told = await at.send(POST + CHUNKED + b"\r\n", chunk + credentials + b"\r\n\r\n")

    assert a_plain_refusal(told)
    assert await at.town.entries() == 0


async def test_pieces_make_no_difference(at: Socket) -> None:
    """An ask that comes a byte at a time is the same ask."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
    for byte in at.ask:
        writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert (await reader.read(15)) == b"HTTP/1.1 200 OK"
    writer.close()


async def test_a_head_within_the_bounds_is_heard(at: Socket) -> None:
    """What a browser behind two proxies sends is far within the bounds, and so is the largest token."""
    wide = b"".join(b"X-Any-%d: %s\r\n" % (i, b"a" * 600) for i in range(MOST_HEAD_BYTES // 1000))

    assert STATUS.findall(await at.send(GET + wide + b"\r\n")) == [b"200"]
    assert STATUS.findall(await at.send(b"GET /health/live HTTP/1.0\r\n\r\n")) == [b"200"]
