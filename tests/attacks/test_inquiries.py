"""A citizen asks about a line of their list, the DPO answers; and what others try with it. Over the real log."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.clock_system import FixedClock
from broker.domain.inquiries import A_DAY
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, NOON, STRANGER
from tests.pages_house import ASK, PagesHouse, open_pages

TEXT = "CANARY hvorfor? <script>alert(1)</script>"
ANSWER = "CANARY fordi & derfor <b>nu</b>"
LINE = "/mine/accesses/korsbaek/2019/0/ask"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house in which somebody asked about a citizen in vain."""
    async with open_pages(postgres, tmp_path) as made:
        lene = await made.caseworker()
        await lene.get("/case")
        await lene.post("/case", **ASK)
        yield made


async def asked(house: PagesHouse) -> str:
    """Ask about the first line, as its citizen; give the inquiry's id."""
    annette = await house.citizen()
    await annette.get(LINE)
    assert (await annette.post(LINE, text=TEXT)).status_code == 303
    return str(await one(house, "id"))


async def one(house: PagesHouse, column: str) -> Any:
    """Read one column of the only inquiry, past all fences."""
    admin = await asyncpg.connect(house.databases.admin)
    try:
        return await admin.fetchval(f"SELECT {column} FROM inquiries.inquiry")
    finally:
        await admin.close()


async def kinds(house: PagesHouse) -> list[str]:
    """List the kinds of the entries about inquiries, in the order of the log."""
    admin = await asyncpg.connect(house.databases.admin)
    try:
        rows = await admin.fetch("SELECT kind FROM log.index WHERE kind LIKE 'inquiry.%' ORDER BY log_id, idx")
    finally:
        await admin.close()
    return [row["kind"] for row in rows]


async def test_asked_read_and_answered(house: PagesHouse) -> None:
    """From a line to the answer: the citizen sees each step, each is on the log, and in their own list."""
    annette, dorte = await house.citizen(), await house.officer()
    assert re.search(r'href="/mine/accesses/korsbaek/2019/\d+/ask"', (await annette.get("/mine/accesses")).text)
    inquiry = await asked(house)
    assert "Sendt" in (await annette.get("/mine/inquiries")).text
    listed = (await dorte.get("/dpo/inquiries")).text
    assert "31 dage tilbage" in listed
    assert "CANARY" not in listed
    page = (await dorte.get(f"/dpo/inquiries/{inquiry}")).text
    assert "CANARY hvorfor?" in page
    assert "Læst" in (await annette.get("/mine/inquiries")).text
    assert (await dorte.send(f"/dpo/inquiries/{inquiry}", text=ANSWER)).status_code == 200
    mine = (await annette.get("/mine/inquiries")).text
    assert "Besvaret" in mine
    assert "CANARY fordi &amp; derfor" in mine
    assert await kinds(house) == ["inquiry.sent", "inquiry.read", "inquiry.answered"]
    assert "Databeskyttelsesrådgiveren læste dit spørgsmål" in (await annette.get("/mine/accesses")).text


async def test_each_opening_is_on_the_log(house: PagesHouse) -> None:
    """Who opens one twice stands twice in the citizen's list; the list alone opens none."""
    inquiry, dorte = await asked(house), await house.officer()
    await dorte.get("/dpo/inquiries")
    assert await kinds(house) == ["inquiry.sent"]
    for _ in range(2):
        await dorte.http.get(f"/v1/inquiries/{inquiry}")
    assert await kinds(house) == ["inquiry.sent", "inquiry.read", "inquiry.read"]


async def test_what_is_written_never_runs(house: PagesHouse) -> None:
    """Markup in a question or an answer is shown as text on every page, to both."""
    inquiry, annette, dorte = await asked(house), await house.citizen(), await house.officer()
    await dorte.get(f"/dpo/inquiries/{inquiry}")
    await dorte.post(f"/dpo/inquiries/{inquiry}", text=ANSWER)
    pages = [await annette.get("/mine/inquiries"), await dorte.get(f"/dpo/inquiries/{inquiry}")]
    pages.append(await annette.post(LINE, text="x" * 1999 + "<script>alert(1)</script>"))
    for page in pages:
        assert "<script>alert" not in page.text
        assert "<b>nu" not in page.text


