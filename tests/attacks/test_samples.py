"""Samples: drawn so that nobody can choose, done again by who doubts it, worked through by the right hands alone."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.clock_system import FixedClock
from broker.domain.asks import Key
from broker.domain.days import DANISH_TIME
from broker.domain.decisions import Verdict
from broker.domain.directory import Unit
from broker.domain.draw import draw, head_for, key_of
from broker.domain.entries import EVERYTHING as EVERY
from broker.domain.entries import LogEntry
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.led import OF_THE_UNITS_WORK, led_entry, led_sample
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.domain.samples import CLOSED, EXPLAINED, OPEN, REOPENED, Sample
from broker.domain.sightings import TESTS
from broker.oversight import samples
from broker.oversight.reviews import coverage, listed, opened, take, who
from demo.postgres import PrivatePostgres
from tests.sampling import APRIL, EMPLOYER, MONTH, Sampling, an_officer, open_sampling

WORDS = Personal("CANARY fordi <b>nu</b>")
LEADER = an_officer("lise", "teamleder", "korsbaek", "jobcentre", "social-centre")
CONTROLLER = an_officer("kurt", "logkontrollant")
DPO = an_officer("dorte", "dpo")
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Sampling]:
    """Give a house in which nothing was drawn yet."""
    async with open_sampling(postgres, tmp_path) as made:
        yield made


async def superuser(house: Sampling, statement: str, *values: Any) -> None:
    """Do what no role of ours may."""
    connection = await asyncpg.connect(house.house.databases.admin)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def body(house: Sampling, kind: str) -> tuple[str, Any]:
    """Read the index row and the body of the last entry of a kind."""
    page = await house.house.databases.reader.search(["korsbaek"], replace(EVERY, kind=kind))
    entry = await house.house.databases.reader.entry(page.entries[0].receipt, municipalities=["korsbaek"])
    return json.dumps(dict(entry.index)), entry.body


async def test_a_draw_can_be_done_again_from_the_log_alone(house: Sampling) -> None:
    """Two a unit, by the seed committed before and the first head after; the log says all, and verifying agrees."""
    wanted, drawn = await house.drawn()
    index, told = await body(house, "sample.drawn")
    by_hand = draw(key_of(bytes.fromhex(told["seed"]), bytes.fromhex(told["head_root"])), wanted.seeded.log,
                   await house.desk.accesses.draw_from("korsbaek", wanted.seeded.log, wanted.terms.since,
                                                       wanted.terms.until), 2)  # fmt: skip
    chance = {(one.unit, one.about.index) for one in drawn if one.how == "random"}
    assert chance == {(unit, entry) for unit, entries in by_hand.drawn.items() for entry in entries}
    assert len(chance) == 4
    assert dict(map(tuple, told["accesses"])) == {"jobcentre": 12, "social-centre": 7}
    assert told["seed"] not in index
    verified = await samples.verify_round(wanted, house.desk)
    assert (verified.accesses, verified.drawn, verified.faults) == (19, 4, ())


async def test_the_seed_is_committed_and_not_shown_before(house: Sampling) -> None:
    """Before the draw, neither log nor table holds the seed; what the log has of it is its SHA-256."""
    wanted = await house.seeded()
    _, told = await body(house, "sample.seeded")
    secret = await house.desk.samples.seed_of(wanted)
    assert told["commitment"] == wanted.terms.commitment
    assert secret.hex() not in json.dumps(told)
    admin = await asyncpg.connect(house.house.databases.admin)
    rows = await admin.fetch("SELECT r::text AS row FROM samples.round r")
    await admin.close()
    assert all(secret.hex() not in row["row"] for row in rows)


async def test_nobody_draws_until_it_suits_them(house: Sampling) -> None:
    """A month is committed once and drawn once, of two at the same moment one; not while it runs, nor unsigned."""
    both = await asyncio.gather(house.seeded(), house.seeded(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Conflict", "Round"]
    wanted = await samples.round_of("korsbaek", MONTH, house.desk)
    assert wanted is not None
    with pytest.raises(Conflict, match="month_runs"):
        await samples.draw_round(wanted, house.actor, house.desk)
    await house.accesses(5)
    house.later(days=40)
    with pytest.raises(Conflict, match="not_signed"):
        await samples.draw_round(wanted, house.actor, house.desk)
    await house.sign()
    twice = (samples.draw_round(wanted, house.actor, house.desk) for _ in range(2))
    done = await asyncio.gather(*twice, return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in done) == 1
    again = await samples.round_of("korsbaek", MONTH, house.desk)
    assert again is not None
    with pytest.raises(Conflict, match="already_drawn"):
        await samples.draw_round(again, house.actor, house.desk)
    assert (await samples.verify_round(again, house.desk)).faults == ()


async def test_only_the_month_that_runs_takes_a_commitment(house: Sampling) -> None:
    """No other month is committed: who knows its accesses already, or fixes the terms of a year ahead, would choose."""
    for month in ("2018-12", "2019-02", "2019-04", "2020-01"):
        with pytest.raises(Conflict, match="another_month"):
            await samples.seed("korsbaek", month, house.actor, house.desk)
    for month in ("2019-13", "2019-3", "x", "2019-03\x00", "２０１９-03"):
        with pytest.raises(ValueError, match="month"):
            await samples.seed("korsbaek", month, house.actor, house.desk)


async def test_accesses_that_come_late_change_no_verdict(house: Sampling) -> None:
    """What reaches the log behind the head that the draw goes by is not in it, and nobody is accused for it."""
    wanted, _ = await house.drawn()
    await house.accesses(3, "jobcentre")
    await house.sign()
    assert (await samples.verify_round(wanted, house.desk)).faults == ()


@pytest.mark.parametrize(("statement", "fault"), [
    ("DELETE FROM samples.step; DELETE FROM samples.sample WHERE how = 'random'", "samples_differ"),
    ("UPDATE samples.round SET per_unit = 3", "terms_differ"),
    ("UPDATE samples.round SET commitment = repeat('0', 64)", "terms_differ"),
    ("DELETE FROM log.checkpoint", "head_not_signed"),
    ("DELETE FROM log.index WHERE kind = 'outcome' AND idx % 2 = 0", "accesses_differ"),
    ("UPDATE samples.drawn SET line = line - 1", "entry_changed"),
])  # fmt: skip
async def test_who_bends_a_draw_is_found(house: Sampling, statement: str, fault: str) -> None:
    """Whoever changes terms, samples, heads or accesses behind our back is named by doing the draw again."""
    wanted, _ = await house.drawn()
    await superuser(house, statement)
    found = next(one for one in await house.desk.samples.rounds("korsbaek") if one.id == wanted.id)
    assert fault in (await samples.verify_round(found, house.desk)).faults


async def test_a_later_head_is_not_taken_for_the_first(house: Sampling) -> None:
    """A head that covers all but is not the first gives another draw, and would be found."""
    wanted, _ = await house.drawn()
    await house.accesses(1, "social-centre")
    await house.sign()
    heads = await house.desk.accesses.heads(wanted.seeded.log, 0)
    assert len(heads) >= 2
    _, told = await body(house, "sample.drawn")
    first = head_for(heads, wanted.seeded.index, told["head_size"] - 1)
    assert first is not None
    assert first.size == told["head_size"]
    assert max(head.size for head in heads) > first.size


async def the_first(house: Sampling) -> Sample:
    """Draw, and give a sample of the jobcentre."""
    _, drawn = await house.drawn()
    return next(one for one in drawn if one.unit == "jobcentre")


async def test_explained_closed_and_opened_again(house: Sampling) -> None:
    """The whole way, each step by its role and on the log; the coverage counts it, and the words are sealed."""
    one = await the_first(house)
    await take(one.id, EXPLAINED, WORDS, LEADER, house.work)
    await take(one.id, CLOSED, WORDS, CONTROLLER, house.work)
    (row,) = (row for row in await coverage(DPO, house.work) if row.unit == "jobcentre")
    assert (row.accesses, row.explained, row.closed) == (12, 1, 1)
    await take(one.id, REOPENED, WORDS, DPO, house.work)
    found = await opened(one.id, LEADER, house.work)
    assert [step.state for step in found.sample.steps] == [EXPLAINED, CLOSED, REOPENED]
    assert found.step == EXPLAINED
    assert found.sample.steps[0].text == WORDS
    for kind in ("sample.explained", "sample.closed", "sample.reopened", "sample.read"):
        index, told = await body(house, kind)
        assert one.id in index
        assert "CANARY" not in json.dumps(told)
        assert one.citizen not in index + json.dumps(told)
    admin = await asyncpg.connect(house.house.databases.admin)
    rows = await admin.fetch("SELECT sealed_text FROM samples.step")
    await admin.close()
    assert all(b"CANARY" not in row["sealed_text"] for row in rows)


@pytest.mark.parametrize(("officer", "step", "error"), [
    (LEADER, CLOSED, NotAllowed), (LEADER, REOPENED, NotAllowed),
    (CONTROLLER, EXPLAINED, NotAllowed), (CONTROLLER, CLOSED, Conflict), (CONTROLLER, REOPENED, NotAllowed),
    (DPO, EXPLAINED, NotAllowed), (DPO, CLOSED, NotAllowed), (DPO, REOPENED, Conflict),
    (LEADER, "open", BadAsk), (LEADER, "", BadAsk),
    (an_officer("s", "styregruppe"), EXPLAINED, NotAllowed),
    (an_officer("n", "teamleder", "korsbaek"), EXPLAINED, NotFound),
    (an_officer("n", "teamleder", "korsbaek", "school-office"), EXPLAINED, NotFound),
    (an_officer("n", "teamleder", "norrestrand", "jobcentre"), EXPLAINED, NotFound),
    (replace(LEADER, units=frozenset({("norrestrand", "jobcentre")})), EXPLAINED, NotFound),
    (an_officer("n", "logkontrollant", "norrestrand"), CLOSED, NotFound),
    (replace(LEADER, id=Personal("lene")), EXPLAINED, Conflict),
])  # fmt: skip
async def test_nobody_takes_a_step_that_is_not_theirs(house: Sampling, officer: Any, step: str, error: Any) -> None:
    """Another's role, unit, municipality or turn, and one's own access: nothing is kept and nothing is on the log."""
    one = await the_first(house)
    with pytest.raises(error):
        await take(one.id, step, WORDS, officer, house.work)
    assert (await house.desk.samples.by_id(one.id, ["korsbaek"])).steps == ()


async def test_what_one_may_not_see_is_not_there(house: Sampling) -> None:
    """Lists, coverage and openings of another unit or municipality are those of nothing, also for ids nobody gave."""
    one = await the_first(house)
    for stranger in (an_officer("n", "teamleder", "korsbaek", "school-office"), an_officer("n", "dpo", "norrestrand")):
        assert await listed(stranger, house.work) == ()
        assert await coverage(stranger, house.work) == ()
        for wanted in (one.id, NOWHERE, "x", "\x00", "1" * 4000):
            with pytest.raises(NotFound):
                await opened(wanted, stranger, house.work)
    mine = await listed(an_officer("l", "teamleder", "korsbaek", "jobcentre"), house.work)
    assert {sample.unit for sample in mine} == {"jobcentre"}
    with pytest.raises(NotAllowed):
        await listed(an_officer("s", "systemforvalter"), house.work)


async def test_of_two_at_once_one_is_kept(house: Sampling) -> None:
    """Two leaders explain the same sample at the same moment: one is told that it was done, and one entry stands."""
    one = await the_first(house)
    other = replace(LEADER, id=Personal("lars"))
    done = await asyncio.gather(*(take(one.id, EXPLAINED, WORDS, leader, house.work) for leader in (LEADER, other)),
                                return_exceptions=True)  # fmt: skip
    assert sum(isinstance(result, Conflict) for result in done) == 1
    assert len((await house.desk.samples.by_id(one.id, ["korsbaek"])).steps) == 1
    page = await house.house.databases.reader.search(["korsbaek"], replace(EVERY, kind="sample.explained"))
    assert len(page.entries) == 1


async def test_another_municipalitys_unit_is_closed_without_its_leader(house: Sampling) -> None:
    """Nobody of a foreign unit explains on this log; the controller closes; one's own unit is not passed over."""
    abroad = Unit("far-jobcentre", "oestby", "jobcentre", "Jobcenter", "Jobcentre")
    units = {**house.work.directory.units, abroad.id: abroad}
    house.work = replace(house.work, directory=replace(house.work.directory, units=units))
    await house.seeded(per_unit=2)
    await house.accesses(3, "far-jobcentre")
    await house.accesses(3, "jobcentre")
    await house.sign()
    house.later(days=40)
    wanted = await samples.round_of("korsbaek", MONTH, house.desk)
    assert wanted is not None
    drawn = await samples.draw_round(wanted, house.actor, house.desk)
    far, near = (next(one for one in drawn if one.unit == unit) for unit in ("far-jobcentre", "jobcentre"))
    led = an_officer("lise", "teamleder", "korsbaek", "far-jobcentre")
    with pytest.raises(Conflict):
        await take(far.id, EXPLAINED, WORDS, led, house.work)
    await take(far.id, CLOSED, WORDS, CONTROLLER, house.work)
    with pytest.raises(Conflict):
        await take(near.id, CLOSED, WORDS, CONTROLLER, house.work)


