"""The desk's pages: a citizen without a computer answers, stops, pauses and gets a print, as they would at `/mine`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from broker.adapters.signed_records import keys_of, opened
from broker.domain.consents import ORAL, PAPER
from broker.domain.notices import RECORDED
from demo.postgres import PrivatePostgres
from tests import desk_pages as desk
from tests.builders import CITIZEN, FAMILY, PURPOSE, SOCIAL
from tests.pages_house import PagesHouse, ask_for, hidden, open_pages


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open the small house."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def test_a_look_is_on_the_citizens_own_list(house: PagesHouse) -> None:
    """The desk sees what waits and what is shared, no data; the citizen reads that it looked, and which unit."""
    await desk.asked(house)
    read = len(house.sources[SOCIAL].asked)
    dan = await house.desk()
    page = await desk.find(dan)

    assert page.status_code == 200
    assert "jobcentre spørger" in page.text
    assert "CANARY" not in page.text
    assert len(house.sources[SOCIAL].asked) == read
    (look,) = await desk.events(house, "desk.looked")
    assert (look.body["unit"], look.body["opened"], look.index["unit"]) == ("school-office", "", "school-office")
    mine = (await (await house.citizen()).get("/mine/accesses")).text
    assert "school-office hjalp dig og så, hvad du har sagt ja og nej til" in mine
    assert "Dan" not in mine


@pytest.mark.parametrize("language", ["da", "en"])
async def test_an_oral_yes_to_some(house: PagesHouse, language: str) -> None:
    """What is read aloud is kept word for word, with who interpreted and who was a witness; the rest stays a no."""
    request = await desk.asked(house)
    dan = await house.desk()
    reading = await desk.read(dan, request, language, line=["1"])
    done = await desk.answered(dan, request, reading, line=["1"], **desk.ORAL)

    assert (reading.status_code, done.status_code) == (200, 200)
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    (consent,) = await house.databases.consents.of_citizen(handle)
    text, evidence = await house.databases.consents.shown(consent.id, handle)
    assert (consent.form, consent.language, len(consent.lines)) == (ORAL, language, 1)
    assert text is not None
    assert text.disclose().splitlines()[0] in reading.text
    assert hidden(reading.text, "digest") == consent.text_digest
    assert evidence is not None
    assert "Tolk Amina Test" in evidence.disclose()
    assert "Vera Vidne Test" in evidence.disclose()
    (granted,) = await desk.events(house, "consent.granted")
    assert (granted.body["channel"], granted.body["recorder_gains"]) == ("desk_oral", False)
    assert "recorder_gains" not in granted.index


async def test_a_yes_on_paper_holds_from_today(house: PagesHouse) -> None:
    """The day on the paper and where it is kept are what was claimed: the yes begins when it is recorded."""
    request = await desk.asked(house)
    dan = await house.desk()
    done = await desk.answered(dan, request, await desk.read(dan, request), **desk.PAPER)

    assert done.status_code == 200
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    consents = await house.databases.consents.of_citizen(handle)
    assert {consent.form for consent in consents} == {PAPER}
    assert {line.from_day for consent in consents for line in consent.lines} == {20190304}
    _, evidence = await house.databases.consents.shown(consents[0].id, handle)
    assert evidence is not None
    assert "ESDH-2019-77" in evidence.disclose()
    assert "2019-03-01" in evidence.disclose()


async def test_an_asked_unit_is_answered_and_served(house: PagesHouse) -> None:
    """A yes at the desk opens what it says, for the unit that asked."""
    request = await desk.asked(house, [f"{SOCIAL}/S01"])
    dan, lene = await house.desk(), await house.caseworker()
    await desk.answered(dan, request, await desk.read(dan, request), **desk.ORAL)
    await lene.get("/case")
    page = await lene.post("/case", citizen=CITIZEN.disclose(), purpose=PURPOSE, case="JC-2019-0417")

    assert page.status_code == 200
    assert "CANARY title" in page.text


async def test_a_no_is_recorded_and_nobody_asks_why(house: PagesHouse) -> None:
    """A no at the desk is the citizen's no: the unit reads it, and nothing is opened."""
    request = await desk.asked(house)
    dan, lene = await house.desk(), await house.caseworker()
    await desk.read(dan, request)
    done = await dan.post(f"/desk/requests/{request}/no", **desk.CHECKED, form="oral", language="da")

    assert done.status_code == 200
    assert "Nej er skrevet ned" in done.text
    assert {entry.body["channel"] for entry in await desk.events(house, "consent.refused")} == {"desk_oral"}
    assert "Svaret er nej" in (await lene.get(f"/case/requests/{request}")).text
    assert "svaret var nej" in (await desk.find(dan)).text


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (desk.ORAL | {"read_back": ""}, "read_back"),
        (desk.ORAL | {"identity_checked": ""}, "identity-oral"),
        (desk.PAPER | {"reference": " "}, "reference"),
        (desk.PAPER | {"paper_date": "2019-03-05"}, "paper_date"),
        (desk.PAPER | {"paper_date": "yesterday"}, "paper_date"),
        (desk.PAPER | {"identity_checked": ""}, "identity-paper"),
    ],
)
async def test_what_a_yes_rests_on_is_asked_for(house: PagesHouse, fields: dict[str, str], fault: str) -> None:
    """Without a reading said back, an identity checked, or a paper's place and day, nothing is recorded."""
    request = await desk.asked(house)
    dan = await house.desk()
    digest = hidden((await desk.read(dan, request)).text, "digest")
    form = desk.CHECKED | {"language": "da", "digest": digest} | fields
    answer = await dan.post(f"/desk/requests/{request}/yes", **form)

    assert answer.status_code == 400
    assert f'href="#{fault}"' in answer.text
    assert f'id="{fault}"' in answer.text
    assert await desk.states(house) == []


