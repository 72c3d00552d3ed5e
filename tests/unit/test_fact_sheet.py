"""The facts for a municipality's own assessment and agreements: what is registered, and what is missing as missing."""

import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from broker.domain.directory import Delegation, Directory
from broker.domain.retention import Retention
from broker.oversight.fact_sheets import NOT_REGISTERED, TO_JUDGE, Running, sheets_for
from broker.policy_tables import unverified
from broker.web import printed
from broker.web.dpo.fact_parts import Sheet
from broker.web.dpo.fact_words import JUDGE_WORDS, MISSING_WORDS, SAFEGUARDS
from broker.web.fact_sheet_wire import sheet_body
from broker.web.pages.words import words_of
from broker.web.sessions import IDLE, LONGEST
from demo.postgres import PrivatePostgres
from tests.builders import NOON, PURPOSE, a_house, a_registry
from tests.pages_house import PagesHouse, open_pages
from tests.sampling import an_officer
from tools.defences.table import read_table

ROOT = Path(__file__).parents[2]
TODAY = 20190304
DPO = an_officer("dorte", "dpo")


@pytest.fixture
async def directory(tmp_path: Path) -> Directory:
    """Give a small registry's directory."""
    return (await a_house(tmp_path)).directory


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


def test_what_passes_between_municipalities_rests_on_law(directory: Directory) -> None:
    """Each flow is between two municipalities, on rows that hold today between those kinds of unit, and in bounds."""
    (sheet,) = sheets_for(DPO, directory, TODAY)
    assert {one.source.municipality == "korsbaek" for one in sheet.flows} == {True, False}
    for one in sheet.flows:
        assert one.source.municipality != one.to.id
        kind = directory.units[one.source.unit].kind
        for unit in one.units:
            assert unit.municipality == one.to.id
            assert any(kind in row.from_units and unit.kind in row.to_units for row in one.laws)
        assert all(row.from_day <= TODAY <= row.to_day for row in one.laws)
        reached = frozenset().union(*(row.purposes[one.purpose.id] for row in one.laws))
        assert {c.id for c in one.categories} <= reached & one.source.categories & one.purpose.categories


def test_what_a_municipality_switched_off_does_not_pass(directory: Directory) -> None:
    """A purpose that the asking municipality has given up is no flow; one that it narrowed has no more than is left."""
    home = directory.municipalities["korsbaek"]

    def flows(kept: frozenset[str]) -> list[frozenset[str]]:
        off = replace(home, purposes={PURPOSE: kept})
        changed = replace(directory, municipalities={**directory.municipalities, "korsbaek": off})
        (sheet,) = sheets_for(DPO, changed, TODAY)
        found = [one for one in sheet.flows if one.to.id == "korsbaek" and one.purpose.id == PURPOSE]
        return [frozenset(c.id for c in one.categories) for one in found]

    assert flows(frozenset()) == []
    assert flows(frozenset({"S01"})) == [frozenset({"S01"})]


def test_a_delegation_stands_there_while_it_runs(directory: Directory) -> None:
    """Of the agreements to act for another only one's own, and only those of today."""

    def delegation(name: str, giver: str, first: int) -> Delegation:
        return Delegation(name, giver, "norrestrand", ("15.*",), first, 20191231)

    rows = (delegation("now", "korsbaek", 20190101), delegation("later", "korsbaek", 20190601),
            delegation("theirs", "elsewhere", 20190101))  # fmt: skip
    (sheet,) = sheets_for(DPO, replace(directory, delegations={row.id: row for row in rows}), TODAY)
    assert [row.id for row in sheet.delegations] == ["now"]


