"""Attacks on the pages: script in what others write, forms from elsewhere, others' papers, numbers in addresses."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from broker.domain.facts import CustodyHolder, RegisterPerson, RegisterRepresentative
from broker.domain.items import ItemPerson, LawRef
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CHILD, CITIZEN, PURPOSE, STRANGER
from tests.fakes.registers import FakePeople
from tests.pages_house import ASK, LINES, PAGE, PagesHouse, ask_for, hidden, link, open_pages, say_yes

FATHER = Personal("6505700011")
SCRIPT = "<script>alert(1)</script>"
OWN_SCRIPTS = re.compile(r'<script type="module" src="/static/borgerbro/(session|leave)\.mjs"></script>')
BREAKS = f"\"'><img src=x onerror=alert(1)>{SCRIPT}{{{{ 7*7 }}}}%(x)s"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a small house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


def is_harmless(page: str) -> bool:
    """Tell whether nothing that was written in became markup."""
    page = OWN_SCRIPTS.sub("", page)
    return not re.search(r"<script|<img src=x|onerror=alert\(1\)>(?!&lt;)", page, re.IGNORECASE) and "49%" not in page


async def test_what_a_source_writes_is_text(house: PagesHouse) -> None:
    """Every word of an item, in every field a source can fill, is shown as text."""
    evil = Personal(BREAKS)
    for name, source in house.sources.items():
        source.told = {
            cpr: [
                replace(
                    item,
                    title=evil,
                    text=evil,
                    id=evil,
                    unit=BREAKS,
                    decision=evil,
                    people=(ItemPerson("helper", evil, evil), ItemPerson(BREAKS, None, None, BREAKS)),
                    law=(LawRef(BREAKS, BREAKS),),
                    kle=BREAKS,
                    need=BREAKS,
                    limits=(BREAKS,),
                    demands=(BREAKS,),
                    topic=BREAKS,
                    plan_type=BREAKS,
                    kind="plan" if name == "social" else "intervention",
                    from_day=20190101,
                )
                for item in items
            ]
            for cpr, items in source.told.items()
        }
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, LINES)
    await say_yes(annette)
    await lene.get("/case")
    page = await lene.post("/case", **ASK)
    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert is_harmless(page.text)


async def test_what_a_caseworker_writes_is_text(house: PagesHouse) -> None:
    """The caseworker's words to the citizen are shown as text."""
    lene, annette = await house.caseworker(), await house.citizen()
    assert is_harmless((await lene.get("/case")).text)
    await ask_for(lene, LINES, why=BREAKS)
    page = await annette.get(link((await annette.get("/mine")).text, '/mine/requests/[^"/]+'))
    assert "&lt;script&gt;" in page.text
    assert is_harmless(page.text)


async def test_a_line_edited_in_the_database_is_no_script(house: PagesHouse) -> None:
    """Who can edit the log's index cannot run script in the overseer's browser, and the line is told to be changed."""
    lene, dorte = await house.caseworker(), await house.officer(name=BREAKS)
    await lene.get("/case")
    await lene.post("/case", **ASK)
    superuser = await asyncpg.connect(house.databases.admin)
    for field in ("outcome", "unit", "purpose", "kind"):
        await superuser.execute(
            "UPDATE log.index SET index_bytes = regexp_replace(index_bytes, $1, $2)",
            f'"{field}":"[^"]*"', f'"{field}":"<script>alert(1)</script>%(x)s"',
        )  # fmt: skip
    await superuser.close()
    page = await dorte.get("/dpo")
    assert page.status_code == 200
    assert "linjen er ændret" in page.text
    assert "&lt;script&gt;" in page.text
    assert is_harmless(page.text)


