"""What a node does by itself: it sends what waits, and does not start where that cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from broker.adapters.after_checks_sql import AfterChecksSql
from broker.adapters.break_glass_sql import BreakGlassSql
from broker.adapters.database import Scope, scoped
from broker.adapters.notices_memo import FolderRefused
from broker.adapters.outbox_rows import add_notices
from broker.adapters.outbox_sql import OutboxSql
from broker.chores import _tell, _tell_alarms, chores
from broker.domain.integrity import FORKED
from broker.domain.notices import REQUEST, notice_to
from broker.main import House, open_house
from broker.oversight.waiting import AFTER_CHECKS, BREACHES, Waiting
from demo.postgres import PrivatePostgres
from tests.break_glass_values import FAR_HEALTH, HEALTH, WORDS, a_call, called
from tests.builders import CITIZEN
from tests.databases import opened
from tests.registry_files import ENVIRON
from tests.unit.test_registry_record import settings_over

HOME = "korsbaek"
LONG_AGO = datetime(2019, 3, 1, 11, tzinfo=UTC)


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[House]:
    """Open a house in which a notice waits, with a folder that letters go to."""
    folder = tmp_path / "post"
    folder.mkdir(mode=0o750)
    async with opened(postgres) as databases:
        settings = settings_over(databases, tmp_path).model_copy(update={"notices_folder": folder})
        async with open_house(settings, ENVIRON) as made:
            (citizen,) = await made.vault.citizens([CITIZEN])
            told = notice_to(citizen, CITIZEN, HOME, REQUEST, LONG_AGO)
            waiting = await OutboxSql(made.pool, made.log, made.vault).sealed([told])
            async with scoped(made.pool, Scope(municipality=HOME)) as connection:
                await add_notices(connection, waiting)
            yield made


async def test_a_node_sends_what_waits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask it to: the letter lies in the folder, and nothing waits."""
    monkeypatch.setattr("broker.chores.NOTICE_SECONDS", 0.01)
    folder = house.settings.notices_folder
    assert folder is not None
    outbox = OutboxSql(house.pool, house.log, house.vault)

    errands = [asyncio.create_task(errand) for errand in await chores(house)]
    try:
        async with asyncio.timeout(20):
            while await outbox.counts(HOME):
                await asyncio.sleep(0.01)
    finally:
        for errand in errands:
            errand.cancel()
        await asyncio.gather(*errands, return_exceptions=True)

    assert [file.suffix for file in folder.iterdir()] == [".xml"]


async def _waiting(outbox: OutboxSql, homes: Sequence[str]) -> int:
    """Count what waits and is not on the list for paper."""
    return sum([told for home in homes for _, given_up, told in await outbox.counts(home) if not given_up])


