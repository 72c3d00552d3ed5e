"""How one is written to, under attack: another's address, guessed and used codes, and letters silenced in secret."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.database import Scope, scoped
from broker.adapters.notice_choices_sql import NoticeChoicesSql
from broker.domain.notice_choices import CHANGES_A_DAY, CODE_LASTS, CODE_TRIES, CODES_A_DAY
from broker.web.login import FRESH
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, NOON, STRANGER
from tests.pages_house import PagesHouse, Reader, link, open_pages

PLACE = "/mine/notices/korsbaek"
ADDRESS = "anna.canary@example.dk"
WANTED = {"way": "email", "often": "each", "address": ADDRESS}


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open the pages over real databases."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def begin(house: PagesHouse, **changes: Any) -> Reader:
    """Let the citizen ask for e-mail, up to the form for the code."""
    annette = await house.citizen()
    await annette.get(PLACE)
    page = await annette.send(PLACE, **WANTED | changes)
    assert page.status_code == 200, page.text
    return annette


async def rows(house: PagesHouse, statement: str) -> list[Any]:
    """Look as one who may do anything."""
    connection = await asyncpg.connect(house.databases.admin)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def ways(house: PagesHouse) -> list[str]:
    """List what holds."""
    return [row["way"] for row in await rows(house, "SELECT way FROM notices.choice ORDER BY way")]


async def test_an_address_is_used_once_its_code_came_back(house: PagesHouse) -> None:
    """Before, nothing is changed; after, the page shows the address, and the log says so without it."""
    annette = await begin(house)
    before = await ways(house)
    ((address, code),) = house.mail.took
    receipt = await annette.send(f"{PLACE}/code", code=f" {code[:3]} {code[3:]} ")
    shown = (await annette.get("/mine/notices")).text
    log = (await annette.get("/mine/accesses")).text

    assert (before, await ways(house), address) == ([], ["email"], ADDRESS)
    assert ADDRESS in shown
    assert receipt.status_code == 200
    assert "Du har ændret, hvordan vi skriver til dig" in receipt.text
    assert ADDRESS not in log + receipt.text
    assert not any("canary" in one for one in annette.seen)


async def test_every_change_is_told_in_digital_post(house: PagesHouse) -> None:
    """Whoever holds an open log-in cannot silence letters in secret: the letter of it waits, and is told always."""
    annette = await begin(house)
    await annette.send(f"{PLACE}/code", code=house.mail.took[0][1])
    await annette.send(PLACE, way="least", often="weekly")

    told = await rows(house, "SELECT cause FROM notices.waiting")
    assert [row["cause"] for row in told] == ["notices.chosen", "notices.chosen"]


@pytest.mark.parametrize(
    "wish", [WANTED, {"way": "least", "often": "each"}, {"way": "digital_post", "often": "weekly"}]
)
async def test_a_log_in_that_was_left_open_silences_nothing(house: PagesHouse, wish: dict[str, str]) -> None:
    """The form leads back to a page that offers a new log-in and no choice; nothing is sent, kept or told."""
    annette = await house.citizen()
    await annette.get(PLACE)
    house.clock.at += FRESH + timedelta(seconds=1)
    sent = await annette.post(PLACE, **wish)
    page = (await annette.get(PLACE)).text

    assert (sent.status_code, sent.headers["location"]) == (303, PLACE)
    assert "For at ændre det logger du ind en gang til." in page
    assert "anew=1" in link(page, '/login/citizen[^"]+')
    assert 'type="radio"' not in page
    assert (await ways(house), house.mail.took, await rows(house, "SELECT FROM notices.waiting")) == ([], [], [])


async def test_back_to_every_letter_takes_no_new_log_in(house: PagesHouse) -> None:
    """What was silenced is undone with the log-in that stands; a code that came in time counts too."""
    annette = await begin(house)
    house.clock.at += FRESH + timedelta(seconds=1)
    await annette.send(f"{PLACE}/code", code=house.mail.took[0][1])
    between = await ways(house)
    page = (await annette.get(PLACE)).text
    receipt = await annette.send(PLACE, way="digital_post", often="each")

    assert "Gå tilbage til Digital Post, hver gang" in page
    assert (between, receipt.status_code, await ways(house)) == (["email"], 200, ["digital_post"])


async def test_a_code_is_nobody_elses(house: PagesHouse) -> None:
    """With Annette's code in hand a stranger gets a no like any other, and uses up none of her tries."""
    await begin(house)
    stranger = await house.citizen(STRANGER)
    await stranger.get(f"{PLACE}/code")
    answers = [await stranger.post(f"{PLACE}/code", code=house.mail.took[0][1]) for _ in range(CODE_TRIES + 1)]
    annette = await house.citizen()
    await annette.get(f"{PLACE}/code")

    assert {answer.status_code for answer in answers} == {400}
    assert await ways(house) == []
    assert (await annette.post(f"{PLACE}/code", code=house.mail.took[0][1])).status_code == 303


