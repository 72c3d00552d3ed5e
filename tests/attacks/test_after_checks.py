"""After-checks of break-glass: none is missed, the right hands alone, each look logged, and nothing told too much."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.deferrals_sql import DeferralsSql
from broker.adapters.outbox_sql import OutboxSql
from broker.domain.after_checks import REPEATED, NoticeState, notice_id
from broker.domain.break_glass import BreakGlass
from broker.domain.entries import EVERYTHING as EVERY
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound, Refused
from broker.domain.personal import Personal
from broker.domain.samples import CLOSED, EXPLAINED, OPEN, REOPENED
from broker.exchange import exchange
from broker.oversight import deferral
from broker.oversight.after_checks import count_late, listed, opened, take, who
from broker.transparency.notices import Channels, send_due
from demo.postgres import PrivatePostgres
from tests.after_checking import Checking, open_after_checking
from tests.builders import CASEWORKER, CHILD, CITIZEN, NOON, a_caller, an_ask
from tests.sampling import an_officer
from tests.watch import COLLEAGUE, SOCIAL_UNIT, on_call

WORDS = Personal("CANARY fordi <b>nu</b>")
LEADER = an_officer("lise", "teamleder", "korsbaek", SOCIAL_UNIT)
CONTROLLER = an_officer("kurt", "logkontrollant")
BOTH = replace(LEADER, id=Personal("bo"), role="logkontrollant")
DPO = an_officer("dorte", "dpo")
# Lene herself, by the overseers' log-in.
LENE = replace(LEADER, id=Personal("lene"))
STRANGERS = (
    an_officer("n", "teamleder", "korsbaek", "school-office"),
    an_officer("n", "teamleder", "norrestrand", SOCIAL_UNIT),
    replace(LEADER, units=frozenset({("norrestrand", SOCIAL_UNIT)})),
    an_officer("n", "dpo", "norrestrand"),
)
LATER = timedelta(hours=2)
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Checking]:
    """Give a house at noon of a Monday, before anybody named danger to life."""
    async with open_after_checking(postgres, tmp_path) as made:
        yield made


async def entries(house: Checking, kind: str) -> list[tuple[str, Any]]:
    """Read the index rows and bodies of a kind, the newest first."""
    reader = house.house.databases.reader
    page = await reader.search(["korsbaek"], replace(EVERY, kind=kind))
    read = [await reader.entry(one.receipt, municipalities=["korsbaek"]) for one in page.entries]
    return [(json.dumps(dict(one.index)), one.body) for one in read]


async def test_each_request_is_followed_up_from_its_first_moment(house: Checking) -> None:
    """Who names danger to life has an after-check by that alone, whether anybody said yes or looked; none is missed."""
    calls = [await house.called(), await house.called(after=timedelta(minutes=1), caller=on_call(id=COLLEAGUE))]
    found = await listed(CONTROLLER, house.desk)
    assert [one.id for one in found] == [call.id for call in reversed(calls)]
    assert {(one.state, one.kind, one.unit) for one in found} == {(OPEN, "use", SOCIAL_UNIT)}


async def test_due_within_three_danish_working_days(house: Checking) -> None:
    """Monday's is due on Thursday; over Easter of 2019 six days more; opened again, it has three new ones."""
    monday = await house.called()
    easter = await house.called(after=timedelta(days=43), caller=on_call(id=COLLEAGUE))
    assert easter.requested_at.date().isoformat() == "2019-04-16"
    due = {one.id: one.due.isoformat() for one in await listed(DPO, house.desk)}
    assert due == {monday.id: "2019-03-07", easter.id: "2019-04-24"}
    for day, late in ((3, 0), (4, 1)):
        house.to(NOON + timedelta(days=day))
        assert await count_late("korsbaek", house.desk.after_checks, house.desk.clock) == late
        assert len(await listed(DPO, house.desk, state="late")) == late
    await take(monday.id, EXPLAINED, WORDS, LEADER, house.desk)
    assert await count_late("korsbaek", house.desk.after_checks, house.desk.clock) == 1
    await take(monday.id, CLOSED, WORDS, CONTROLLER, house.desk)
    assert await count_late("korsbaek", house.desk.after_checks, house.desk.clock) == 0
    await take(monday.id, REOPENED, WORDS, DPO, house.desk)
    (again,) = await listed(DPO, house.desk, state=REOPENED)
    assert again.due.isoformat() == "2019-03-13"
    assert await listed(DPO, house.desk, state="late") == ()


