"""The receipt page's file: of exactly that act, for who did it, and checked by the keys that anybody may fetch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.signed_records import keys_of, opened
from demo.postgres import PrivatePostgres
from tests.builders import STRANGER
from tests.pages_house import LINES, PagesHouse, Reader, ask_for, link, open_pages, say_yes

FILE = r"/mine/receipts/[^\"]+/record"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def fetched(reader: Reader, page: str) -> dict[str, Any]:
    """Fetch the file that a receipt page leads to, and open it."""
    keys = keys_of((await reader.http.get("/.well-known/consent-receipt-keys")).json())
    answer = await reader.get(link(page, FILE))
    assert answer.status_code == 200
    assert 'filename="kvittering.json"' in answer.headers["content-disposition"]
    return opened(answer.content, keys)


async def test_each_act_has_its_own_file(house: PagesHouse) -> None:
    """The yes has one step, the stop two; the first stays as it was after the second."""
    annette, lene = await house.citizen(), await house.caseworker()
    await lene.get("/case")
    await ask_for(lene, LINES[:2])
    yes = (await say_yes(annette)).text
    given = await fetched(annette, yes)
    stop = await annette.get(link(yes, '/mine/consents/[^"]+/stop'))
    stopped = await fetched(annette, (await annette.send(stop.url.path)).text)

    assert [event["type"] for event in stopped["events"]] == ["granted", "withdrawn"]
    assert {row["state"].rpartition("#")[2] for row in stopped["personal_data"]} == {"ConsentWithdrawn"}
    assert (await fetched(annette, yes))["events"] == given["events"] == stopped["events"][:1]
    assert given["state"].endswith("ConsentGiven")


async def test_a_no_has_its_file_and_a_block_has_none(house: PagesHouse) -> None:
    """What was said no to is named; a standing no is no consent, and has no such record."""
    annette, lene = await house.citizen(), await house.caseworker()
    await lene.get("/case")
    await ask_for(lene, LINES[:1])
    page = await annette.get(link((await annette.get("/mine")).text, '/mine/requests/[^"/]+'))
    refused = await fetched(annette, (await annette.send(link(page.text, '/mine/requests/[^"]+/no'))).text)
    await annette.get("/mine/blocks")
    block = await annette.send("/mine/blocks", source="social", unit="", category="")

    assert refused["state"].endswith("ConsentRefused")
    assert "/record" not in block.text
    assert (await annette.get(f"{block.url.path}/record")).status_code == 404


async def test_nobody_fetches_anothers_file(house: PagesHouse) -> None:
    """With the very address, a stranger is answered as for one that never was; without a log-in, not at all."""
    annette, lene = await house.citizen(), await house.caseworker()
    await lene.get("/case")
    await ask_for(lene, LINES[:1])
    address = link((await say_yes(annette)).text, FILE)
    stranger = await house.citizen(STRANGER)
    answers = [await stranger.get(one) for one in (address, "/mine/receipts/korsbaek/2019/99999/record")]

    assert [one.status_code for one in answers] == [404, 404]
    assert (await house.stranger().get(address)).status_code in {303, 401}