async def test_choosing_nothing_points_at_the_first_line(house: PagesHouse) -> None:
    """A reading of what is chosen needs a choice, and a change its lines; nothing is ticked beforehand."""
    consent = await desk.given(house, [f"{SOCIAL}/S01"])
    request = await desk.asked(house, [f"{SOCIAL}/S02"])
    dan = await house.desk()
    page = await desk.find(dan)
    first = await dan.post(f"/desk/requests/{request}", **desk.WHO, language="da", what="chosen")
    second = await dan.post(f"/desk/consents/{consent}/pause", **desk.CHECKED)

    assert "checked" not in page.text.replace("identity_checked", "").replace("sha", "")
    assert (first.status_code, second.status_code) == (400, 400)
    for answer, about in ((first, request), (second, consent)):
        assert f'href="#line-{about}-0"' in answer.text
        assert f'id="line-{about}-0"' in answer.text


async def test_by_phone_a_citizen_pauses_shares_again_and_stops(house: PagesHouse) -> None:
    """Each is one form with its lines and a tick, holds at once, and stands on the citizen's list as by phone."""
    consent = await desk.given(house, [f"{SOCIAL}/S01", f"{FAMILY}/F01"])
    dan = await house.desk()
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    (kept,) = await house.databases.consents.of_citizen(handle)
    line = kept.lines[0].id
    seen = []
    for way in ("pause", "resumption", "withdrawal"):
        done = await dan.post(f"/desk/consents/{consent}/{way}", **desk.CHECKED, line=[line])
        assert done.status_code == 200, done.text
        seen.append(await desk.states(house))

    assert seen == [["granted", "paused"], ["granted", "granted"], ["granted", "withdrawn"]]
    for kind in ("consent.paused", "consent.resumed", "consent.withdrawn"):
        assert {entry.body["channel"] for entry in await desk.events(house, kind)} == {"desk_phone"}