@pytest.mark.parametrize("path", ["page", "form", "api"])
async def test_another_citizens_line_cannot_be_asked_about(house: PagesHouse, path: str) -> None:
    """A line of somebody else's list is not there: nothing is kept, and the answer is that of a line there is none."""
    other, origin = await house.citizen(STRANGER), "test.example/log/korsbaek/2019"
    await other.get("/mine/accesses")

    async def tried(index: int) -> tuple[int, str]:
        where = LINE.replace("/0/", f"/{index}/")
        if path == "page":
            answer = await other.get(where)
        elif path == "form":
            answer = await other.post(where, text=TEXT)
        else:
            body = {"log": origin, "index": index, "text": TEXT}
            answer = await other.http.post("/v1/me/inquiries", json=body, headers={"X-CSRF-Token": other.csrf})
        return answer.status_code, re.sub(r"/\d+/|[0-9a-f]{32}", "", answer.text)

    assert await tried(0) == await tried(4000)
    assert (await tried(0))[0] == 404
    assert await one(house, "count(*)") == 0


async def test_another_citizen_sees_no_question(house: PagesHouse) -> None:
    """The list of questions is one's own."""
    await asked(house)
    other = await house.citizen(STRANGER)
    assert "CANARY" not in (await other.get("/mine/inquiries")).text
    assert (await other.http.get("/v1/me/inquiries")).json() == {"inquiries": []}


async def test_another_municipalitys_dpo_finds_nothing(house: PagesHouse) -> None:
    """The DPO of another municipality neither sees, reads nor answers it, and no try is on the citizen's log."""
    inquiry = await asked(house)
    other = await house.officer(municipalities=["norrestrand"], id="n")
    assert (await other.http.get("/v1/inquiries")).json() == {"inquiries": [], "next": None}
    csrf = (await other.http.get("/v1/accesses/session")).json()["csrf"]
    read = await other.http.get(f"/v1/inquiries/{inquiry}")
    said = await other.http.post(
        f"/v1/inquiries/{inquiry}/answer", json={"text": ANSWER}, headers={"X-CSRF-Token": csrf}
    )
    assert (read.status_code, said.status_code) == (404, 404)
    assert await kinds(house) == ["inquiry.sent"]


@pytest.mark.parametrize("role", ["logkontrollant", "support"])
async def test_another_role_reads_no_question(house: PagesHouse, role: str) -> None:
    """Who oversees the log but is no DPO does not read what citizens write."""
    inquiry = await asked(house)
    other = await house.officer(role=role)
    assert (await other.http.get("/v1/inquiries")).status_code == 403
    assert (await other.http.get(f"/v1/inquiries/{inquiry}")).status_code == 403
    assert await kinds(house) == ["inquiry.sent"]


async def test_one_waits_for_an_answer_before_asking_again(house: PagesHouse) -> None:
    """The same line is asked about once at a time, and again after the answer; an answer is given once."""
    inquiry, annette, dorte = await asked(house), await house.citizen(), await house.officer()
    await annette.get(LINE)
    again = await annette.post(LINE, text=TEXT)
    assert again.status_code == 400
    assert "Vent på svaret" in again.text
    await dorte.get(f"/dpo/inquiries/{inquiry}")
    assert (await dorte.post(f"/dpo/inquiries/{inquiry}", text=ANSWER)).status_code == 303
    assert (await dorte.post(f"/dpo/inquiries/{inquiry}", text="another")).status_code == 400
    assert (await annette.post(LINE, text=TEXT)).status_code == 303
    assert await one(house, "count(*)") == 2


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
async def test_no_words_or_too_many_are_refused(house: PagesHouse, text: str) -> None:
    """A question of no words, or of more than fit, comes back with its fault; nothing is kept."""
    annette = await house.citizen()
    await annette.get(LINE)
    page = await annette.post(LINE, text=text)
    assert page.status_code == 400
    assert 'href="#text"' in page.text
    assert await one(house, "count(*)") == 0