async def test_explained_closed_and_opened_again(house: Checking) -> None:
    """The whole way, each step by its role and on the log; words and citizen stand in no entry, words in no row."""
    call = await house.called()
    await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    await take(call.id, REOPENED, WORDS, DPO, house.desk)
    found = await opened(call.id, LEADER, house.desk)
    assert [step.state for step in found.after_check.steps] == [EXPLAINED, CLOSED, REOPENED]
    assert (found.step, found.after_check.steps[0].text) == (EXPLAINED, WORDS)
    for kind in ("after_check.explained", "after_check.closed", "after_check.reopened", "after_check.read"):
        ((index, told),) = await entries(house, kind)
        assert call.id in index
        for secret in ("CANARY", call.citizen, call.caseworker):
            assert secret not in index + json.dumps(told)
    rows = await house.rows("SELECT sealed_text FROM break_glass.step")
    assert len(rows) == 3
    assert all(b"CANARY" not in row["sealed_text"] for row in rows)


async def test_it_is_read_on_the_log_before_it_is_shown(house: Checking) -> None:
    """Where the log takes nothing, nothing is opened and nobody is named."""
    call = await house.called()

    class Silent:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError(name)

    closed = replace(house.desk, reader=Silent(), emergencies=Silent())
    with pytest.raises(ConnectionError):
        await opened(call.id, CONTROLLER, closed)
    assert len(await entries(house, "after_check.read")) == 1


@pytest.mark.parametrize(("officer", "step", "error"), [
    (LEADER, CLOSED, NotAllowed), (LEADER, REOPENED, NotAllowed),
    (CONTROLLER, EXPLAINED, NotAllowed), (CONTROLLER, CLOSED, Conflict), (CONTROLLER, REOPENED, NotAllowed),
    (BOTH, CLOSED, Conflict), (replace(BOTH, role="dpo"), EXPLAINED, NotAllowed),
    (DPO, EXPLAINED, NotAllowed), (DPO, CLOSED, NotAllowed), (DPO, REOPENED, Conflict),
    (LEADER, "open", BadAsk), (LEADER, "late", BadAsk), (LEADER, "", BadAsk),
    (an_officer("s", "styregruppe"), EXPLAINED, NotAllowed),
    (LENE, EXPLAINED, Conflict),
    *((stranger, EXPLAINED, NotFound) for stranger in STRANGERS[:3]), (STRANGERS[3], EXPLAINED, NotAllowed),
])  # fmt: skip
async def test_nobody_takes_a_step_that_is_not_theirs(house: Checking, officer: Any, step: str, error: Any) -> None:
    """Another's role, unit, municipality or turn, and one's own request: nothing is kept and nothing is on the log."""
    call = await house.called()
    with pytest.raises(error):
        await take(call.id, step, WORDS, officer, house.desk)
    assert await house.rows("SELECT FROM break_glass.step") == []
    assert await entries(house, "after_check.explained") == []


async def test_what_one_may_not_see_is_not_there(house: Checking) -> None:
    """Lists and openings of another unit or municipality are those of nothing, also for ids nobody gave."""
    call = await house.called()
    for stranger in STRANGERS:
        assert await listed(stranger, house.desk) == ()
        for wanted in (call.id, NOWHERE, "x", "\x00", "1" * 4000):
            with pytest.raises(NotFound):
                await opened(wanted, stranger, house.desk)
    for role in ("styregruppe", "systemforvalter", "sagsbehandler", ""):
        with pytest.raises(NotAllowed):
            await listed(an_officer("s", role), house.desk)
        with pytest.raises(NotAllowed):
            await opened(call.id, an_officer("s", role), house.desk)
    assert await entries(house, "after_check.read") == []


