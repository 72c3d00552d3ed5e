"""Is anything missing: the page, the file it offers, and the verifier that a browser gets from us."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.bundle import verify_bundle
from audit.map_committer import MapCommitter
from audit.note import SigningKey
from demo.postgres import PrivatePostgres
from tests.builders import CHILD, CITIZEN
from tests.log_events import an_ask
from tests.pages_house import PagesHouse, open_pages
from tests.signing import signing

SIGNER = SigningKey.generate("test.example")
IMPORTED = re.compile(r'from "([^"]+\.mjs)"')


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def test_the_page_offers_the_check_and_the_file(house: PagesHouse) -> None:
    """Button, download, how to check elsewhere, and that nobody else's list has a proof; its script is our own."""
    annette = await house.citizen()
    page = await annette.get("/mine/whole")
    assert page.status_code == 200
    assert 'href="/v1/me/accesses/bundle"' in page.text
    assert "værge eller en forælder" in page.text
    scripts = re.findall(r'<script type="module" src="/static/borgerbro/(\w+).mjs">', page.text)
    assert scripts == ["leave", "session", "whole"]
    assert page.text.count("<script") == 3
    assert 'data-policy=""' in page.text
    assert "vidner uden for kommunen" not in page.text.partition('id="bb-check"')[0]
    assert "/mine/whole" in (await annette.get("/mine/accesses")).text
    assert (await house.stranger().get("/mine/whole")).status_code in {303, 401}


async def test_the_file_proves_the_list_of_who_is_logged_in(house: PagesHouse, tmp_path: Path) -> None:
    """It is sent as a file to nobody but its citizen, and holds offline: their entries, all of them, nobody else's."""
    annette, databases = await house.citizen(), house.databases
    me, other = await databases.vault.citizens([CITIZEN, CHILD])
    await databases.log.append([an_ask(me, other), an_ask(other, me), an_ask(me, other)])
    async with signing(databases.at.checkpointer, SIGNER, tmp_path / "signer", maps=MapCommitter) as rounds:
        await rounds.once()
    answer = await annette.get("/v1/me/accesses/bundle", accept="application/json")
    assert answer.headers["content-disposition"] == 'attachment; filename="list-with-proof.json"'
    assert answer.headers["cache-control"] == "no-store"
    (log,) = verify_bundle(answer.text, [SIGNER.verify_key], now=datetime.now(UTC))
    assert log.fault is None
    assert [entry.index for entry in log.lists[0]] == [0, 2]
    assert CITIZEN.disclose().replace("-", "") not in answer.text.replace("-", "")
    refused = await house.stranger().get("/v1/me/accesses/bundle", accept="application/json")
    assert refused.status_code == 401
    assert "logs" not in json.loads(refused.text)


async def test_the_browsers_verifier_comes_whole_from_our_own_address(house: PagesHouse) -> None:
    """Every file that the page's script needs is served by us as script, and none is named elsewhere."""
    http, seen, todo = house.stranger().http, set[str](), ["/static/borgerbro/whole.mjs"]
    while todo:
        path = todo.pop()
        answer = await http.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].split(";")[0] in {"text/javascript", "application/javascript"}
        seen.add(path)
        for name in IMPORTED.findall(answer.text):
            found = name if name.startswith("/") else path.rpartition("/")[0] + name.removeprefix(".")
            todo += [found] if found not in seen else []
    assert {"/static/verifier/bundle.mjs", "/static/verifier/map.mjs", "/static/verifier/note.mjs"} <= seen
