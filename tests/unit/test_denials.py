"""Denials by law: counted from the log by ask and month, and nobody can be made out of a small number."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from broker.domain.decisions import Verdict
from broker.oversight.denials import FEWEST, Denied, report
from broker.policy_tables import load_law_tables
from demo.postgres import PrivatePostgres
from tests.archives import open_archive_house
from tests.builders import POLICIES

REASONS = load_law_tables(POLICIES / "tables")["reasons"]
CODES = sorted(REASONS)
ROWS = some.lists(
    some.builds(
        Denied,
        some.sampled_from(["korsbaek", "norrestrand"]),
        some.sampled_from(["2019-01", "2019-02", "2019-03"]),
        some.sampled_from(CODES),
        some.integers(0, 12),
    ),
    unique_by=lambda row: (row.municipality, row.month, row.reason),
)


@given(ROWS, some.integers(1, FEWEST - 1))
def test_a_small_number_leaves_no_trace(rows: list[Denied], another: int) -> None:
    """Two worlds that differ in counts from one to four alone have the same report: nothing to subtract from."""
    others = [replace(row, asks=another) if 0 < row.asks < FEWEST else row for row in rows]

    assert report(rows, REASONS, "2019-03") == report(others, REASONS, "2019-03")


@given(ROWS)
def test_only_months_that_have_ended_are_told(rows: list[Denied]) -> None:
    """What happens this month changes no report: yesterday's and today's cannot be compared."""
    ended = [row for row in rows if row.month < "2019-03"]

    assert report(rows, REASONS, "2019-03") == report(ended, REASONS, "2019-03")


@given(ROWS)
def test_what_is_told_is_true(rows: list[Denied]) -> None:
    """Each count of five and more is told as it is, with its paragraph in the law and both sentences."""
    told = {(row["municipality"], row["month"], row["reason"]): row for row in report(rows, REASONS, "2019-04")}

    assert told.keys() == {(row.municipality, row.month, row.reason) for row in rows if row.asks}
    for row in rows:
        if row.asks >= FEWEST:
            line = told[row.municipality, row.month, row.reason]
            assert line["asks"] == row.asks
            assert (line["paragraph"], line["da"]) == (REASONS[row.reason]["paragraph"], REASONS[row.reason]["da"])


async def test_denials_are_counted_by_ask_and_danish_month(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """An ask about parent and child counts once; half past midnight on the first in Denmark is the new month."""
    async with open_archive_house(postgres, tmp_path) as archive:
        outcome = await archive.outcome()
        refused = Verdict(outcome.verdicts[0].key, "withhold", reasons=("ROLE_KLE",), shown=("ROLE_KLE",))
        before = datetime.fromisoformat("2019-02-28T22:30:00+00:00")
        after = datetime.fromisoformat("2019-02-28T23:30:00+00:00")
        for number in range(7):
            one = replace(
                outcome, ask=f"ask-{number}", at=before if number < 6 else after, verdicts=(refused,), outcome="refused"
            )
            await archive.log.append([one, replace(one, subject=archive.house.child)])
        environ = archive.environ | {"BROKER_FIXED_CLOCK": "2019-04-01T12:00:00+02:00"}
        archive.environ = environ
        code, told, _ = archive.policy("denials", "--json")

    counts = {(row["month"], row["reason"]): row["asks"] for row in told}
    assert code == 0
    assert counts[("2019-02", "ROLE_KLE")] == 6
    assert counts[("2019-03", "ROLE_KLE")] is None
