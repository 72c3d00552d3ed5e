"""Sources, registers, OPA and PostgreSQL in trouble, each a real process or a real cable (P2, P12).

Whatever is in trouble: the others answer, a no says why, nothing is answered without its entries, withdrawals stay open
as long as the database commits, and all goes on by itself when the trouble is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from broker.adapters.database import UNREACHABLE, open_pool
from tests.troubles import (
    DATABASE_SECONDS,
    FAILURES,
    OTHERS,
    PLACES,
    REST_SECONDS,
    SICK,
    Trouble,
    answered,
    behaving,
    go_on,
    is_waiting,
    refused,
    silent,
    stop,
    world_in_trouble,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc"),
]
SOURCE, PEOPLE, CASES = f"source-{SICK}", "people", "cases-korsbaek-jobcentre-cases"
DOWN = {"store-unavailable", "log-unavailable"}
MOMENTS = {"before": "", "at the register": PEOPLE, "at the source": SOURCE}
MOST_CONNECTIONS = 2 * 16


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def trouble() -> AsyncIterator[Trouble]:
    """One world for all that follows; each test puts right what it broke."""
    async with world_in_trouble() as made:
        yield made


async def rests(trouble: Trouble) -> bool:
    """Tell whether the operator sees the sick source resting."""
    return (await trouble.metrics())["borgerbro_source_rests", f"source:{SICK}".replace(":", "=")] == 1


async def how(trouble: Trouble, word: str) -> float:
    """Count the sick source's reads that ended so."""
    return (await trouble.metrics()).get(("borgerbro_source_reads_total", f"how={word},source={SICK}"), 0.0)


async def test_a_hanging_source_takes_its_places_and_no_more(trouble: Trouble) -> None:
    """It sees as many calls at once as it has places, is named silent, and everybody else's items are there."""
    async with behaving(trouble, SOURCE, mode="silent"):
        sick = [asyncio.create_task(trouble.ask()) for _ in range(PLACES * 4)]
        healthy = await asyncio.gather(*(trouble.ask(*OTHERS) for _ in range(PLACES * 4)))
        told = await asyncio.gather(*sick)
        assert (await trouble.world.control(SOURCE))["most_inside"] == PLACES

    assert [(one.status, silent(one), answered(one)) for one in healthy] == [(200, {}, {*OTHERS})] * len(healthy)
    assert {(one.status, *answered(one)) for one in told} == {(200, *answered(healthy[0]))}
    assert {tuple(silent(one)) for one in told} == {(SICK,)}
    assert {why for one in told for why in silent(one).values()} <= {"timeout", "unreachable"}
    assert await how(trouble, "timeout") >= FAILURES
    await trouble.until_answered()


async def test_a_source_that_fails_again_and_again_is_left_alone(trouble: Trouble) -> None:
    """Its calls stop, the operator sees it rest, one try at a time goes through, and a success opens it again."""
    async with behaving(trouble, SOURCE, error=500):
        asks = await trouble.until(lambda: _asked_and_rests(trouble))
        assert asks + 1 >= FAILURES
        before, resting, began = await trouble.calls(SOURCE), await how(trouble, "resting"), time.monotonic()
        told = [await trouble.ask() for _ in range(8)]
        tries = await trouble.calls(SOURCE) - before
        # No more tries than rests have passed, and every other ask did without the source.
        assert tries <= 1 + (time.monotonic() - began) / REST_SECONDS
        assert await how(trouble, "resting") - resting == len(told) - tries
        assert tries < len(told)
        assert {tuple(silent(one)) for one in told} == {(SICK,)}
        assert all(answered(one) == {*OTHERS} for one in told)
        assert await rests(trouble)
    await trouble.until_answered()
    assert not await rests(trouble)


async def _asked_and_rests(trouble: Trouble) -> bool:
    assert silent(await trouble.ask()) != {}
    return await rests(trouble)