async def test_both_roles_explain_and_do_not_close_what_they_explained(house: Checking) -> None:
    """A log controller who leads the unit explains there, as its leader; then another closes. Elsewhere they close."""
    call = await house.called()
    assert (await opened(call.id, BOTH, house.desk)).step == EXPLAINED
    await take(call.id, EXPLAINED, WORDS, BOTH, house.desk)
    ((_, told),) = await entries(house, "after_check.explained")
    assert told["role"] == "teamleder"
    assert (await opened(call.id, BOTH, house.desk)).step is None
    with pytest.raises(Conflict):
        await take(call.id, CLOSED, WORDS, BOTH, house.desk)
    await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    other = await house.called(after=timedelta(hours=1))
    await take(other.id, EXPLAINED, WORDS, LEADER, house.desk)
    await take(other.id, CLOSED, WORDS, BOTH, house.desk)


async def test_of_two_at_once_one_is_kept(house: Checking) -> None:
    """Two leaders explain at the same moment: one is told that it was done, and one entry stands."""
    call, other = await house.called(), replace(LEADER, id=Personal("lars"))
    done = await asyncio.gather(*(take(call.id, EXPLAINED, WORDS, leader, house.desk) for leader in (LEADER, other)),
                                return_exceptions=True)  # fmt: skip
    assert sum(isinstance(result, Conflict) for result in done) == 1
    assert len(await entries(house, "after_check.explained")) == 1


async def test_the_leader_learns_who_it_was_and_nobody_else(house: Checking) -> None:
    """Told to the leader of that very unit, while it waits for them, after the log says so; to nobody else at all."""
    call = await house.called()
    for officer, error in (*((stranger, NotFound) for stranger in STRANGERS), (CONTROLLER, NotAllowed),
                           (DPO, NotAllowed), (replace(LEADER, role="dpo"), NotAllowed),
                           (an_officer("s", "styregruppe"), NotAllowed), (LENE, Conflict)):  # fmt: skip
        with pytest.raises(error):
            await who(call.id, officer, house.desk)
    assert await entries(house, "employee.disclosed") == []
    assert (await opened(call.id, LEADER, house.desk)).may_learn_who
    assert (await who(call.id, LEADER, house.desk)).id.disclose() == "lene"
    written = await entries(house, "employee.disclosed")
    assert len(written) == 1
    index, told = written[0]
    assert (told["reason"], told["review"], told["employee"]) == ("break-glass review", call.id, call.caseworker)
    assert "lene" not in index + json.dumps(told)
    assert call.citizen not in index + json.dumps(told)
    assert (await who(call.id, BOTH, house.desk)).id.disclose() == "lene"
    await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    with pytest.raises(Conflict):
        await who(call.id, LEADER, house.desk)


async def test_both_roles_learn_who_where_they_lead_alone(house: Checking) -> None:
    """A log controller who leads some other unit closes here, and is not told who it was."""
    call = await house.called()
    elsewhere = replace(BOTH, units=frozenset({("korsbaek", "school-office")}))
    with pytest.raises(Conflict):
        await who(call.id, elsewhere, house.desk)
    assert not (await opened(call.id, elsewhere, house.desk)).may_learn_who
    assert await entries(house, "employee.disclosed") == []


async def test_three_in_thirty_days_are_looked_at_together(house: Checking) -> None:
    """The third opens an after-check that names the three; a fourth counts anew, and others' do not count."""
    calls = [await house.called(after=timedelta(days=days), citizen=CHILD if days else CITIZEN) for days in (0, 29)]
    await house.called(after=timedelta(days=29), caller=on_call(id=COLLEAGUE))
    assert all(one.kind != REPEATED for one in await listed(DPO, house.desk))
    calls.append(await house.called(after=timedelta(days=29, hours=1)))
    await house.called(after=timedelta(days=29, hours=2))
    (together,) = [one for one in await listed(DPO, house.desk) if one.kind == REPEATED]
    assert together.requests == tuple(call.id for call in calls)
    assert together.unit == SOCIAL_UNIT
    for text, officer, step in (("en", LEADER, EXPLAINED), ("to", CONTROLLER, CLOSED)):
        await take(together.id, step, Personal(text), officer, house.desk)
    found = await opened(together.id, DPO, house.desk)
    assert [seen.request.id for seen in found.requests] == [call.id for call in calls]
    assert [step.text and step.text.disclose() for step in found.after_check.steps] == ["en", "to"]
    assert found.step == REOPENED


