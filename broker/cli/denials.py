"""`broker policy denials`: how often which paragraph said no, as it may leave the house."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broker.cli.citizen import AS_JSON
from broker.cli.samples import MUNICIPALITY, Opened, known, run
from broker.cli.say import WRONG_USE, fail, out, print_json

NOT_READY = {
    "quarter_runs": "the quarter is not over yet",
    "too_late": "nobody made that quarter ready while it was the last one that was over",
    "entry_gone": "the line of the log that holds these numbers cannot be opened",
}


def denials(
    municipality: MUNICIPALITY,
    quarter: Annotated[str, typer.Option(help="A quarter that is over, YYYY-Q1 to YYYY-Q4; the last one without")] = "",
    as_json: AS_JSON = False,
) -> None:
    """Count citizens by the reason and paragraph that held something back, a quarter at a time, with its sums.

    A count below five is not told, nor what would give it away. A quarter is made ready once, on the log; whoever takes
    it again gets the same numbers. Taken from the index rows of the log; no body is opened.
    """
    from broker.domain.days import DANISH_TIME
    from broker.domain.errors import BadAsk, Conflict
    from broker.oversight.erasure import OPERATOR
    from broker.oversight.publication import made_ready, quarter_before
    from broker.web.figure_wire import refusals_body

    async def taken(opened: Opened) -> dict[str, Any]:
        known(municipality, opened)
        last = quarter_before(opened.press.figures.clock.now().astimezone(DANISH_TIME).date())
        found = await made_ready(municipality, quarter or last, opened.operator, OPERATOR, opened.press)
        return refusals_body(found, opened.directory)

    try:
        told = run(taken)
    except BadAsk:
        fail("a quarter is written YYYY-Q1 to YYYY-Q4", code=WRONG_USE)
    except Conflict as conflict:
        fail(NOT_READY.get(conflict.what, conflict.what))
    if as_json:
        print_json(told)
        return
    for row in told["reasons"]:
        counts = [f"{month} {_said(count)}" for month, count in zip(told["months"], row["citizens"], strict=True)]
        place = f"{told['municipality']} {row['paragraph']}  {row['reason']}"
        out.print(f"{place}: {', '.join(counts)}, in all {_said(row['sum'])}", markup=False)
    out.print(f"{told['municipality']} {told['quarter']}: in all {_said(told['sum'])}", markup=False)


def _said(count: int | None) -> str:
    return "withheld" if count is None else str(count)
