"""Naming citizens for letters of a breach tells nothing of them, and tells nobody what the law keeps back."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters import breach_letters_rows
from broker.adapters.breaches_sql import BreachesSql
from broker.adapters.clock_system import FixedClock
from broker.adapters.database import Scope, scoped
from broker.domain.breach_letters import WAITS, Batch
from broker.domain.breaches import Breach, BreachEvent, Criteria
from broker.domain.errors import Conflict, LogUnavailable, NotAllowed, NotFound, TooManyAsks
from broker.domain.personal import Personal
from broker.oversight.breach_letters import prepare, release, withdraw
from broker.oversight.breaches import count, note
from broker.web.breach_wire import batch_body
from demo.postgres import PrivatePostgres
from tests.attacks.test_breach_letters import NUMBERS, OTHER, mine, outbox, wanted
from tests.attacks.test_breaches import AT, CONTROLLER, DPO, ELSEWHERE, MARCH, NOWHERE, WORDS, House
from tests.builders import STRANGER
from tests.pages_house import open_pages
from tests.sampling import an_officer

DAY = 86400
# A fortnight on from what was looked at, the law keeps it back no more.
UNTIL = int(AT.timestamp()) + 10 * DAY


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[House]:
    """Give a house in which somebody looked at three citizens, with a file and a count of it."""
    async with open_pages(postgres, tmp_path) as made:
        small = House(made)
        await small.looked(3, "thief")
        yield small


async def counted(house: House) -> Breach:
    """Open a file, and count."""
    one = await house.opened()
    await count(one.id, MARCH, DPO, house.desk)
    return one


async def handle_of(house: House, number: Personal[str]) -> str:
    """Give a citizen's handle."""
    (handle,) = await house.house.databases.vault.citizens([number])
    return handle


async def named(house: House, number: Personal[str]) -> list[str]:
    """List the entries of a breach in a citizen's own list."""
    page = await house.house.databases.reader.of_subject(await handle_of(house, number))
    return [entry.kind for entry in page.entries if entry.kind.startswith("breach.")]


async def put_off(house: House, number: Personal[str], unit: str) -> None:
    """Keep a citizen's lines of a unit back, from before they were written on."""
    at, citizen = int(AT.timestamp()) - 3 * DAY, await handle_of(house, number)
    admin = await asyncpg.connect(house.house.databases.admin)
    try:
        await admin.execute(
            "SELECT log.ask_deferral($1, 'korsbaek', $2, $3, 'investigation', $4, 'a', $5, $6)",
            NOWHERE, citizen, unit, bytes(32), at, UNTIL,
        )  # fmt: skip
        assert await admin.fetchval("SELECT log.approve_deferral($1, 'korsbaek', 'b', $2)", NOWHERE, at + 1)
    finally:
        await admin.close()


async def unit_of(house: House) -> str:
    """Give the unit that looked."""
    return str((await house.rows("SELECT unit FROM log.index WHERE kind = 'outcome' LIMIT 1"))[0]["unit"])


class Watched(BreachesSql):
    """Breach files that remember what was done, and cannot write where the log is down."""

    def __init__(self, house: House, *, down: str = "") -> None:
        at = house.house.databases
        super().__init__(at.pool, at.log, at.vault)
        self.done: list[str] = []
        self._down = down

    async def prepare(self, new: Batch, event: BreachEvent, named: Sequence[BreachEvent]) -> Any:
        """Remember it, or fail."""
        self._do("prepare")
        return await super().prepare(new, event, named)

    async def log_named(self, new: Batch, events: Sequence[BreachEvent]) -> None:
        """Remember it, or fail."""
        self._do("log_named")
        await super().log_named(new, events)

    async def untold(self, batch: Batch, criteria: Criteria, named: Sequence[str]) -> frozenset[str]:
        """Remember it."""
        self._do("untold")
        return await super().untold(batch, criteria, named)

    def _do(self, what: str) -> None:
        if what == self._down:
            raise LogUnavailable
        self.done.append(what)


