"""Whoever uses the citizens' desk for more than it is: no role, another town, another citizen, a form sent twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.facts import CustodyHolder
from broker.domain.identity import Role
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests import desk_pages as desk
from tests.builders import CHILD, CITIZEN, FAMILY, SOCIAL, STRANGER
from tests.consent_values import a_grant, a_request, granted, requested
from tests.fakes.registers import FakePeople
from tests.pages_house import PAGE, PagesHouse, Reader, hidden, open_pages, say_yes

LINE = [f"{SOCIAL}/S01"]
FATHER = Personal("6505700011")
NO_ID = "00000000-0000-0000-0000-000000000000"
CASEWORKER = (Role("koordinerende_sagsbehandler", ("15.*",), 3, attested_on=20190101),)


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open the small house."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def size_of_log(house: PagesHouse) -> list[int]:
    """Tell how long the logs are."""
    return [state.size for state in await house.databases.reader.logs(["korsbaek", "norrestrand"])]


async def every_form(reader: Reader, request: str, consent: str, who: dict[str, Any]) -> list[int]:
    """Send every form of the desk about somebody; give the statuses."""
    about = who | {"language": "da", "line": ["0"]}
    return [
        (await reader.post(path, **fields)).status_code
        for path, fields in (
            ("/desk", about),
            ("/desk/shared", about),
            (f"/desk/requests/{request}", about | {"what": "all"}),
            (f"/desk/requests/{request}/yes", about | desk.ORAL | {"digest": "x"}),
            (f"/desk/requests/{request}/no", about | {"form": "oral"}),
            (f"/desk/consents/{consent}/withdrawal", about),
            (f"/desk/consents/{consent}/pause", about),
            (f"/desk/consents/{consent}/resumption", about),
            (f"/desk/consents/{consent}/print", about),
            (f"/desk/consents/{consent}/record", about),
        )
    ]


async def test_without_the_role_the_desk_is_shut(house: PagesHouse) -> None:
    """A caseworker who does not keep the desk opens no page of it, and no form does anything."""
    consent = await desk.given(house, LINE)
    request = await desk.asked(house, [f"{SOCIAL}/S02"])
    lene = await house.caseworker(roles=CASEWORKER)
    await lene.get("/case")
    before = await size_of_log(house)

    assert (await lene.get("/desk")).status_code == 403
    assert set(await every_form(lene, request, consent, desk.CHECKED)) == {403}
    assert await size_of_log(house) == before
    assert await desk.states(house) == ["granted"]


@pytest.mark.parametrize("unit", ["social-centre", "far-social-centre"])
async def test_a_unit_that_the_page_does_not_speak_for_keeps_no_desk(house: PagesHouse, unit: str) -> None:
    """The role alone is not enough: it is for a unit that the page's system acts for."""
    mallory = await house.caseworker(unit=unit, roles=(Role("borgerservice", ("23.*",), 2, attested_on=20190101),))
    await mallory.get("/case")

    assert (await mallory.get("/desk")).status_code == 403
    assert set(await every_form(mallory, NO_ID, NO_ID, desk.CHECKED)) == {403}


async def test_another_municipalitys_papers_are_not_there(house: PagesHouse) -> None:
    """A neighbour's request and yes, which our source's town may read, are not the desk's to see, answer or change."""
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    theirs = {"municipality": "norrestrand", "unit": "far-social-centre"}
    asked, yes = a_request(handle, "case", **theirs), a_grant(handle, "case", **theirs)
    await house.databases.consents.request(asked, requested(asked, handle))
    await house.databases.consents.grant(yes, granted(yes))
    seen = await house.databases.consents.of_citizen(handle, municipality="korsbaek")
    dan = await house.desk()
    page = await desk.find(dan)

    assert [consent.id for consent in seen] == [yes.id]
    assert asked.id not in page.text
    assert yes.id not in page.text
    assert set((await every_form(dan, asked.id, yes.id, desk.CHECKED))[2:]) == {404}
    assert await desk.states(house) == ["granted"]