@pytest.mark.parametrize(
    "address",
    [
        "/mine/accesses?cursor=<script>alert(1)</script>",
        "/mine/accesses?answered=<script>alert(1)</script>",
        "/mine/requests/<script>alert(1)</script>",
        "/mine/consents/x/stop?line=<script>alert(1)</script>",
        "/mine/receipts/<script>/2019/1",
        '/mine?lang=<script>alert(1)</script>&x="><script>alert(1)</script>',
        "/nowhere/<script>alert(1)</script>",
    ],
)
async def test_an_address_is_not_repeated(house: PagesHouse, address: str) -> None:
    """Nothing of an address becomes markup, whatever stands in it."""
    page = await (await house.citizen()).get(address)
    assert page.status_code in {200, 400, 404}
    assert is_harmless(page.text)


FORMS = [
    ("caseworker", "/case", ASK),
    ("caseworker", "/case/requests", ASK | {"line": ["social/S01"], "lasts": "90"}),
    ("desk", "/desk", {"citizen": "7102740022", "identity_checked": "yes"}),
    ("desk", "/desk/requests/x", {"citizen": "7102740022", "language": "da"}),
    ("desk", "/desk/requests/x/yes", {"citizen": "7102740022", "form": "oral"}),
    ("desk", "/desk/requests/x/no", {"citizen": "7102740022", "form": "oral"}),
    ("desk", "/desk/consents/x/withdrawal", {"citizen": "7102740022", "line": ["x"]}),
    ("desk", "/desk/consents/x/pause", {"citizen": "7102740022", "line": ["x"]}),
    ("desk", "/desk/consents/x/resumption", {"citizen": "7102740022", "line": ["x"]}),
    ("desk", "/desk/consents/x/print", {"citizen": "7102740022"}),
    ("citizen", "/mine/blocks", {"source": "school"}),
    ("citizen", "/mine/requests/x/yes", {}),
    ("citizen", "/mine/requests/x/no", {}),
    ("citizen", "/mine/consents/x/stop", {}),
    ("citizen", "/mine/blocks/x/lift", {}),
    ("officer", "/dpo/integrity/checks", {}),
    ("officer", "/dpo/what-if", {"candidate": "x"}),
    ("officer", "/dpo/searches", {"name": "x", "kind": "ask"}),
    ("officer", "/dpo/searches/x/remove", {}),
    ("officer", "/dpo/find", {"citizen": "7102740022"}),
]


@pytest.mark.parametrize(("kind", "path", "fields"), FORMS, ids=lambda value: str(value)[:24])
@pytest.mark.parametrize(
    ("headers", "keeps_token"),
    [
        ({}, False),
        ({"origin": "https://evil.example"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"origin": "null"}, True),
    ],
)
async def test_a_form_from_elsewhere_does_nothing(
    house: PagesHouse, kind: str, path: str, fields: dict[str, Any], headers: dict[str, str], keeps_token: bool
) -> None:  # fmt: skip
    """Without the page's token, or from another site, every form is refused before anything is done."""
    reader = await getattr(house, kind)()
    await reader.get({"caseworker": "/case", "desk": "/desk", "citizen": "/mine", "officer": "/dpo"}[kind])
    before = await size_of_log(house)
    form = fields | ({"csrf": reader.csrf} if keeps_token else {})
    answer: httpx2.Response = await reader.http.post(path, data=form, headers=PAGE | headers)
    assert answer.status_code == 403
    assert await size_of_log(house) == before
    assert all(source.asked == [] for source in house.sources.values())


@pytest.mark.parametrize(
    "path",
    [
        "/dpo", "/dpo/lines/korsbaek/2019/0", "/dpo/integrity", "/v1/accesses/korsbaek/2019/0", "/v1/accesses",
        "/dpo/report.pdf",
    ],
)  # fmt: skip
async def test_no_other_site_leads_an_officer_to_a_look(house: PagesHouse, path: str) -> None:
    """A page elsewhere that opens ours in an officer's browser writes nothing in their name; they themselves may."""
    dorte = await house.officer()
    await dorte.get("/dpo")
    before = await size_of_log(house)
    for site in ("cross-site", "same-site", "x", ""):
        answer = await dorte.http.get(path, headers=PAGE | {"sec-fetch-site": site})
        assert answer.status_code == 403, site
        assert "Et andet websted sendte dig hertil" in answer.text
    told = await dorte.http.get(path, headers={"sec-fetch-site": "cross-site"})
    assert (told.status_code, told.json()["type"]) == (403, "urn:borgerbro:problem:led-here")
    assert await size_of_log(house) == before
    for site in ("same-origin", "none"):
        assert (await dorte.http.get(path, headers=PAGE | {"sec-fetch-site": site})).status_code != 403


