"""A citizen wants something put right, or stopped: who is told, what the citizen sees, and what others try with it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from demo.postgres import PrivatePostgres
from tests.pages_house import ASK, LINES, PagesHouse, Reader, ask_for, open_pages, say_yes

TEXT = "CANARY det passer ikke"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house where a citizen said yes, and somebody got something."""
    async with open_pages(postgres, tmp_path) as made:
        lene, annette = await made.caseworker(), await made.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES, why="Vi vil lave en plan.")
        await annette.get("/mine")
        await say_yes(annette)
        await lene.get("/case")
        await lene.post("/case", **ASK)
        yield made


async def wanted(annette: Reader, aim: str = "correction") -> str:
    """Ask for something about the newest answer that gave something; give the inquiry's id."""
    entries = (await annette.http.get("/v1/me/accesses?limit=200")).json()["entries"]
    entry = next(one for one in entries if one["kind"] == "outcome" and one["released"])
    line = f"/mine/accesses/{'/'.join(entry['log'].split('/')[-2:])}/{entry['index']}/ask"
    await annette.get(line)
    assert (await annette.post(line, text=TEXT, aim=aim)).status_code == 303
    return str((await annette.http.get("/v1/me/inquiries")).json()["inquiries"][0]["id"])


async def kept(house: PagesHouse, statement: str) -> Any:
    """Read one value, past all fences."""
    admin = await asyncpg.connect(house.databases.admin)
    try:
        return await admin.fetchval(statement)
    finally:
        await admin.close()


@pytest.mark.parametrize(
    ("aim", "words"), [("correction", "Noget er forkert"), ("objection", "Jeg vil ikke have, at de bruger det")]
)
async def test_what_is_wanted_is_passed_on(house: PagesHouse, aim: str, words: str) -> None:
    """The DPO sees who holds and got it, says whom they told, and the citizen sees that; it is on the log."""
    annette, dorte = await house.citizen(), await house.officer()
    inquiry = await wanted(annette, aim)
    page = (await dorte.get(f"/dpo/inquiries/{inquiry}")).text
    unit = house.ports.directory.units["jobcentre"].name_da
    assert f"{unit}, fik det sidst 4. marts 2019" in page
    assert 'value="source/social"' in page
    kind, source = house.ports.directory.categories["S01"].name_da, house.ports.directory.sources["social"].name_da
    assert f"{kind}, fra {source}: 1 gang, første gang 4. marts 2019" in page
    assert (
        await dorte.post(f"/dpo/inquiries/{inquiry}/passed-on", told=["unit/jobcentre", "source/social"])
    ).status_code == 303
    assert "Sendt videre" in (await dorte.get("/dpo/inquiries")).text
    mine = (await annette.get("/mine/inquiries")).text
    assert words in mine
    assert "Sendt videre" in mine
    assert unit in mine
    (told,) = (await annette.http.get("/v1/me/inquiries")).json()["inquiries"]
    assert (told["aim"], told["state"], told["told"]) == (aim, "passed_on", ["source/social", "unit/jobcentre"])
    assert await kept(house, "SELECT count(*) FROM log.index WHERE kind = 'inquiry.passed_on'") == 1
    assert "sendte videre, hvad du vil" in (await annette.get("/mine/accesses")).text


@pytest.mark.parametrize(
    "told",
    [
        [],
        ["nobody"],
        ["unit/jobcentre", "unit/nobody"],
        ["source/jobcentre"],
        ["unit/social"],
        ["' OR 1=1 --"],
        ["unit/jobcentre\x00"],
    ],
)
async def test_only_who_holds_or_got_it_can_be_told(house: PagesHouse, told: list[str]) -> None:
    """Nobody at all, or one who is not on the list, is a fault, and nothing is kept."""
    dorte = await house.officer()
    inquiry = await wanted(await house.citizen())
    await dorte.get(f"/dpo/inquiries/{inquiry}")
    answer = await dorte.post(f"/dpo/inquiries/{inquiry}/passed-on", told=told)
    assert answer.status_code == 400
    assert "OR 1=1" not in answer.text
    assert await kept(house, "SELECT count(*) FROM inquiries.step WHERE state = 'passed_on'") == 0