async def test_a_foreign_night_look_is_ranked_and_says_why(house: Sampling) -> None:
    """Beside what chance draws, what the signs speak of is put forward, with the signs."""
    await house.seeded(per_unit=1)
    await house.accesses(8)
    at = datetime(2019, 3, 10, 2, tzinfo=DANISH_TIME)
    await house.accesses(2, "social-centre", break_glass="b" * 8)
    await house.sign()
    house.to(at + timedelta(days=40))
    wanted = await samples.round_of("korsbaek", MONTH, house.desk)
    assert wanted is not None
    ranked = [one for one in await samples.draw_round(wanted, house.actor, house.desk) if one.how == "ranked"]
    assert ranked
    assert any("emergency" in one.signs for one in ranked)
    assert (await samples.verify_round(wanted, house.desk)).faults == ()


async def test_signs_lie_sealed(house: Sampling) -> None:
    """What the signs say stands nowhere open: not in the database, not in a list, nor anywhere once the key is gone."""
    await house.seeded(per_unit=1)
    await house.accesses(8)
    await house.accesses(2, "social-centre", break_glass="b" * 8)
    await house.sign()
    house.to(APRIL)
    wanted = await samples.round_of("korsbaek", MONTH, house.desk)
    assert wanted is not None
    drawn = await samples.draw_round(wanted, house.actor, house.desk)
    one = next(one for one in drawn if "emergency" in one.signs)
    owner = await asyncpg.connect(house.house.databases.admin)
    rows = await owner.fetch("SELECT to_jsonb(s)::text AS row FROM samples.sample s")
    await owner.close()

    assert not any("emergency" in row["row"] for row in rows)
    assert all(other.signs == () for other in await listed(CONTROLLER, house.work))
    assert (await opened(one.id, CONTROLLER, house.work)).sample.signs == one.signs
    vault = await asyncpg.connect(house.house.databases.at.vault_owner)
    await vault.execute("DELETE FROM vault.subject_key WHERE handle = $1", one.citizen)
    await vault.close()
    assert (await opened(one.id, CONTROLLER, house.work)).sample.signs == ()


