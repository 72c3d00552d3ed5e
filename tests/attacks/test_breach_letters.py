"""Letters of a breach: to whom the count found alone, once, let go by a second person. Over the real log and outbox."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.outbox_sql import OutboxSql
from broker.domain.breach_letters import Batch
from broker.domain.breaches import Breach
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.personal import Personal
from broker.oversight.breach_letters import Wanted, letters_of, prepare, release
from broker.oversight.breaches import count
from broker.web.dpo.breach_letters import numbers_from
from demo.postgres import PrivatePostgres
from tests.attacks.test_breaches import AT, CONTROLLER, DPO, ELSEWHERE, MARCH, NOWHERE, House
from tests.builders import CITIZEN, STRANGER
from tests.pages_house import open_pages
from tests.sampling import an_officer

OTHER = replace(DPO, id=Personal("doris"))
# The fourth was never looked at.
NUMBERS = [Personal(f"{number:010d}") for number in range(3)] + [STRANGER]


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[House]:
    """Give a house in which somebody looked at three citizens."""
    async with open_pages(postgres, tmp_path) as made:
        small = House(made)
        await small.looked(3, "thief")
        yield small


def outbox(house: House) -> OutboxSql:
    """Give the outbox."""
    at = house.house.databases
    return OutboxSql(at.pool, at.log, at.vault)


def wanted(number: int = 2, **changes: Any) -> Wanted:
    """Ask for letters to all whom the municipality names."""
    return replace(Wanted(number, "seen", "watch", NUMBERS), **changes)


async def prepared(house: House) -> tuple[Breach, Batch]:
    """Open a file, count, and prepare."""
    one = await house.opened()
    await count(one.id, MARCH, DPO, house.desk)
    return one, await prepare(one.id, wanted(), DPO, house.desk)


async def mine(house: House, number: Personal[str]) -> list[str]:
    """Give what a citizen was told, as codes."""
    handles = await house.house.databases.vault.citizens([number])
    return [letter.nature for letter in await letters_of(handles, house.desk.breaches)]


async def test_prepared_let_go_and_read(house: House) -> None:
    """Those whom the count found get one letter each; it waits for a second person; then they read what happened."""
    one, batch = await prepared(house)
    assert (batch.named, batch.letters) == (4, 0)
    assert await outbox(house).due("korsbaek", AT) == ()
    assert [await mine(house, number) for number in NUMBERS] == [[], [], [], []]
    await release(one.id, batch.id, CONTROLLER, house.desk)
    due = await outbox(house).due("korsbaek", AT)
    assert {notice.number for notice in due} == set(NUMBERS[:3])
    assert {(notice.cause, notice.unit) for notice in due} == {("breach.told", "")}
    assert [await mine(house, number) for number in NUMBERS] == [["seen"], ["seen"], ["seen"], []]
    assert await house.kinds() == ["opened", "counted", "letters_prepared", *["named"] * 4, "letters_released"]
    (released,) = await house.desk.breaches.batches(one)
    assert (released.letters, released.released_at, released.withdrawn_at) == (3, AT, None)


async def test_no_number_is_left_behind(house: House) -> None:
    """Neither log nor tables hold a number in the open; what lay sealed for the letters goes when they go."""
    one, batch = await prepared(house)
    for table in ("breaches.batch", "breaches.letter", "breaches.waiting", "breaches.note", "log.index"):
        for row in await house.rows(f"SELECT t::text AS row FROM {table} t"):
            assert not any(number.disclose() in row["row"] for number in NUMBERS)
    assert len(await house.rows("SELECT 1 FROM breaches.waiting")) == 3
    await release(one.id, batch.id, CONTROLLER, house.desk)
    assert await house.rows("SELECT 1 FROM breaches.waiting") == []


async def test_nobody_gets_two(house: House) -> None:
    """Who has a letter of the breach gets no other, also of two preparations at once; a number named twice is one."""
    one = await house.opened()
    await count(one.id, MARCH, DPO, house.desk)
    twice = (prepare(one.id, wanted(numbers=NUMBERS * 2), who, house.desk) for who in (DPO, OTHER))
    batches = [*await asyncio.gather(*twice), await prepare(one.id, wanted(), DPO, house.desk)]
    assert len(await house.rows("SELECT 1 FROM breaches.waiting")) == 3
    for batch in batches:
        await release(one.id, batch.id, CONTROLLER, house.desk)
    last = await prepare(one.id, wanted(), DPO, house.desk)
    await release(one.id, last.id, CONTROLLER, house.desk)
    assert len(await outbox(house).due("korsbaek", AT)) == len(await house.rows("SELECT 1 FROM breaches.letter")) == 3
    assert sorted(batch.letters for batch in await house.desk.breaches.batches(one)) == [0, 0, 0, 3]


async def test_who_prepared_does_not_let_go(house: House) -> None:
    """One's own letters, letters let go, another file's, another municipality's, a leader: nothing leaves."""
    one, batch = await prepared(house)
    other = await house.opened()
    for officer, breach, error in (
        (DPO, one.id, Conflict), (CONTROLLER, other.id, NotFound), (ELSEWHERE, one.id, NotFound),
        (an_officer("l", "teamleder", "korsbaek", "jobcentre"), one.id, NotAllowed),
        (replace(OTHER, municipalities=frozenset()), one.id, NotAllowed),
    ):  # fmt: skip
        with pytest.raises(error):
            await release(breach, batch.id, officer, house.desk)
    for name in (NOWHERE, "x", "\x00"):
        with pytest.raises(NotFound):
            await release(one.id, name, CONTROLLER, house.desk)
    assert await outbox(house).due("korsbaek", AT) == ()
    both = (release(one.id, batch.id, who, house.desk) for who in (OTHER, CONTROLLER))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in done) == 1
    assert len(await outbox(house).due("korsbaek", AT)) == 3
    assert (await house.kinds()).count("letters_released") == 1


