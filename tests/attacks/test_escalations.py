"""A late after-check is escalated: once, on its day, on the log; then a leader's silence holds nothing up, openly."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from broker.domain.after_checks import ESCALATED, UNEXPLAINED, AfterCheck, AfterCheckEscalated
from broker.domain.days import DANISH_TIME
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.samples import CLOSED, EXPLAINED, REOPENED
from broker.oversight.after_checks import count_escalated, listed, opened, take
from broker.oversight.escalation import escalate_late
from demo.postgres import PrivatePostgres
from tests.after_checking import Checking, open_after_checking
from tests.attacks.test_after_checks import BOTH, CONTROLLER, DPO, LEADER, STRANGERS, WORDS, entries
from tests.sampling import an_officer
from tests.watch import COLLEAGUE, SOCIAL_UNIT, on_call

# Of noon on Monday 2019-03-04: due on Thursday, late on Friday; the leader's five days then end on the next Friday.
LATE_ON, LAST_DAY = datetime(2019, 3, 8, 9, tzinfo=DANISH_TIME), datetime(2019, 3, 15, 23, 59, tzinfo=DANISH_TIME)
OVERDUE = LAST_DAY + timedelta(minutes=1)
LED = [["korsbaek", SOCIAL_UNIT]]


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Checking]:
    """Give a house at noon of a Monday, before anybody named danger to life."""
    async with open_after_checking(postgres, tmp_path) as made:
        yield made


async def escalated(house: Checking, at: datetime, *nodes: str) -> list[int]:
    """Let nodes do what is due at a moment, all at once; leave the desk at that moment."""
    house.to(at)
    vault = house.house.databases.vault
    actors = [await vault.node(node) for node in nodes or ("one",)]
    door, clock = house.desk.after_checks, house.desk.clock
    return list(await asyncio.gather(*(escalate_late("korsbaek", actor, door, clock) for actor in actors)))


async def an_escalation(house: Checking, found: AfterCheck) -> AfterCheckEscalated:
    """Make the event that a node writes."""
    node = await house.house.databases.vault.node("one")
    return AfterCheckEscalated(
        municipality="korsbaek", subject=node, actor=node, at=LATE_ON, after_check=found.id, what=found.kind,
        unit=found.unit, requests=found.requests, due=found.due.isoformat(),
    )  # fmt: skip


async def written(house: Checking) -> list[tuple[str, Any]]:
    """Read the entries of escalations."""
    return await entries(house, "after_check.escalated")


async def test_of_two_nodes_one_writes_it_and_none_again(house: Checking) -> None:
    """Both see it late at the same moment, and every five minutes after: one entry, which names nobody."""
    call = await house.called()
    assert sum(await escalated(house, LATE_ON, "one", "two", "three")) == 1
    assert await escalated(house, LATE_ON + timedelta(days=9), "one", "two") == [0, 0]
    ((index, told),) = await written(house)
    assert (told["after_check"], told["due"], told["unit"]) == (call.id, "2019-03-07", SOCIAL_UNIT)
    assert call.id in index
    for secret in ("CANARY", call.citizen, call.caseworker, "lene"):
        assert secret not in index + json.dumps(told)


async def test_not_before_its_day(house: Checking) -> None:
    """Three Danish working days: Monday's on Friday, and what was asked in the week before Easter after nine days."""
    await house.called()
    easter = await house.called(after=timedelta(days=43), caller=on_call(id=COLLEAGUE))
    assert await escalated(house, datetime(2019, 3, 7, 23, 59, tzinfo=DANISH_TIME)) == [0]
    assert await escalated(house, datetime(2019, 3, 8, 0, 0, tzinfo=DANISH_TIME)) == [1]
    assert await escalated(house, datetime(2019, 4, 24, 23, 59, tzinfo=DANISH_TIME)) == [0]
    assert await escalated(house, datetime(2019, 4, 25, 0, 0, tzinfo=DANISH_TIME)) == [1]
    (_, told), _ = await written(house)
    assert told["after_check"] == easter.id


async def test_what_is_closed_is_not_escalated(house: Checking) -> None:
    """Closed in time, nothing is written of it; explained alone is not closed, and is."""
    done, waits = await house.called(), await house.called(caller=on_call(id=COLLEAGUE))
    for call in (done, waits):
        await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    await take(done.id, CLOSED, WORDS, CONTROLLER, house.desk)
    assert await escalated(house, LATE_ON) == [1]
    assert [told["after_check"] for _, told in await written(house)] == [waits.id]


