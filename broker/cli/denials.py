"""`broker policy denials`: how often which paragraph said no, by municipality and month."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broker.cli.say import fail, out, print_json


def denials(
    municipality: Annotated[list[str] | None, typer.Option(help="Only these municipalities")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Count asks by the reason and paragraph that held something back, for whole months that have ended.

    A count below five is not told, and no sum holds one. Taken from the index rows of the log; no body is opened.
    """
    import asyncio

    from broker.adapters.database import open_pool
    from broker.adapters.denials_sql import count_denials
    from broker.cli.serve import read_settings
    from broker.domain.days import DANISH_TIME
    from broker.domain.errors import StoreUnavailable
    from broker.main import clock_of
    from broker.oversight.denials import report
    from broker.policy_tables import load_law_tables

    settings = read_settings()

    async def counted() -> Any:
        seconds = settings.database_deadline_seconds
        pool = await open_pool(settings.database_url, name="broker denials", timeout_seconds=seconds, largest=1)
        try:
            return await count_denials(pool, municipality or ())
        finally:
            await pool.close()

    try:
        rows = asyncio.run(counted())
    except StoreUnavailable:
        fail("the database gives no answer (BROKER_DATABASE_URL)")
    reasons = load_law_tables(settings.policies / "tables")["reasons"]
    told = report(rows, reasons, f"{clock_of(settings).now().astimezone(DANISH_TIME):%Y-%m}")
    if as_json:
        print_json(told)
        return
    for row in told:
        count = "fewer than 5" if row["asks"] is None else row["asks"]
        place = f"{row['municipality']} {row['month']}"
        out.print(f"{place}  {row['paragraph']}  {row['reason']}: {count}", markup=False)