async def test_erased_with_the_citizen(house: Sampling) -> None:
    """Once the citizen's key is gone, what was said is gone, the sample stays counted, and no new words are taken."""
    one = await the_first(house)
    await take(one.id, EXPLAINED, WORDS, LEADER, house.work)
    vault = await asyncpg.connect(house.house.databases.at.vault_owner)
    await vault.execute("DELETE FROM vault.subject_key WHERE handle = $1", one.citizen)
    await vault.close()
    found = (await opened(one.id, CONTROLLER, house.work)).sample
    assert [step.text for step in found.steps] == [None]
    with pytest.raises(Conflict, match="citizen_erased"):
        await take(one.id, CLOSED, WORDS, CONTROLLER, house.work)
    with pytest.raises(Conflict):
        await who(one.id, LEADER, house.work)
    await take(one.id, CLOSED, None, CONTROLLER, house.work)
    assert (await opened(one.id, DPO, house.work)).step is None


async def test_nothing_is_closed_without_words_but_what_is_erased(house: Sampling) -> None:
    """A sample of a citizen who is not erased takes no step without words, from the door itself either."""
    one = await the_first(house)
    await take(one.id, EXPLAINED, WORDS, LEADER, house.work)
    with pytest.raises(BadAsk):
        await take(one.id, CLOSED, None, CONTROLLER, house.work)
    assert [step.state for step in (await opened(one.id, DPO, house.work)).sample.steps] == [EXPLAINED]