async def size_of_log(house: PagesHouse) -> list[int]:
    """Tell how long the logs are."""
    return [state.size for state in await house.databases.reader.logs(["korsbaek", "norrestrand"])]


async def test_anothers_papers_are_not_there(house: PagesHouse) -> None:
    """A request, a consent and a receipt of one citizen are not found by another, by any road."""
    lene, annette, stranger = await house.caseworker(), await house.citizen(), await house.citizen(STRANGER)
    await lene.get("/case")
    await ask_for(lene, LINES)
    asked = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
    await stranger.get("/mine")
    assert (await stranger.get(asked)).status_code == 404
    assert (await stranger.get(f"{asked}/some?line=0")).status_code == 404
    assert (await stranger.post(f"{asked}/yes", digest="")).status_code == 404
    assert (await stranger.post(f"{asked}/no")).status_code == 404
    await say_yes(annette)
    stop = link((await annette.get("/mine")).text, '/mine/consents/[^"?]+/stop')
    assert (await stranger.get(stop)).status_code == 404
    assert (await stranger.post(stop)).status_code == 404
    assert "jobcentre må se" in (await annette.get("/mine")).text


async def test_one_kind_of_log_in_opens_no_other_door(house: PagesHouse) -> None:
    """A citizen is no caseworker and no overseer, and the other way round: each is sent to log in."""
    people = {"/mine": await house.citizen(), "/case": await house.caseworker(), "/dpo": await house.officer()}
    for path in people:
        for own, reader in people.items():
            assert (await reader.get(path)).status_code == (200 if own == path else 303)


async def test_another_units_request_is_not_there(house: PagesHouse) -> None:
    """A request is read by the unit that made it alone; another unit's and a made-up one are both not found."""
    lene, other = await house.caseworker(), await house.caseworker(unit="social-centre")
    await lene.get("/case")
    sent = await ask_for(lene, LINES)
    assert (await lene.get(sent.headers["location"])).status_code == 200
    assert (await other.get(sent.headers["location"])).status_code == 404
    assert (await lene.get("/case/requests/00000000-0000-0000-0000-000000000000")).status_code == 404


async def test_words_to_the_citizen_are_not_shown_to_the_other_parent(house: PagesHouse) -> None:
    """The caseworker's own words reach the citizen they were written to, not whoever else must say yes."""
    people = house.ports.people
    assert isinstance(people, FakePeople)
    both = (CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))
    people.persons[CHILD] = replace(people.persons[CHILD], custody=both)
    lene, annette, father = await house.caseworker(), await house.citizen(), await house.citizen(FATHER)
    await lene.get("/case")
    await ask_for(lene, ["family/F01"], why="Because the mornings are hard")

    pages = []
    for parent in (annette, father):
        asked = link((await parent.get("/mine")).text, '/mine/requests/[^"/]+')
        pages.append((await parent.get(asked)).text)
    assert ["mornings are hard" in page for page in pages] == [True, False]


async def test_no_number_stands_in_an_address_or_in_a_page_of_faults(house: PagesHouse) -> None:
    """A CPR number that was typed wrong or right comes back in no address and no page of faults."""
    lene, dorte = await house.caseworker(), await house.officer()
    await lene.get("/case")
    await dorte.get("/dpo")
    pages = [
        await lene.post("/case", citizen="710274-002", purpose=PURPOSE, case=CASE),
        await lene.post("/case", citizen="710274-0022", purpose="", case=CASE),
        await dorte.post("/dpo/find", citizen="710274-002"),
    ]
    refused = await lene.post("/case", **ASK)
    pages.append(await lene.post("/case/requests", **ASK, made=hidden(refused.text, "made"), line=["x/y"], lasts="90"))
    assert [page.status_code for page in pages] == [400] * 4
    assert [page for page in pages if "710274" in page.text] == []
    assert "710274" not in "".join([*lene.seen, *dorte.seen])