async def test_a_code_is_not_guessed(house: PagesHouse) -> None:
    """After so many wrong ones the right one is refused too; also where they come all at once."""
    annette = await begin(house)
    right = house.mail.took[0][1]
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    answers = await asyncio.gather(*(annette.post(f"{PLACE}/code", code=wrong) for _ in range(CODE_TRIES * 2)))
    last = await annette.post(f"{PLACE}/code", code=right)

    assert {answer.status_code for answer in (*answers, last)} == {400}
    assert sum("Det er ikke koden" in answer.text for answer in answers) == CODE_TRIES
    assert await ways(house) == []


async def test_a_code_is_used_once_and_in_its_time(house: PagesHouse) -> None:
    """Twice at once it counts once; a day later it counts no more."""
    annette = await begin(house)
    code = house.mail.took[0][1]
    twice = await asyncio.gather(*(annette.post(f"{PLACE}/code", code=code) for _ in range(2)))
    again = await annette.post(f"{PLACE}/code", code=code)
    await annette.send(PLACE, **WANTED | {"address": "other@example.dk"})
    assert isinstance(house.ports.clock, FixedClock)
    house.ports.clock.at = NOON + CODE_LASTS
    late = await annette.post(f"{PLACE}/code", code=house.mail.took[1][1])

    assert sorted(answer.status_code for answer in twice) == [303, 400]
    assert (again.status_code, late.status_code) == (400, 400)
    assert len(await rows(house, "SELECT FROM log.index WHERE kind = 'notices.chosen'")) == 1


async def test_an_earlier_code_is_not_another_addresss(house: PagesHouse) -> None:
    """A code that went to one address takes no other into use."""
    annette = await begin(house)
    await annette.send(PLACE, **WANTED | {"address": "thief@example.dk"})
    (_, first), (_, second) = house.mail.took
    answer = await annette.post(f"{PLACE}/code", code=first)

    assert first == second or answer.status_code == 400
    assert first == second or await ways(house) == []


async def test_nobody_is_flooded_with_codes(house: PagesHouse) -> None:
    """So many a day, whichever addresses; then none before tomorrow, and the page says so."""
    annette = await begin(house)
    for number in range(1, CODES_A_DAY):
        await annette.send(PLACE, **WANTED | {"address": f"a{number}@example.dk"})
    refused = await annette.post(PLACE, **WANTED | {"address": "one-more@example.dk"})
    assert isinstance(house.ports.clock, FixedClock)
    house.ports.clock.at = NOON + timedelta(days=1)
    tomorrow = await annette.post(PLACE, **WANTED)

    assert (refused.status_code, tomorrow.status_code) == (400, 303)
    assert "Du har bedt om for mange koder i dag." in refused.text
    assert len(house.mail.took) == CODES_A_DAY + 1


async def test_a_clock_that_is_set_back_sends_no_more_codes(house: PagesHouse) -> None:
    """A day is over when a later one comes, not an earlier one."""
    annette = await begin(house)
    for number in range(1, CODES_A_DAY):
        await annette.send(PLACE, **WANTED | {"address": f"a{number}@example.dk"})
    assert isinstance(house.ports.clock, FixedClock)
    house.ports.clock.at = NOON - timedelta(days=1)
    annette = await house.citizen()
    await annette.get(PLACE)
    refused = await annette.post(PLACE, **WANTED)

    assert (refused.status_code, len(house.mail.took)) == (400, CODES_A_DAY)


