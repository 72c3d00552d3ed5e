"""`broker serve` and `broker settings`: run one node; say what can be set."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from broker.cli.say import WRONG_USE, fail, out, print_json


def read_settings() -> Any:
    """Read the settings of this environment, or end with every fault, one a line."""
    from broker.settings import SettingsFaults, read

    try:
        return read(os.environ)
    except SettingsFaults as error:
        fail("\n".join(error.faults), code=WRONG_USE)


def serve() -> None:
    """Serve the broker, with the settings of the environment (`broker settings` lists them)."""
    from broker.node import CannotOpen, run

    try:
        run(read_settings())
    except CannotOpen as error:
        fail("\n".join(error.faults))


def settings(as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False) -> None:
    """List every setting: its name, what it means, its default, whether it must be given."""
    from broker.settings import PREFIX, Settings

    rows = [
        {
            "name": PREFIX + name.upper(),
            "about": row.description or "",
            "required": row.is_required(),
            "default": None if row.is_required() or row.default is None else str(row.default),
        }
        for name, row in Settings.model_fields.items()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        given = "required" if row["required"] else f"default {row['default']}" if row["default"] else "optional"
        out.print(f"{row['name']}  ({given})\n    {row['about']}", markup=False)
