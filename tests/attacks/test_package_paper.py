"""What is held about a citizen, on a page and on paper: no more than the file has, under the same entry and ceiling."""

import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import pytest
from pypdf import PdfReader

from broker.domain.entries import EVERYTHING as EVERY
from broker.domain.errors import LogUnavailable
from broker.web import printed
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, NOON, STRANGER
from tests.log_events import an_outcome
from tests.pages_house import ASK, LINES, PagesHouse, ask_for, open_pages, say_yes
from tests.sampling import an_officer

NUMBER = "710274-0022"
ASKED = 'hvorfor <script>alert(1)</script> #read("/etc/passwd") {{ 7 * 7 }}?'
HEADS = {
    "da": ("Det, der er gemt om dig", "svaret fra Korsbæk", "Dine ja", "Dine faste nej", "Hvem der fik hvad",
           "Hvem har kigget", "Dine spørgsmål", "Hvor længe det bliver gemt her: Korsbæk", "Dine rettigheder",
           "Datatilsynet"),
    "en": ("What is held about you", "the answer of Korsbæk", "Your yeses", "Your standing noes", "Who got what",
           "Who has looked", "Your questions", "How long it is kept here: Korsbæk", "Your rights", "Datatilsynet"),
}  # fmt: skip


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house in which a citizen said yes, was looked up, set a no, asked the DPO, and is known elsewhere too."""
    async with open_pages(postgres, tmp_path) as made:
        lene, annette = await made.caseworker(), await made.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES)
        await say_yes(annette)
        await lene.get("/case")
        await lene.post("/case", **ASK)
        await annette.get("/mine/accesses/korsbaek/2019/0/ask")
        await annette.post("/mine/accesses/korsbaek/2019/0/ask", text=ASKED)
        await annette.get("/mine/blocks")
        await annette.post("/mine/blocks", source="", unit="jobcentre", category="S01")
        (citizen,) = await made.databases.vault.citizens([CITIZEN])
        actor = await made.databases.vault.officer(an_officer("nils", "employee"))
        away = replace(an_outcome(citizen, actor), municipality="norrestrand", requester="norrestrand", unit="far-away")
        await made.databases.log.append([away])
        yield made


async def answered(house: PagesHouse, form: str, language: str = "da", citizen: str = NUMBER) -> Any:
    """Make the answer as the DPO, in one form and language."""
    dorte = await house.officer()
    await dorte.get("/dpo/package?lang=da")
    answer = await dorte.post("/dpo/package", citizen=citizen, file=form, language=language)
    assert not any(NUMBER in address or CITIZEN.disclose() in address for address in dorte.seen)
    return answer


def said(answer: Any) -> str:
    """Give the words of a page or a paper."""
    if answer.headers["content-type"] == "application/pdf":
        text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    else:
        text = unescape(re.sub(r"<[^>]+>", " ", answer.text))
    return " ".join(text.split())


def bare(text: str) -> str:
    """Give the letters alone: paper breaks long words over lines."""
    return re.sub(r"\W", "", text)


async def made(house: PagesHouse) -> int:
    """Count the answers that were made, as the log has it."""
    return len((await house.databases.reader.search(["korsbaek"], replace(EVERY, kind="package.made"))).entries)


@pytest.mark.parametrize("language", ["da", "en"])
async def test_it_says_in_words_what_the_file_has(house: PagesHouse, language: str) -> None:
    """Each part in the citizen's language, whoever reads; each answer is one entry, and no copy stays in a browser."""
    told = (await answered(house, "json")).json()
    assert all(told[part] for part in ("consents", "requests", "blocks", "recipients", "inquiries", "entries"))
    known = house.ports.directory
    for form in ("page", "pdf"):
        answer = await answered(house, form, language)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        text = said(answer)
        assert [head for head in HEADS[language] if head not in text] == []
        for row in told["recipients"]:
            named = known.units[row["unit"]], known.categories[row["category"]], known.sources[row["source"]]
            for name in ((one.name_da if language == "da" else one.name_en) for one in named):
                assert bare(name) in bare(text), name
        assert "hvorfor" in text
        assert [hidden for hidden in ("far-away", NUMBER, CITIZEN.disclose(), "Lene") if hidden in text] == []
    assert await made(house) == 3