async def test_words_and_numbers_lie_nowhere_in_the_clear(house: PagesHouse, caplog: pytest.LogCaptureFixture) -> None:
    """What is written is in no table, no event, no address and no log line in the clear; the number neither."""
    caplog.set_level(logging.DEBUG)
    inquiry, annette, dorte = await asked(house), await house.citizen(), await house.officer()
    await dorte.get(f"/dpo/inquiries/{inquiry}")
    await dorte.post(f"/dpo/inquiries/{inquiry}", text=ANSWER)
    await annette.get("/mine/inquiries")
    admin = await asyncpg.connect(house.databases.admin)
    tables = ("inquiries.inquiry", "inquiries.step", "log.index", "log.body")
    held = [str(row) for table in tables for row in await admin.fetch(f"SELECT t::text FROM {table} t")]
    await admin.close()
    for place in (*held, caplog.text, *annette.seen, *dorte.seen):
        assert "CANARY" not in place
        assert b"CANARY".hex() not in place
        assert CITIZEN.disclose() not in place.replace("-", "")


async def test_what_the_erased_asked_is_read_by_nobody(house: PagesHouse) -> None:
    """P9: once the citizen's key is gone the question is in no list and cannot be opened, and no entry says so."""
    inquiry, dorte = await asked(house), await house.officer()
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    eraser = await asyncpg.connect(house.databases.at.vault_eraser)
    await eraser.execute("SELECT vault.shred($1, 'korsbaek', $2)", handle, [])
    await eraser.close()
    assert (await dorte.http.get("/v1/inquiries")).json() == {"inquiries": [], "next": None}
    assert (await dorte.http.get(f"/v1/inquiries/{inquiry}")).status_code == 404
    assert await kinds(house) == ["inquiry.sent"]


async def test_late_is_said(house: PagesHouse) -> None:
    """One month after it came the list says that it is late, and by how much."""
    await asked(house)
    assert isinstance(house.ports.clock, FixedClock)
    house.ports.clock.at = NOON + timedelta(days=33)
    assert "2 dage for sent" in (await (await house.officer()).get("/dpo/inquiries")).text


async def test_the_tables_hold_to_whom_they_belong(house: PagesHouse) -> None:
    """The broker's own role cannot ask as another, answer for another municipality, or change what was written."""
    inquiry = await asked(house)
    connection = await asyncpg.connect(house.databases.at.app)
    whose = "'korsbaek', 'somebody', 'l', 1, 0, 'x', now()"
    try:
        for statement in (
            f"INSERT INTO inquiries.inquiry VALUES (gen_random_uuid(), {whose})",
            "INSERT INTO inquiries.step SELECT id, municipality, citizen, 'read', 'x', now() FROM inquiries.inquiry",
            "UPDATE inquiries.inquiry SET citizen = 'x'",
            "DELETE FROM inquiries.inquiry",
        ):
            try:
                done = await connection.execute(statement)
            except asyncpg.PostgresError:
                continue
            assert done.endswith(" 0"), statement
        assert await connection.fetchval("SELECT count(*) FROM inquiries.inquiry") == 0  # No scope sees nothing.
    finally:
        await connection.close()
    assert str(await one(house, "id")) == inquiry


async def more_lines(house: PagesHouse, lines: int) -> list[str]:
    """Let a caseworker look in vain until the citizen has so many lines; give where each is asked about."""
    lene = await house.caseworker()
    for _ in range(lines - 1):
        await lene.get("/case")
        await lene.post("/case", **ASK)
    found: list[str] = re.findall(
        r'href="(/mine/accesses/korsbaek/2019/\d+/ask)"', (await (await house.citizen()).get("/mine/accesses")).text
    )
    return found[:lines]


