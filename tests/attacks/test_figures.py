"""Figures of a month: true to the log, on the log first, for one's own municipality alone, and nobody in them."""

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.figures_sql import FiguresSql
from broker.domain.days import DANISH_TIME
from broker.domain.decisions import Verdict
from broker.domain.entries import EVERYTHING as EVERY
from broker.domain.errors import BadAsk, LogUnavailable, NotAllowed, NotFound
from broker.domain.personal import Personal
from broker.domain.retention import Retention
from broker.oversight.figures import Desk, figures, may_lack
from demo.postgres import PrivatePostgres
from tests.log_events import an_outcome
from tests.sampling import MONTH, Sampling, an_officer, open_sampling

DPO, CONTROLLER = an_officer("dorte", "dpo"), an_officer("kurt", "logkontrollant")
NOBODY = "00000000000000000000000000000000"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Sampling]:
    """Give a house in March, with nothing on its log."""
    async with open_sampling(postgres, tmp_path) as made:
        yield made


def desk_of(house: Sampling, **changes: Any) -> Desk:
    """Give the doors of the figures."""
    databases = house.house.databases
    desk = Desk(house.clock, databases.vault, databases.log, FiguresSql(databases.pool), house.desk.samples)
    return replace(desk, **changes)


async def refused(house: Sampling, count: int, at: datetime, **changes: Any) -> None:
    """Put asks that one reason held back on the log, each about two citizens."""
    one, two = await house.house.databases.vault.citizens([Personal("0101010001"), Personal("0101010002")])
    made = an_outcome(one, house.actor, at=at, unit="jobcentre", outcome="refused")
    verdict = Verdict(made.verdicts[0].key, "withhold", reasons=("ROLE_KLE",), shown=("ROLE_KLE",))
    events = [replace(made, ask=f"no-{number}", verdicts=(verdict,), **changes) for number in range(count)]
    await house.house.databases.log.append([*events, *(replace(event, subject=two) for event in events)])


async def read_entries(house: Sampling) -> list[Any]:
    """Give what the log says of figures that were read, the newest first."""
    page = await house.house.databases.reader.search(["korsbaek", "norrestrand"], replace(EVERY, kind="figures.read"))
    return list(page.entries)


async def test_figures_are_those_of_the_log(house: Sampling) -> None:
    """Each count is that of the log's outcomes by Danish day and hour; an ask about two citizens is refused once."""
    await house.accesses(8)
    await house.accesses(3, "social-centre")
    await refused(house, 2, datetime(2019, 3, 31, 23, 30, tzinfo=DANISH_TIME))
    await refused(house, 1, datetime(2019, 4, 1, 0, 0, tzinfo=DANISH_TIME))
    found = await figures("korsbaek", MONTH, DPO, desk_of(house))
    counts = found.counts
    assert dict(counts.days) == {20190301: 9, 20190302: 2, 20190331: 4}
    assert dict(counts.units) == {"jobcentre": 12, "social-centre": 3}
    assert dict(counts.outcomes) == {"released": 11, "refused": 4}
    assert dict(counts.bases) == {"consent": 11}
    assert dict(counts.reasons) == {"ROLE_KLE": 2}
    assert sum(count for _, _, count in counts.hours) == 15
    assert (7, 23, 4) in counts.hours
    april = await figures("korsbaek", "2019-04", DPO, desk_of(house))
    assert dict(april.counts.days) == {20190401: 2}


async def test_who_looks_is_on_the_log_first(house: Sampling) -> None:
    """Each look is an entry that names no citizen; where it cannot be written, nothing is counted."""
    await house.accesses(2)
    await figures("korsbaek", MONTH, CONTROLLER, desk_of(house), table="days")
    (entry,) = await read_entries(house)
    assert (entry.index["month"], entry.index["citizen"]) == (MONTH, entry.index["actor"])

    class Shut:
        """A log that takes nothing, and counts that must not be asked for."""

        async def append(self, events: Any, **_: Any) -> Any:
            """Refuse."""
            raise LogUnavailable

        async def of(self, *_: Any) -> Any:
            """Fail the test."""
            raise AssertionError("counted before it was written down")

    with pytest.raises(LogUnavailable):
        await figures("korsbaek", MONTH, DPO, desk_of(house, log=Shut(), counts=Shut()))


@pytest.mark.parametrize(("officer", "municipality", "month", "error"), [
    (DPO, "norrestrand", MONTH, NotFound), (DPO, "nowhere", MONTH, NotFound),
    (DPO, "korsbaek,norrestrand", MONTH, NotFound),
    (DPO, "\x00", MONTH, NotFound), (DPO, "korsbaek", "2019-13", BadAsk), (DPO, "korsbaek", "2019-3", BadAsk),
    (DPO, "korsbaek", "9999-12", BadAsk), (DPO, "korsbaek", "0000-01", BadAsk), (DPO, "korsbaek", "x\x00", BadAsk),
    (an_officer("l", "teamleder", "korsbaek", "jobcentre"), "korsbaek", MONTH, NotAllowed),
    (an_officer("s", "styregruppe"), "korsbaek", MONTH, NotAllowed),
    (replace(DPO, municipalities=frozenset()), "", MONTH, NotAllowed),
])  # fmt: skip
async def test_nobody_counts_what_is_not_theirs(
    house: Sampling, officer: Any, municipality: str, month: str, error: Any
) -> None:
    """Another municipality, role or no month: nothing is counted, and nothing is on any log."""
    with pytest.raises(error):
        await figures(municipality, month, officer, desk_of(house))
    assert await read_entries(house) == []