async def test_a_leader_sees_of_three_what_is_of_their_unit(house: Checking) -> None:
    """Who is on call for two units is counted over both; each leader sees what is of their own, the overseers all."""
    for hours, unit in enumerate(("jobcentre", SOCIAL_UNIT, SOCIAL_UNIT)):
        await house.called(after=timedelta(hours=hours), caller=on_call(unit=unit))
    (together,) = [one for one in await listed(LEADER, house.desk) if one.kind == REPEATED]
    seen = (await opened(together.id, LEADER, house.desk)).requests
    assert [one.request.unit for one in seen] == [SOCIAL_UNIT, SOCIAL_UNIT]
    assert len((await opened(together.id, CONTROLLER, house.desk)).requests) == 3
    other = an_officer("jens", "teamleder", "korsbaek", "jobcentre")
    assert {one.kind for one in await listed(other, house.desk)} == {"use"}
    with pytest.raises(NotFound):
        await opened(together.id, other, house.desk)


async def test_three_a_month_apart_are_three(house: Checking) -> None:
    """What lies thirty days back or more is not counted with what is new."""
    for days in (0, 30, 59):
        await house.called(after=timedelta(days=days))
    assert all(one.kind != REPEATED for one in await listed(DPO, house.desk))


async def test_of_many_at_once_none_is_counted_twice_or_missed(house: Checking) -> None:
    """Six at the same moment make two after-checks of three each, as six in a row would."""
    await asyncio.gather(*(house.called() for _ in range(6)))
    together = [one for one in await listed(DPO, house.desk) if one.kind == REPEATED]
    assert len(together) == 2
    assert len({request for one in together for request in one.requests}) == 6


async def test_words_go_with_the_citizen_and_it_can_still_be_closed(house: Checking) -> None:
    """Once the citizen is erased, words are gone, none can be added, and a log controller alone closes without any."""
    call, other = await house.called(), await house.called(after=timedelta(hours=1), citizen=CHILD)
    await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    with pytest.raises(BadAsk):
        await take(call.id, CLOSED, None, CONTROLLER, house.desk)
    await house.erase(call.citizen)
    found = await opened(call.id, CONTROLLER, house.desk)
    assert ([step.text for step in found.after_check.steps], found.after_check.erased) == ([None], True)
    with pytest.raises(Conflict, match="citizen_erased"):
        await take(call.id, CLOSED, WORDS, CONTROLLER, house.desk)
    await take(call.id, CLOSED, None, CONTROLLER, house.desk)
    with pytest.raises(Conflict):
        await take(call.id, REOPENED, None, DPO, house.desk)
    await house.erase(other.citizen)
    for officer, step in ((LEADER, EXPLAINED), (LEADER, CLOSED), (DPO, CLOSED)):
        with pytest.raises((Conflict, NotAllowed)):
            await take(other.id, step, None, officer, house.desk)
    with pytest.raises(Conflict):
        await who(other.id, LEADER, house.desk)
    await take(other.id, CLOSED, None, CONTROLLER, house.desk)
    assert {one.state for one in await listed(DPO, house.desk)} == {CLOSED}


async def test_one_erased_citizen_of_three_stops_no_review(house: Checking) -> None:
    """What was written of the three goes with any of them; what is written later lies under those who are left."""
    calls = [await house.called(after=timedelta(hours=n), citizen=CHILD if n else CITIZEN) for n in range(3)]
    (together,) = [one for one in await listed(DPO, house.desk) if one.kind == REPEATED]
    await take(together.id, EXPLAINED, WORDS, LEADER, house.desk)
    await house.erase(calls[0].citizen)
    await take(together.id, CLOSED, WORDS, CONTROLLER, house.desk)
    found = (await opened(together.id, DPO, house.desk)).after_check
    assert [step.text for step in found.steps] == [None, WORDS]
    await house.erase(calls[1].citizen)
    found = (await opened(together.id, DPO, house.desk)).after_check
    assert ([step.text for step in found.steps], found.erased) == ([None, None], True)