async def test_few_questions_a_day_and_nothing_typed_is_lost(house: PagesHouse) -> None:
    """Whoever asks about all lines at once is told to wait, with the words still there; tomorrow they may again."""
    lines = await more_lines(house, A_DAY + 3)
    annette = await house.citizen()
    await annette.get(lines[0])
    answers = await asyncio.gather(*(annette.post(line, text=f"{TEXT} {at}") for at, line in enumerate(lines)))
    refused = [(at, answer) for at, answer in enumerate(answers) if answer.status_code == 400]
    assert (len(refused), await one(house, "count(*)")) == (3, A_DAY)
    assert all(
        "Du har spurgt ti gange i dag" in page.text and f"/script&gt; {at}<" in page.text for at, page in refused
    )
    assert isinstance(house.ports.clock, FixedClock)
    for days, status in ((-1, 400), (1, 303)):
        house.ports.clock.at = NOON + timedelta(days=days)
        annette = await house.citizen()
        line = lines[refused[0][0]]
        await annette.get(line)
        assert (await annette.post(line, text=TEXT)).status_code == status


async def test_what_was_too_long_is_not_cut(house: PagesHouse) -> None:
    """All that was typed comes back with its fault; a line's end counts as one sign, as the browser counts it."""
    annette = await house.citizen()
    await annette.get(LINE)
    page = await annette.post(LINE, text="x" * 2001 + "END")
    assert page.status_code == 400
    assert "xEND</textarea>" in page.text
    assert (await annette.post(LINE, text="\r\n".join(["x"] * 1000))).status_code == 303


async def test_the_dpos_list_comes_in_pages_and_opens_no_text(house: PagesHouse) -> None:
    """Each stands on one page, also where one is answered in between; no entry is written, no sealed text is read."""
    lines = await more_lines(house, 7)
    annette, dorte = await house.citizen(), await house.officer()
    for line in lines:
        await annette.get(line)
        await annette.send(line, text=TEXT)
    admin = await asyncpg.connect(house.databases.admin)
    await admin.execute("ALTER TABLE inquiries.inquiry DISABLE TRIGGER kept")
    await admin.execute("UPDATE inquiries.inquiry SET sealed_text = 'broken'")
    await admin.close()
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = (await dorte.http.get(f"/v1/inquiries?limit=2{cursor}")).json()
        seen += [row["id"] for row in page["inquiries"]]
        cursor = f"&cursor={page['next']}"
    assert (len(set(seen)), len(seen), page["next"]) == (7, 7, None)
    assert "CANARY" not in (await dorte.get("/dpo/inquiries")).text
    assert set(await kinds(house)) == {"inquiry.sent"}


@pytest.mark.parametrize(
    "cursor", ["x", "0.1.x", "2.1." + "0" * 8 + "-0000-0000-0000-" + "0" * 12, "%00", "0" * 81, "0.1.' OR 1=1"]
)
async def test_a_made_up_place_in_the_list_is_refused(house: PagesHouse, cursor: str) -> None:
    """No cursor but one of ours reads anything; the answer is a clear no on the page and at the API."""
    dorte = await house.officer()
    assert (await dorte.get(f"/dpo/inquiries?cursor={cursor}")).status_code in (400, 422)
    assert (await dorte.http.get(f"/v1/inquiries?cursor={cursor}")).status_code in (400, 422)


async def test_what_lies_under_an_earlier_key_is_not_listed(house: PagesHouse) -> None:
    """Whoever was erased and comes again finds nothing listed that cannot be read any more."""
    await asked(house)
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    await house.databases.vault.keys([(handle, "norrestrand")])
    eraser = await asyncpg.connect(house.databases.at.vault_eraser)
    await eraser.execute("SELECT vault.shred($1, 'korsbaek', $2)", handle, [])
    await eraser.close()
    await house.databases.vault.keys([(handle, "korsbaek")])
    assert (await (await house.officer()).http.get("/v1/inquiries")).json() == {"inquiries": [], "next": None}