async def test_an_erased_citizens_open_sample_waits_for_no_leader(house: Sampling) -> None:
    """Where nothing can be explained any more, the log controller closes at once, and the form asks for no words."""
    one = await the_first(house)
    vault = await asyncpg.connect(house.house.databases.at.vault_owner)
    await vault.execute("DELETE FROM vault.subject_key WHERE handle = $1", one.citizen)
    await vault.close()
    assert (await opened(one.id, LEADER, house.work)).step is None
    kurt, place = await house.house.officer(id="kurt", role="logkontrollant"), f"/dpo/samples/{one.id}"
    assert "textarea" not in (await kurt.get(place)).text
    assert "Lukket" in (await kurt.send(place, step="closed")).text


async def test_the_leader_learns_who_looked_and_nobody_else(house: Sampling) -> None:
    """Told to the leader of that very unit, while it waits for them, after the log says so; to nobody else at all."""
    one = await the_first(house)
    for officer in (CONTROLLER, DPO, replace(LEADER, role="dpo"), an_officer("s", "styregruppe")):
        with pytest.raises(NotAllowed):
            await who(one.id, officer, house.work)
    with pytest.raises(NotFound):
        await who(one.id, an_officer("n", "teamleder", "korsbaek", "school-office"), house.work)
    with pytest.raises(Conflict):
        await who(one.id, replace(LEADER, id=Personal("lene")), house.work)
    page = await house.house.databases.reader.search(["korsbaek"], replace(EVERY, kind="employee.disclosed"))
    assert page.entries == ()
    assert (await opened(one.id, LEADER, house.work)).may_learn_who
    assert (await who(one.id, LEADER, house.work)).id.disclose() == "lene"
    index, told = await body(house, "employee.disclosed")
    assert (told["reason"], told["review"], told["employee"]) == ("sample review", one.id, one.actor)
    assert one.citizen not in index + json.dumps(told)
    await take(one.id, EXPLAINED, WORDS, LEADER, house.work)
    with pytest.raises(Conflict):
        await who(one.id, LEADER, house.work)