async def test_one_municipalitys_trouble_holds_up_no_others_letters(
    postgres: PrivatePostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be noted of the first municipality's letters, those of the others leave all the same."""
    monkeypatch.setattr("broker.chores.NOTICE_SECONDS", 0.01)
    async with opened(postgres) as databases, open_house(settings_over(databases, tmp_path), ENVIRON) as made:
        first, *others = made.ports.directory.municipalities
        (citizen,) = await made.vault.citizens([CITIZEN])
        outbox = OutboxSql(made.pool, made.log, made.vault)
        for home in (first, *others):
            waiting = await outbox.sealed([notice_to(citizen, CITIZEN, home, REQUEST, LONG_AGO)])
            async with scoped(made.pool, Scope(municipality=home)) as connection:
                await add_notices(connection, waiting)
        admin = await asyncpg.connect(databases.admin)
        await admin.execute(
            "CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"
        )
        await admin.execute(
            "CREATE TRIGGER full_disk BEFORE UPDATE OR DELETE ON notices.waiting FOR EACH ROW"
            f" WHEN (OLD.municipality = '{first}') EXECUTE FUNCTION public.full_disk()"
        )
        await admin.close()
        errands = [asyncio.create_task(errand) for errand in await chores(made)]
        try:
            async with asyncio.timeout(20):
                while await _waiting(outbox, others):
                    await asyncio.sleep(0.01)
        finally:
            for errand in errands:
                errand.cancel()
            await asyncio.gather(*errands, return_exceptions=True)

        assert others
        assert await _waiting(outbox, [first]) == 1


async def test_a_node_does_not_start_where_letters_cannot_go(house: House) -> None:
    """A folder that is gone is said at the start, not after three days."""
    gone = house.settings.model_copy(update={"notices_folder": Path("/nowhere/at/all")})

    with pytest.raises(FolderRefused, match="BROKER_NOTICES_FOLDER"):
        await chores(replace(house, settings=gone))


async def test_a_clock_set_by_hand_sends_nothing_by_itself(house: House) -> None:
    """In the demo nothing is written behind the back of whoever sets the clock."""
    stands = house.settings.model_copy(update={"fixed_clock": LONG_AGO})
    errands = await chores(replace(house, settings=stands))
    names = {errand.__name__ for errand in errands}
    for errand in errands:
        errand.close()

    assert names == {"_forget", "_watch_what_waits", "_watch_witnesses"}


async def test_the_operator_is_told_of_late_after_checks(house: House) -> None:
    """What was asked in danger to life long ago and nobody looked into is counted, by municipality, for the metric."""
    vault = house.vault
    (citizen,) = await vault.citizens([CITIZEN])
    kim = await vault.node("kim")
    call = a_call(citizen, "case", kim, requested_at=LONG_AGO, holders={HEALTH: HOME, FAR_HEALTH: HOME})
    await BreakGlassSql(house.pool, house.log, vault).request(call, WORDS, called(call))
    errands = await chores(house)
    watch = next(errand for errand in errands if errand.__name__ == "_watch_what_waits")
    task = asyncio.create_task(watch)
    try:
        async with asyncio.timeout(20):
            while (HOME, AFTER_CHECKS) not in house.waiting.reviews:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for errand in errands:
            errand.close()

    assert house.waiting.reviews[HOME, AFTER_CHECKS] == 1


async def test_a_node_escalates_what_nobody_looked_into(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late for years, it stands on the log as escalated, once, and nobody had to ask the node to."""
    monkeypatch.setattr("broker.chores.CLOSE_SECONDS", 0.01)
    (citizen,) = await house.vault.citizens([CITIZEN])
    kim = await house.vault.node("kim")
    call = a_call(citizen, "case", kim, requested_at=LONG_AGO, holders={HEALTH: HOME, FAR_HEALTH: HOME})
    await BreakGlassSql(house.pool, house.log, house.vault).request(call, WORDS, called(call))
    door = AfterChecksSql(house.pool, house.log, house.vault)
    errands = [asyncio.create_task(errand) for errand in await chores(house)]
    with capture_logs() as lines:
        try:
            async with asyncio.timeout(20):
                while not any(line["event"] == "reviews_escalated" for line in lines):
                    await asyncio.sleep(0.01)
        finally:
            for errand in errands:
                errand.cancel()
            await asyncio.gather(*errands, return_exceptions=True)

    assert await door.escalated((HOME,)) == 1
    told = [(line["names"], line["count"]) for line in lines if line["event"] == "reviews_escalated"]
    assert told == [(HOME, 1)]


def test_the_operator_is_told_of_changes_alone() -> None:
    """A number that stands is told once; an alarm that is over is told as nought, and no other town's goes."""
    waiting = Waiting()
    with capture_logs() as lines:
        for count in (0, 2, 2, 0):
            _tell(waiting, HOME, BREACHES, count)
        for found in ({(HOME, FORKED): 1}, {(HOME, FORKED): 1}, {}):
            _tell_alarms(waiting, HOME, found)
        _tell_alarms(waiting, "norrestrand", {("norrestrand", FORKED): 1})
        _tell_alarms(waiting, HOME, {})

    assert [(line["event"], line["names"], line["kind"], line["count"]) for line in lines] == [
        ("reviews_late", HOME, BREACHES, 2), ("reviews_late", HOME, BREACHES, 0),
        ("log_alarm", HOME, FORKED, 1), ("log_alarm", HOME, FORKED, 0), ("log_alarm", "norrestrand", FORKED, 1),
    ]  # fmt: skip
    assert waiting.reviews == {(HOME, BREACHES): 0}
    assert waiting.alarms == {(HOME, FORKED): 0, ("norrestrand", FORKED): 1}