async def test_it_is_passed_on_once(house: PagesHouse) -> None:
    """Sent twice it stands once, with those who were told then."""
    annette, dorte = await house.citizen(), await house.officer()
    inquiry = await wanted(annette)
    await dorte.get(f"/dpo/inquiries/{inquiry}")
    for told in (["unit/jobcentre"], ["source/social"]):
        assert (await dorte.post(f"/dpo/inquiries/{inquiry}/passed-on", told=told)).status_code == 303
    assert (await annette.http.get("/v1/me/inquiries")).json()["inquiries"][0]["told"] == ["unit/jobcentre"]
    assert await kept(house, "SELECT count(*) FROM log.index WHERE kind = 'inquiry.passed_on'") == 1


async def test_others_pass_nothing_on(house: PagesHouse) -> None:
    """Another municipality's DPO, another role, a forged form and a stranger change nothing."""
    inquiry = await wanted(await house.citizen())
    place = f"/dpo/inquiries/{inquiry}/passed-on"
    for content in ({"municipalities": ["norrestrand"], "id": "n"}, {"role": "logkontrollant"}):
        other = await house.officer(**content)
        await other.get("/dpo")
        assert (await other.post(place, told=["unit/jobcentre"])).status_code in {403, 404}
    assert (await (await house.officer()).post(place, csrf="guessed", told=["unit/jobcentre"])).status_code == 403
    assert (await house.stranger().post(place, told=["unit/jobcentre"])).status_code == 303
    assert await kept(house, "SELECT count(*) FROM inquiries.step") == 0


async def test_a_question_names_nobody(house: PagesHouse) -> None:
    """Where somebody only wants to know, the DPO is not shown who else got it; a wish there is not is a fault."""
    annette, dorte = await house.citizen(), await house.officer()
    inquiry = await wanted(annette, "question")
    assert "fik det sidst" not in (await dorte.get(f"/dpo/inquiries/{inquiry}")).text
    assert (await dorte.post(f"/dpo/inquiries/{inquiry}/passed-on", told=["unit/jobcentre"])).status_code == 400
    with pytest.raises(AssertionError):
        await wanted(annette, "erasure")


async def test_the_same_by_json_and_no_more(house: PagesHouse) -> None:
    """Who holds and who got it stand beside the words; whom the DPO told is written down once, and no stranger."""
    inquiry = await wanted(await house.citizen())
    dorte, place = await house.officer(), f"/v1/inquiries/{inquiry}"
    token = {"X-CSRF-Token": (await dorte.http.get("/v1/accesses/session")).json()["csrf"]}
    read = (await dorte.http.get(place)).json()
    assert read["text"] == TEXT
    (unit,) = (one for one in read["concerned"] if one["id"] == "unit/jobcentre")
    (holder,) = (one for one in read["concerned"] if one["id"] == "source/social")
    assert holder["got"] == []
    assert {(row["source"], row["category"], row["times"]) for row in unit["got"]} >= {("social", "S01", 1)}
    for told in ([], ["unit/social"], ["unit/jobcentre", "' OR 1=1 --"], "unit/jobcentre", ["unit/jobcentre\x00"]):
        answer = await dorte.http.post(f"{place}/passed-on", json={"told": told}, headers=token)
        assert answer.status_code in {400, 422}
        assert "OR 1=1" not in answer.text
    for content in ({"municipalities": ["norrestrand"], "id": "n"}, {"role": "logkontrollant", "id": "k"}):
        other = await house.officer(**content)
        theirs = {"X-CSRF-Token": (await other.http.get("/v1/accesses/session")).json()["csrf"]}
        answer = await other.http.post(f"{place}/passed-on", json={"told": [unit["id"]]}, headers=theirs)
        assert answer.status_code in {403, 404}
    assert (await dorte.http.post(f"{place}/passed-on", json={"told": [unit["id"]]})).status_code == 403
    done = await dorte.http.post(f"{place}/passed-on", json={"told": [unit["id"], holder["id"]]}, headers=token)
    assert (done.status_code, done.json()["inquiry"]) == (200, inquiry)
    again = await dorte.http.post(f"{place}/passed-on", json={"told": [unit["id"]]}, headers=token)
    assert again.status_code == 409
    assert (await dorte.http.get(place)).json()["told"] == ["source/social", "unit/jobcentre"]
    assert await kept(house, "SELECT count(*) FROM log.index WHERE kind = 'inquiry.passed_on'") == 1
