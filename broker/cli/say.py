"""How commands speak: results on standard output, the rest on standard error, one clear line for a fault."""

from __future__ import annotations

from typing import Any, NoReturn

import orjson
import typer
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

WRONG_USE = 2
FAILED = 1


def fail(message: str, *, code: int = FAILED) -> NoReturn:
    """Say one line of what is wrong and end with a failure code."""
    err.print(message, style="bold red", markup=False)
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """Print JSON for a machine to read."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
