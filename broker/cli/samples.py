"""`broker samples`: commit and draw a month's samples, do a draw again, and see how far they have come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from broker.cli.citizen import AS_JSON
from broker.cli.say import WRONG_USE, fail, out, print_json

if TYPE_CHECKING:
    from broker.domain.directory import Directory
    from broker.oversight.publication import Press
    from broker.oversight.samples import Desk
    from broker.settings import Settings

T = TypeVar("T")
MUNICIPALITY = Annotated[str, typer.Option(help="Whose log")]
MONTH = Annotated[str, typer.Option(help="A Danish month, YYYY-MM")]
NOT_YET = {
    "month_runs": "the month is not over yet",
    "not_signed": "no signed head of the log covers the month yet: let the checkpointer sign, and draw again",
    "already_drawn": "it was drawn before; `broker samples verify` does it again",
    "already_seeded": "it was committed a moment ago by somebody else; draw again",
    "another_month": "a month is committed while it runs, so that nobody chooses when its accesses are known",
}
samples = typer.Typer(no_args_is_help=True, help="Samples of accesses: draw them, and do a draw again.")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works with; `operator` is the handle of who runs it."""

    desk: Desk
    press: Press
    operator: str
    directory: Directory


@samples.callback()
def group() -> None:
    """Draw samples, and verify draws."""


@samples.command()
def draw(
    municipality: MUNICIPALITY,
    month: MONTH,
    per_unit: Annotated[int, typer.Option(min=1, max=1000, help="How many a unit, where it is not committed yet")] = 5,
    as_json: AS_JSON = False,
) -> None:
    """Draw a month's samples; commit what the draw goes by first, where that is not done. Nodes do both themselves."""
    from broker.domain.errors import Conflict
    from broker.oversight.samples import draw_round, round_of, seed

    async def drawn(opened: Opened) -> dict[str, Any]:
        known(municipality, opened)
        wanted = await round_of(municipality, month, opened.desk)
        if wanted is None:
            wanted = await seed(municipality, month, opened.operator, opened.desk, per_unit=per_unit)
            said = {"draw": wanted.id, "committed": wanted.terms.commitment}
            return said | {"log": wanted.seeded.log, "index": wanted.seeded.index, "drawn": None}
        found = await draw_round(wanted, opened.operator, opened.desk)
        return {"draw": wanted.id, "drawn": [{"id": one.id, "unit": one.unit, "chosen": one.how} for one in found]}

    try:
        told = run(drawn)
    except Conflict as conflict:
        fail(NOT_YET.get(conflict.what, conflict.what))
    if as_json:
        print_json(told)
    elif told["drawn"] is None:
        out.print(f"committed in line {told['index']} of {told['log']}; draw when the month is signed", markup=False)
    else:
        out.print(f"{len(told['drawn'])} samples drawn, by draw {told['draw']}", markup=False)


@samples.command()
def verify(
    municipality: MUNICIPALITY,
    month: Annotated[str, typer.Option(help="The draw of a Danish month, YYYY-MM")] = "",
    sample: Annotated[str, typer.Option(help="The draw that a sample is of, by the sample's id")] = "",
    as_json: AS_JSON = False,
) -> None:
    """Do a draw again from the log alone. Ends with 1 where anything is not as the log says."""
    from broker.domain.errors import NotFound
    from broker.oversight.samples import Verified, month_of, verify_round

    async def verified(opened: Opened) -> Verified:
        known(municipality, opened)
        door = opened.desk.samples
        wanted = (await door.by_id(sample, (municipality,))).round if sample else None
        since = None if sample else month_of(month)[0]
        for one in await door.rounds(municipality):
            if one.id == wanted or one.terms.since == since:
                return await verify_round(one, opened.desk)
        raise NotFound

    if bool(month) == bool(sample):
        fail("name a month or a sample", code=WRONG_USE)
    try:
        found = run(verified)
    except NotFound:
        fail("nothing of that name was drawn")
    if as_json:
        rows = {"draw": found.round, "accesses": found.accesses, "drawn": found.drawn, "faults": list(found.faults)}
        print_json(rows)
    else:
        word = ", ".join(found.faults) or "the same draw"
        out.print(f"{found.drawn} drawn of {found.accesses} accesses: {word}", markup=False)
    if found.faults:
        raise typer.Exit(1)