async def test_pages_carry_the_strict_policy(house: PagesHouse) -> None:
    """Every page says: no script or style but our own files, no frame, keep nothing."""
    lene = await house.caseworker()
    for page in (await lene.get("/"), await lene.get("/case"), await lene.post("/case", **ASK), await lene.get("/x")):
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert not re.search(r"\sstyle=|<style|<script|\son\w+=", OWN_SCRIPTS.sub("", page.text))


async def test_a_child_named_by_a_source_stays_masked(house: PagesHouse) -> None:
    """The child's number and the child's handle stand nowhere on the caseworker's page."""
    name = Personal("Viktor CANARY Test")
    family = house.sources["family"]
    family.told = {
        cpr: [replace(item, title=None, people=(ItemPerson("child", name),)) for item in items]
        for cpr, items in family.told.items()
    }
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await ask_for(lene, LINES)
    await say_yes(annette)
    await lene.get("/case")
    page = await lene.post("/case", **ASK)
    handles = await house.ports.handles.citizens([CITIZEN, CHILD])
    assert page.status_code == 200
    assert "Viktor" not in page.text
    assert CHILD.disclose() not in page.text.replace("-", "")
    assert not any(handle in page.text for handle in handles)


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
STRANGERS: dict[str, RegisterPerson | None] = {
    "nobody": None,
    "a citizen": RegisterPerson(STRANGER, True, 19630101, None, "0999", False),
    "one with a child": RegisterPerson(STRANGER, True, 19630101, None, "0999", False, (), (CHILD,)),
    "one who is protected": RegisterPerson(STRANGER, True, 19630101, None, "0999", True),
    "one who is dead": RegisterPerson(STRANGER, True, 19630101, 20180101, "0999", False),
    "one who lives elsewhere": RegisterPerson(STRANGER, True, 19630101, None, "0998", False),
    "one whose number has changed": RegisterPerson(STRANGER, True, 19630101, None, "0999", False, (), (), CHILD),
    "one under guardianship": RegisterPerson(
        STRANGER,
        True,
        19630101,
        None,
        "0999",
        False,
        representatives=(RegisterRepresentative(CITIZEN, "guardian_6", ("personal",)),),
    ),
}


async def test_the_page_of_a_stranger_is_that_of_nobody(house: PagesHouse) -> None:
    """Whether a number is anybody's cannot be told from the page, nor from its headers, nor from how much is logged."""
    people = house.ports.people
    assert isinstance(people, FakePeople)
    lene = await house.caseworker()
    await lene.get("/case")
    # The first ask of all opens the log.
    await lene.post("/case", **ASK)

    shown = []
    for person in STRANGERS.values():
        people.persons.pop(STRANGER, None)
        if person is not None:
            people.persons[STRANGER] = person
        before, heard = await entries(house), len(people.asked)
        page = await lene.post("/case", **ASK | {"citizen": STRANGER.disclose()})
        # Marks of the form and places on the log are new each time, also of the same number.
        text = re.sub(r"(?<=\W)\d{1,4}(?=\W)", "#", UUID.sub("#", page.text))
        headers = {name: told for name, told in page.headers.items() if name != "content-length"}
        shown.append((page.status_code, headers, text, await entries(house) - before, len(people.asked) - heard))

    assert shown[0][0] == 403
    assert [name for name, one in zip(STRANGERS, shown, strict=True) if one != shown[0]] == []


async def entries(house: PagesHouse) -> int:
    """Count what is on all logs."""
    async with house.databases.pool.acquire() as connection:
        size: int = await connection.fetchval("SELECT sum(size)::int FROM log.head")
    return size