@pytest.mark.parametrize("number", [NUMBERS[0], STRANGER], ids=["touched", "untouched"])
async def test_who_is_named_sees_it_touched_or_not(house: House, number: Personal[str]) -> None:
    """One number alone leaves an entry in that citizen's own list, and the answer is the same whether it was found."""
    one = await counted(house)
    made = await prepare(one.id, wanted(numbers=[number]), DPO, house.desk)
    assert await named(house, number) == ["breach.named"]
    (kept,) = await house.desk.breaches.batches(one)
    for batch in (made, kept):
        body = batch_body(batch)
        assert (body.pop("id"), body) == (made.id, {
            "nature": "seen", "advice": "watch", "named": 1, "letters": None,
            "prepared_at": "2019-03-04T12:00:00+00:00", "ends_at": "2019-03-18T12:00:00+00:00", "released_at": None,
            "withdrawn_at": None,
        })  # fmt: skip
    # Named once more, and by another at once: no answer tells that somebody waits already.
    assert (await prepare(one.id, wanted(numbers=[number]), OTHER, house.desk)).named == 1
    assert await named(house, number) == ["breach.named"] * 2


@pytest.mark.parametrize(
    ("down", "done"), [("prepare", []), ("log_named", ["prepare"]), ("", ["prepare", "log_named", "untold"])]
)
async def test_nothing_is_looked_up_before_it_stands_on_the_log(house: House, down: str, done: list[str]) -> None:
    """Where it cannot be written that somebody was named, the log is not asked about them."""
    one = await counted(house)
    watched = Watched(house, down=down)
    desk = replace(house.desk, breaches=watched)
    if down:
        with pytest.raises(LogUnavailable):
            await prepare(one.id, wanted(), DPO, desk)
    else:
        await prepare(one.id, wanted(), DPO, desk)
    assert watched.done == done


