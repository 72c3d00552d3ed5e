"""A stolen log-in of an overseer takes out no evidence, counts no breach and makes no paper without end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from broker.domain.entries import EVERYTHING as EVERY
from broker.domain.errors import Conflict, TooManyAsks
from broker.oversight.breaches import affected, count, open_file
from broker.web.printed import MOST_WAITING, NotPrinted, Paragraph, Printed, pdf
from demo.postgres import PrivatePostgres
from tests.attacks.test_breaches import DPO, KNOWN, MARCH, WORDS, House
from tests.builders import NOON
from tests.pages_house import PagesHouse, open_pages

WHY = "count_runs"
ALONE = "SELECT pg_advisory_lock(6210776, hashtext($1))"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def entries(house: PagesHouse, kind: str) -> int:
    """Count the entries of a kind."""
    return len((await house.databases.reader.search(["korsbaek"], replace(EVERY, kind=kind))).entries)


async def test_evidence_is_not_taken_out_without_end(house: PagesHouse) -> None:
    """Each try counts, by page and JSON alike, also for a line that cannot be had; what is refused is on no log."""
    house.ceilings.most = {"evidence": 2}
    dorte, line = await house.officer(), "/dpo/evidence/korsbaek/2019/0"
    await dorte.get(line)
    told, body = {"X-CSRF-Token": dorte.csrf}, {"log": "test.example/log/korsbaek/2019", "index": 0}
    tries = [(await dorte.post(line)).status_code for _ in range(2)]
    assert 429 not in tries
    assert (await dorte.post(line)).status_code == 429
    assert (await dorte.http.post("/v1/evidence", json=body, headers=told)).status_code == 429
    assert await entries(house, "evidence.made") == 0
    nina = await house.officer(id="n")
    await nina.get(line)
    assert (await nina.post(line)).status_code == tries[0]


async def test_reports_and_sheets_are_not_made_without_end(house: PagesHouse) -> None:
    """Report and fact sheet count as one another, in every form; what is refused is neither counted nor on the log."""
    house.ceilings.most = {"paper": 3}
    dorte = await house.officer()
    for path in ("/dpo/report.csv", "/v1/figures/report", "/dpo/fact-sheet.pdf"):
        assert (await dorte.get(path)).status_code == 200, path
    before = await entries(house, "figures.read")
    for path in ("/dpo/report.csv", "/dpo/report.pdf", "/v1/figures/report", "/dpo/fact-sheet.pdf"):
        assert (await dorte.get(path)).status_code == 429, path
    assert await entries(house, "figures.read") == before == 2
    assert (await dorte.get("/dpo/fact-sheet")).status_code == 200


async def test_a_breach_is_not_counted_without_end(house: PagesHouse) -> None:
    """Counts and pages of their lists read a log alike: past the ceiling neither is made, and the file stays."""
    filing = House(house)
    await filing.looked(3)
    one = await open_file("korsbaek", KNOWN, WORDS, DPO, filing.desk)
    house.ceilings.most = {"touched": 2}
    made = await count(one.id, MARCH, DPO, filing.desk)
    assert len((await affected(one.id, made.number, 1, DPO, filing.desk)).rows) == 3
    with pytest.raises(TooManyAsks):
        await count(one.id, MARCH, DPO, filing.desk)
    with pytest.raises(TooManyAsks):
        await affected(one.id, made.number, 1, DPO, filing.desk)
    assert (await entries(house, "breach.counted"), await entries(house, "breach.listed")) == (1, 1)


async def test_one_reads_a_log_for_a_breach_at_a_time(house: PagesHouse) -> None:
    """While one count of a municipality runs, on whatever node, the next is refused at once; then it is made."""
    filing = House(house)
    one = await open_file("korsbaek", KNOWN, WORDS, DPO, filing.desk)
    other = await asyncpg.connect(house.databases.admin)
    await other.execute(ALONE, "norrestrand")
    made = await count(one.id, MARCH, DPO, filing.desk)
    await other.execute(ALONE, "korsbaek")
    with pytest.raises(Conflict, match=WHY):
        await count(one.id, MARCH, DPO, filing.desk)
    with pytest.raises(Conflict, match=WHY):
        await affected(one.id, made.number, 1, DPO, filing.desk)
    await other.close()
    assert (await entries(house, "breach.counted"), await entries(house, "breach.listed")) == (1, 0)


async def test_few_wait_for_the_printer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes when many wait is told at once; once they are done, or have gone, there is room again."""
    paper = Printed("da", "Et ark", NOON, (Paragraph("Ord."),))
    found = await asyncio.gather(*(pdf(paper) for _ in range(MOST_WAITING + 3)), return_exceptions=True)
    assert [isinstance(one, NotPrinted) for one in found] == [False] * MOST_WAITING + [True] * 3
    gone = [asyncio.ensure_future(pdf(paper)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    for one in gone:
        one.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    # What the thread had begun it ends; those behind it are gone.
    assert (await pdf(paper)).startswith(b"%PDF")