async def test_no_new_codes_by_another_municipality(house: PagesHouse) -> None:
    """A day's codes are a citizen's, not a citizen's in each municipality of the house; also all at once."""
    annette = await begin(house)
    places = [f"/mine/notices/{home}" for home in house.ports.directory.municipalities]
    assert len(places) > 1
    wanted = [(place, WANTED | {"address": f"a{number}@example.dk"}) for number in range(4) for place in places]
    answers = await asyncio.gather(*(annette.post(place, **wish) for place, wish in wanted))

    assert sorted({answer.status_code for answer in answers}) == [303, 400]
    assert len(house.mail.took) == CODES_A_DAY


async def changes(house: PagesHouse) -> tuple[int, int]:
    """Count the entries and the letters that tell of a change."""
    entries = await rows(house, "SELECT FROM log.index WHERE kind = 'notices.chosen'")
    return len(entries), len(await rows(house, "SELECT FROM notices.waiting WHERE cause = 'notices.chosen'"))


async def test_what_changes_nothing_is_written_nowhere(house: PagesHouse) -> None:
    """Neither an entry nor a letter comes of saving what holds, nor of the same change twice at once."""
    annette = await house.citizen()
    await annette.get(PLACE)
    same = await annette.send(PLACE, way="digital_post", often="each")
    none = await changes(house)
    await asyncio.gather(*(annette.post(PLACE, way="least", often="weekly") for _ in range(4)))
    once = await changes(house)
    await annette.send(PLACE, **WANTED)
    await annette.send(f"{PLACE}/code", code=house.mail.took[0][1])
    await annette.send(PLACE, **WANTED)

    assert (none, once, await changes(house)) == ((0, 0), (1, 1), (2, 2))
    assert "Det er, som det var." in same.text


async def test_a_code_that_waits_is_dropped_by_who_keeps_what_holds(house: PagesHouse) -> None:
    """Whoever saves what holds wants no other address: the code that waits takes none into use any more."""
    annette = await begin(house)
    await annette.send(PLACE, way="digital_post", often="each")
    answer = await annette.post(f"{PLACE}/code", code=house.mail.took[0][1])

    assert (answer.status_code, await ways(house)) == (400, [])


async def test_nobody_is_flooded_with_letters_of_changes(house: PagesHouse) -> None:
    """Few changes a day in the whole house, and the page says so; back to Digital Post each time is always open."""
    annette = await house.citizen()
    for number in range(CHANGES_A_DAY):
        await annette.get(PLACE)
        await annette.send(PLACE, way="least", often=("weekly", "each")[number % 2])
    await annette.get(PLACE)
    refused = await annette.post(PLACE, way="least", often="weekly")
    (other,) = set(house.ports.directory.municipalities) - {"korsbaek"}
    elsewhere = await annette.post(f"/mine/notices/{other}", way="least", often="weekly")
    await annette.send(PLACE, **WANTED)
    late = await annette.post(f"{PLACE}/code", code=house.mail.took[0][1])
    await annette.get(PLACE)
    back = await annette.post(PLACE, way="digital_post", often="each")

    assert {answer.status_code for answer in (refused, elsewhere, late)} == {400}
    assert all("Du har ændret det for mange gange i dag" in answer.text for answer in (refused, elsewhere, late))
    assert (back.status_code, await changes(house)) == (303, (CHANGES_A_DAY + 1, CHANGES_A_DAY + 1))
    assert isinstance(house.ports.clock, FixedClock)
    house.ports.clock.at = NOON + timedelta(days=1)
    annette = await house.citizen()
    await annette.get(PLACE)
    assert (await annette.post(PLACE, way="least", often="each")).status_code == 303


