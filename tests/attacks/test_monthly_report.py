"""The monthly report: its text read back from the file, for the overseers alone, and no name or number of anybody."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from broker.adapters.audit_standing import StandingsPostgres
from broker.domain.entries import EVERYTHING as EVERY
from broker.domain.errors import BadAsk, LogUnavailable, NotAllowed, NotFound
from broker.domain.events import BreakGlassRequested, DeferralAsked
from broker.oversight.figures import Desk as FiguresDesk
from broker.oversight.integrity import Watch
from broker.oversight.report import Desk, report
from broker.oversight.samples import draw_round, round_of
from broker.web import printed
from demo.postgres import PrivatePostgres
from tests.attacks.test_figures import desk_of
from tests.pages_house import LOG_KEY
from tests.sampling import APRIL, MONTH, Sampling, an_officer, open_sampling

DPO = an_officer("dorte", "dpo")


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Sampling]:
    """Give a house whose March has look-ups, samples drawn in April, an emergency and a deferral."""
    async with open_sampling(postgres, tmp_path) as made:
        await made.seeded(per_unit=2)
        await made.accesses(8)
        await made.accesses(2, "social-centre", break_glass="b" * 8)
        await happened(made)
        await made.sign()
        made.to(APRIL)
        wanted = await round_of("korsbaek", MONTH, made.desk)
        assert wanted is not None
        await draw_round(wanted, made.actor, made.desk)
        yield made


async def happened(house: Sampling) -> None:
    """Put an emergency that two units were asked in, and a deferral, on the log."""
    whose: dict[str, Any] = {"municipality": "korsbaek", "subject": house.actor, "actor": house.actor,
                             "at": house.clock.now(), "unit": "jobcentre"}  # fmt: skip
    asked = BreakGlassRequested(
        request="b" * 8, requester="korsbaek", purpose="p", case="c", reason="r", sources=("health",),
        holders=("x",), **whose,
    )  # fmt: skip
    kept = DeferralAsked(deferral="d1", ground="g", until=20190401, role="dpo", **whose)
    await house.house.databases.log.append([asked, replace(asked, holders=("y",)), kept])


class NoChecks:
    """Checks of which none was ever made."""

    async def begin(self, *_: Any) -> Any:
        """Begin none."""
        raise NotImplementedError

    async def of(self, _: Any) -> dict[str, Any]:
        """Give none."""
        return {}


def report_desk(house: Sampling, **changes: Any) -> Desk:
    """Give the doors of the report."""
    figures: FiguresDesk = desk_of(house, clock=house.desk.clock, **changes)
    none: Any = None  # A report hands no evidence out.
    standings = StandingsPostgres(house.house.databases.pool, [str(LOG_KEY.verify_key)], 900.0)
    watch = Watch(standings, NoChecks(), none)
    return Desk(figures, house.desk.samples, watch, house.house.ceilings.count_paper)


async def test_the_report_counts_what_was_done(house: Sampling) -> None:
    """Samples of the month and what is late, emergencies once each, deferrals, and how the log stands today."""
    house.later(days=30)
    found = await report("korsbaek", MONTH, DPO, report_desk(house))
    assert found.drawn >= 4
    assert (found.explained, found.closed, found.late) == (0, 0, found.drawn)
    assert found.happened["break_glass.requested"] == 1
    assert (found.happened["deferral.asked"], found.happened["deferral.approved"]) == (1, 0)
    assert found.emergency_looks == 2
    (log,) = found.logs
    assert "never_checked" in log.alarms(found.made_at)
    february = await report("korsbaek", "2019-02", DPO, report_desk(house))
    assert (february.drawn, february.emergency_looks, sum(february.happened.values())) == (0, 0, 0)


@pytest.mark.parametrize(("officer", "municipality", "month", "error"), [
    (DPO, "norrestrand", MONTH, NotFound), (DPO, "x", MONTH, NotFound), (DPO, "korsbaek", "2019-00", BadAsk),
    (an_officer("l", "teamleder", "korsbaek", "jobcentre"), "korsbaek", MONTH, NotAllowed),
])  # fmt: skip
async def test_nobody_else_makes_one(house: Sampling, officer: Any, municipality: str, month: str, error: Any) -> None:
    """Another's municipality, another role, no month: no report, and no entry."""
    with pytest.raises(error):
        await report(municipality, month, officer, report_desk(house))
    page_ = await house.house.databases.reader.search(["korsbaek", "norrestrand"], replace(EVERY, kind="figures.read"))
    assert page_.entries == ()