async def test_a_dripping_source_is_cut_at_its_deadline(trouble: Trouble) -> None:
    """Each byte comes soon after the last, and the answer never within the deadline: it is over all of it."""
    async with behaving(trouble, SOURCE, mode="drip", delay_ms=100):
        told = await trouble.ask()
    assert (told.status, silent(told), answered(told)) == (200, {SICK: "timeout"}, {*OTHERS})
    await trouble.until_answered()


async def test_a_flapping_source_is_silent_when_it_is_ill_and_there_when_it_is_well(trouble: Trouble) -> None:
    """Every second ask names it silent, and the others are there each time; not failing in a row it never rests."""
    async with behaving(trouble, SOURCE, mode="flap"):
        told = [await trouble.ask() for _ in range(2 * FAILURES)]
        assert not await rests(trouble)
    assert [silent(one) for one in told] == [{SICK: "refused"}, {}] * FAILURES
    assert [answered(one) for one in told] == [{*OTHERS}, {*OTHERS, SICK}] * FAILURES


@pytest.mark.parametrize(("what", "why"), [("refuses", "unreachable"), ("swallows", "timeout")])
async def test_a_source_that_cannot_be_reached_is_named(trouble: Trouble, what: str, why: str) -> None:
    """Refused connections and a network that swallows all: the source is named silent, the others answer."""
    cable = trouble.cables["sick"]
    await (cable.pull_out() if what == "refuses" else asyncio.sleep(0))
    if what == "swallows":
        cable.hang()
    try:
        told = await trouble.ask()
    finally:
        await cable.plug_in()
    assert (told.status, silent(told), answered(told)) == (200, {SICK: why}, {*OTHERS})
    await trouble.until_answered()


async def test_one_broken_connection_breaks_no_answer(trouble: Trouble) -> None:
    """A connection reset in the middle of a read is tried once more within the deadline, or the source is named."""
    async with behaving(trouble, SOURCE, hold=True):
        asking = asyncio.create_task(trouble.ask())
        await trouble.until(lambda: is_waiting(trouble, SOURCE))
        trouble.cables["sick"].cut()
    told = await asking
    assert told.status == 200
    assert silent(told) in ({}, {SICK: "unreachable"}, {SICK: "timeout"})
    await trouble.until_answered()


async def test_an_ask_whose_caller_has_gone_ends_with_its_outcome(trouble: Trouble) -> None:
    """Nobody waits for the answer any more: the ask is on the log with its outcome, and no read is left over."""
    before = await trouble.entries()
    async with behaving(trouble, SOURCE, hold=True):
        asking = asyncio.create_task(trouble.ask())
        await trouble.until(lambda: is_waiting(trouble, SOURCE))
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking

    async def over() -> bool:
        metrics = await trouble.metrics()
        idle = not any(value for (name, _), value in metrics.items() if name == "borgerbro_source_reads_under_way")
        return idle and (await trouble.entries()).get("outcome", 0) > before.get("outcome", 0)

    await trouble.until(over)
    assert (await trouble.entries())["ask"] == before["ask"] + 1


async def test_without_opa_no_ask_and_every_withdrawal(trouble: Trouble) -> None:
    """OPA, registers, sources and the signer stand still: asks are refused; the citizen and the desk withdraw."""
    world = trouble.world
    before, opa = await trouble.entries(), world.opa()
    assert opa is not None
    await trouble.annette()
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(behaving(trouble, PEOPLE, hold=True))
        asking = asyncio.create_task(trouble.ask())
        await trouble.until(lambda: is_waiting(trouble, PEOPLE))
        stop(opa)
        stack.callback(go_on, opa)
        await world.control(PEOPLE, "", {"hold": False})
        await refused(trouble, await asking, {"policy-unavailable"}, before)
        assert (await trouble.entries())["ask"] == before["ask"] + 1
        assert (await trouble.metrics())["borgerbro_door_answers_total", "door=policy,how=unavailable"] >= 1

        for name in (PEOPLE, CASES, *(f"source-{name}" for name in (*OTHERS, SICK))):
            await stack.enter_async_context(behaving(trouble, name, mode="silent"))
        await trouble.cables["signer"].pull_out()
        stack.push_async_callback(trouble.cables["signer"].plug_in)

        consents = trouble.acts.consents
        assert (await consents.change("withdraw", {"consent": "w1"})).status == 200
        assert await trouble.withdraw_on_page("w2") == 303
        assert (await consents.change("withdraw", {"consent": "w3", "at_desk": "lene"})).status == 200
        annette = await trouble.annette()
        given = {row["id"]: row for row in (await annette.get("/v1/me/consents")).said["consents"]}
        for name in ("w1", "w2", "w3"):
            states = {line["state"] for line in given[consents.given[name].id]["lines"]}
            assert states == {"withdrawn"}, (name, states)
        for page in ("/mine", "/mine/accesses"):
            assert (await annette.page(page)).status == 200
    await trouble.until_answered()