async def test_the_paper_is_for_screen_readers_too(house: PagesHouse) -> None:
    """The PDF is tagged (PDF/UA-1), in the language of the answer, and is a file to save."""
    answer = await answered(house, "pdf", "en")
    assert answer.headers["content-disposition"] == 'attachment; filename="indsigt.pdf"'
    file = PdfReader(io.BytesIO(answer.content))
    root: Any = file.root_object
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("en", True)
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data()


async def test_what_a_citizen_wrote_is_words_alone(house: PagesHouse) -> None:
    """Markup of a page, of a template or of the printer in a question stands there as it was written."""
    page, paper = await answered(house, "page"), await answered(house, "pdf")
    assert "<script>alert" not in page.text
    assert ASKED in said(page)
    for written in ('#read("/etc/passwd")', "{{ 7 * 7 }}", "<script>alert(1)</script>"):
        assert bare(written) in bare(said(paper))
    assert "root:" not in said(paper)


async def test_what_the_law_keeps_back_stays_back(house: PagesHouse) -> None:
    """While a unit's lines are kept back from the citizen, no answer names it; the general words are the same."""
    (handle,) = await house.databases.vault.citizens([CITIZEN])
    at = int(NOON.timestamp())
    actor = await house.databases.vault.officer(an_officer("nils", "employee"))
    await house.databases.log.append([replace(an_outcome(handle, actor), unit="korsbaek-job", purpose="p-kept-back")])
    before = [bare(said(await answered(house, form))) for form in ("page", "pdf")]
    superuser = await asyncpg.connect(house.databases.admin)
    await superuser.execute(
        "INSERT INTO log.deferral (id, tenant, citizen, unit, ground, secret, asked_by, asked_at, until_at,"
        " approved_by, from_at) VALUES ($1, 'korsbaek', $2, 'korsbaek-job', 'g', $3, 'a', $4, $5, 'b', $4)",
        uuid4(), handle, b"s" * 32, at - 30 * 86400, at + 86400,
    )  # fmt: skip
    await superuser.close()
    after = [bare(said(await answered(house, form))) for form in ("page", "pdf")]
    for secret in (bare("p-kept-back"), bare("korsbaek-job")):
        assert [secret in text for text in (*before, *after)] == [True, True, False, False]
    assert all(bare("Loven kan lade kommunen vente") in text for text in (*before, *after))


async def test_one_ceiling_for_every_form(house: PagesHouse) -> None:
    """Page, paper and file count as one another: whoever has made enough makes none in another form."""
    house.ceilings.most = {"package": 3}
    for form in ("page", "pdf", "json"):
        assert (await answered(house, form)).status_code == 200
    for form in ("page", "pdf", "json"):
        assert (await answered(house, form)).status_code == 429
    assert await made(house) == 3


async def test_without_its_entry_there_is_no_answer(house: PagesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log takes nothing, no form gives anything (P2)."""

    async def down(*_: Any, **__: Any) -> Any:
        raise LogUnavailable

    dorte = await house.officer()
    await dorte.get("/dpo/package")
    monkeypatch.setattr(cast("Any", house.ports.log), "append", down)
    for form in ("page", "pdf", "json"):
        answer = await dorte.post("/dpo/package", citizen=NUMBER, file=form)
        assert (answer.status_code, "hvorfor" in answer.text) == (503, False)


async def test_what_cannot_be_printed_comes_as_a_page(house: PagesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its entry is written and it counts: so the same answer comes as a page, with why in plain words."""
    faults: Any = {
        printed.TooLongToPrint: "for langt til en fil",
        printed.NotPrinted: "ikke laves en fil til print",
    }
    for fault, told in faults.items():

        async def fails(_: Any, fault: Any = fault) -> bytes:
            raise fault

        monkeypatch.setattr(printed, "pdf", fails)
        answer = await answered(house, "pdf")
        assert (answer.status_code, told in said(answer), "hvorfor" in said(answer)) == (200, True, True)
    assert await made(house) == len(faults)


async def test_somebody_nobody_knows_gets_a_whole_answer_too(house: PagesHouse) -> None:
    """An answer about who is not known says in words that there is nothing, and has their rights."""
    text = said(await answered(house, "page", citizen=STRANGER.disclose()))
    for nothing in ("Du har ikke givet noget ja.", "Ingen har bedt dig om et ja.", "Du har ingen faste nej.",
                    "Du har ikke spurgt om noget.", "Dine rettigheder"):  # fmt: skip
        assert nothing in text, nothing