async def test_both_roles_explain_where_they_lead(house: Sampling) -> None:
    """A log controller who leads the unit explains its sample, does not close that one, and closes others."""
    both = replace(LEADER, id=Personal("bo"), role="logkontrollant")
    one = await the_first(house)
    await take(one.id, EXPLAINED, WORDS, both, house.work)
    with pytest.raises(Conflict):
        await take(one.id, CLOSED, WORDS, both, house.work)
    other = next(found for found in await listed(both, house.work) if found.state == OPEN)
    await take(other.id, EXPLAINED, WORDS, LEADER, house.work)
    await take(other.id, CLOSED, WORDS, both, house.work)


async def test_late_after_ten_working_days(house: Sampling) -> None:
    """Drawn on 1 April 2019, the explanation is due on the 15th; each step gives ten new days."""
    one = await the_first(house)
    assert one.due.isoformat() == "2019-04-15"
    assert not one.late(one.due)
    assert one.late(one.due + timedelta(1))


async def test_late_ones_are_asked_for_alone(house: Sampling) -> None:
    """Late is who waits past the last day, since the last step, and is not closed; a leader's are of their units."""
    one = await the_first(house)
    house.to(APRIL + timedelta(14))
    assert await listed(DPO, house.work, state="late") == ()
    house.to(APRIL + timedelta(15))
    everything = [each.id for each in await listed(DPO, house.work)]
    assert [each.id for each in await listed(DPO, house.work, state="late")] == everything
    await take(one.id, EXPLAINED, WORDS, LEADER, house.work)
    assert [each.id for each in await listed(DPO, house.work, state="late")] == [i for i in everything if i != one.id]
    house.to(APRIL + timedelta(60))
    (again,) = [each for each in await listed(DPO, house.work, state="late") if each.id == one.id]
    assert (again.due.isoformat(), again.days_late(date(2019, 5, 31))) == ("2019-05-03", 28)
    await take(one.id, CLOSED, WORDS, CONTROLLER, house.work)
    found = [each.id for each in await listed(DPO, house.work, state="late")]
    assert found == [i for i in everything if i != one.id]
    by_ones, after = list[str](), None
    while page := await listed(DPO, house.work, state="late", after=after, limit=1):
        by_ones.append(after := page[0].id)
    assert by_ones == found
    led = await listed(an_officer("n", "teamleder", "korsbaek", "social-centre"), house.work, state="late")
    assert {each.unit for each in led} == {"social-centre"}
    assert len(led) < len(found)


