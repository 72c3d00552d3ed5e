"""`broker registry check FILE`: is this registry usable, and if not, what is wrong where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broker.cli.say import fail, out, print_json

registry = typer.Typer(no_args_is_help=True, help="The registry file: who and what the broker knows.")
POLICIES = Path(__file__).parents[2] / "policies"


@registry.callback()
def group() -> None:
    """Check the registry file."""


@registry.command()
def check(
    file: Annotated[Path, typer.Argument(help="The registry file (YAML)")],
    policies: Annotated[Path, typer.Option(help="The folder of rules and law tables")] = POLICIES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Check a registry file against its schema, its own references and the law tables; exit 1 with every fault."""
    from broker.registry import RegistryFaults, read_registry

    try:
        found = read_registry(file, policies / "tables")
    except RegistryFaults as error:
        if as_json:
            print_json({"ok": False, "faults": error.faults})
            raise typer.Exit(1) from None
        fail("\n".join(error.faults))
    directory = found.directory
    counts = {
        "municipalities": len(directory.municipalities),
        "units": len(directory.units),
        "sources": len(directory.sources),
        "systems": len(found.systems),
        "employers": len(found.employers),
        "delegations": len(directory.delegations),
    }
    if as_json:
        print_json({"ok": True, "revision": directory.revision, **counts})
        return
    out.print("ok: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    out.print(f"revision {directory.revision}")
