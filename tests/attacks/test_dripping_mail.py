"""E-mail under attack: a server that drips, and an address that a header would read as another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from broker.adapters import mail_smtp
from broker.adapters.mail_smtp import LOOPBACK, STARTTLS, TLS, MailServer, SmtpMail
from broker.domain.errors import NoticeNotSent
from broker.domain.personal import Personal

ADDRESS, CODE = Personal("anna@example.dk"), Personal("123456")


@contextlib.asynccontextmanager
async def dripping(greeting: bytes = b"") -> AsyncIterator[tuple[int, asyncio.Queue[str]]]:
    """Serve a greeting, then one byte after the other and never a whole line; tell who came and who went."""
    told: asyncio.Queue[str] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.put_nowait("came")
        try:
            writer.write(greeting)
            gone = asyncio.ensure_future(reader.read())
            while not gone.done():
                writer.write(b"2")
                await asyncio.wait([gone], timeout=0.05)
            await asyncio.gather(gone, return_exceptions=True)
        finally:
            # Called off at the end of the test it closes too, with what waits: another test tells of what is left open.
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        told.put_nowait("went")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], told
    finally:
        server.close()


def mail(port: int, security: str = LOOPBACK) -> SmtpMail:
    """Open our side."""
    return SmtpMail(MailServer("127.0.0.1", port, "besked@example.dk", security))


async def test_a_dripping_server_holds_no_thread_of_others() -> None:
    """While talks with it go on, other work in threads is done: the names of sources are looked up there."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    async with dripping() as (port, told):
        ours = mail(port)
        talks = [asyncio.ensure_future(ours.send_code(ADDRESS, CODE)) for _ in range(3)]
        async with asyncio.timeout(20):
            assert await told.get() == "came"
            assert await asyncio.to_thread(lambda: "done") == "done"
        for talk in talks:
            talk.cancel()
        assert len(await asyncio.gather(*talks, return_exceptions=True)) == 3
        seen = ["came"]
        async with asyncio.timeout(20):
            while seen.count("came") > seen.count("went") or len(seen) < 2 * mail_smtp.TALKS_AT_ONCE:
                seen.append(await told.get())


@pytest.mark.parametrize(
    ("security", "greeting"),
    [(LOOPBACK, b""), (LOOPBACK, b"220 x\r\n250-"), (STARTTLS, b"220 x\r\n250 STARTTLS\r\n"), (TLS, b"")],
)
async def test_a_talk_ends_when_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, security: str, greeting: bytes
) -> None:
    """It is not sent, the line is closed though bytes still come, and the threads are free for the next."""
    monkeypatch.setattr(mail_smtp, "WHOLE_SECONDS", 0.5)
    async with dripping(greeting) as (port, told):
        ours = mail(port, security)
        for _ in range(mail_smtp.TALKS_AT_ONCE + 1):
            with pytest.raises(NoticeNotSent):
                await ours.send_code(ADDRESS, CODE)
            async with asyncio.timeout(20):
                assert [await told.get(), await told.get()] == ["came", "went"]


@pytest.mark.parametrize("kept", ["=?utf-8?q?x=0d=0aBcc?=@x.dk", "=?utf-8?q?v=40b.dk?=@example.dk", "a\r\nBcc: b@x.dk"])
async def test_an_address_that_was_kept_before_goes_to_nobody(kept: str) -> None:
    """What a header would read as another address, or as more lines, is not sent: nobody is even called."""
    async with dripping() as (port, told):
        with pytest.raises(NoticeNotSent):
            await mail(port).send_code(Personal(kept), CODE)

    assert told.empty()
