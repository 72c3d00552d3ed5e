"""`broker notices`: what waits to be told citizens, a round of sending by hand, and the list of those for paper.

A CPR number leaves in a file for its owner alone, never on the screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from broker.cli.citizen import AS_JSON
from broker.cli.say import WRONG_USE, fail, out, print_json

if TYPE_CHECKING:
    from broker.adapters.handles_vault import HandlesVault
    from broker.adapters.outbox_sql import OutboxSql
    from broker.domain.directory import Directory
    from broker.domain.notices import Notice
    from broker.ports import Clock
    from broker.settings import Settings

T = TypeVar("T")
MUNICIPALITY = Annotated[str, typer.Option(help="Whose citizens")]
notices = typer.Typer(no_args_is_help=True, help="Notices to citizens: that there is something new for them.")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works with."""

    settings: Settings
    outbox: OutboxSql
    vault: HandlesVault
    directory: Directory
    clock: Clock


@notices.callback()
def group() -> None:
    """Send notices, or put them on paper."""


@notices.command()
def waiting(as_json: AS_JSON = False) -> None:
    """Count what waits, by municipality, by what caused it, and whether it must go on paper. Opens no number."""

    async def counted(opened: Opened) -> dict[str, Any]:
        return {
            home: [
                {"cause": cause, "paper": paper, "count": count}
                for cause, paper, count in await opened.outbox.counts(home)
            ]
            for home in opened.directory.municipalities
        }

    told = _run(counted)
    if as_json:
        print_json(told)
        return
    for home, rows in told.items():
        for row in rows:
            place = "for paper" if row["paper"] else "to be sent"
            out.print(f"{home}: {row['count']} {place} ({row['cause']})", markup=False)


@notices.command()
def send(as_json: AS_JSON = False) -> None:
    """Send what is due, once. Nodes do so by themselves every minute, but where the clock is set by hand."""
    from broker.channels import open_channels
    from broker.main import node_name
    from broker.transparency.notices import send_due

    async def sent(opened: Opened) -> dict[str, Any]:
        channels = open_channels(opened.settings, opened.directory)
        node = await opened.vault.node(node_name(opened.settings))
        done = {}
        for home in opened.directory.municipalities:
            one = await send_due(home, node, channels, opened.outbox, opened.clock)
            done[home] = {"sent": one.sent, "failed": one.failed, "paper": one.given_up}
        return done

    told = _run(sent)
    if as_json:
        print_json(told)
        return
    for home, row in told.items():
        out.print(
            f"{home}: {row['sent']} sent, {row['failed']} tried again later, {row['paper']} for paper", markup=False
        )


@notices.command()
def paper(
    municipality: MUNICIPALITY,
    to: Annotated[Path, typer.Option(help="The file to write (CSV: CPR number, day); it must not be there yet")],
) -> None:
    """Take the list of citizens to be written to on paper. Each stands on the log as taken by you.

    Name and address are not in it: they come from where letters are sent, which knows who must not be found.
    """
    from broker.cli.erasing import who
    from broker.domain.identity import OfficerLogin
    from broker.domain.personal import Personal
    from broker.oversight.erasure import OPERATOR
    from broker.transparency.notices import take_on_paper

    async def taken(opened: Opened) -> int:
        if municipality not in opened.directory.municipalities:
            fail("there is no municipality of that name", code=WRONG_USE)
        login = OfficerLogin(Personal(who()), OPERATOR, OPERATOR, frozenset({municipality}), "", opened.clock.now())
        operator = await opened.vault.officer(login)
        kept = await take_on_paper(municipality, operator, lambda all_: _write(to, all_), opened.outbox, opened.clock)
        _keep(to, kept)
        return len(kept)

    if to.exists():
        fail("there is a file of that name", code=WRONG_USE)
    if _beside(to).exists():
        # Those in it may stand on the log as taken, and be on no list any more.
        fail(f"a list that was broken off lies in {_beside(to).name}: see to it, and move it away", code=WRONG_USE)
    try:
        count = _run(taken)
    except OSError as error:
        fail(f"the list cannot be written: {error.strerror}")
    out.print(f"{count} to be written to", markup=False)


def _write(to: Path, listed: Sequence[Notice]) -> None:
    """Write all of them beside the file, for its owner alone, before the log says that they were taken."""
    from broker.adapters.notices_paper import write_list

    write_list(_beside(to), listed)


def _keep(to: Path, taken: Sequence[Notice]) -> None:
    """Give the list its name, with those alone that nobody else took meanwhile."""
    from broker.adapters.notices_paper import write_list

    write_list(_beside(to), taken)
    _beside(to).replace(to)


def _beside(to: Path) -> Path:
    return to.with_name(to.name + ".part")


def _run(work: Callable[[Opened], Awaitable[T]]) -> T:
    """Open what is needed, do the work, and say in words what kept it from being done."""
    from broker.adapters.keys_file import KeyFileRefused
    from broker.adapters.mail_smtp import MailRefused
    from broker.adapters.notices_memo import FolderRefused
    from broker.cli.serve import read_settings
    from broker.domain.errors import LogUnavailable, StoreUnavailable
    from broker.registry import RegistryFaults

    try:
        return asyncio.run(_opened(read_settings(), work))
    except StoreUnavailable:
        fail("a database gives no answer (BROKER_DATABASE_URL, BROKER_VAULT_URL)")
    except LogUnavailable:
        fail("the log takes no entry, so nothing is said to be sent")
    except (FolderRefused, KeyFileRefused, MailRefused) as refused:
        fail(str(refused))
    except RegistryFaults as faults:
        fail("\n".join(faults.faults))


async def _opened(settings: Settings, work: Callable[[Opened], Awaitable[T]]) -> T:
    from broker.adapters.audit_log import AuditLogPostgres
    from broker.adapters.database import open_pool
    from broker.adapters.handles_vault import HandlesVault
    from broker.adapters.house_keys import read_key_folder
    from broker.adapters.outbox_sql import OutboxSql
    from broker.main import clock_of, log_name
    from broker.registry import read_registry

    registry = read_registry(settings.registry, settings.policies / "tables")
    keys = read_key_folder(settings.key_folder)
    async with AsyncExitStack() as stack:
        pools = []
        for url in (settings.database_url, settings.vault_url):
            seconds = settings.database_deadline_seconds
            pools.append(await open_pool(url, name="broker notices", timeout_seconds=seconds, largest=2))
            stack.push_async_callback(pools[-1].close)
        vault = HandlesVault(pools[1], keys.house)
        log = AuditLogPostgres(pools[0], vault, log_name(settings))
        stack.push_async_callback(log.aclose)
        outbox = OutboxSql(pools[0], log, vault)
        return await work(Opened(settings, outbox, vault, registry.directory, clock_of(settings)))