async def test_late_ones_stand_first(house: Sampling) -> None:
    """On the first page, what is late stands on top and once, with its days; a list by state holds that state alone."""
    one = await the_first(house)
    house.to(APRIL + timedelta(15))
    await take(one.id, EXPLAINED, WORDS, LEADER, house.work)
    late = [each.id for each in await listed(DPO, house.work, state="late")]
    before = (await (await house.house.officer()).get("/dpo/samples")).text
    assert ("For sent</h2>" in before, "dag for sent" in before) == (False, False)
    assert isinstance(house.house.ports.clock, FixedClock)
    house.house.ports.clock.at = APRIL + timedelta(15)
    dorte = await house.house.officer()
    on_top, _, others = (await dorte.get("/dpo/samples")).text.partition("De andre</h2>")
    assert re.findall(r'href="/dpo/samples/([^"]+)"', on_top) == late
    assert on_top.count("(1 dag for sent)") == len(late)
    assert re.findall(r'href="/dpo/samples/([^"?]+)"', others) == [one.id]
    alone = (await dorte.get("/dpo/samples?state=late")).text
    assert re.findall(r'href="/dpo/samples/([^"]+)"', alone) == late
    told = (await dorte.http.get("/v1/samples", params={"state": "late"})).json()["samples"]
    assert [(row["id"], row["late"], row["days_late"]) for row in told] == [(i, True, 1) for i in late]
    assert "(1 dag for sent)" in (await dorte.get(f"/dpo/samples/{late[0]}")).text
    assert (await dorte.http.get("/v1/samples", params={"state": "latest"})).status_code == 400


async def test_pages_and_faces(house: Sampling) -> None:
    """From the list to closed, on pages and by JSON: what is written never runs, and no handle of anybody is shown."""
    one = await the_first(house)
    led = [["korsbaek", "jobcentre"]]
    lise = await house.house.officer(id="lise", role="teamleder", name="Lise", units=led)
    kurt, dorte = await house.house.officer(id="kurt", role="logkontrollant"), await house.house.officer()
    page = await lise.get("/dpo/samples")
    assert f"/dpo/samples/{one.id}" in page.text
    place = f"/dpo/samples/{one.id}"
    await lise.get(place)
    empty = await lise.post(place, step="explained", text=" ")
    assert empty.status_code == 400
    long = await lise.post(place, step="explained", text="x" * 2001)
    assert (long.status_code, "Højst 2.000 tegn" in long.text) == (400, True)
    done = await lise.send(place, step="explained", text=WORDS.disclose())
    assert "&lt;b&gt;nu" in done.text
    assert "<b>nu" not in done.text
    again = await lise.post(place, step="explained", text="igen")
    assert (again.status_code, "En anden har allerede taget" in again.text) == (400, True)
    await kurt.get(place)
    assert (await kurt.post(place, csrf="wrong", step="closed", text="set")).status_code == 403
    assert "Lukket" in (await kurt.send(place, step="closed", text="set")).text
    told = (await dorte.http.get(f"/v1/samples/{one.id}")).json()
    assert (told["state"], told["your_step"], len(told["steps"])) == ("closed", "reopened", 2)
    listed_ = (await dorte.http.get("/v1/samples", params={"state": "closed"})).json()
    assert [row["id"] for row in listed_["samples"]] == [one.id]
    for answer in (page.text, done.text, json.dumps(told), json.dumps(listed_)):
        assert one.citizen not in answer
        assert one.actor not in answer
    rows = (await dorte.http.get("/v1/samples/coverage")).json()["coverage"]
    assert {(row["unit"], row["month"], row["closed"]) for row in rows} == {
        ("jobcentre", "2019-03", 1), ("social-centre", "2019-03", 0)}  # fmt: skip


