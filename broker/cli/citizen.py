"""`broker citizen`: erase one, hold a deletion up, let it go on.

A CPR number comes on standard input, never as an argument, which every process list shows.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from broker.cli.say import FAILED, WRONG_USE, fail, out, print_json

if TYPE_CHECKING:
    from broker.cli.erasing import Opened
    from broker.domain.erasure import NotErasable
    from broker.oversight.erasure import Examined, Named

T = TypeVar("T")
citizen = typer.Typer(no_args_is_help=True, help="One citizen: erase them, or hold that up.")
MUNICIPALITY = Annotated[str, typer.Option(help="Whose part of the log; each municipality erases its own")]
AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON")]
STDIN = (
    'The citizen comes on standard input: {"citizen": "0702740022", "cases": [{"unit": "jobcentre", "case": "JC-1"}]}'
)
UNREACHED = {
    "vault_backups": (
        "backups of the vault: they hold the key until they are overwritten, on the day named here",
        "sikkerhedskopier af nøglebasen: de har nøglen, til de overskrives, senest den dag, der står her",
    ),
    "downloads": (
        "receipts and lists that the citizen, or somebody for them, has downloaded",
        "kvitteringer og lister, som borgeren eller andre for borgeren har hentet",
    ),
    "sources": (
        "what the departments' own systems hold and were given: each erases its own",
        "hvad afdelingernes egne systemer har og har fået: de sletter selv",
    ),
    "other_municipalities": (
        "other municipalities' own logs, where they have lines about the citizen: each erases its own",
        "andre kommuners egne logge, hvis de har linjer om borgeren: de sletter selv",
    ),
    "others_questions": (
        "facts about the citizen in the kept questions about somebody else (a parent): under that person's key",
        "oplysninger om borgeren i gemte spørgsmål om en anden (en forælder): under den persons nøgle",
    ),
    "log_backups": (
        "backups of the log: their bodies no longer open; codes, days and random names still stand there",
        "sikkerhedskopier af loggen: indholdet kan ikke åbnes; koder, dage og tilfældige navne står der endnu",
    ),
}


@citizen.callback()
def group() -> None:
    """Erase a citizen, or hold that up."""


@citizen.command(help=f"Ask that a citizen be erased, see what would go, or carry out what a DPO approved.\n\n{STDIN}")
def erase(
    municipality: MUNICIPALITY,
    ground: Annotated[str, typer.Option(help="art17_1_a, _c, _d or _e: GDPR art. 17, stk. 1, litra")] = "art17_1_a",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go, and what keeps it")] = False,
    carry_out: Annotated[str | None, typer.Option(help="The erasure to carry out, once a DPO has approved it")] = None,
    as_json: AS_JSON = False,
) -> None:
    """Ask, look or carry out. Exit 1 where something keeps the citizen from being erased."""
    if dry_run and carry_out is not None:
        fail("--dry-run and --carry-out do not go together", code=WRONG_USE)
    if carry_out is not None:
        _carried_out(carry_out, municipality, as_json=as_json)
        return
    from broker.domain.erasure import NotErasable
    from broker.oversight.erasure import examine, request

    async def asked(opened: Opened) -> tuple[Examined | None, Any]:
        named = _named()
        if dry_run:
            return await examine(named, municipality, opened.operator, opened.desk), None
        return None, await request(named, municipality, ground, opened.operator, opened.desk)

    try:
        found, made = run(asked, municipality)
    except NotErasable as held:
        _refused(held, as_json=as_json)
    if found is not None:
        _examined(found, as_json=as_json)
    elif as_json:
        print_json({"erasure": made.id, "expires": made.expires_at.isoformat()})
    else:
        out.print(f"asked for: {made.id}\na DPO must approve it before {made.expires_at:%Y-%m-%d}", markup=False)


@citizen.command(help=f"Hold deletion up for a matter. {STDIN}, or --everybody.")
def hold(
    municipality: MUNICIPALITY,
    matter: Annotated[str, typer.Option(help="The number of the matter that needs it; no name, no CPR number")],
    everybody: Annotated[bool, typer.Option("--everybody", help="Of every citizen, not of one")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Hold deletion up; erasing and retention stop at it from now on."""
    from broker.oversight.erasure import set_hold

    async def held(opened: Opened) -> str:
        whose = None if everybody else _named().citizen
        return await set_hold(whose, municipality, matter, opened.operator, opened.desk)

    made = run(held, municipality)
    if as_json:
        print_json({"hold": made})
    else:
        out.print(f"held: {made}", markup=False)