@samples.command()
def coverage(
    municipality: Annotated[list[str] | None, typer.Option(help="Only these municipalities")] = None,
    as_json: AS_JSON = False,
) -> None:
    """Count accesses, drawn, explained and closed, by month and unit."""
    from broker.web.sample_wire import coverage_body

    async def counted(opened: Opened) -> list[dict[str, Any]]:
        mine = municipality or list(opened.directory.municipalities)
        return [coverage_body(row) for row in await opened.desk.samples.coverage(mine)]

    rows = run(counted)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        place = f"{row['municipality']} {row['month']} {row['unit']}"
        counts = f"{row['accesses']} accesses, {row['drawn']} drawn, {row['explained']} explained"
        out.print(f"{place}: {counts}, {row['closed']} closed", markup=False)


def known(municipality: str, opened: Opened) -> None:
    """End where there is no such municipality."""
    if municipality not in opened.directory.municipalities:
        fail("there is no municipality of that name", code=WRONG_USE)


def run(work: Callable[[Opened], Awaitable[T]]) -> T:
    """Open what is needed, do the work, and say in words what kept it from being done."""
    from broker.adapters.keys_file import KeyFileRefused
    from broker.cli.serve import read_settings
    from broker.domain.errors import LogUnavailable, StoreUnavailable
    from broker.registry import RegistryFaults

    try:
        return asyncio.run(_opened(read_settings(), work))
    except StoreUnavailable:
        fail("a database gives no answer (BROKER_DATABASE_URL, BROKER_VAULT_URL)")
    except LogUnavailable:
        fail("the log takes no entry, so nothing is done")
    except KeyFileRefused as refused:
        fail(str(refused))
    except RegistryFaults as faults:
        fail("\n".join(faults.faults))
    except ValueError as error:
        fail(str(error), code=WRONG_USE)


async def _opened(settings: Settings, work: Callable[[Opened], Awaitable[T]]) -> T:
    from broker.adapters.audit_log import AuditLogPostgres
    from broker.adapters.database import open_pool
    from broker.adapters.figures_sql import FiguresSql
    from broker.adapters.handles_vault import HandlesVault
    from broker.adapters.house_keys import read_key_folder
    from broker.cli.erasing import who
    from broker.domain.identity import OfficerLogin
    from broker.domain.personal import Personal
    from broker.drawing import drawing_desk
    from broker.main import clock_of, log_name
    from broker.oversight.erasure import OPERATOR
    from broker.oversight.figures import Desk as FiguresDesk
    from broker.oversight.publication import Press
    from broker.registry import read_registry

    directory = read_registry(settings.registry, settings.policies / "tables").directory
    keys, clock = read_key_folder(settings.key_folder), clock_of(settings)
    async with AsyncExitStack() as stack:
        pools = []
        for url in (settings.database_url, settings.vault_url):
            seconds = settings.database_deadline_seconds
            pools.append(await open_pool(url, name="broker samples", timeout_seconds=seconds, largest=2))
            stack.push_async_callback(pools[-1].close)
        vault = HandlesVault(pools[1], keys.house)
        log = AuditLogPostgres(pools[0], vault, log_name(settings))
        stack.push_async_callback(log.aclose)
        login = OfficerLogin(Personal(who()), OPERATOR, OPERATOR, frozenset(), "", clock.now())
        desk = drawing_desk(pools[0], log, vault, keys, directory, clock)
        press = Press(FiguresDesk(clock, vault, log, FiguresSql(pools[0]), desk.samples), desk.reader)
        return await work(Opened(desk, press, await vault.officer(login), directory))