async def test_an_opa_of_our_own_that_dies_comes_back_without_us(trouble: Trouble) -> None:
    """Killed, it is started again while the broker runs on; what was asked meanwhile was refused or answered."""
    broker, opa = trouble.world.process(), trouble.world.opa()
    assert opa is not None
    os.kill(opa, signal.SIGKILL)
    await trouble.until_answered()
    assert trouble.world.opa() not in {None, opa}
    assert trouble.world.process() == broker


@pytest.mark.parametrize("name", [PEOPLE, CASES])
@pytest.mark.parametrize("mode", [{"mode": "silent"}, {"error": 500}, {"garbage": True}], ids=str)
async def test_a_register_in_trouble_is_a_no_that_names_it(
    trouble: Trouble, name: str, mode: dict[str, object]
) -> None:
    """No register, no decision: the refusal is on the log with the register's name, and no source was asked."""
    async with behaving(trouble, SOURCE):
        sizes = await trouble.book.sizes()
        async with behaving(trouble, name, **mode):
            told = await trouble.ask()
        assert told.status == 403
        assert {row["code"] for row in told.said["reasons"]} == {"SOURCE_UNAVAILABLE"}
        assert await trouble.calls(SOURCE) == 0
    entries = [entry for entry in await trouble.book.since(sizes) if entry.kind == "outcome"]
    assert entries
    silent_so_far = f"door={name.removeprefix('cases-')},how=unavailable"
    assert (await trouble.metrics())["borgerbro_door_answers_total", silent_so_far] >= 1
    assert {tuple((entry.body or {})["failed_registers"]) for entry in entries} == {(name.removeprefix("cases-"),)}
    await trouble.until_answered()


async def ask_into(trouble: Trouble, moment: str, break_it: Callable[[], Awaitable[None]]) -> None:
    """Break something at a moment of an ask; the ask must be refused as promised."""
    before, name = await trouble.entries(), MOMENTS[moment]
    if name:
        async with behaving(trouble, name, hold=True):
            asking = asyncio.create_task(trouble.ask(SICK))
            await trouble.until(lambda: is_waiting(trouble, name))
            await break_it()
        reply = await asking
    else:
        await break_it()
        reply = await trouble.ask(SICK)
    await refused(trouble, reply, DOWN, before)


async def recovered(trouble: Trouble) -> None:
    """See that asks go on, every one with its entries, and that no connection was left behind."""
    before = await trouble.entries()
    reply = await trouble.until_answered(SICK)
    after = await trouble.entries()
    assert answered(reply) == {SICK}
    assert after["outcome"] > before.get("outcome", 0)
    assert after["ask"] > before.get("ask", 0)

    async def quiet() -> bool:
        sessions = await trouble.sessions()
        return len(sessions) <= MOST_CONNECTIONS and set(sessions) == {"idle"}

    await trouble.until(quiet)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("which", ["main", "vault"])
async def test_a_database_that_is_gone_is_a_no(trouble: Trouble, which: str, moment: str) -> None:
    """Every connection reset and none to be had: refused with a clear problem, and all goes on when it is back."""
    cable = trouble.cables[which]
    try:
        await ask_into(trouble, moment, cable.pull_out)
    finally:
        await cable.plug_in()
    await recovered(trouble)