async def test_a_print_is_what_the_citizen_was_shown(house: PagesHouse) -> None:
    """The desk prints the text of a yes as it was given, with its digest; the look is on the citizen's list."""
    consent = await desk.given(house)
    dan = await house.desk()
    page = await dan.post(f"/desk/consents/{consent}/print", **desk.WHO)

    (handle,) = await house.databases.vault.citizens([CITIZEN])
    (kept,) = await house.databases.consents.of_citizen(handle)
    text, _ = await house.databases.consents.shown(consent, handle)
    assert page.status_code == 200
    assert text is not None
    assert all(row in page.text for row in text.disclose().splitlines() if "'" not in row)
    assert kept.text_digest in page.text
    assert [look.body["opened"] for look in await desk.events(house, "desk.looked")] == [consent]


async def test_the_whole_receipt_is_had_on_paper_and_as_a_signed_file(house: PagesHouse) -> None:
    """After a stop by phone both tell each step, how it was done and where the log has it; nothing a system holds."""
    consent = await desk.given(house, [f"{SOCIAL}/S01"])
    read = len(house.sources[SOCIAL].asked)
    dan = await house.desk()
    done = await dan.post(f"/desk/consents/{consent}/withdrawal", **desk.CHECKED, what="all")
    paper = await dan.post(f"/desk/consents/{consent}/print", **desk.WHO)
    answer = await dan.post(f"/desk/consents/{consent}/record", **desk.CHECKED)
    keys = keys_of((await dan.http.get("/.well-known/consent-receipt-keys")).json())
    record = opened(answer.content, keys)

    assert all(f"/desk/consents/{consent}/{what}" in done.text for what in ("print", "record"))
    assert 'filename="kvittering.json"' in answer.headers["content-disposition"]
    steps = [(step["type"], step["channel"], len(step["log"])) for step in record["events"]]
    assert steps == [("granted", "online", 1), ("withdrawn", "desk_phone", 1)]
    assert record["pii_principal"]["id"] == CITIZEN.disclose()
    assert "Det skete på telefon eller ved skranken." in paper.text
    assert record["receipt_id"] in paper.text
    assert all(f"Linje {step['log'][0]['index']} i loggen" in paper.text for step in record["events"])
    assert record["personal_data"][0]["lawful_basis"]["paragraph"] in paper.text
    assert len(house.sources[SOCIAL].asked) == read
    assert "CANARY" not in paper.text + answer.text
    assert [look.body["opened"] for look in await desk.events(house, "desk.looked")] == [consent, consent]


async def test_who_cannot_open_their_page_reads_their_rights_on_paper(house: PagesHouse) -> None:
    """The paper says who is responsible, what for, how to stop, see, correct and complain, and whom to ask."""
    consent = await desk.given(house, [f"{SOCIAL}/S01"])
    dan = await house.desk()
    done = await dan.post(f"/desk/consents/{consent}/withdrawal", **desk.CHECKED, what="all")
    paper = await dan.post(f"/desk/consents/{consent}/print", **desk.WHO)

    for page in (done.text, paper.text):
        for words in ("har ansvaret for", "Det bygger på dit ja", "tage dit ja tilbage", "rettet eller slettet",
                      "databeskyttelsesrådgiver", "klage til Datatilsynet", "Så send det som brev"):  # fmt: skip
            assert words in page


async def test_who_gains_by_a_yes_and_records_it_is_told_of(house: PagesHouse) -> None:
    """A desk that is the asking unit's own is warned, and the overseer reads it at the line of the yes."""
    request = await desk.asked(house)
    lene_at_the_desk = await house.desk(unit="jobcentre")
    reading = await desk.read(lene_at_the_desk, request)
    await desk.answered(lene_at_the_desk, request, reading, **desk.ORAL)

    assert "Det er din egen enhed" in reading.text
    granted = await desk.events(house, "consent.granted")
    assert [entry.body["recorder_gains"] for entry in granted] == [True] * len(granted)
    dorte = await house.officer()
    page = (await dorte.get("/dpo?kind=consent.granted")).text
    assert "Skrevet ned af den enhed, det åbner for" in page
    assert "Borgerservice så, hvad en borger har sagt ja og nej til" in (await dorte.get("/dpo?kind=desk.looked")).text