async def test_what_was_decided_and_done_stands_there(house: Checking) -> None:
    """The holder's answer, each line of the log on the request, and that no case ties the two as yet."""
    call = await house.called()
    await house.night.say("yes", call)
    await house.night.ask(call)
    (seen,) = (await opened(call.id, DPO, house.desk)).requests
    assert [answer.said for answer in seen.request.answers] == ["yes"]
    kinds = [line.kind for line in seen.lines]
    assert sorted(kinds) == ["break_glass.decided", "break_glass.requested", "outcome"]
    assert all(line.body is None for line in seen.lines)
    assert seen.relation.state == "not_yet"
    house.to(NOON + timedelta(days=31))
    (seen,) = (await opened(call.id, DPO, house.desk)).requests
    assert seen.relation.state == "none"


@pytest.mark.parametrize(("days", "state"), [(-29, "before"), (0, "before"), (2, "later"), (-31, "not_yet")])
async def test_a_case_that_ties_the_two(house: Checking, days: int, state: str) -> None:
    """Told by the registers at an access of hers within 30 days, before or after; what lies further back is nothing."""
    at = NOON + timedelta(days=days)
    with contextlib.suppress(Refused):
        await exchange(an_ask(), a_caller(), replace(house.house.ports, clock=FixedClock(at)))
    call = await house.called(caller=on_call(id=CASEWORKER))
    house.to(NOON + timedelta(days=3))
    (seen,) = (await opened(call.id, LEADER, house.desk)).requests
    assert seen.relation.state == state
    assert (seen.relation.at == at) is (state != "not_yet")
    await house.erase(call.citizen)
    (seen,) = (await opened(call.id, LEADER, house.desk)).requests
    assert seen.relation.state == "not_yet"


class Post:
    """Digital Post that takes everything."""

    name = "digital_post"

    async def send(self, notice: Any) -> None:
        """Take it."""


async def notice_of(house: Checking, call: BreakGlass, officer: Any = DPO) -> Any:
    """Read how the citizen's notice stands."""
    (seen,) = (await opened(call.id, officer, house.desk)).requests
    return seen.notice


async def test_the_citizens_letter(house: Checking) -> None:
    """It waits, then it was sent, by which way and when, as the log has it; or it waits for somebody to write it."""
    call, other = await house.called(), await house.called(after=timedelta(hours=1), citizen=CHILD)
    assert (await notice_of(house, call)).state == "waits"
    databases = house.house.databases
    outbox = OutboxSql(databases.pool, databases.log, databases.vault)
    node = await databases.vault.node("n")
    await send_due("korsbaek", node, Channels(Post()), outbox, FixedClock(NOON + timedelta(minutes=5)))
    sent = await notice_of(house, call)
    assert (sent.state, sent.channel, sent.at) == ("sent", "digital_post", NOON + timedelta(minutes=5))
    await send_due("korsbaek", node, Channels(), outbox, FixedClock(NOON + timedelta(hours=2)))
    assert (await notice_of(house, other)).state == "on_paper"
    assert notice_id(call.id) != call.id


async def test_a_letter_that_the_law_puts_off(house: Checking) -> None:
    """It is put off, until when and on which ground; the leader, whose unit it may be about, is told of no letter."""
    databases = house.house.databases
    desk = deferral.Desk(
        FixedClock(NOON), databases.vault, house.house.ports, DeferralsSql(databases.pool, databases.log)
    )
    wish = deferral.Wish(CITIZEN, SOCIAL_UNIT, "dbl22_2", date(2019, 3, 31))
    asked = await deferral.ask(wish, an_officer("d1", "dpo"), desk)
    await deferral.approve(asked.id, CITIZEN, an_officer("d2", "dpo"), desk)
    call = await house.called(after=timedelta(hours=1))
    told = await notice_of(house, call)
    assert (told.state, told.ground, told.at.date().isoformat()) == ("put_off", "dbl22_2", "2019-03-31")
    for leader in (LEADER, BOTH):
        assert await notice_of(house, call, leader) == NoticeState("undisclosed")


