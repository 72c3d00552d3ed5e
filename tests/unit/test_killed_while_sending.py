"""A real process that is killed when the mail server has the letter and the log has not: the letter comes again."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from broker.adapters.audit_log import AuditLogPostgres
from broker.adapters.database import Scope, open_pool, scoped
from broker.adapters.handles_vault import HandlesVault
from broker.adapters.house_keys import read_key_folder
from broker.adapters.notice_choices_sql import NoticeChoicesSql
from broker.domain.notice_choices import EMAIL, Choice, NoticesChosen
from broker.domain.notices import PAUSES
from broker.domain.personal import Personal
from tests.databases import BASE
from tests.erasures import ANNA, HOME, LATER
from tests.unit.test_cli_notices import Machine, machine

ROOT = Path(__file__).parents[2]
ID = re.compile(rb"Message-ID: <([0-9a-f-]+)@")
__all__ = ["machine"]


@dataclass
class Inbox:
    """A mail server that takes letters, and says so only once it is told to."""

    says_so: bool = False
    took: list[bytes] = field(default_factory=list)
    one_more: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with one sender."""
        try:
            writer.write(b"220 here\r\n")
            while line := await reader.readline():
                if line.upper().startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    self.took.append(await reader.readuntil(b"\r\n.\r\n"))
                    self.one_more.set()
                    if not self.says_so:
                        continue
                writer.write(b"250 well\r\n")
        finally:
            # Called off at the end of the test it closes too: what is left open is told of by another test.
            writer.close()


@pytest.fixture
async def inbox() -> AsyncIterator[tuple[Inbox, int]]:
    """Serve the mail server on loopback."""
    made = Inbox()
    async with await asyncio.start_server(made.talk, "127.0.0.1", 0) as server:
        yield made, server.sockets[0].getsockname()[1]


async def wants_email(machine: Machine) -> None:
    """Let Anna have chosen e-mail."""
    addresses = machine.environ["BROKER_DATABASE_URL"], machine.environ["BROKER_VAULT_URL"]
    pool, vault_pool = [await open_pool(dsn, name="test", largest=2) for dsn in addresses]
    vault = HandlesVault(vault_pool, read_key_folder(Path(machine.environ["BROKER_KEY_FOLDER"])).house)
    (anna,) = await vault.citizens([ANNA])
    door = NoticeChoicesSql(pool, AuditLogPostgres(pool, vault, BASE), vault)
    event = NoticesChosen(municipality=HOME, subject=anna, actor=anna, at=LATER, way=EMAIL, weekly=False)
    await door.keep(Choice(EMAIL, address=Personal("anna@example.dk")), event)
    await pool.close()
    await vault_pool.close()


async def sending(environ: dict[str, str]) -> asyncio.subprocess.Process:
    """Start a round by hand, as a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broker", "notices", "send", cwd=ROOT, env={**os.environ, **environ}
    )


async def counted(machine: Machine) -> tuple[int, int]:
    """Count what waits, and the lines of the log that say a notice was sent."""
    pool = await open_pool(machine.environ["BROKER_DATABASE_URL"], name="test", largest=1)
    async with scoped(pool, Scope(municipality=HOME, municipalities=(HOME,))) as connection:
        waiting = await connection.fetchval("SELECT count(*) FROM notices.waiting")
        try:
            told = await connection.fetchval("SELECT count(*) FROM log.index WHERE kind = 'notice.sent'")
        except asyncpg.InsufficientPrivilegeError:
            raise AssertionError from None
    await pool.close()
    return waiting, told


async def test_the_letter_comes_again_under_the_same_id(machine: Machine, inbox: tuple[Inbox, int]) -> None:
    """Killed between the letter and the log: nothing is said to be sent; the next round sends it, and says so once."""
    made, port = inbox
    await wants_email(machine)
    mail = {
        "BROKER_SMTP_HOST": "127.0.0.1", "BROKER_SMTP_PORT": str(port), "BROKER_SMTP_SECURITY": "loopback",
        "BROKER_SMTP_FROM": "besked@example.dk",
    }  # fmt: skip
    process = await sending(machine.environ | mail)
    async with asyncio.timeout(60):
        await made.one_more.wait()
    process.kill()
    await process.wait()
    killed = await counted(machine)
    made.says_so = True
    later = {"BROKER_FIXED_CLOCK": (LATER + PAUSES[0]).isoformat()}
    again = await sending(machine.environ | mail | later)
    ended = await again.wait()

    first, second = [ID.findall(letter) for letter in made.took]
    assert (killed, ended, await counted(machine)) == ((1, 0), 0, (0, 1))
    assert first == second != []