async def test_unknown_and_forbidden_ids_answer_alike(house: Sampling) -> None:
    """A sample of another unit and one that there is not give the same bytes, on the page, the form and the API."""
    one = await the_first(house)
    other = await house.house.officer(id="o", role="teamleder", units=[["korsbaek", "school-office"]])
    await other.get("/dpo/samples")

    async def tried(name: str) -> list[tuple[int, str]]:
        answers = [
            await other.get(f"/dpo/samples/{name}"),
            await other.post(f"/dpo/samples/{name}", step="explained", text="x"),
            await other.http.get(f"/v1/samples/{name}"),
            await other.http.post(f"/v1/samples/{name}/steps", json={"state": "explained", "text": "x"},
                                  headers={"X-CSRF-Token": other.csrf}),
        ]  # fmt: skip
        return [(answer.status_code, re.sub(name + r"|[0-9a-f]{32}", "", answer.text)) for answer in answers]

    assert await tried(one.id) == await tried(NOWHERE)
    assert {status for status, _ in await tried(one.id)} == {404}


async def test_pages_go_on_behind_a_mark_and_neither_skip_nor_repeat(house: Sampling) -> None:
    """By ones, the whole list comes, each once; a mark that is not theirs leads nowhere."""
    await house.drawn()
    everything = [one.id for one in await listed(DPO, house.work)]
    found, after = list[str](), None
    while page := await listed(DPO, house.work, after=after, limit=1):
        found.append(page[0].id)
        after = page[0].id
    assert found == everything
    assert await listed(DPO, house.work, after=NOWHERE) == ()
    with pytest.raises(NotFound):
        await listed(DPO, house.work, after="x")


async def test_a_node_does_what_is_due(house: Sampling) -> None:
    """A node commits the month once, draws it once it is over and signed, and then counts what is late."""
    await house.accesses(4)
    for _ in range(2):
        assert await samples.keep_drawing("korsbaek", house.actor, house.desk) == 0
    await house.sign()
    assert len(await house.desk.samples.rounds("korsbaek")) == 1
    house.later(days=30)
    assert await samples.keep_drawing("korsbaek", house.actor, house.desk) == 0
    drawn = len(await listed(DPO, house.work))
    assert drawn >= 4
    house.later(days=20)
    assert await samples.keep_drawing("korsbaek", house.actor, house.desk) == drawn


async def of_worlds(house: Sampling, *worlds: tuple[Verdict, ...]) -> list[Sample]:
    """Put one access on record in each world, each of a citizen of its own, and draw them all."""
    await house.seeded(per_unit=len(worlds))
    await house.accesses(len(worlds), "jobcentre", each=[{"verdicts": rows, "outcome": "refused", "sources_read": ()}
                                                         for rows in worlds])  # fmt: skip
    await house.sign()
    house.to(APRIL)
    wanted = await samples.round_of("korsbaek", MONTH, house.desk)
    assert wanted is not None
    found = await samples.draw_round(wanted, house.actor, house.desk)
    return sorted((one for one in found if one.how == "random"), key=lambda one: one.about.index)


def held_back(*reasons: str, shown: str = "NO_CONSENT", subject: str = "s" * 32) -> Verdict:
    """Hold S01 of the social centre back, as the log has it and as the asker was told."""
    return Verdict(Key("social", "S01", subject), "withhold", reasons=reasons, shown=(shown,))


HIDDEN = [
    "BLOCKED_BY_CITIZEN", "ADDRESS_PROTECTED", "CHILD_OWN_CONSENT", "VIP_NO_GROUNDS", "GUARDIAN_SCOPE",
    "CUSTODY_UNKNOWN", "SELF_OR_RELATED", "OUT_OF_SCOPE_RECIPIENT",
]  # fmt: skip


async def test_a_leader_is_shown_of_a_no_what_the_asker_was(house: Sampling) -> None:
    """Blocked, protected, kin or no consent: who leads the unit gets the same bytes, by JSON and on the page (P6)."""
    plain = held_back("NO_CONSENT")
    found = await of_worlds(house, (plain,), *((held_back(code),) for code in HIDDEN), (plain, plain_of_a_child()))
    for name, role in (("lise", "teamleder"), ("bo", "logkontrollant")):
        seen = await house.house.officer(id=name, role=role, units=[["korsbaek", "jobcentre"]])
        assert {one["chosen"] for one in (await seen.http.get("/v1/samples")).json()["samples"]} == {"undisclosed"}
        told = [(await seen.http.get(f"/v1/samples/{one.id}")).json() for one in found]
        assert [body["access"]["reasons"] for body in told] == [["NO_CONSENT"]] * len(found)
        assert len({json.dumps(without_place(body)) for body in told}) == 1
        assert len({bare(one, (await seen.get(f"/dpo/samples/{one.id}")).text) for one in found}) == 1
    kurt = await house.house.officer(id="kurt", role="logkontrollant")
    whole = [(await kurt.http.get(f"/v1/samples/{one.id}")).json()["access"]["reasons"] for one in found]
    assert whole == [["NO_CONSENT"], *([code] for code in HIDDEN), ["NO_CONSENT", "OUT_OF_SCOPE_SOURCE"]]


