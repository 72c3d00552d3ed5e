"""`broker registry check FILE`: is this registry usable, and if not, what is wrong where, and what would mend it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.say import FAILED, WRONG_USE, err, fail, out, print_json

if TYPE_CHECKING:
    from broker.registry import Fault, Registry

registry = typer.Typer(no_args_is_help=True, help="The registry file: who and what the broker knows.")
POLICIES = Path(__file__).parents[2] / "policies"


@registry.callback()
def group() -> None:
    """Check the registry file."""


@registry.command()
def check(
    file: Annotated[Path, typer.Argument(help="The registry file (YAML)")],
    policies: Annotated[Path, typer.Option(help="The folder of rules and law tables")] = POLICIES,
    demo: Annotated[bool, typer.Option("--demo", help="Take plain http, as a demo does")] = False,
    without_secrets: Annotated[
        bool, typer.Option("--without-secrets", help="Look for no secret, where the broker's own machine has them")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON (broker/registry_check.schema.json)")] = False,
) -> None:
    """Check a registry file and all that it names; exit 1 with every fault, its line and its remedy.

    Nobody is asked anything: what is checked is the file, the law tables, and the files that it names. Exit 2 where the
    law tables cannot be read.
    """
    from broker.adapters.clock_system import SystemClock
    from broker.registry import RegistryFaults, address_faults, examine
    from broker.rehearsal import Rehearsal

    if not (policies / "tables").is_dir():
        fail("--policies: no folder of law tables", code=WRONG_USE)
    try:
        examined = examine(file, policies / "tables")
        rehearsal = Rehearsal(examined, None if without_secrets else os.environ, SystemClock().now())
        faults = sorted({*examined.faults, *address_faults(examined.sheet, demo=demo), *rehearsal.faults()})
    except RegistryFaults as error:
        _say(None, list(error.found), as_json=as_json)
    else:
        _say(examined.registry, faults, as_json=as_json)


def _say(found: Registry | None, faults: list[Fault], *, as_json: bool) -> None:
    """Print what was found, for a reader or a machine."""
    if as_json:
        told = _counts(found) if found is not None else {}
        print_json({"ok": not faults, "faults": [_as_json(fault) for fault in faults], **told})
    elif faults:
        for fault in faults:
            err.print(str(fault), style="red", markup=False)
        err.print(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}", style="bold red", markup=False)
    elif found is not None:
        counts = _counts(found)
        out.print("ok: " + ", ".join(f"{number} {name}" for name, number in counts["counts"].items()))
        out.print(f"revision {counts['revision']}")
    if faults:
        raise typer.Exit(FAILED)


def _counts(found: Registry) -> dict[str, Any]:
    directory = found.directory
    counts = {
        "municipalities": len(directory.municipalities),
        "units": len(directory.units),
        "sources": len(directory.sources),
        "systems": len(found.systems),
        "employers": len(found.employers),
        "delegations": len(directory.delegations),
        "trials": len(directory.trials),
    }
    return {"revision": directory.revision, "counts": counts}


def _as_json(fault: Fault) -> dict[str, Any]:
    place = fault.place
    return {
        "file": place.file,
        "line": place.line or None,
        "column": place.column or None,
        "where": fault.where,
        "what": fault.what,
        "remedy": fault.remedy,
    }