async def test_with_another_citizens_number_nothing_is_found(house: PagesHouse) -> None:
    """Ids of one citizen's papers with the number of another find nothing and change nothing."""
    consent = await desk.given(house, LINE)
    request = await desk.asked(house, [f"{SOCIAL}/S02"])
    dan = await house.desk()
    other = desk.CHECKED | {"citizen": STRANGER.disclose()}
    page = await desk.find(dan, other)

    assert "Borgeren har ikke sagt ja til noget her" in page.text
    assert set((await every_form(dan, request, consent, other))[2:]) == {404}
    assert set((await every_form(dan, "no-id", "no-id", desk.CHECKED))[2:]) == {404}
    assert await desk.states(house) == ["granted"]


async def test_a_form_sent_twice_is_one_answer(house: PagesHouse) -> None:
    """The same yes, no or stop again changes nothing: it is told that it is done."""
    request = await desk.asked(house, LINE)
    dan = await house.desk()
    reading = await desk.read(dan, request)
    digest = hidden(reading.text, "digest")
    yes = desk.CHECKED | desk.ORAL | {"language": "da", "digest": digest}
    first = await dan.post(f"/desk/requests/{request}/yes", **yes)
    again = await dan.post(f"/desk/requests/{request}/yes", **yes)
    no = await dan.post(f"/desk/requests/{request}/no", **desk.CHECKED, form="oral", language="da")

    assert [answer.status_code for answer in (first, again, no)] == [200, 409, 409]
    assert await desk.states(house) == ["granted"]
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    (kept,) = await house.databases.consents.of_citizen(handle)
    stop = desk.CHECKED | {"line": [kept.lines[0].id]}
    stops = [await dan.post(f"/desk/consents/{kept.id}/withdrawal", **stop) for _ in range(2)]
    assert [answer.status_code for answer in stops] == [200, 409]
    assert len(await desk.events(house, "consent.withdrawn")) == 1


async def test_another_text_than_was_read_is_not_taken(house: PagesHouse) -> None:
    """A yes is to what was read: with more lines, another language or a made-up digest it is refused."""
    request = await desk.asked(house)
    dan = await house.desk()
    digest = hidden((await desk.read(dan, request, line=["1"])).text, "digest")
    base = desk.CHECKED | desk.ORAL | {"language": "da", "digest": digest, "line": ["1"]}

    tries = [base | {"line": ["1", "2"]}, base | {"language": "en"}, base | {"digest": ""}, base | {"line": []}]
    answers = [await dan.post(f"/desk/requests/{request}/yes", **fields) for fields in tries]
    assert {answer.status_code for answer in answers} == {409}
    wrong = [base | {"line": ["99"]}, base | {"line": ["-1"]}, base | {"form": "digital"}, base | {"language": "xx"}]
    answers = [await dan.post(f"/desk/requests/{request}/yes", **fields) for fields in wrong]
    assert {answer.status_code for answer in answers} == {400}
    assert await desk.states(house) == []


async def test_no_change_without_a_checked_identity(house: PagesHouse) -> None:
    """Who knows a number is not who has it: without the tick no list is shown, and nothing is recorded or changed."""
    consent = await desk.given(house, LINE)
    request = await desk.asked(house, [f"{SOCIAL}/S02"])
    dan = await house.desk()
    looks = len(await desk.events(house, "desk.looked"))

    assert (await desk.find(dan, desk.WHO)).status_code == 400
    assert len(await desk.events(house, "desk.looked")) == looks
    statuses = await every_form(dan, request, consent, desk.WHO)
    assert [statuses[1], *statuses[3:8], statuses[9]] == [400] * 7
    assert await desk.states(house) == ["granted"]


async def test_the_asking_unit_never_lets_it_hold_again(house: PagesHouse) -> None:
    """At its own unit's desk a caseworker stops and pauses; it neither shares again nor prints the text."""
    consent = await desk.given(house, LINE)
    lene = await house.desk(unit="jobcentre")
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    (kept,) = await house.databases.consents.of_citizen(handle)
    line = desk.CHECKED | {"line": [kept.lines[0].id]}
    page = await desk.find(lene)

    assert "/resumption" not in page.text
    assert "/print" not in page.text
    assert "/record" not in page.text
    assert (await lene.post(f"/desk/consents/{consent}/pause", **line)).status_code == 200
    assert (await lene.post(f"/desk/consents/{consent}/resumption", **line)).status_code == 404
    for what in ("print", "record"):
        assert (await lene.post(f"/desk/consents/{consent}/{what}", **desk.CHECKED)).status_code == 404
    assert await desk.states(house) == ["paused"]