@citizen.command()
def release(
    municipality: MUNICIPALITY, held: Annotated[str, typer.Argument(metavar="HOLD", help="The hold to lift")]
) -> None:
    """Lift a hold, so that deletion goes on."""
    from broker.oversight.erasure import lift_hold

    async def lifted(opened: Opened) -> None:
        await lift_hold(held, municipality, opened.operator, opened.desk)

    run(lifted, municipality)
    out.print("lifted")


def run(work: Callable[[Opened], Awaitable[T]], municipality: str | None, *, deleting: bool = False) -> T:
    """Open the doors, do one thing, and end with one clear line where it cannot be done."""
    from broker.adapters.keys_file import KeyFileRefused
    from broker.cli.erasing import municipality_of, open_erasing
    from broker.cli.serve import read_settings
    from broker.domain.erasure import NotErasable
    from broker.domain.errors import BadAsk, Conflict, LogUnavailable, NotFound, StoreUnavailable
    from broker.registry import RegistryFaults

    settings = read_settings()

    async def whole() -> T:
        async with open_erasing(settings, deleting=deleting) as opened:
            if municipality is not None:
                municipality_of(municipality, opened)
            return await work(opened)

    try:
        return asyncio.run(whole())
    except (KeyFileRefused, RegistryFaults) as fault:
        fail(str(fault), code=WRONG_USE)
    except StoreUnavailable:
        fail("a database gives no answer (BROKER_DATABASE_URL, BROKER_VAULT_URL, and the eraser's own)")
    except LogUnavailable:
        fail("the log cannot be written: nothing was done")
    except BadAsk as bad:
        fail(f"what was given cannot be read: {bad.pointer}", code=WRONG_USE)
    except NotFound:
        fail("there is no such thing here")
    except NotErasable:
        raise
    except Conflict as conflict:
        fail(f"not now: {conflict.what}")


def _named() -> Named:
    """Read whom it is about from standard input. Raises `BadAsk`."""
    import orjson

    from broker.cli.serve import read_settings
    from broker.domain.errors import BadAsk
    from broker.domain.personal import Personal
    from broker.oversight.erasure import Named
    from broker.web.wire import cpr_of

    try:
        told = orjson.loads(sys.stdin.buffer.read(65536))
        cases = tuple((str(row["unit"]), Personal(str(row["case"]))) for row in told.get("cases", ()))
        number = str(told["citizen"])
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise BadAsk("standard input") from None
    return Named(cpr_of(number, pointer="/citizen", test_numbers=read_settings().test_numbers), cases)


def _carried_out(erasure: str, municipality: str, *, as_json: bool) -> None:
    from broker.cli.serve import read_settings
    from broker.domain.erasure import NotErasable

    async def carried(opened: Opened) -> tuple[Any, Any]:
        if opened.eraser is None:
            raise RuntimeError("opened to delete")
        actor = await opened.desk.handles.officer(opened.operator)
        kept, at = opened.desk.directory.municipalities[municipality].retention, opened.desk.clock.now()
        return await opened.eraser.carry_out(erasure, municipality, kept, actor, at), at

    try:
        receipts, at = run(carried, municipality, deleting=True)
    except NotErasable as held:
        _refused(held, as_json=as_json)
    gone = (at + timedelta(days=read_settings().vault_backup_days)).date().isoformat()
    if as_json:
        places = [{"log": receipt.log, "index": receipt.index} for receipt in receipts]
        print_json({"erased": erasure, "log": places, "unreached": list(UNREACHED), "vault_backups_until": gone})
        return
    out.print("erased; it stands on the log:")
    for receipt in receipts:
        out.print(f"    {receipt.log} {receipt.index}", markup=False)
    out.print(f"what this does not reach (vault backups: {gone}):", markup=False)
    for english, danish in UNREACHED.values():
        out.print(f"    {english}\n        {danish}", markup=False)


def _examined(found: Examined, *, as_json: bool) -> None:
    from broker.cli.erasing import say, told

    if as_json:
        print_json({"entries": found.standing.kinds, "obstacles": [told(one) for one in found.obstacles]})
    else:
        for kind, count in found.standing.kinds.items():
            out.print(f"{kind}: {count}", markup=False)
        out.print("nothing keeps it from going" if not found.obstacles else "what keeps it:")
        for one in found.obstacles:
            say(one)
    raise typer.Exit(FAILED if found.obstacles else 0)


def _refused(held: NotErasable, *, as_json: bool) -> None:
    from broker.cli.erasing import say, told

    if as_json:
        print_json({"erasure": None, "obstacles": [told(one) for one in held.obstacles]})
    else:
        out.print("not erased; what keeps it:")
        for one in held.obstacles:
            say(one)
    raise typer.Exit(FAILED)