@pytest.mark.parametrize(
    "address",
    ["", "anna", "@example.dk", "anna@", "anna@dk", "a b@example.dk", "anna@example.dk\r\nBcc: all@example.dk",
     "anna@example.dk\x00", "anna@-x.dk", "anna@[127.0.0.1]", "a@b@example.dk", '"a b"@example.dk', "ånna@example.dk",
     f"{'a' * 65}@example.dk", f"a@{'x.' * 130}dk", "anna@example.dk,other@example.dk", "anna@.dk", "anna@\u3002dk",
     "=?utf-8?q?v=40b.dk?=@example.dk", "=?utf-8?q?x=0d=0aBcc?=@x.dk", "=?utf-8?b?eEBiLmRr?=@x.dk"],
)  # fmt: skip
async def test_what_is_no_address_is_written_to_by_nobody(house: PagesHouse, address: str) -> None:
    """A clear no, the field is named, and neither code nor row comes of it."""
    annette = await house.citizen()
    await annette.get(PLACE)
    answer = await annette.post(PLACE, **WANTED | {"address": address})

    assert (answer.status_code, "Skriv en mailadresse" in answer.text) == (400, True)
    assert (house.mail.took, await rows(house, "SELECT FROM notices.code")) == ([], [])


async def test_a_place_that_is_not_ours_is_not_there(house: PagesHouse) -> None:
    """No municipality of ours: what any unknown address gives; a form from elsewhere, or for no way there is: a no."""
    annette = await house.citizen()
    nowhere = await annette.get("/mine/nowhere")
    await annette.get(PLACE)
    answers = [
        await annette.get(f"/mine/notices/{name}{end}") for name in ("nowhere", "x" * 80) for end in ("", "/code")
    ]
    posted = [await annette.post(f"/mine/notices/nowhere{end}", **WANTED, code="1") for end in ("", "/code")]
    forged = await annette.post(PLACE, csrf="x", way="least", often="each")
    wrong = await annette.post(PLACE, way="pigeon", often="each")

    assert {answer.status_code for answer in (*answers, *posted)} == {nowhere.status_code} == {404}
    assert (forged.status_code, wrong.status_code) == (403, 400)
    assert (await ways(house), house.mail.took) == ([], [])


async def test_what_could_not_be_sent_changes_nothing(house: PagesHouse) -> None:
    """The mail server is down: the page says so, what held holds."""
    annette = await house.citizen()
    await annette.get(PLACE)
    house.mail.broken = True
    answer = await annette.post(PLACE, **WANTED)

    assert (answer.status_code, "Vi kunne ikke sende en mail" in answer.text, await ways(house)) == (400, True, [])


async def test_addresses_lie_sealed_and_apart(house: PagesHouse) -> None:
    """No column holds address or code; no other municipality and no other citizen sees or changes a row."""
    annette = await begin(house)
    code = house.mail.took[0][1]
    held = str(await rows(house, "SELECT c::text, encode(sealed, 'escape') FROM notices.code c"))
    await annette.send(f"{PLACE}/code", code=code)
    held += str(await rows(house, "SELECT c::text, encode(sealed_address, 'escape') FROM notices.choice c"))
    (stranger,) = await house.ports.handles.citizens([STRANGER])

    assert "canary" not in held
    assert code not in held
    for scope in (Scope(), Scope(municipality="fjernby"), Scope(citizen=stranger), Scope(municipalities=("korsbaek",))):
        async with scoped(house.databases.pool, scope) as connection:
            assert await connection.fetchval("SELECT count(*) FROM notices.choice") == 0
            assert await connection.execute("UPDATE notices.choice SET weekly = true") == "UPDATE 0"
            assert await connection.execute("DELETE FROM notices.code") == "DELETE 0"


async def test_an_address_opens_in_its_own_row_alone(house: PagesHouse) -> None:
    """An address that is moved into another's row opens for nobody: they are told in Digital Post."""
    annette = await begin(house)
    await annette.send(f"{PLACE}/code", code=house.mail.took[0][1])
    me, other = await house.ports.handles.citizens([CITIZEN, STRANGER])
    await house.databases.vault.keys([(other, "korsbaek")])
    await rows(house, f"UPDATE notices.choice SET citizen = '{other}' WHERE citizen = '{me}'")
    door = NoticeChoicesSql(house.databases.pool, house.databases.log, house.databases.vault)

    assert [(one.way, one.address) for one in (await door.of_citizen(other)).values()] == [("digital_post", None)]