def test_a_row_of_law_is_checked_when_its_table_names_by_whom(tmp_path: Path) -> None:
    """What the engine refuses in production as unverified is what the sheet says nobody has checked."""
    registry = a_registry(tmp_path)
    directory = registry.directory
    known = {*directory.laws, *(row.id for row in directory.consent_laws)}
    loose = {row.partition("/")[2] for row in unverified(registry.tables)}
    rows = {row.id: row for row in (*directory.laws.values(), *directory.consent_laws)}
    assert {row.id for row in rows.values() if not row.verified} == known & loose
    (sheet,) = sheets_for(DPO, directory, TODAY)
    used = {row.id for one in sheet.record.activities for row in one.laws}
    assert {row.id for row in sheet.unverified} >= used & loose
    checked = {name: replace(row, verified=True) for name, row in rows.items()}
    laws = {name: checked[name] for name in directory.laws}
    consents = tuple(checked[row.id] for row in directory.consent_laws)
    (sheet,) = sheets_for(DPO, replace(directory, laws=laws, consent_laws=consents), TODAY)
    assert sheet.unverified == ()


def test_every_safeguard_has_its_promise_its_defence_and_its_test() -> None:
    """What is said to hold stands in SECURITY.md under that promise, and among the defences with that test."""
    rows = {row.name: row for row in read_table(ROOT)}
    headings = re.findall(r"^### (.+)$", (ROOT / "SECURITY.md").read_text("utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
    for _, proof in SAFEGUARDS:
        assert proof.heading in anchors
        assert proof.heading.startswith(f"{proof.promise.lower()}-")
        assert rows[proof.defence].promise == proof.promise
        assert proof.test in rows[proof.defence].tests


def test_what_is_registered_is_told(directory: Directory) -> None:
    """Phones, agreements, services and checked law stand there in words once they are registered; nothing else does."""
    delegation = Delegation("now", "korsbaek", "far-away", ("15.*",), 20190101, 20191231)
    unit = replace(directory.units["jobcentre"], phone="+45 00 00 00 00")
    laws = {name: replace(row, verified=True) for name, row in directory.laws.items()}
    consents = tuple(replace(row, verified=True) for row in directory.consent_laws)
    home = replace(directory.municipalities["korsbaek"], retention=Retention({"outcome": 1}))
    changed = replace(
        directory, delegations={"now": delegation}, units={**directory.units, "jobcentre": unit}, laws=laws,
        consent_laws=consents, municipalities={**directory.municipalities, "korsbaek": home},
    )  # fmt: skip
    (sheet,) = sheets_for(DPO, changed, TODAY)
    hour = timedelta(hours=1)
    running = Running(
        "1.2.3", hour, 8 * hour, (("citizen", "https://citizens.example"), ("new", "https://new.example"))
    )
    parts = {part.title: dict(part.rows) for part in Sheet(sheet, running, changed, words_of("en"), "en", NOON).parts()}
    assert parts["Whom to reach"]["jobcentre"] == ("+45 00 00 00 00",)
    assert parts["Whom to reach"]["school-office"] == ("Not registered",)
    ((between, (_, days)),) = parts["Who acts for whom"].items()
    assert (between, days.count("2019")) == ("Korsbæk Kommune → far-away", 2)
    works = parts["Who works for the municipality"]
    assert (works["Citizens log in at"], works["new"]) == (("https://citizens.example",), ("https://new.example",))
    assert parts["In short"]["Law that nobody has checked yet"] == ("None",)
    assert parts["In short"]["A log-in ends, in minutes"] == ("unused: 60; at most: 480",)
    assert "1 month" in parts["How long it is kept here"]["Who asked about whom, and what they got: no content"]
    body = sheet_body(sheet, running, changed, words_of("da"), NOON)
    assert [row["delegation"] for row in body["between_controllers"]["delegations"]] == ["now"]
    assert body["processor"]["services"][0] == {"for": "citizen", "address": "https://citizens.example"}


def test_who_is_alone_passes_nothing(directory: Directory) -> None:
    """Where no other municipality is registered, the sheet says that nothing passes and nobody acts for another."""
    alone = {"korsbaek": directory.municipalities["korsbaek"]}
    units = {name: unit for name, unit in directory.units.items() if unit.municipality == "korsbaek"}
    sources = {name: row for name, row in directory.sources.items() if row.municipality == "korsbaek"}
    changed = replace(directory, municipalities=alone, units=units, sources=sources)
    (sheet,) = sheets_for(DPO, changed, TODAY)
    running = Running("1", timedelta(minutes=1), timedelta(minutes=1), ())
    parts = {one.title: one for one in Sheet(sheet, running, changed, words_of("en"), "en", NOON).parts()}
    assert (parts["What may pass between them"].rows, parts["Who acts for whom"].rows) == ((), ())
    assert parts["What may pass between them"].says == ("Nothing passes between this municipality and others.",)


async def test_page_file_and_paper_say_the_same(house: PagesHouse) -> None:
    """What is registered stands in all three; what is not is null in the file and named as missing in all."""
    dorte = await house.officer()
    (body,) = (await dorte.http.get("/v1/fact-sheets")).json()["fact_sheets"]
    page = (await dorte.get("/dpo/fact-sheet?lang=da")).text
    answer = await dorte.get("/dpo/fact-sheet.pdf?lang=da")
    assert answer.headers["content-type"] == "application/pdf"
    text = " ".join("\n".join(one.extract_text() for one in PdfReader(io.BytesIO(answer.content)).pages).split())
    assert body["record"] == (await dorte.http.get("/v1/record")).json()["records"][0]
    assert [row["what"] for row in body["not_registered"]] == list(NOT_REGISTERED) == list(MISSING_WORDS)
    assert [row["what"] for row in body["assessment"]["left_to_the_municipality"]] == list(TO_JUDGE)
    assert list(JUDGE_WORDS) == list(TO_JUDGE)
    assert (body["processor"]["operator"], body["processor"]["sub_processors"], body["processor"]["duration"],
            body["between_controllers"]["arrangement"]) == (None,) * 4  # fmt: skip
    assert {row["phone"] for row in body["between_controllers"]["contacts"]} == {None}
    said = [row["says"]["da"] for row in (*body["not_registered"], *body["between_controllers"]["tasks"],
                                         *body["assessment"]["left_to_the_municipality"])]  # fmt: skip
    for sentence in (*said, "Står ikke i registret", "Korsbæk Kommune", "Kort fortalt"):
        assert sentence in page.replace("&#39;", "'"), sentence
    for sentence in ("Korsbæk Kommune", "Kort fortalt", "Hvad Borgerbro ikke ved", "Mellem kommuner"):
        assert sentence in text, sentence
    idle, longest = (int(time.total_seconds()) // 60 for time in (IDLE, LONGEST))
    assert body["assessment"]["log_in_minutes"] == {"idle": idle, "longest": longest}
    for flow in body["between_controllers"]["flows"]:
        assert {flow["from"], flow["to"]} == {"korsbaek", "norrestrand"}
    # No scale of risk, no verdict: the sheet has no field that could hold one.
    assert not re.search(r'"(risk|risk_level|likelihood|severity|high|low|acceptable|score)"', json.dumps(body))


async def test_an_english_reader_reads_english(house: PagesHouse) -> None:
    """Page and paper come in the language of the reader."""
    dorte = await house.officer()
    assert "What Borgerbro does not know" in (await dorte.get("/dpo/fact-sheet?lang=en")).text
    assert (await dorte.get("/dpo/fact-sheet.pdf?lang=en")).status_code == 200


async def test_what_cannot_be_printed_leads_to_the_file(house: PagesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet too long for paper says so in plain words, with a way to the file."""

    async def too_long(_: Any) -> bytes:
        raise printed.TooLongToPrint

    monkeypatch.setattr(printed, "pdf", too_long)
    dorte = await house.officer()
    answer = await dorte.get("/dpo/fact-sheet.pdf?lang=da")
    assert (answer.status_code, "Den kan ikke printes" in answer.text) == (503, True)
    assert 'href="/v1/fact-sheets"' in answer.text