async def test_who_leads_the_unit_cannot_tell_a_letter_that_is_put_off(house: Checking) -> None:
    """A letter that left and one that the law holds back look alike to who leads the unit: neither is told of."""
    databases = house.house.databases
    desk = deferral.Desk(
        FixedClock(NOON), databases.vault, house.house.ports, DeferralsSql(databases.pool, databases.log)
    )
    asked = await deferral.ask(
        deferral.Wish(CITIZEN, SOCIAL_UNIT, "dbl22_2", date(2019, 3, 31)), an_officer("d1", "dpo"), desk
    )
    await deferral.approve(asked.id, CITIZEN, an_officer("d2", "dpo"), desk)
    calls = [await house.called(after=timedelta(hours=1), citizen=citizen) for citizen in (CITIZEN, CHILD)]
    outbox = OutboxSql(databases.pool, databases.log, databases.vault)
    await send_due("korsbaek", await databases.vault.node("n"), Channels(Post()), outbox, FixedClock(NOON + LATER))
    states = [(await notice_of(house, call)).state for call in calls]
    assert states == ["put_off", "sent"]
    for name, role in (("lise", "teamleder"), ("bo", "logkontrollant")):
        seen = await house.house.officer(id=name, role=role, units=[["korsbaek", SOCIAL_UNIT]])
        told = [(await seen.http.get(f"/v1/break-glass-cases/{call.id}")).json() for call in calls]
        pages = [(await seen.get(f"/dpo/break-glass/{call.id}")).text for call in calls]
        assert [body["uses"][0]["notice"] for body in told] == [{"state": "undisclosed", "at": None}] * 2
        assert not any("Brevet til borgeren" in page for page in pages)
    page = await house.house.officer(id="kurt", role="logkontrollant")
    assert "Brevet til borgeren" in (await page.get(f"/dpo/break-glass/{calls[0].id}")).text


async def test_pages_and_faces(house: Checking) -> None:
    """From the list to closed, on pages and by JSON: what is written never runs, and no handle of anybody is shown."""
    call = await house.called()
    await house.night.say("no", call)
    led = [["korsbaek", SOCIAL_UNIT]]
    lise = await house.house.officer(id="lise", role="teamleder", name="Lise", units=led)
    kurt, dorte = await house.house.officer(id="kurt", role="logkontrollant"), await house.house.officer()
    page, place = await lise.get("/dpo/break-glass"), f"/dpo/break-glass/{call.id}"
    assert f'href="{place}"' in page.text
    case = await lise.get(place)
    assert "Nej" in case.text
    assert "lene" not in case.text
    assert "CANARY" not in case.text
    named = await lise.post(place + "/who")
    assert (named.status_code, "lene" in named.text) == (200, True)
    assert "lene" not in (await lise.get(place)).text
    empty = await lise.post(place, step="explained", text=" ")
    none = await lise.post(place, step="explained")
    assert (empty.status_code, none.status_code) == (400, 400)
    done = await lise.send(place, step="explained", text=WORDS.disclose())
    assert "&lt;b&gt;nu" in done.text
    again = await lise.post(place, step="explained", text="igen")
    assert (again.status_code, "En anden har allerede taget" in again.text) == (400, True)
    assert (await lise.post(place + "/who")).status_code == 400
    await kurt.get(place)
    assert (await kurt.post(place, csrf="wrong", step="closed", text="set")).status_code == 403
    assert (await kurt.post(place + "/who", csrf="wrong")).status_code == 403
    assert "Lukket" in (await kurt.send(place, step="closed", text="set")).text
    told = (await dorte.http.get(f"/v1/break-glass-cases/{call.id}")).json()
    assert (told["state"], told["your_step"], len(told["steps"])) == ("closed", "reopened", 2)
    assert [holder["said"] for holder in told["uses"][0]["holders"]] == ["no"]
    rows = (await dorte.http.get("/v1/break-glass-cases", params={"state": "closed"})).json()
    assert ([row["id"] for row in rows["cases"]], rows["next"]) == ([call.id], None)
    for answer in (page.text, case.text, named.text, done.text, json.dumps(told), json.dumps(rows)):
        assert call.citizen not in answer
        assert call.caseworker not in answer


