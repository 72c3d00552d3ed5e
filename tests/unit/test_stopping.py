"""Ctrl-C: whoever is called off ends what they started, puts back what they changed, and says nothing of code."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from broker.__main__ import main
from broker.cli.stopping import run_until_stopped
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from demo.world.logbook import LogBook
from tests.databases import Databases, opened
from tests.log_events import an_ask

# Far longer than any of these takes; only a hang reaches it.
LONGEST_SECONDS = 20
ANNA, KIM = Personal("0702740022"), Personal("0801740033")
STOPS = (signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("first", STOPS)
@pytest.mark.parametrize("then", STOPS)
def test_whoever_tidies_up_is_left_in_peace(first: signal.Signals, then: signal.Signals) -> None:
    """The first signal calls the work off; one that comes while it puts things back breaks nothing off."""
    put_back = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), first)
            await asyncio.sleep(LONGEST_SECONDS)
        finally:
            os.kill(os.getpid(), then)
            await asyncio.sleep(0.01)
            put_back.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(work())

    assert put_back == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_work_that_nobody_stops_gives_what_it_gives() -> None:
    """Without a signal its value comes back, or its own error."""

    async def work(value: int) -> int:
        return 1 // value

    assert run_until_stopped(work(1)) == 1
    with pytest.raises(ZeroDivisionError):
        run_until_stopped(work(0))


class Stopping:
    """Presses Ctrl-C while one module is imported."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        """Stop at that module."""
        if name == "broker.cli.commands":
            raise KeyboardInterrupt


def test_a_command_line_that_has_not_come_up_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while `broker` still imports is no traceback: exit 130, as of any other command."""
    monkeypatch.delitem(sys.modules, "broker.cli.commands", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Stopping(), *sys.meta_path])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130


async def rows(databases: Databases) -> list[Any]:
    """Give every index row of every log, as the superuser."""
    connection = await asyncpg.connect(databases.admin)
    try:
        return list(await connection.fetch("SELECT * FROM log.index ORDER BY log_id, idx"))
    finally:
        await connection.close()


async def test_whoever_is_called_off_puts_the_tampered_line_back(postgres: PrivatePostgres) -> None:
    """The tour's line that says another purpose says its own again, however the tour ended."""
    async with opened(postgres) as databases:
        anna, kim = await databases.vault.citizens([ANNA, KIM])
        await databases.log.append([an_ask(anna, kim)])
        world: Any = SimpleNamespace(databases=SimpleNamespace(superuser=databases.admin))
        book = LogBook(world, databases.reader, databases.vault)
        before, seen = await rows(databases), []

        async def tour() -> None:
            async with book.tampered("korsbaek", 0):
                seen.append(await rows(databases))
                changed.set()
                await asyncio.sleep(LONGEST_SECONDS)

        changed = asyncio.Event()
        touring = asyncio.create_task(tour())
        async with asyncio.timeout(LONGEST_SECONDS):
            await changed.wait()
        touring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await touring

        assert seen != [before]
        assert await rows(databases) == before