async def test_what_is_shared_now_alone_is_shown_in_big_type(house: PagesHouse) -> None:
    """A line that is shared stands there with its last day, one that was stopped does not; the look is on record."""
    consent = await desk.given(house, [f"{SOCIAL}/S01", f"{FAMILY}/F01"])
    dan = await house.desk()
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    (kept,) = await house.databases.consents.of_citizen(handle)
    stopped = next(line.id for line in kept.lines if line.source == FAMILY)
    await dan.post(f"/desk/consents/{consent}/withdrawal", **desk.CHECKED, line=[stopped])
    looks = len(await desk.events(house, "desk.looked"))
    page = (await dan.post("/desk/shared", **desk.CHECKED)).text

    assert "jobcentre må se" in page
    assert "fra social" in page
    assert "fra family" not in page
    assert len(await desk.events(house, "desk.looked")) == looks + 1
    printed = (await dan.post(f"/desk/consents/{consent}/print", **desk.WHO)).text
    assert "fra family: stoppet" in " ".join(printed.split()).replace(" (om borgerens barn)", "")


async def test_by_phone_a_citizen_stops_all_of_it_in_one_press(house: PagesHouse) -> None:
    """Nothing need be chosen to stop all of a yes; that the identity was checked is asked for all the same."""
    consent = await desk.given(house, [f"{SOCIAL}/S01", f"{FAMILY}/F01"])
    dan = await house.desk()
    unchecked = await dan.post(f"/desk/consents/{consent}/withdrawal", **desk.WHO, what="all")
    before = await desk.states(house)
    done = await dan.post(f"/desk/consents/{consent}/withdrawal", **desk.CHECKED, what="all")

    assert (unchecked.status_code, before) == (400, ["granted", "granted"])
    assert (done.status_code, await desk.states(house)) == (200, ["withdrawn", "withdrawn"])


async def test_the_desk_reads_how_often_they_asked_and_why_again(house: PagesHouse) -> None:
    """Before the answer stands what the unit wrote to the citizen, how often it asked before, and the answer then."""
    first = await desk.asked(house, [f"{SOCIAL}/S01"])
    dan, lene = await house.desk(), await house.caseworker()
    await dan.post(f"/desk/requests/{first}/no", **desk.CHECKED, form="oral", language="da")
    await lene.get("/case")
    again = {"why": "Vi vil lave en plan.", "again": "Planen blev lavet om i går."}
    second = (await ask_for(lene, [f"{SOCIAL}/S01"], **again)).headers["location"].rsplit("/", 1)[1]
    page = (await desk.read(dan, second)).text

    assert all(words in page for words in again.values())
    assert "De har spurgt borgeren 1 gang før" in page
    assert "svaret var nej" in page


async def test_whoever_never_said_so_hears_that_it_was_recorded(house: PagesHouse) -> None:
    """A yes, a no and a stop at the desk each leave a notice to the one they are said of, and a look leaves none."""
    dan = await house.desk()
    causes = []
    for line in (f"{SOCIAL}/S01", f"{SOCIAL}/S02"):
        request = await desk.asked(house, [line])
        reading = await desk.read(dan, request)
        if line.endswith("S01"):
            await desk.answered(dan, request, reading, **desk.ORAL)
        else:
            await dan.post(f"/desk/requests/{request}/no", **desk.CHECKED, form="oral", language="da")
        causes.append(await _waiting(house))
    (consent,) = await house.databases.consents.of_citizen((await house.databases.vault.citizens([CITIZEN]))[0])
    await dan.post(f"/desk/consents/{consent.id}/withdrawal", **desk.CHECKED, line=[consent.lines[0].id])

    assert [*causes, await _waiting(house)] == [1, 2, 3]


async def _waiting(house: PagesHouse) -> int:
    """Count the notices that wait to tell a citizen what somebody recorded."""
    connection = await asyncpg.connect(house.databases.admin)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM notices.waiting WHERE cause = $1", RECORDED))
    finally:
        await connection.close()