async def test_no_report_without_its_entry(house: Sampling) -> None:
    """Where the log takes no entry, there is no report."""

    class Shut:
        """A log that takes nothing."""

        async def append(self, events: Any, **_: Any) -> Any:
            """Refuse."""
            raise LogUnavailable

    with pytest.raises(LogUnavailable):
        await report("korsbaek", MONTH, DPO, report_desk(house, log=Shut()))


async def test_the_text_of_the_document(house: Sampling) -> None:
    """The PDF is tagged for screen readers, and its text says in Danish what the table and the JSON say."""
    dpo = await house.house.officer()
    answer = await dpo.get(f"/dpo/report.pdf?month={MONTH}&lang=da")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'attachment; filename="report-korsbaek-{MONTH}.pdf"'
    file = PdfReader(io.BytesIO(answer.content))
    root: Any = file.root_object
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("da", True)
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data()
    text = "\n".join(one.extract_text() for one in file.pages)
    for said in ("Månedsrapport, Korsbæk", "marts 2019", "Måneden kort", "Opslag ved fare for liv", "Loggene i dag",
                 "Opslag pr. dag", "1. marts 2019", "aldrig"):  # fmt: skip
        assert said in text, said
    table = await dpo.get(f"/dpo/report.csv?month={MONTH}&lang=da")
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff")), delimiter=";"))
    assert ["Måneden kort", "Opslag ved fare for liv", "", "2"] in rows
    assert ["Opslag pr. dag", "2019-03-01", "Opslag", "8"] in rows
    told = (await dpo.http.get(f"/v1/figures/report?month={MONTH}")).json()
    assert (told["emergency_accesses"], told["happened"]["break_glass.requested"]) == (2, 1)
    entries = (await house.house.databases.reader.search(["korsbaek"], replace(EVERY, kind="figures.read"))).entries
    assert len(entries) == 3
    everything = (await house.house.databases.reader.search(["korsbaek"], EVERY)).entries
    hidden = {str(entry.index[name]) for entry in everything for name in ("citizen", "actor") if name in entry.index}
    assert hidden
    assert [one for one in hidden if one in text + table.text + str(told)] == []


async def test_what_cannot_be_printed_leads_to_the_table(house: Sampling, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report too long for paper says so in plain words, with a way to the table; nothing is quoted."""

    async def too_long(_: Any) -> bytes:
        raise printed.TooLongToPrint

    monkeypatch.setattr(printed, "pdf", too_long)
    dpo = await house.house.officer()
    answer = await dpo.get(f"/dpo/report.pdf?month={MONTH}&lang=da")
    assert (answer.status_code, "Den kan ikke printes" in answer.text) == (503, True)
    assert f"/dpo/report.csv?municipality=korsbaek&amp;month={MONTH}" in answer.text


async def test_doors_of_the_report(house: Sampling) -> None:
    """Citizen, caseworker and stranger get neither file nor JSON; another's municipality is not there."""
    dpo, paths = await house.house.officer(), ("/dpo/report.pdf", "/dpo/report.csv", "/v1/figures/report")
    for reader in (await house.house.citizen(), await house.house.caseworker(), house.house.stranger()):
        for path in paths:
            assert (await reader.get(path)).status_code in {303, 401, 403}
    for path in paths:
        assert (await dpo.get(f"{path}?municipality=norrestrand")).status_code == 404
        assert (await dpo.get(f"{path}?month=2019-13")).status_code == 400
