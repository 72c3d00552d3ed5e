"""Who would put words into a no, or read another's: its receipt carries what was shown to its giver, or no text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.signed_records import keys_of, opened
from broker.consents.texts import text_digest
from broker.domain.errors import NotFound
from demo.postgres import PrivatePostgres
from tests import desk_pages as desk
from tests.builders import CHILD, CITIZEN, STRANGER
from tests.pages_house import LINES, PagesHouse, Reader, ask_for, hidden, link, open_pages

TEXT = r'<div class="bb-text"[^>]*>([^<]+)</div>'


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def asked(house: PagesHouse, annette: Reader) -> str:
    """Let Lene ask the citizen; give the page of the question."""
    lene = await house.caseworker()
    await lene.get("/case")
    await ask_for(lene, LINES[:2])
    return link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')


async def notice_of(reader: Reader, page: str) -> dict[str, Any]:
    """Open the signed record that the page of a no leads to; give what it says was shown."""
    keys = keys_of((await reader.http.get("/.well-known/consent-receipt-keys")).json())
    answer = await reader.get(link(page, r"/mine/receipts/[^\"]+/record"))
    record = opened(answer.content, keys)
    assert record["state"].endswith("ConsentRefused")
    return dict(record["notice"])


def shown_on(page: str) -> str:
    """Give the text that stands on a page."""
    found = re.search(TEXT, page)
    assert found, page
    return unescape(found[1])


async def test_a_no_carries_the_text_that_stood_above_its_button(house: PagesHouse) -> None:
    """Byte for byte what the page showed, with its SHA-256."""
    annette = await house.citizen()
    question = await asked(house, annette)
    page = (await annette.get(question)).text
    said = await annette.send(f"{question}/no", digest=hidden(page, "digest"))
    notice = await notice_of(annette, said.text)

    assert notice["text"] == shown_on(page)
    assert notice["sha256"] == hashlib.sha256(notice["text"].encode()).hexdigest() == hidden(page, "digest")
    assert notice["language"] == "da"


async def test_a_no_to_less_carries_that_text(house: PagesHouse) -> None:
    """On the page of a yes to some of it, another text stands above the no: that one is kept."""
    annette = await house.citizen()
    question = await asked(house, annette)
    mark = hidden((await annette.get(question)).text, "mark")
    page = (await annette.get(f"{question}/some?line=1&limit=once&until=2019-04-01&often=1&mark={mark}")).text
    fields = {"line": "1", "limit": "once", "until": "2019-04-01", "digest": hidden(page, "digest")}
    said = await annette.send(f"{question}/no", **fields)

    assert (await notice_of(annette, said.text))["text"] == shown_on(page)
    assert "fra og med" not in shown_on(page)
    assert "kun kigge én gang" in shown_on(page)


BENT: dict[str, dict[str, Any]] = {
    "no mark": {},
    "the mark of another text": {"digest": text_digest("De bad om alt om mig.\n")},
    "longer than asked": {"until": "2099-01-01"},
    "a line that is not there": {"line": "7"},
    "a last day before the first": {"until": "2019-01-01"},
}


@pytest.mark.parametrize("how", BENT)
async def test_nobody_makes_a_text_that_was_never_shown(house: PagesHouse, how: str) -> None:
    """A form that says something else was shown gets no text signed; the no itself is kept, as ever."""
    annette = await house.citizen()
    question = await asked(house, annette)
    page = (await annette.get(question)).text
    fields = {"digest": hidden(page, "digest")} | BENT[how] if BENT[how] else {}
    said = await annette.send(f"{question}/no", **fields)
    notice = await notice_of(annette, said.text)

    assert "Du har sagt nej" in said.text
    assert (notice["text"], notice["sha256"], notice["language"]) == (None, None, None)
    assert notice["version"] != ""


async def test_at_the_desk_another_text_than_was_read_is_not_kept(house: PagesHouse) -> None:
    """A desk that sends the mark of something else records the no alone; with the reading's own mark, its text."""
    annette, dan = await house.citizen(), await house.desk()
    request = await desk.asked(house)
    await desk.read(dan, request)
    await dan.post(f"/desk/requests/{request}/no", **desk.CHECKED, form="oral", language="da", digest="00" * 32)
    (handle,) = await house.ports.handles.citizens([CITIZEN])
    assert await house.ports.consents.read_before_no(request, handle) is None

    lene = await house.caseworker()
    await lene.get("/case")
    again = await ask_for(lene, LINES, again="Der er kommet noget nyt.")
    request = str(again.headers["location"]).rsplit("/", 1)[1]
    reading = await desk.read(dan, request, "en")
    mark = hidden(reading.text, "digest")
    await dan.post(f"/desk/requests/{request}/no", **desk.CHECKED, form="oral", language="en", digest=mark)
    read = await house.ports.consents.read_before_no(request, handle)

    assert read is not None
    assert read.words is not None
    assert read.words.disclose() == shown_on(reading.text)
    assert (await annette.get("/mine")).status_code == 200


async def test_nobody_reads_anothers_text(house: PagesHouse) -> None:
    """A stranger and a child of theirs find no such no, whether it is there or not."""
    annette = await house.citizen()
    question = await asked(house, annette)
    await annette.send(f"{question}/no", digest=hidden((await annette.get(question)).text, "digest"))
    for handle in await house.ports.handles.citizens([STRANGER, CHILD]):
        for request in (question.rsplit("/", 1)[1], "00000000-0000-0000-0000-000000000000", "no-id"):
            with pytest.raises(NotFound):
                await house.ports.consents.read_before_no(request, handle)


async def test_after_an_erasure_its_mark_stands_alone(house: PagesHouse) -> None:
    """Its words lay under the giver's key: where that is gone they open no more, here or in a copy."""
    annette = await house.citizen()
    question = await asked(house, annette)
    mark = hidden((await annette.get(question)).text, "digest")
    await annette.send(f"{question}/no", digest=mark)
    (handle,) = await house.ports.handles.citizens([CITIZEN])
    eraser = await asyncpg.connect(house.databases.at.vault_eraser)
    await eraser.execute("SELECT vault.shred($1, 'korsbaek', $2)", handle, [])
    await eraser.close()
    read = await house.ports.consents.read_before_no(question.rsplit("/", 1)[1], handle)

    assert read is not None
    assert (read.digest, read.words) == (mark, None)
