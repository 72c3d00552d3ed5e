"""Whoever searches the log too far, opens what is not theirs, or would leave no trace of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import LogUnavailable, NotAllowed, NotFound
from broker.oversight.lines import open_line
from broker.oversight.search import Line
from demo.postgres import PrivatePostgres
from tests.attacks.test_oversight import ASK, entries, officer
from tests.builders import CASE, FAR, SOCIAL
from tests.fakes.web import FakeCeilings
from tests.front import Front, open_front
from tests.pages_house import ASK as FORM
from tests.pages_house import PagesHouse, open_pages

PLACE = "/v1/accesses/korsbaek/2019/"


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces, after an ask of a source of each municipality and one that was refused."""
    async with open_front(postgres, tmp_path) as made:
        assert (await made.post("/v1/exchange", ASK)).status_code == 403
        lines = [{"source": SOCIAL, "category": "S01"}, {"source": FAR, "category": "S01"}]
        asked = await made.post("/v1/consent-requests", ASK | {"lines": lines, "to": "2020-03-03"})
        await made.post(f"/v1/me/consent-requests/{asked.json()['id']}/grant", {})
        assert (await made.post("/v1/exchange", ASK)).status_code == 200
        yield made


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open the pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def test_every_criterion_finds_and_leaves_out(front: Front) -> None:
    """Case, employee, basis, whose source, emergency, one line's citizen: each finds its lines alone, and together."""
    every = await entries(front, limit=200)
    asked = next(row for row in every if row["kind"] == "ask")
    told = next(row for row in every if row["kind"] == "outcome" and row["outcome"] != "refused")
    same = {"municipality": "korsbaek", "year": 2019, "index": asked["index"]}
    found: dict[str, list[dict[str, Any]]] = {
        "case": await entries(front, case=CASE, unit=asked["unit"], kind="ask"),
        "handle": await entries(front, case_handle=asked["case"], kind="ask"),
        "actor": await entries(front, actor=asked["actor"], kind="ask"),
        "line": await entries(front, same_citizen_as=same, kind="ask"),
    }
    assert {len(rows) for rows in found.values()} == {3}, found
    assert [row["index"] for row in await entries(front, holder="norrestrand", kind="outcome")] == [told["index"]]
    assert len(await entries(front, basis="consent", emergency=False, case=CASE, unit=told["unit"])) == 1
    another, elsewhere = {"case": "another", "unit": asked["unit"]}, {"case": CASE, "unit": "school"}
    for none in (another, elsewhere, {"holder": "nowhere"}, {"emergency": True}):
        assert await entries(front, **none) == [], none
    for nobody in (asked["citizen"], asked["case"], "0" * 32):
        assert (await front.post("/v1/accesses/search", {"actor": nobody, "kind": "ask"})).status_code == 400
    backwards = await entries(front, kind="ask", oldest_first=True)
    assert backwards == (await entries(front, kind="ask"))[::-1]


@pytest.mark.parametrize("body", [
    {"case": CASE}, {"case": "x y"}, {"case": "a\x00"}, {"case": "c" * 65}, {"actor": "lene"}, {"actor": "A" * 32},
    {"citizen": "710274-0022", "same_citizen_as": {"municipality": "korsbaek", "year": 2019, "index": 0}},
    {"case": CASE, "case_handle": "0" * 32, "unit": "jobcentre"}, {"municipality": "norrestrand"},
    {"municipality": "nowhere"}, {"cursor": "9" * 5000}, {"same_citizen_as": {"municipality": "korsbaek"}},
    {"same_citizen_as": {"municipality": "korsbaek", "year": 2019, "index": -1}}, {"holders": ["social"]},
])  # fmt: skip
async def test_what_cannot_be_looked_for_is_refused(front: Front, body: dict[str, Any]) -> None:
    """A wish that cannot be is a clear problem that repeats nothing; a foreign municipality reads as an unknown one."""
    answer = await front.post("/v1/accesses/search", body)
    assert answer.status_code == 400, answer.text
    assert "710274" not in answer.text
    mine, unknown = [await front.post("/v1/accesses/search", {"municipality": m}) for m in ("norrestrand", "nowhere")]
    assert mine.content == unknown.content


async def test_no_person_is_searched_for_in_an_address(front: Front) -> None:
    """What names a person is not taken from an address: the search is refused, not done without it."""
    for query in ("citizen=7102740022", f"actor={'0' * 32}", "case=JC-1&unit=jobcentre", "same_citizen_as=x"):
        answer = await front.get(f"/v1/accesses?{query}")
        assert answer.status_code == 400
        assert "7102740022" not in answer.text


async def test_what_is_opened_is_on_the_log_first_and_the_citizen_sees_it(front: Front) -> None:
    """A line is given with its body; who it is about has one line more in their list, and the log says which it was."""
    asked = (await entries(front, kind="ask"))[0]
    before = len((await front.get("/v1/me/accesses?limit=200")).json()["entries"])
    opened = await front.get(f"{PLACE}{asked['index']}")
    assert opened.status_code == 200
    assert opened.json()["body"]["subject"] == asked["citizen"]
    assert "question_packed" not in opened.text
    said = [(one["line"], one["citizen"]) for one in await entries(front, kind="entry.opened")]
    assert said == [(asked["index"], asked["citizen"])]
    mine = (await front.get("/v1/me/accesses?limit=200")).json()["entries"]
    assert len(mine) == before + 1


