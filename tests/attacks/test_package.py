"""The file a DPO hands over to who asks what is held about them; and what others try with it. Over the real log."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.entries import EVERYTHING as EVERY
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, STRANGER
from tests.log_events import an_outcome
from tests.pages_house import ASK, LINES, PagesHouse, ask_for, open_pages, say_yes
from tests.sampling import an_officer

NUMBER = "710274-0022"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house in which a citizen said yes, was looked up, asked the DPO, and is known in another municipality."""
    async with open_pages(postgres, tmp_path) as made:
        lene, annette = await made.caseworker(), await made.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES)
        await say_yes(annette)
        await lene.get("/case")
        await lene.post("/case", **ASK)
        await annette.get("/mine/accesses/korsbaek/2019/0/ask")
        await annette.post("/mine/accesses/korsbaek/2019/0/ask", text="hvorfor mig?")
        (citizen,) = await made.databases.vault.citizens([CITIZEN])
        actor = await made.databases.vault.officer(an_officer("nils", "employee"))
        away = replace(an_outcome(citizen, actor), municipality="norrestrand", requester="norrestrand", unit="far-away")
        await made.databases.log.append([away])
        yield made


async def made_file(house: PagesHouse, **who: Any) -> dict[str, Any]:
    """Make the file on the page, as an officer."""
    dorte = await house.officer(**who)
    await dorte.get("/dpo/package")
    answer = await dorte.post("/dpo/package", citizen=NUMBER)
    assert answer.headers["content-disposition"] == 'attachment; filename="indsigt.json"'
    assert not any(NUMBER in address or CITIZEN.disclose() in address for address in dorte.seen)
    found: dict[str, Any] = answer.json()
    return found


async def test_it_is_the_citizens_own_file(house: PagesHouse) -> None:
    """What the DPO hands over is what the citizen downloads, of that municipality; that it was made stands in it."""
    told = await made_file(house)
    mine = (await (await house.citizen()).http.get("/v1/me/export")).json()
    for part in ("format", "consents", "requests", "blocks", "inquiries"):
        assert told[part] == mine[part], part
    assert told["entries"] == [row for row in mine["entries"] if row["municipality"] == "korsbaek"]
    assert told["entries"][0]["kind"] == "package.made"
    assert told["recipients"]
    assert "hvorfor mig?" in json.dumps(told)
    page = (await (await house.citizen()).get("/mine/accesses")).text
    assert "lavede en fil med det, der er gemt om dig" in page


async def test_another_municipalitys_lines_are_not_handed_over(house: PagesHouse) -> None:
    """Each DPO's file has what their municipality answers for: no line, yes or question of another's."""
    near, far = await made_file(house), await made_file(house, id="n", municipalities=["norrestrand"])
    assert "far-away" not in json.dumps(near)
    assert {row["municipality"] for row in far["entries"]} == {"norrestrand"}
    assert (far["consents"], far["requests"], far["inquiries"]) == ([], [], [])
    both = await made_file(house, id="b", municipalities=["korsbaek", "norrestrand"])
    assert {row["municipality"] for row in both["entries"]} == {"korsbaek", "norrestrand"}


async def test_standing_noes_of_elsewhere_are_not_handed_over(house: PagesHouse) -> None:
    """A standing no for a unit of another municipality, or one that is gone, stays with the citizen."""
    annette = await house.citizen()
    await annette.get("/mine/blocks")
    told = {"X-CSRF-Token": annette.csrf}
    made = await annette.http.post("/v1/me/blocks", json={"category": "S01"}, headers=told)
    assert made.status_code in {200, 201}, made.text
    assert len((await made_file(house))["blocks"]) == 1
    assert len((await made_file(house, id="n", municipalities=["norrestrand"]))["blocks"]) == 1
    made = await annette.http.post("/v1/me/blocks", json={"unit": "jobcentre"}, headers=told)
    assert made.status_code in {200, 201}, made.text
    assert len((await made_file(house))["blocks"]) == 2
    assert len((await made_file(house, id="n", municipalities=["norrestrand"]))["blocks"]) == 1


@pytest.mark.parametrize("who", [
    {"role": "logkontrollant"}, {"role": "teamleder", "units": [["korsbaek", "jobcentre"]]}, {"municipalities": []},
])  # fmt: skip
async def test_nobody_else_makes_it(house: PagesHouse, who: dict[str, Any]) -> None:
    """A log controller, a leader, a DPO of nowhere and a citizen get nothing; nothing is on the log."""
    before = await count(house)
    other = await house.officer(**who)
    await other.get("/dpo/inquiries")
    assert (await other.post("/dpo/package", citizen=NUMBER)).status_code == 403
    told = {"X-CSRF-Token": other.csrf}
    assert (await other.http.post("/v1/packages", json={"citizen": NUMBER}, headers=told)).status_code == 403
    annette = await house.citizen()
    await annette.get("/mine")
    assert (await annette.http.post("/v1/packages", json={"citizen": NUMBER})).status_code in {401, 403}
    assert await count(house) == before


async def count(house: PagesHouse) -> int:
    """Count the files that were made, as the log has it."""
    page = await house.databases.reader.search(["korsbaek", "norrestrand"], replace(EVERY, kind="package.made"))
    return len(page.entries)


async def test_without_token_or_with_no_number_nothing_is_made(house: PagesHouse) -> None:
    """Another site's form makes no file; what is no number is told so, and nothing of it comes back."""
    dorte = await house.officer()
    await dorte.get("/dpo/package")
    assert (await dorte.post("/dpo/package", csrf="0" * 43, citizen=NUMBER)).status_code == 403
    assert (await dorte.http.post("/v1/packages", json={"citizen": NUMBER})).status_code == 403
    for wrong in ("", "x", "CANARY-0022", "0000000000", "7102740022\x00", "1" * 4000):
        answer = await dorte.post("/dpo/package", citizen=wrong)
        assert answer.status_code == 400
        assert "CANARY" not in answer.text
    assert await count(house) == 0


async def test_somebody_nothing_is_held_about_gets_an_empty_file(house: PagesHouse) -> None:
    """A file of who is not known has the same form, and says alone that it was made."""
    dorte = await house.officer()
    await dorte.get("/dpo/package")
    told = {"X-CSRF-Token": dorte.csrf}
    answer = await dorte.http.post("/v1/packages", json={"citizen": STRANGER.disclose()}, headers=told)
    body = answer.json()
    assert [row["kind"] for row in body["entries"]] == ["package.made"]
    assert not any(body[part] for part in ("consents", "requests", "blocks", "recipients", "inquiries"))
