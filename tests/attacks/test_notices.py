"""Notices under attack: what a letter tells over somebody's shoulder, who is told of another, and of the erased."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from broker.adapters.database import Scope, scoped
from broker.adapters.notices_memo import MemoFolder
from broker.adapters.outbox_rows import add_notices
from broker.adapters.outbox_sql import OutboxSql
from broker.domain.directory import Directory
from broker.domain.errors import StoreUnavailable
from broker.domain.notices import ENDS, REQUEST, Notice, notice_of_end, notice_to
from broker.transparency.notices import Channels, send_due
from demo.postgres import PrivatePostgres
from tests.attacks.test_desk import TAKEN_BACK, WANTED, a_consent, a_request, of
from tests.builders import CASE, CITIZEN, PURPOSE, SOCIAL, STRANGER
from tests.erasures import ANNA, HOME, LATER, Years, open_years
from tests.front import Front, open_front

WHY = "Vi vil gerne forstå CANARY bedre"


def outbox_of(front: Front) -> OutboxSql:
    """Open the outbox of a front."""
    return OutboxSql(front.databases.pool, front.databases.log, front.databases.vault)


async def letters(front: Front, folder: Path) -> list[str]:
    """Send what waits as MeMo files; give each with its text laid open."""
    folder.mkdir(mode=0o750, exist_ok=True)
    directory = front.ports.directory
    channel = MemoFolder(folder, directory.municipalities, "https://broker.example/mine")
    node = await front.databases.vault.node("one")
    for municipality in directory.municipalities:
        await send_due(municipality, node, Channels(channel), outbox_of(front), front.ports.clock)
    return [opened(file.read_text("utf-8")) for file in sorted(folder.iterdir())]


def opened(letter: str) -> str:
    """Add the text to a letter that carries it encoded."""
    return letter + "".join(
        b64decode(part.text or "").decode() for part in ET.fromstring(letter).iter() if part.tag.endswith("}content")
    )


def words_of(directory: Directory) -> set[str]:
    """List every name of a unit, source, purpose and category."""
    rows = [*directory.units.values(), *directory.sources.values(), *directory.purposes.values()]
    return {name for row in [*rows, *directory.categories.values()] for name in (row.name_da, row.name_en)}


async def test_a_letter_tells_nothing_of_what_it_is_about(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Unit, purpose, case, category and the caseworker's words stand in no letter; nor does anybody else's number."""
    async with open_front(postgres, tmp_path) as front:
        answer = await front.post("/v1/consent-requests", WANTED | {"why": WHY})
        assert answer.status_code == 201
        (letter,) = await letters(front, tmp_path / "out")

    said = {*words_of(front.ports.directory), PURPOSE, CASE, SOCIAL, "CANARY", STRANGER.disclose()}
    assert CITIZEN.disclose() in letter
    assert sorted(word for word in said if word in letter) == []