async def test_only_the_dpo_prepares_and_of_a_count_there_is(house: House) -> None:
    """The controller, another municipality's, a count there is none, wrong codes, no number: by field, and nothing."""
    one = await house.opened()
    await count(one.id, MARCH, DPO, house.desk)
    with pytest.raises(NotAllowed):
        await prepare(one.id, wanted(), CONTROLLER, house.desk)
    with pytest.raises(NotFound):
        await prepare(one.id, wanted(), ELSEWHERE, house.desk)
    for wrong, pointer in (
        (wanted(1), "/count"), (wanted(9), "/count"), (wanted(nature="x"), "/nature"), (wanted(advice=""), "/advice"),
        (wanted(numbers=[]), "/numbers"), (wanted(numbers=NUMBERS * 600), "/numbers"),
    ):  # fmt: skip
        with pytest.raises(BadAsk) as raised:
            await prepare(one.id, wrong, DPO, house.desk)
        assert raised.value.pointer == pointer
    assert await house.rows("SELECT 1 FROM breaches.batch") == []


@pytest.mark.parametrize("text", ["", " \n ", "x", "0101010001\nx", "0000000000", "710274-0022\x00", "\u0661" * 10])
def test_lines_that_are_no_numbers_are_refused(text: str) -> None:
    """One line that is no number, and none of them is taken."""
    with pytest.raises(BadAsk) as raised:
        numbers_from(text, test_numbers=True)
    assert raised.value.pointer == "/numbers"


async def test_a_letter_goes_at_once_whatever_was_chosen(house: House) -> None:
    """Who wants to be told once a week, or of nothing but what must be, is told of a breach at once, by post."""
    one, batch = await prepared(house)
    handles = await house.house.databases.vault.citizens(NUMBERS[:2])
    for handle, way in zip(handles, ("digital_post", "least"), strict=True):
        await house.rows(
            "INSERT INTO notices.choice (municipality, citizen, way, weekly, at) "
            f"VALUES ('korsbaek', '{handle}', '{way}', true, now())"
        )
    await release(one.id, batch.id, CONTROLLER, house.desk)
    due = await outbox(house).due("korsbaek", AT + timedelta(seconds=1))
    assert {notice.number for notice in due} == set(NUMBERS[:3])
    assert all(notice.address is None for notice in due)