async def test_whose_role_has_lapsed_closes_alone(house: PagesHouse) -> None:
    """The pages say why there is no yes and no sharing again, offer neither, and refuse both; a no and a pause go."""
    consent = await desk.given(house, LINE)
    request = await desk.asked(house, [f"{SOCIAL}/S02"])
    dan = await house.desk(roles=(Role("borgerservice", ("23.*",), 2, attested_on=20180303),))
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    (kept,) = await house.databases.consents.of_citizen(handle)
    line = desk.CHECKED | {"line": [kept.lines[0].id]}
    page, reading = await desk.find(dan), await desk.read(dan, request)
    yes = await desk.answered(dan, request, reading, **desk.ORAL)
    paused = await dan.post(f"/desk/consents/{consent}/pause", **line)
    again = await dan.post(f"/desk/consents/{consent}/resumption", **line)
    no = await dan.post(f"/desk/requests/{request}/no", **desk.CHECKED, form="oral", language="da")

    assert all("ikke bekræftet lige nu" in told.text for told in (page, reading, yes, again))
    assert "/resumption" not in page.text
    assert f"/desk/requests/{request}/yes" not in reading.text
    assert (yes.status_code, paused.status_code, again.status_code, no.status_code) == (403, 200, 403, 200)
    assert await desk.states(house) == ["paused"]


async def test_nobody_serves_themself(house: PagesHouse) -> None:
    """A caseworker whose own number it is sees and changes nothing at the desk: they have their own page."""
    consent = await desk.given(house, LINE)
    request = await desk.asked(house, [f"{SOCIAL}/S02"])
    annette = await house.desk(cpr=CITIZEN)
    before = await size_of_log(house)

    assert set(await every_form(annette, request, consent, desk.CHECKED)) == {403}
    assert await size_of_log(house) == before


async def test_the_desk_hears_no_more_than_the_citizen(house: PagesHouse) -> None:
    """Of a request that two parents answer it sees this one's lines and answer, and not what the other said."""
    people = house.ports.people
    assert isinstance(people, FakePeople)
    both = (CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))
    people.persons[CHILD] = replace(people.persons[CHILD], custody=both)
    request = await desk.asked(house, [f"{FAMILY}/F01"])
    dan = await house.desk()
    alone = (await desk.find(dan)).text
    fathers = desk.CHECKED | {"citizen": FATHER.disclose()}
    await dan.post(f"/desk/requests/{request}", **fathers, language="da", what="all")
    said = await dan.post(f"/desk/requests/{request}/no", **fathers, form="oral", language="da")
    after = (await desk.find(dan)).text

    assert said.status_code == 200
    assert _told(alone) == _told(after)


async def test_the_asking_units_own_desk_never_learns_which_parent_answered(house: PagesHouse) -> None:
    """Where two are to answer, the unit that asked reads the same of each parent before and after, and answers none."""
    people = house.ports.people
    assert isinstance(people, FakePeople)
    both = (CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))
    people.persons[CHILD] = replace(people.persons[CHILD], custody=both)
    request = await desk.asked(house, [f"{FAMILY}/F01"])
    lene, annette = await house.desk(unit="jobcentre"), await house.citizen()
    before = await _both_parents(lene, request)
    await say_yes(annette)

    assert [status for _, *statuses in before for status in statuses] == [404] * 4
    assert await _both_parents(lene, request) == before


async def _both_parents(lene: Reader, request: str) -> list[tuple[object, ...]]:
    """Tell what the desk shows of each parent, and what comes of reading the request and of a no to it."""
    told: list[tuple[object, ...]] = []
    for parent in (CITIZEN, FATHER):
        who = desk.CHECKED | {"citizen": parent.disclose(), "language": "da", "form": "oral", "what": "all"}
        page = await desk.find(lene, who)
        read = await lene.post(f"/desk/requests/{request}", **who)
        no = await lene.post(f"/desk/requests/{request}/no", **who)
        told.append((_told(page.text), read.status_code, no.status_code))
    return told