async def test_figures_of_another_municipality_are_not_in_it(house: Sampling) -> None:
    """Who oversees two municipalities sees one at a time, and the other's accesses are in none of its counts."""
    await house.accesses(3)
    both = replace(DPO, municipalities=frozenset({"korsbaek", "norrestrand"}))
    assert (await figures("norrestrand", MONTH, both, desk_of(house))).counts.days == ()
    assert (await figures("", MONTH, both, desk_of(house))).municipality == "korsbaek"


async def test_the_page_its_files_and_its_twin_say_the_same(house: Sampling) -> None:
    """Page, spreadsheet and JSON tell the same counts, and no handle of anybody stands in any of them."""
    await house.accesses(8)
    await refused(house, 2, datetime(2019, 3, 31, 23, 30, tzinfo=DANISH_TIME))
    dpo = await house.house.officer()
    page = await dpo.get(f"/dpo/figures?month={MONTH}")
    assert page.status_code == 200
    assert page.text.count("<svg") == page.text.count("<title id=") == page.text.count("<desc id=") == 6
    assert "style=" not in page.text
    told = (await dpo.http.get(f"/v1/figures?month={MONTH}")).json()
    units = await dpo.get(f"/dpo/figures/units.csv?municipality=korsbaek&month={MONTH}")
    assert units.headers["content-disposition"] == f'attachment; filename="units-korsbaek-{MONTH}.csv"'
    rows = list(csv.reader(io.StringIO(units.text.removeprefix("\ufeff")), delimiter=";"))
    assert [int(count) for _, count in rows[1:]] == [row["accesses"] for row in told["units"]] == [12]
    days = (await dpo.get(f"/dpo/figures/days.csv?month={MONTH}")).text
    assert "2019-03-31;4" in days
    assert len(days.splitlines()) == 32
    everything = page.text + units.text + days + str(told)
    entries = (await house.house.databases.reader.search(["korsbaek"], EVERY)).entries
    hidden = {
        str(entry.index[name])
        for entry in entries
        for name in ("citizen", "actor", "case", "ask")
        if name in entry.index
    }
    assert hidden
    assert [one for one in hidden if re.search(rf"\b{re.escape(one)}\b", everything)] == []


async def test_files_are_the_overseers(house: Sampling) -> None:
    """Citizen, caseworker and stranger get no page, no file and no JSON; an unknown table is no table."""
    dpo, paths = await house.house.officer(), ("/dpo/figures", "/dpo/figures/days.csv", "/v1/figures")
    for reader in (await house.house.citizen(), await house.house.caseworker(), house.house.stranger()):
        for path in paths:
            assert (await reader.get(path)).status_code in {303, 401, 403}
    assert await read_entries(house) == []
    unknown = await dpo.get("/dpo/figures/people.csv")
    other = await dpo.get("/dpo/figures/days.csv?municipality=norrestrand")
    nowhere = await dpo.get("/dpo/figures/days.csv?municipality=nowhere")
    assert {answer.status_code for answer in (unknown, other, nowhere)} == {404}
    assert other.content.replace(b"norrestrand", b"") == nowhere.content.replace(b"nowhere", b"")
    assert await read_entries(house) == []


async def test_a_month_of_which_something_may_be_deleted_is_not_called_exact(house: Sampling) -> None:
    """Only whole months stand on the list; one from before says since when, in place of saying that it is exact."""
    homes = house.house.ports.directory.municipalities
    assert isinstance(homes, dict)
    assert may_lack("korsbaek", house.house.ports.directory, house.clock.now()) is None
    homes["korsbaek"] = replace(homes["korsbaek"], retention=Retention({"outcome": 7}))
    dpo = await house.house.officer()
    new = (await dpo.get("/dpo/figures?month=2019-03&lang=da")).text
    # On 4 March, what lies before 4 August may be gone: August is not whole.
    assert re.findall(r'<option value="(20[0-9-]+)"', new.split("published-heading")[0]) == [
        "2019-03", "2019-02", "2019-01", "2018-12", "2018-11", "2018-10", "2018-09"]  # fmt: skip
    assert "Tallene er nøjagtige" in new
    old = (await dpo.get("/dpo/figures?month=2018-08&lang=da")).text
    assert "Tallene er nøjagtige" not in old
    assert "kan være slettet" in old
    assert 'value="2018-08"' in old


async def test_a_month_that_is_none_is_told_on_the_page(house: Sampling) -> None:
    """The page says what to do and echoes nothing; the file and the JSON say which field."""
    dpo = await house.house.officer()
    page = await dpo.get("/dpo/figures?month=%3Cb%3Ex&lang=da")
    assert page.status_code == 400
    assert "Vælg en måned på listen." in page.text
    assert "<b>x" not in page.text
    assert "&lt;b&gt;x" not in page.text
    assert (await dpo.http.get("/v1/figures?month=2019-13")).json()["pointer"] == "/month"
    assert (await dpo.get("/dpo/figures/days.csv?month=2019-13")).status_code == 400