async def test_what_is_closed_at_that_moment_is_not_escalated(house: Checking) -> None:
    """A node that saw it open waits for the closing that is under way, and then writes nothing."""
    call = await house.called()
    (seen,) = await listed(DPO, house.desk)
    event = await an_escalation(house, seen)
    other = await asyncpg.connect(house.house.databases.admin)
    closing = other.transaction()
    await closing.start()
    await other.execute("SELECT pg_advisory_xact_lock(6210782, hashtext($1))", call.id)
    await other.execute(
        "INSERT INTO break_glass.step (about, number, municipality, state, by, at, under, sealed_text)"
        " VALUES ($1, 1, 'korsbaek', 'closed', 'k', $2, '{}', NULL)", UUID(call.id), LATE_ON,
    )  # fmt: skip
    writes = asyncio.create_task(house.desk.after_checks.escalate(seen, event))
    async with asyncio.timeout(30):
        while not await house.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            await asyncio.sleep(0.01)
    await closing.commit()
    await other.close()
    with pytest.raises(Conflict):
        await writes
    assert await written(house) == []


async def test_a_step_waits_for_an_escalation_under_way(house: Checking) -> None:
    """Who closes while a node writes comes after it, so that the log tells the two in their order."""
    call = await house.called()
    await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    other = await asyncpg.connect(house.house.databases.admin)
    writing = other.transaction()
    await writing.start()
    await other.execute("SELECT pg_advisory_xact_lock(6210782, hashtext($1))", call.id)
    closes = asyncio.create_task(take(call.id, CLOSED, WORDS, CONTROLLER, house.desk))
    async with asyncio.timeout(30):
        while not await house.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            await asyncio.sleep(0.01)
    assert not closes.done()
    await writing.rollback()
    await other.close()
    await closes


async def test_again_after_it_was_opened_again(house: Checking) -> None:
    """Opened again, it has three new days and is not escalated; late again, it is, once; a stale sight is nothing."""
    call = await house.called()
    assert await escalated(house, LATE_ON) == [1]
    (stale,) = await listed(DPO, house.desk)
    event = await an_escalation(house, stale)
    await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    with pytest.raises(Conflict):
        await house.desk.after_checks.escalate(stale, event)
    await take(call.id, REOPENED, WORDS, DPO, house.desk)
    assert await listed(DPO, house.desk, state=ESCALATED) == ()
    assert await escalated(house, datetime(2019, 3, 13, 23, 0, tzinfo=DANISH_TIME)) == [0]
    with pytest.raises(Conflict):
        await house.desk.after_checks.escalate(stale, event)
    assert sorted(await escalated(house, datetime(2019, 3, 14, 1, 0, tzinfo=DANISH_TIME), "one", "two")) == [0, 1]
    assert len(await written(house)) == 2
    told = (await opened(call.id, DPO, house.desk)).after_check.history
    assert [step.state for step in told] == [ESCALATED, EXPLAINED, CLOSED, REOPENED, ESCALATED]


async def test_without_the_log_nothing_is_escalated(house: Checking) -> None:
    """What the log does not take is not kept either, and is tried again."""
    await house.called()
    admin = await asyncpg.connect(house.house.databases.admin)
    await admin.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA log FROM borgerbro_app")
    with pytest.raises(Exception, match=r"^(?!.*expected)"):
        await escalated(house, LATE_ON)
    assert await house.rows("SELECT FROM break_glass.escalation") == []
    await admin.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA log TO borgerbro_app")
    await admin.close()
    assert await escalated(house, LATE_ON) == [1]


async def test_it_is_the_dpos_to_see_and_no_strangers(house: Checking) -> None:
    """In the list and its number; another unit's leader and everybody of another municipality sees nothing of it."""
    call = await house.called()
    assert await count_escalated(DPO, house.desk) == 0
    await escalated(house, LATE_ON)
    for officer in (DPO, CONTROLLER, LEADER, BOTH):
        (one,) = await listed(officer, house.desk, state=ESCALATED)
        assert (one.id, one.escalated_at) == (call.id, LATE_ON.astimezone(UTC))
    for stranger in STRANGERS:
        assert await listed(stranger, house.desk, state=ESCALATED) == ()
        assert await count_escalated(stranger, house.desk) == 0
        with pytest.raises(NotFound):
            await opened(call.id, stranger, house.desk)
    assert await count_escalated(DPO, house.desk) == 1
    for officer in (CONTROLLER, LEADER, BOTH, an_officer("s", "styregruppe")):
        assert await count_escalated(officer, house.desk) == 0
    await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    assert await count_escalated(DPO, house.desk) == 0
    assert await listed(DPO, house.desk, state=ESCALATED) == ()