def _told(page: str) -> str:
    """Give what stands in the page's own part."""
    return page.partition("<main")[2].partition("</main>")[0]


async def test_where_a_protected_child_is_is_not_read_aloud(house: PagesHouse) -> None:
    """Whom the child does not live with hears no source that would tell where it is; the asker's own unit, each one."""
    people = house.ports.people
    assert isinstance(people, FakePeople)
    hidden_child = replace(people.persons[CHILD], custody=(CustodyHolder(CITIZEN, 3),), protected=True)
    people.persons[CHILD] = hidden_child
    request = await desk.asked(house, [f"{FAMILY}/F01"])
    dan, lene = await house.desk(), await house.desk(unit="jobcentre")
    pages = [(await desk.find(dan)).text, (await desk.read(dan, request)).text]
    own = [(await desk.find(lene)).text, (await desk.read(lene, request)).text]

    assert all("fra en enhed i kommunen" in page and "fra family" not in page for page in pages)
    assert all("fra family" in page and "fra en enhed i kommunen" not in page for page in own)


async def test_a_receipt_at_the_desk_does_not_tell_where_a_protected_child_is(house: PagesHouse) -> None:
    """On paper and in the file no source and no law of it stand that its giver may not learn."""
    people = house.ports.people
    assert isinstance(people, FakePeople)
    people.persons[CHILD] = replace(people.persons[CHILD], custody=(CustodyHolder(CITIZEN, 3),), protected=True)
    consent = await desk.given(house, [f"{FAMILY}/F01"])
    dan = await house.desk()
    paper = await dan.post(f"/desk/consents/{consent}/print", **desk.WHO)
    file = await dan.post(f"/desk/consents/{consent}/record", **desk.CHECKED)

    assert (paper.status_code, file.status_code) == (200, 200)
    assert "fra en enhed i kommunen" in paper.text
    assert FAMILY not in paper.text
    record = file.json()["record"]
    (line,) = record["personal_data"]
    assert (line["source"], line["lawful_basis"]["paragraph"]) == (None, None)
    assert [party["id"] for party in record["parties"]] == ["jobcentre"]
    assert f"fra {FAMILY}" not in record["notice"]["text"]


async def test_where_the_log_is_down_no_receipt_is_had(house: PagesHouse) -> None:
    """The look comes before the record: what cannot be written down is not handed out."""
    consent = await desk.given(house, LINE)
    dan = await house.desk()
    await house.databases.pool.close()

    for what in ("print", "record"):
        answer = await dan.post(f"/desk/consents/{consent}/{what}", **desk.CHECKED)
        assert answer.status_code == 503
        assert consent not in answer.text


async def test_a_number_is_in_no_address_and_no_line_of_ours(
    house: PagesHouse, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The number travels in bodies alone: no address, no place one is sent on to, no line of the operator's log."""
    consent = await desk.given(house, LINE)
    request = await desk.asked(house, [f"{SOCIAL}/S02"])
    dan = await house.desk()
    await every_form(dan, request, consent, desk.CHECKED)
    wrong = await dan.post("/desk", citizen="7102740022x", identity_checked="yes")
    written = "".join(capfd.readouterr()) + caplog.text

    assert wrong.status_code == 400
    assert "7102740022" not in wrong.text
    assert not any("7102740022" in address for address in dan.seen)
    assert "7102740022" not in written
    for address in (f"/desk/requests/{request}", f"/desk/consents/{consent}/print"):
        assert (await dan.http.get(address, headers=PAGE)).status_code == 405


async def test_log_down_shows_nothing(house: PagesHouse) -> None:
    """Where the look cannot be written down, the desk sees nothing of the citizen."""
    await desk.given(house, LINE)
    dan = await house.desk()
    await house.databases.pool.close()
    page = await desk.find(dan)
    assert page.status_code == 503
    assert "jobcentre" not in page.text