async def test_so_many_in_a_day_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An officer names so many in a day over all files; past that nothing is written or looked up; a colleague may."""
    monkeypatch.setattr(breach_letters_rows, "MOST_A_DAY", 5)
    one = await counted(house)
    await prepare(one.id, wanted(), DPO, house.desk)
    before = await house.kinds()
    for numbers in (NUMBERS, NUMBERS[:2]):
        with pytest.raises(TooManyAsks):
            await prepare(one.id, wanted(numbers=numbers), DPO, house.desk)
    assert await house.kinds() == before
    await prepare(one.id, wanted(numbers=NUMBERS[:1]), DPO, house.desk)
    await prepare(one.id, wanted(), OTHER, house.desk)
    house.later(25)
    await prepare(one.id, wanted(), DPO, house.desk)


@pytest.mark.parametrize("when", ["before", "between"])
async def test_what_the_law_keeps_back_is_told_by_no_letter(house: House, when: str) -> None:
    """A deferral in force, or begun since they were prepared: no letter; once it has ended, a new batch is."""
    one, unit = await counted(house), await unit_of(house)
    if when == "before":
        await put_off(house, NUMBERS[0], unit)
    batch = await prepare(one.id, wanted(), DPO, house.desk)
    if when == "between":
        await put_off(house, NUMBERS[0], unit)
    await release(one.id, batch.id, CONTROLLER, house.desk)
    assert {notice.number for notice in await outbox(house).due("korsbaek", AT)} == set(NUMBERS[1:3])
    assert [await mine(house, number) for number in NUMBERS[:3]] == [[], ["seen"], ["seen"]]
    assert await house.rows("SELECT 1 FROM breaches.waiting") == []
    house.later(10 * 24)
    again = await prepare(one.id, wanted(), DPO, house.desk)
    await release(one.id, again.id, CONTROLLER, house.desk)
    assert await mine(house, NUMBERS[0]) == ["seen"]
    assert [batch.letters for batch in await house.desk.breaches.batches(one)] == [2, 1]


async def test_letters_are_taken_back_and_their_citizens_told_after_all(house: House) -> None:
    """One DPO who lets letters wait for ever keeps nobody from being told: another takes them back, and prepares."""
    one = await counted(house)
    stuck = await prepare(one.id, wanted(), DPO, house.desk)
    for officer, breach, error in (
        (ELSEWHERE, one.id, NotFound), (an_officer("l", "teamleder", "korsbaek", "jobcentre"), one.id, NotAllowed),
    ):  # fmt: skip
        with pytest.raises(error):
            await withdraw(breach, stuck.id, officer, house.desk)
    with pytest.raises(NotFound):
        await withdraw(one.id, NOWHERE, OTHER, house.desk)
    await withdraw(one.id, stuck.id, OTHER, house.desk)
    assert await house.rows("SELECT 1 FROM breaches.waiting") == []
    for act in (release, withdraw):
        with pytest.raises(Conflict):
            await act(one.id, stuck.id, CONTROLLER, house.desk)
    batch = await prepare(one.id, wanted(), OTHER, house.desk)
    await release(one.id, batch.id, CONTROLLER, house.desk)
    with pytest.raises(Conflict):
        await withdraw(one.id, batch.id, OTHER, house.desk)
    assert [await mine(house, number) for number in NUMBERS] == [["seen"], ["seen"], ["seen"], []]
    assert (await house.kinds()).count("letters_withdrawn") == 1


async def test_a_number_waits_no_longer_than_its_term(house: House) -> None:
    """After a fortnight a letter cannot be let go, its number is deleted, and its citizen can be named again."""
    one = await counted(house)
    late = await prepare(one.id, wanted(), DPO, house.desk)
    await Watched(house).forget_waiting("korsbaek", AT + WAITS - timedelta(seconds=1))
    assert len(await house.rows("SELECT 1 FROM breaches.waiting")) == 3
    house.desk = replace(house.desk, clock=FixedClock(AT + WAITS))
    with pytest.raises(Conflict):
        await release(one.id, late.id, CONTROLLER, house.desk)
    again = await prepare(one.id, wanted(), DPO, house.desk)
    await release(one.id, again.id, CONTROLLER, house.desk)
    assert await mine(house, NUMBERS[0]) == ["seen"]
    await Watched(house).forget_waiting("korsbaek", AT + WAITS)
    assert await house.rows("SELECT 1 FROM breaches.waiting") == []


async def test_a_closed_file_sends_no_letters(house: House) -> None:
    """Nothing is prepared in a closed file, and nothing let go; opened again, it goes on."""
    one = await counted(house)
    batch = await prepare(one.id, wanted(), DPO, house.desk)
    for kind in ("effects", "measures", "assessed", "not_notified", "not_told", "closed"):
        await note(one.id, kind, WORDS, DPO, house.desk, risk="none" if kind == "assessed" else "")
    with pytest.raises(Conflict, match="closed"):
        await release(one.id, batch.id, CONTROLLER, house.desk)
    before = await house.kinds()
    with pytest.raises(Conflict, match="closed"):
        await prepare(one.id, wanted(), OTHER, house.desk)
    assert await house.kinds() == before
    await note(one.id, "reopened", WORDS, DPO, house.desk)
    await release(one.id, batch.id, CONTROLLER, house.desk)
    assert len(await outbox(house).due("korsbaek", AT)) == 3


async def test_a_citizen_sees_the_batch_of_their_own_letter_alone(house: House) -> None:
    """Whoever acts as a citizen reads no batch, and of none that it went, but that of a letter to them."""
    one = await counted(house)
    batch = await prepare(one.id, wanted(), DPO, house.desk)

    async def seen_by(number: Personal[str]) -> list[int]:
        scope = Scope(citizen=await handle_of(house, number))
        async with scoped(house.house.databases.pool, scope, snapshot=True) as connection:
            return [
                await connection.fetchval(f"SELECT count(*) FROM breaches.{table}")
                for table in ("batch", "release", "letter", "waiting", "breach", "note")
            ]

    assert await seen_by(NUMBERS[0]) == [0] * 6
    await release(one.id, batch.id, CONTROLLER, house.desk)
    assert await seen_by(NUMBERS[0]) == [1, 1, 1, 0, 1, 0]
    assert await seen_by(STRANGER) == [0] * 6


async def test_an_erasure_takes_the_letter_that_waits(house: House) -> None:
    """The eraser deletes a waiting letter with its number, of its own municipality alone, and reads no number."""
    one = await counted(house)
    await prepare(one.id, wanted(), DPO, house.desk)
    citizen, left = await handle_of(house, NUMBERS[0]), "SELECT citizen FROM breaches.waiting"
    eraser = await asyncpg.connect(house.house.databases.at.eraser)
    statement = "DELETE FROM breaches.waiting WHERE municipality = $1 AND citizen = $2"
    try:
        for home, there in (("norrestrand", 3), ("korsbaek", 2)):
            async with eraser.transaction():
                await eraser.execute("SELECT set_config('borgerbro.municipality', $1, true)", home)
                await eraser.execute(statement, "korsbaek", citizen)
            assert len(await house.rows(left)) == there
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await eraser.fetch("SELECT sealed_number FROM breaches.waiting")
    finally:
        await eraser.close()