def plain_of_a_child() -> Verdict:
    """Say of a child in the same place that the source was not in the yes: a second word would tell of the child."""
    return held_back("OUT_OF_SCOPE_SOURCE", shown="OUT_OF_SCOPE_SOURCE", subject="t" * 32)


def without_place(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what tells one sample from another: its name, its place on the log and its moment."""
    return {name: value for name, value in body.items() if name not in {"id", "index", "at"}}


def bare(one: Sample, page: str) -> str:
    """Leave the same out of a page, and its tokens."""
    local = f"{one.at.astimezone(DANISH_TIME):%H:%M}", f"{one.at.astimezone(DANISH_TIME):%H.%M}"
    return re.sub("|".join([one.id, r"[0-9a-f]{32}", *map(re.escape, local), r"(?<=\D)\d{1,2}(?=\D)"]), "", page)


def test_a_sign_that_a_register_tells_is_not_for_the_leader() -> None:
    """Each sign is the unit's own work or kept from its leader; with none left, chance and signs look the same."""
    kept = {"colleague", "same_surname", "same_address", "family", "kin_refused", "vip", "vip_refused", "crowd"}
    assert TESTS.keys() - OF_THE_UNITS_WORK == kept
    assert TESTS.keys() >= OF_THE_UNITS_WORK
    at = datetime(2019, 3, 4, 12, tzinfo=DANISH_TIME)
    chance = Sample("i", "r", "korsbaek", "jobcentre", Receipt("l", 1), at, "c", "a", "random", (), (), at)
    signs = replace(chance, how="ranked", signs=tuple(sorted(kept)), explained=(("vip", "own_case"),))
    assert led_sample(signs) == led_sample(chance)
    mixed = led_sample(replace(signs, signs=("vip", "outside_hours"), explained=(("no_case", "team"),)))
    assert (mixed.how, mixed.signs, mixed.explained) == ("ranked", ("outside_hours",), (("no_case", "team"),))


def test_of_an_entry_that_cannot_be_read_the_leader_is_told_no_reason() -> None:
    """Without its body nobody can say what the asker was told: no reason and no source is shown."""
    row = {"purpose": "p", "outcome": "refused", "reasons": ["VIP_NO_GROUNDS"], "sources": ["social"], "citizen": "c"}
    at = datetime(2019, 3, 4, 12, tzinfo=DANISH_TIME)
    entry = LogEntry(Receipt("l", 1), "korsbaek", at, "outcome", row, "erased")
    assert led_entry(entry).index == {"purpose": "p", "outcome": "refused"}


async def test_opening_a_sample_names_nobody_whom_the_employer_did_not(house: Sampling) -> None:
    """An officer whose namesake by id starts at an employer later: the employee is disclosed by their own name."""
    one = await the_first(house)
    vault = house.house.databases.vault
    kurt = replace(CONTROLLER, id=Personal("k7"), name=Personal("Kurt Kontrol"))
    await opened(one.id, kurt, house.work)
    employee = replace(an_officer("k7", "employee"), issuer=EMPLOYER, name=Personal("Karen Sagsbehandler"))
    named = await vault.disclose_actor(await vault.officer(employee))
    assert named.name == Personal("Karen Sagsbehandler")


async def test_a_namesake_of_an_employer_elsewhere_is_somebody_else(house: Sampling) -> None:
    """One's own is what an employer accepted in one's own municipalities vouches for; another's is a stranger's."""
    one = await the_first(house)
    mine = replace(LEADER, id=Personal("lene"))
    assert not (await opened(one.id, mine, house.work)).may_learn_who
    house.work = replace(house.work, employers={"norrestrand": frozenset({EMPLOYER})})
    assert (await opened(one.id, mine, house.work)).may_learn_who