async def test_the_pages_of_both(house: House) -> None:
    """The DPO prepares and cannot let go, the controller does; the citizen's page tells it in fixed words alone."""
    vault = house.house.databases.vault
    (annette,) = await vault.citizens([CITIZEN])
    actor = await vault.officer(an_officer("thief", "employee"))
    await house.touch(annette, actor)
    dorte, kurt = await house.house.officer(), await house.house.officer(id="k", role="logkontrollant")
    one = await open_as(house, dorte)
    here = f"/dpo/breaches/{one}"
    sent = {"count": "2", "nature": "sent", "advice": "ask", "numbers": "7102740022\r\n 0101010001 "}
    wrong = await dorte.post(f"{here}/letters", **sent | {"numbers": "0202020002\nDRONTE"})
    assert (wrong.status_code, "DRONTE" in wrong.text, "0202020002" in wrong.text) == (400, False, False)
    page = await dorte.send(f"{here}/letters", **sent)
    batch = json.loads((await dorte.http.get(f"/v1/breaches/{one}")).text)["letters"][0]
    assert (batch["named"], batch["letters"], batch["released_at"]) == (2, None, None)
    assert "Send brevene" not in page.text
    assert (await dorte.post(f"{here}/letters/{batch['id']}")).status_code == 400
    await kurt.get(here)
    assert "Send brevene" in (await kurt.get(here)).text
    assert (await kurt.post(f"{here}/letters/{batch['id']}", csrf="0" * 43)).status_code == 403
    citizen = await house.house.citizen()
    assert "/mine/breaches" not in re.sub("<nav.*?</nav>", "", (await citizen.get("/mine")).text, flags=re.DOTALL)
    await kurt.send(f"{here}/letters/{batch['id']}")
    assert 'href="/mine/breaches"' in (await citizen.get("/mine")).text
    told = (await citizen.get("/mine/breaches")).text
    assert "givet til nogen, der ikke skulle have dem" in told
    assert "CANARY" not in told
    assert (await citizen.http.get("/v1/me/breaches")).json()["breaches"][0]["nature"] == "sent"
    stranger = await house.house.citizen(STRANGER)
    assert (await stranger.http.get("/v1/me/breaches")).json() == {"breaches": []}
    out = (await kurt.http.get(f"/v1/breaches/{one}/export")).text
    assert annette not in out
    assert not any("7102740022" in address for address in (*dorte.seen, *kurt.seen, *citizen.seen))


async def open_as(house: House, dorte: Any) -> str:
    """Open a file and count on the pages; give its id."""
    await dorte.get("/dpo/breaches")
    page = await dorte.send("/dpo/breaches", municipality="korsbaek", known_day="2019-03-01", known_time="10:00",
                            text="CANARY")  # fmt: skip
    here = str(page.url).rpartition("/")[2]
    await dorte.send(f"/dpo/breaches/{here}/counts", since_day="2019-03-01")
    return here


async def test_unknown_and_forbidden_ids_answer_alike(house: House) -> None:
    """A file of another municipality and one that there is not give the same bytes at these doors too."""
    one, batch = await prepared(house)
    other = await house.house.officer(id="o", municipalities=["norrestrand"])
    await other.get("/dpo/breaches")
    token = {"X-CSRF-Token": other.csrf}
    body = {"count": 2, "nature": "seen", "advice": "ask", "numbers": ["710274-0022"]}

    form = {"count": "2", "nature": "seen", "advice": "ask", "numbers": "7102740022"}

    async def tried(name: str) -> list[tuple[int, str]]:
        place = f"/v1/breaches/{name}/letters"
        answers = [
            await other.post(f"/dpo/breaches/{name}/letters", **form),
            await other.post(f"/dpo/breaches/{name}/letters/{batch.id}"),
            await other.http.post(place, json=body, headers=token),
            await other.http.post(f"{place}/{batch.id}/release", headers=token),
            await other.post(f"/dpo/breaches/{name}/letters/{batch.id}/withdrawal"),
            await other.http.post(f"{place}/{batch.id}/withdrawal", headers=token),
        ]
        return [(answer.status_code, re.sub(name + r"|[0-9a-f]{32}", "", answer.text)) for answer in answers]

    assert await tried(one.id) == await tried(NOWHERE)
    assert {status for status, _ in await tried(one.id)} == {404}