async def test_no_two_causes_can_be_told_apart(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """A request and a withdrawal by phone: but for its own id and moment, the letter is the same."""
    async with open_front(postgres, tmp_path) as front:
        consent = await a_consent(front)
        await front.post(f"/v1/consents/{consent}/withdrawal", TAKEN_BACK)
        first, second = await letters(front, tmp_path / "out")

    def bare(letter: str) -> list[str]:
        return [part for part in letter.split("<memo:") if not part.startswith("messageUUID>")]

    assert bare(first) == bare(second)


@pytest.mark.parametrize("way", ["withdrawal", "pause"])
async def test_who_changes_nothing_causes_no_letter(postgres: PrivatePostgres, tmp_path: Path, way: str) -> None:
    """A stranger who knows a consent's id, and one who names another's number, send the citizen nothing."""
    async with open_front(postgres, tmp_path) as front:
        consent = await a_consent(front)
        before = await letters(front, tmp_path / "out")
        wrong = await front.post(
            f"/v1/consents/{consent}/{way}", TAKEN_BACK | {"citizen": STRANGER.disclose()}
        )  # fmt: skip
        front.caller = of("health-centre")
        stranger = await front.post(f"/v1/consents/{consent}/{way}", TAKEN_BACK)

        assert (wrong.status_code, stranger.status_code) == (404, 404)
        assert await letters(front, tmp_path / "out") == before


async def test_a_repeat_sends_no_second_letter(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """The same request with the same key is one request, and one letter."""
    async with open_front(postgres, tmp_path) as front:
        key = {"Idempotency-Key": str(uuid4())}
        answers = [await front.post("/v1/consent-requests", WANTED, **key) for _ in range(2)]
        sent = await letters(front, tmp_path / "out")

    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert len(sent) == 1


async def test_the_citizen_reads_that_they_were_told(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """A letter stands in the citizen's own list, without its number or what it was about."""
    async with open_front(postgres, tmp_path) as front:
        await a_request(front)
        await letters(front, tmp_path / "out")
        entries = (await front.get("/v1/me/accesses")).json()

    assert "notice.sent" in str(entries)
    assert CITIZEN.disclose() not in str(entries)


async def lay(years: Years, *citizens: str) -> OutboxSql:
    """Let a notice wait for each; give the outbox."""
    outbox = OutboxSql(years.databases.pool, years.databases.log, years.databases.vault)
    waiting = await outbox.sealed([notice_to(citizen, ANNA, HOME, REQUEST, LATER) for citizen in citizens])
    async with scoped(years.databases.pool, Scope(municipality=HOME)) as connection:
        await add_notices(connection, waiting)
    return outbox


async def test_the_erased_are_told_nothing_more(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """What waits for somebody goes with them, while another's stays; nothing of it is sent or listed."""
    async with open_years(postgres, tmp_path) as years:
        outbox = await lay(years, years.anna, years.bo)
        await years.erase()
        left = await years.superuser("SELECT recipient FROM notices.waiting")

        assert [row["recipient"] for row in left] == [years.bo]
        assert [notice.recipient for notice in await outbox.due(HOME, LATER)] == [years.bo]


async def test_the_erased_leave_no_trace_of_who_fetched(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Which units fetched something about them goes with them, and another's stays."""
    async with open_years(postgres, tmp_path) as years:
        for citizen in (years.anna, years.bo):
            await years.superuser(
                "INSERT INTO notices.first_fetch (municipality, unit, recipient, at) VALUES ($1, 'u', $2, now())",
                HOME,
                citizen,
            )
        await years.erase()
        left = await years.superuser("SELECT recipient FROM notices.first_fetch")

    assert [row["recipient"] for row in left] == [years.bo]


async def test_a_key_that_is_gone_leaves_no_letter(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Where an erasure was broken off after the key, the node that finds the notice deletes it unread."""
    async with open_years(postgres, tmp_path) as years:
        outbox = await lay(years, years.anna)
        await years.superuser("DELETE FROM vault.subject_key WHERE handle = $1", years.anna, vault=True)

        assert await outbox.due(HOME, LATER) == ()
        assert await years.superuser("SELECT FROM notices.waiting") == []


async def test_a_citizen_lays_and_takes_away_their_own_alone(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Acting as herself, Anna reaches the letter of her own yes: no other of hers, which the law may keep back."""
    async with open_years(postgres, tmp_path) as years:
        outbox = await lay(years, years.anna, years.bo)
        ends = [end_of_a_yes(citizen) for citizen in (years.anna, years.bo, years.bo)]
        anna, bo, forged = [await outbox.sealed([one]) for one in ends]
        async with scoped(years.databases.pool, Scope(municipality=HOME)) as connection:
            await add_notices(connection, anna + bo)
        as_anna = Scope(citizen=years.anna)
        async with scoped(years.databases.pool, as_anna) as connection:
            seen = await connection.fetch("SELECT id FROM notices.waiting")
            await connection.execute("DELETE FROM notices.waiting")
        with pytest.raises(StoreUnavailable):
            async with scoped(years.databases.pool, as_anna) as connection:
                await add_notices(connection, forged)
        left = await years.superuser("SELECT recipient, cause FROM notices.waiting")

    assert [str(row["id"]) for row in seen] == [ends[0].id]
    assert sorted((row["recipient"], row["cause"]) for row in left) == sorted(
        [(years.anna, REQUEST), (years.bo, REQUEST), (years.bo, ENDS)]
    )


def end_of_a_yes(citizen: str) -> Notice:
    """Make the letter that a yes of somebody's ends soon."""
    (made,) = notice_of_end(str(uuid4()), citizen, ANNA, HOME, 20991231, LATER)
    return made
