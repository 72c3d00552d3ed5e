"""The pages of who got another CPR number: the question of before waits on the first page, and is answered there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN
from tests.fakes.registers import FakePeople
from tests.pages_house import LINES, PagesHouse, ask_for, hidden, link, open_pages, say_yes

NEW = Personal("6211740022")
WHY = "Vi vil gerne vide, hvad du faar hjaelp til."


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house whose citizen was asked twice, about herself and her child, and then got another number."""
    async with open_pages(postgres, tmp_path) as made:
        lene = await made.caseworker()
        await lene.get("/case")
        await ask_for(lene, [*LINES[:2], "family/F01"], why=WHY)
        register = made.ports.people
        assert isinstance(register, FakePeople)
        old = register.persons[CITIZEN]
        register.persons[CITIZEN] = replace(old, current_cpr=NEW)
        register.persons[NEW] = replace(old, cpr=NEW, former=(CITIZEN,))
        yield made


async def test_it_waits_on_the_first_page_and_reads_as_it_did(house: PagesHouse) -> None:
    """Counted, with the caseworker's words, said to be about oneself and one's child, and open to answer."""
    annette, before = await house.citizen(NEW), await house.citizen(CITIZEN)
    start = (await annette.get("/mine")).text
    question = link(start, '/mine/requests/[^"/]+')
    page = (await annette.get(question)).text

    assert "Det handler om 3 slags oplysninger" in start
    assert WHY in page
    assert "om dit barn" in page
    assert "Dit svar" in page
    assert hidden(page, "digest") == hidden((await before.get(question)).text, "digest")


async def test_a_yes_is_kept_and_its_receipt_read_by_either_number(house: PagesHouse) -> None:
    """The receipt names each line; the yes stands among what is shared, and nothing waits any more."""
    annette = await house.citizen(NEW)
    receipt = await say_yes(annette)
    start = (await annette.get("/mine")).text

    assert receipt.status_code == 200
    assert "om dit barn" in receipt.text
    assert "Ingen venter på svar fra dig" in start
    assert "/stop" in start
    before = await house.citizen(CITIZEN)
    assert (await before.get(receipt.url.path)).status_code == 200


async def test_yes_to_some_and_a_shorter_time(house: PagesHouse) -> None:
    """What was chosen is read once more and kept."""
    annette = await house.citizen(NEW)
    question = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    mark = hidden((await annette.get(question)).text, "mark")
    assert (await annette.get(question + "/often")).status_code == 200
    page = await annette.get(f"{question}/some?line=0&limit=once&often=1&mark={mark}")
    fields = {"line": "0", "limit": "once", "digest": hidden(page.text, "digest")}
    assert "De må kun kigge én gang" in (await annette.send(f"{question}/yes", **fields)).text


async def test_a_no_is_kept_with_what_was_read(house: PagesHouse) -> None:
    """Its receipt names the lines as one's own and one's child's, and its record carries the text."""
    annette = await house.citizen(NEW)
    question = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    page = (await annette.get(question)).text
    said = await annette.send(f"{question}/no", digest=hidden(page, "digest"))
    record = await annette.get(link(said.text, r"/mine/receipts/[^\"]+/record"))

    assert "Du har sagt nej" in said.text
    assert said.text.count("om dit barn") == 1
    assert record.status_code == 200
    start = (await annette.get("/mine")).text
    assert "du sagde nej" in start
    assert "Ingen venter på svar fra dig" in start