@pytest.mark.parametrize(("which", "moment"), [("main", "at the source"), ("vault", "at the register")])
async def test_a_database_that_hangs_holds_nobody_for_ever(trouble: Trouble, which: str, moment: str) -> None:
    """The network swallows all that is said to it: the ask and those after it end with a no in bounded time."""
    cable = trouble.cables[which]

    async def hang() -> None:
        cable.hang()

    try:
        async with asyncio.timeout(30):
            await ask_into(trouble, moment, hang)
            more = await asyncio.gather(*(trouble.ask(SICK) for _ in range(20)))
        assert {one.status for one in more} == {503}
    finally:
        await cable.plug_in()
    await recovered(trouble)


async def test_broken_connections_break_one_ask_at_most(trouble: Trouble) -> None:
    """All connections reset at once while the server lives on: asks go on over new ones."""
    for name in ("main", "vault"):
        trouble.cables[name].cut()
    await recovered(trouble)


async def test_a_server_that_stands_still_goes_on_where_it_stood(trouble: Trouble) -> None:
    """PostgreSQL stopped with all its processes (SIGSTOP) in the middle of an ask: a no, then on without restart."""
    processes = trouble.world.database_processes()
    before = await trouble.entries()
    try:
        async with behaving(trouble, SOURCE, hold=True):
            asking = asyncio.create_task(trouble.ask(SICK))
            await trouble.until(lambda: is_waiting(trouble, SOURCE))
            stop(*processes)
        reply = await asking
    finally:
        go_on(*processes)
    assert reply.status == 503
    after = await trouble.entries()
    # What was said to the server while it stood still may be done when it goes on; it told nobody, nor did we.
    assert after["ask"] == before["ask"] + 1
    assert after.get("outcome", 0) - before.get("outcome", 0) <= 2
    await recovered(trouble)


async def test_a_withdrawal_waits_for_no_node_that_stopped(trouble: Trouble) -> None:
    """A node that stands still in the middle of its transaction loses its locks, and the citizen withdraws."""
    world = trouble.world
    stopped = await open_pool(world.addresses.app, name="stopped node", largest=1, timeout_seconds=DATABASE_SECONDS)
    try:
        async with stopped.acquire() as connection:
            await connection.execute("BEGIN")
            annette = await trouble.book.handle(world.cast.cpr("annette"))
            assert await connection.fetch("SELECT * FROM consents.hold_states($1)", [annette])
            assert (await trouble.acts.consents.change("withdraw", {"consent": "w4"})).status == 200
            with pytest.raises(UNREACHABLE):
                await connection.execute("COMMIT")
    finally:
        stopped.terminate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_a_server_that_is_restarted_is_found_again(trouble: Trouble, how: signal.Signals) -> None:
    """Shut down in the middle of an ask and started again: a no, then withdrawals at once, and asks; we run on.

    After a crash the replay memory is empty: proofs older than it are refused for seconds, as they must be.
    """
    world, server, broker = trouble.world, trouble.world.databases._server, trouble.world.process()
    before = await trouble.entries()
    async with behaving(trouble, SOURCE, hold=True):
        asking = asyncio.create_task(trouble.ask(SICK))
        await trouble.until(lambda: is_waiting(trouble, SOURCE))
        os.kill(world.database_processes()[0], how)
        await asyncio.to_thread(server.stop)
    reply = await asking
    refusal = await trouble.ask(SICK)
    await asyncio.to_thread(server.start)
    await refused(trouble, reply, DOWN, before)
    assert refusal.status == 503
    consent = {signal.SIGINT: "w5", signal.SIGQUIT: "w6"}[how]
    await trouble.annette()
    assert (await trouble.acts.consents.change("withdraw", {"consent": consent})).status == 200
    await recovered(trouble)
    assert world.process() == broker