async def test_a_line_of_another_is_as_one_that_is_not_there(front: Front) -> None:
    """Another municipality's line, a place beyond the end, another year and nonsense answer alike, byte for byte."""
    front.officer = officer("dpo", "norrestrand")
    paths = ["korsbaek/2019/0", "korsbaek/2019/999999", "korsbaek/1999/0", "nowhere/2019/0", "norrestrand/2019/99999",
             "norrestrand/1999/0", f"norrestrand/2019/{2**63}", "norrestrand/2019/-1"]  # fmt: skip
    answers = [await front.get(f"/v1/accesses/{path}") for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    about = [await front.post("/v1/accesses/search", {"same_citizen_as": {"municipality": m, "year": 2019, "index": 0}})
             for m in ("korsbaek", "nowhere")]  # fmt: skip
    assert {answer.status_code for answer in about} == {404}
    assert about[0].content == about[1].content
    assert await entries(front, kind="entry.opened") == []


async def test_only_who_oversees_opens_a_line(front: Front) -> None:
    """A leader, a caseworker, and an overseer of nobody open nothing."""
    for who in (officer("teamleder", "korsbaek"), officer("sagsbehandler", "korsbaek"), officer("dpo")):
        front.officer = who
        assert (await front.get(f"{PLACE}0")).status_code == 403


async def test_nothing_is_opened_while_it_cannot_be_written_down(front: Front) -> None:
    """With the log down, the line's body stays closed."""

    class Down:
        async def append(self, *_: Any, **__: Any) -> Any:
            raise LogUnavailable

    doors = (replace(front.ports, log=Down()), front.databases.reader, FakeCeilings().count_line)
    ours = Line("korsbaek", 2019, 0)
    with pytest.raises(LogUnavailable):
        await open_line(ours, officer("dpo", "korsbaek"), *doors)
    with pytest.raises(NotAllowed):
        await open_line(ours, officer("teamleder", "korsbaek"), *doors)
    with pytest.raises(NotFound):
        await open_line(replace(ours, municipality="norrestrand"), officer("dpo", "korsbaek"), *doors)


async def test_two_at_once_leave_two_traces(front: Front) -> None:
    """Whoever opens one line twice at the same moment stands twice on the log."""
    answers = await asyncio.gather(*(front.get(f"{PLACE}0") for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(await entries(front, kind="entry.opened")) == 2


async def test_the_pages_form_names_people_in_its_body_alone(house: PagesHouse) -> None:
    """Codes go on to an address that can be kept; citizen, case and employee never do; what is wrong is pointed at."""
    lene, dorte = await house.caseworker(), await house.officer()
    await lene.get("/case")
    await lene.post("/case", **FORM)
    await dorte.get("/dpo")
    kept = await dorte.post("/dpo/find", kind="ask", holder="norrestrand", order="oldest", emergency="")
    assert kept.headers["location"] == "/dpo?kind=ask&holder=norrestrand&order=oldest"
    page = await dorte.post("/dpo/find", kind="ask", unit="jobcentre", case=FORM["case"], citizen="710274-0022")
    assert (page.status_code, page.text.count("bb-panel")) == (200, 1)
    line = re.search(r'href="(/dpo/lines/[^"]+)"', page.text)
    assert line is not None
    opened = await dorte.get(line[1])
    actor = re.search(r'name="actor" value="([0-9a-f]{32})"', opened.text)
    assert actor is not None
    assert (await dorte.post("/dpo/find", actor=actor[1], kind="ask")).text.count("bb-panel") == 1
    same = await dorte.post("/dpo/find", same=line[1].removeprefix("/dpo/lines/"), kind="ask")
    assert same.text.count("bb-panel") == 1
    for field, wrong in (("citizen", "12"), ("case", "x y"), ("actor", "lene"), ("unit", "7102740022"), ("order", "x")):
        refused = await dorte.post("/dpo/find", **{field: wrong})
        assert (refused.status_code, f'href="#{field}"' in refused.text) == (400, True), field
        assert "7102740022" not in refused.text
    assert (await dorte.post("/dpo/find", case="JC-1")).text.count('href="#unit"') == 1
    assert not any(part in "".join(dorte.seen) for part in ("710274", FORM["case"], actor[1]))


async def test_a_foreign_line_is_no_page(house: PagesHouse) -> None:
    """Another municipality's line and one that was made up are the same page: not there."""
    dorte = await house.officer(municipalities=["norrestrand"])
    lene = await house.caseworker()
    await lene.get("/case")
    await lene.post("/case", **FORM)
    await dorte.get("/dpo")
    for path in ("korsbaek/2019/0", "korsbaek/2019/x", "norrestrand/2019/9999", "../../x", "korsbaek/2019/%00"):
        assert (await dorte.get(f"/dpo/lines/{path}")).status_code == 404
    for same in ("korsbaek/2019/0", "x", "norrestrand/2019/99999"):
        assert (await dorte.post("/dpo/find", same=same)).status_code == 404
    assert (await (await house.citizen()).get("/dpo/lines/korsbaek/2019/0")).status_code in (303, 401, 403)