async def test_the_same_powers_by_json(house: Checking) -> None:
    """Who it was, the explanation and the refusal by JSON; other people's sessions stay outside."""
    call = await house.called()
    lise = await house.house.officer(id="lise", role="teamleder", units=[["korsbaek", SOCIAL_UNIT]])
    await lise.get("/dpo/break-glass")
    token = {"X-CSRF-Token": lise.csrf}
    place = f"/v1/break-glass-cases/{call.id}"
    assert (await lise.http.post(place + "/employee")).status_code == 403
    named = await lise.http.post(place + "/employee", headers=token)
    assert named.json() == {"issuer": "https://idp.korsbaek", "id": "lene", "name": None}
    body = {"state": "explained", "text": "derfor"}
    assert (await lise.http.post(place + "/steps", json=body, headers=token)).status_code == 200
    assert (await lise.http.post(place + "/steps", json=body, headers=token)).status_code == 409
    for bad in (
        {"state": "late", "text": "x"},
        {"state": "closed", "text": ""},
        {"state": "closed", "text": "x" * 2001},
    ):
        assert (await lise.http.post(place + "/steps", json=bad, headers=token)).status_code == 400
    for other in (await house.house.citizen(), await house.house.caseworker(), house.house.stranger()):
        assert (await other.http.get(place)).status_code == 401
        assert (await other.http.get("/dpo/break-glass", headers={"accept": "application/json"})).status_code == 401


async def test_unknown_and_forbidden_ids_answer_alike(house: Checking) -> None:
    """One of another unit and one that there is not give the same bytes, on the pages, the forms and the API."""
    call = await house.called()
    other = await house.house.officer(id="o", role="teamleder", units=[["korsbaek", "school-office"]])
    await other.get("/dpo/break-glass")

    async def tried(name: str) -> list[tuple[int, str]]:
        token = {"X-CSRF-Token": other.csrf}
        answers = [
            await other.get(f"/dpo/break-glass/{name}"),
            await other.post(f"/dpo/break-glass/{name}", step="explained", text="x"),
            await other.post(f"/dpo/break-glass/{name}/who"),
            await other.http.get(f"/v1/break-glass-cases/{name}"),
            await other.http.post(f"/v1/break-glass-cases/{name}/employee", headers=token),
            await other.http.post(f"/v1/break-glass-cases/{name}/steps", json={"state": "explained", "text": "x"},
                                  headers=token),
        ]  # fmt: skip
        return [(answer.status_code, re.sub(name + r"|[0-9a-f]{32}", "", answer.text)) for answer in answers]

    assert await tried(call.id) == await tried(NOWHERE)
    assert {status for status, _ in await tried(call.id)} == {404}


async def test_late_ones_stand_first(house: Checking) -> None:
    """On the first page, what is late stands on top and once; a list asked for by state holds that state alone."""
    old = await house.called()
    new = await house.called(after=timedelta(hours=1), caller=on_call(id=COLLEAGUE))
    await take(new.id, EXPLAINED, WORDS, LEADER, house.desk)
    dorte = await house.house.officer()
    text = (await dorte.get("/dpo/break-glass")).text
    assert "For sent</h2>" not in text
    assert await listed(DPO, house.desk, state="late") == ()
    house.to(NOON + timedelta(days=7))
    assert {one.id for one in await listed(DPO, house.desk, state="late")} == {old.id, new.id}
    assert [one.id for one in await listed(DPO, house.desk, state=OPEN)] == [old.id]


async def test_pages_go_on_behind_a_mark_and_neither_skip_nor_repeat(house: Checking) -> None:
    """By ones, the whole list comes, each once, of the same second too; a mark that is not theirs leads nowhere."""
    for _ in range(4):
        await house.called()
    everything = [one.id for one in await listed(DPO, house.desk)]
    found, after = list[str](), None
    while page := await listed(DPO, house.desk, after=after, limit=1):
        found.append(page[0].id)
        after = page[0].id
    assert (found, len(found)) == (everything, 5)
    assert await listed(DPO, house.desk, after=NOWHERE) == ()
    with pytest.raises(NotFound):
        await listed(DPO, house.desk, after="x")


@pytest.mark.parametrize("statement", [
    "UPDATE break_glass.step SET state = 'closed'", "DELETE FROM break_glass.step",
    "DELETE FROM break_glass.repeated_use", "UPDATE break_glass.repeated SET caseworker = 'x'",
    "DELETE FROM break_glass.request",
])  # fmt: skip
async def test_nothing_of_it_is_changed_or_deleted(house: Checking, statement: str) -> None:
    """Not even the superuser changes a request, a step or who was counted, while the fences stand."""
    for hour in range(3):
        call = await house.called(after=timedelta(hours=hour))
    await take(call.id, EXPLAINED, WORDS, LEADER, house.desk)
    with pytest.raises(Exception, match="not changed"):
        await house.rows(statement)