async def test_a_leaders_silence_holds_nothing_up_for_ever(house: Checking) -> None:
    """Five working days after the escalation the log controller may close, with own words; the log says how."""
    call = await house.called()
    await escalated(house, LATE_ON)
    house.to(LAST_DAY)
    assert (await opened(call.id, LEADER, house.desk)).leader_until == LAST_DAY.date()
    assert (await opened(call.id, CONTROLLER, house.desk)).step is None
    with pytest.raises(Conflict):
        await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    house.to(OVERDUE)
    assert (await opened(call.id, CONTROLLER, house.desk)).step == CLOSED
    assert (await opened(call.id, LEADER, house.desk)).step == EXPLAINED
    with pytest.raises(BadAsk):
        await take(call.id, CLOSED, None, CONTROLLER, house.desk)
    await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    assert await entries(house, "after_check.closed") == []
    ((index, told),) = await entries(house, "after_check.closed_unexplained")
    assert (told["role"], told["after_check"]) == ("logkontrollant", call.id)
    assert "CANARY" not in index + json.dumps(told)
    history = (await opened(call.id, DPO, house.desk)).after_check.history
    assert [(step.state, step.text) for step in history] == [(ESCALATED, None), (UNEXPLAINED, WORDS)]


@pytest.mark.parametrize(("officer", "error"), [
    (LEADER, NotAllowed), (DPO, NotAllowed), (BOTH, Conflict), (replace(LEADER, role="dpo"), NotAllowed),
    (an_officer("lene", "logkontrollant"), Conflict), (an_officer("s", "styregruppe"), NotAllowed),
    *((stranger, NotFound) for stranger in (an_officer("k", "logkontrollant", "norrestrand"),)),
])  # fmt: skip
async def test_nobody_closes_over_their_own_silence(house: Checking, officer: Any, error: type[Exception]) -> None:
    """Not who leads the unit, whatever else they are, not who asked it themselves, not the DPO, and no stranger."""
    call = await house.called()
    await escalated(house, LATE_ON)
    house.to(OVERDUE + timedelta(days=30))
    with pytest.raises(error):
        await take(call.id, CLOSED, WORDS, officer, house.desk)
    assert await house.rows("SELECT FROM break_glass.step") == []


async def test_late_without_an_escalation_gives_no_right(house: Checking) -> None:
    """However late, what no node wrote down nobody closes without the leader; days count from the entry."""
    call = await house.called()
    house.to(OVERDUE + timedelta(days=60))
    with pytest.raises(Conflict):
        await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    await escalated(house, OVERDUE)
    with pytest.raises(Conflict):
        await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)


async def test_an_old_escalation_gives_no_right_after_it_was_opened_again(house: Checking) -> None:
    """Opened again, the leader has their time anew, however long ago the first escalation was."""
    call = await house.called()
    await escalated(house, LATE_ON)
    house.to(OVERDUE)
    await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    await take(call.id, REOPENED, WORDS, DPO, house.desk)
    house.to(OVERDUE + timedelta(days=60))
    found = await opened(call.id, CONTROLLER, house.desk)
    assert (found.step, found.leader_until) == (None, None)
    with pytest.raises(Conflict):
        await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    assert len(await entries(house, "after_check.closed")) == 1


async def test_pages_and_faces(house: Checking) -> None:
    """The DPO reads it on their first page, in list and case; closed without the leader's words, the page says so."""
    call = await house.called()
    place = f"/dpo/break-glass/{call.id}"
    dorte, kurt = await house.house.officer(), await house.house.officer(id="kurt", role="logkontrollant")
    lise = await house.house.officer(id="lise", role="teamleder", units=LED)
    told = "ikke lukket til tiden"
    assert told not in (await dorte.get("/dpo")).text
    await escalated(house, LATE_ON)
    first = await dorte.get("/dpo")
    assert told in first.text
    assert 'href="/dpo/break-glass?state=escalated"' in first.text
    assert told not in (await kurt.get("/dpo")).text
    rows = await dorte.get("/dpo/break-glass", state="escalated")
    assert "DPO'en fik det at vide" in rows.text
    assert f'href="{place}"' in rows.text
    for reader in (dorte, lise, kurt):
        assert "For sent: DPO'en fik det at vide" in (await reader.get(place)).text
    cases = (await dorte.http.get("/v1/break-glass-cases", params={"state": "escalated"})).json()["cases"]
    assert [(one["id"], one["escalated_at"]) for one in cases] == [(call.id, "2019-03-08T08:00:00+00:00")]
    one = (await lise.http.get(f"/v1/break-glass-cases/{call.id}")).json()
    assert [step["state"] for step in one["steps"]] == [ESCALATED]
    refused = await kurt.post(place, step="closed", text="set")
    assert refused.status_code == 400
    house.to(OVERDUE)
    await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    for reader in (dorte, lise, kurt):
        assert "Lukket uden lederens ord" in (await reader.get(place)).text
    one = (await lise.http.get(f"/v1/break-glass-cases/{call.id}")).json()
    assert [step["state"] for step in one["steps"]] == [ESCALATED, UNEXPLAINED]
    assert (one["state"], one["leader_until"]) == ("closed", None)
