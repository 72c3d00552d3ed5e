"""What waits for an overseer: for whose hand it is and nobody else's, late first, and nobody's name."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from broker.adapters.after_checks_sql import AfterChecksSql
from broker.adapters.breaches_sql import BreachesSql
from broker.adapters.clock_system import FixedClock
from broker.adapters.erasures_sql import ErasuresSql
from broker.adapters.inquiries_sql import InquiriesSql
from broker.adapters.past_decisions import PastDecisionsPostgres
from broker.adapters.relations_recorded import RelationsRecorded
from broker.adapters.samples_sql import SamplesSql
from broker.domain.erasure import Erasure
from broker.domain.errors import NotAllowed
from broker.domain.events import ErasureApproved, ErasureRequested
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.samples import CLOSED, EXPLAINED, REOPENED, Sample
from broker.oversight import after_checks, breaches, reviews
from broker.oversight.erasure import OPERATOR
from broker.oversight.escalation import escalate_late
from broker.oversight.tasks import AFTER_CHECK, BREACH, ERASURE, INQUIRY, SAMPLE, Desk, tasks
from demo.postgres import PrivatePostgres
from tests.after_checking import Checking, open_after_checking
from tests.builders import CITIZEN, NOON
from tests.pages_house import ASK, PagesHouse
from tests.sampling import APRIL, Sampling, an_officer, open_sampling
from tests.watch import SOCIAL_UNIT

WORDS = Personal("CANARY fordi")
LEADER = an_officer("lise", "teamleder", "korsbaek", "jobcentre", SOCIAL_UNIT)
OTHERS = an_officer("olga", "teamleder", "korsbaek", "school-office")
CONTROLLER = an_officer("kurt", "logkontrollant")
BOTH = replace(LEADER, id=Personal("bo"), role="logkontrollant")
DPO = an_officer("dorte", "dpo")
LINE = "/mine/accesses/korsbaek/2019/0/ask"
ID = "00000000-0000-4000-8000-00000000000"


@pytest.fixture
async def sampling(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Sampling]:
    """Give a house in which nothing was drawn yet."""
    async with open_sampling(postgres, tmp_path) as made:
        yield made


@pytest.fixture
async def checking(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Checking]:
    """Give a house at noon of a Monday, before anybody named danger to life."""
    async with open_after_checking(postgres, tmp_path) as made:
        yield made


def desk_of(house: PagesHouse, samples: reviews.Desk, checks: after_checks.AfterCheckDesk | None = None) -> Desk:
    """Give the desk of tasks over a house's databases."""
    at = house.databases
    inquiries, files = InquiriesSql(at.pool, at.log, at.vault), BreachesSql(at.pool, at.log, at.vault)
    return Desk(samples, checks or over(house, samples), inquiries, files, ErasuresSql(at.pool, at.log))


def over(house: PagesHouse, work: reviews.Desk) -> after_checks.AfterCheckDesk:
    """Give the desk of after-checks over the same doors."""
    at = house.databases
    return after_checks.AfterCheckDesk(
        clock=work.clock, handles=work.handles, directory=work.directory, reader=work.reader,
        after_checks=AfterChecksSql(at.pool, at.log, at.vault), emergencies=house.ports.emergencies,
        relations=RelationsRecorded(PastDecisionsPostgres(at.pool, at.vault)), disclosures=work.disclosures,
        employers=work.employers, leader_days=5,
    )  # fmt: skip


async def ids(officer: OfficerLogin, house: Sampling) -> set[str]:
    """Give the ids of what waits for an officer."""
    return {one.id for one in await tasks(officer, desk_of(house.house, house.work))}


async def the_first(house: Sampling) -> tuple[Sample, set[str]]:
    """Draw; give a sample of the jobcentre, and all of them."""
    _, drawn = await house.drawn()
    return next(one for one in drawn if one.unit == "jobcentre"), {one.id for one in drawn}


async def test_a_sample_waits_for_one_hand_at_a_time(sampling: Sampling) -> None:
    """For the leader until it is explained, then for the controller, then for nobody; a DPO is given no review."""
    one, everything = await the_first(sampling)
    assert await ids(LEADER, sampling) == everything
    assert await ids(replace(LEADER, units=frozenset({("korsbaek", "jobcentre")})), sampling) < everything
    for other in (OTHERS, CONTROLLER, DPO, replace(LEADER, role="dpo")):
        assert await ids(other, sampling) == set()
    await reviews.take(one.id, EXPLAINED, WORDS, LEADER, sampling.work)
    assert (one.id in await ids(LEADER, sampling), await ids(CONTROLLER, sampling)) == (False, {one.id})
    await reviews.take(one.id, CLOSED, WORDS, CONTROLLER, sampling.work)
    assert await ids(CONTROLLER, sampling) == set()
    await reviews.take(one.id, REOPENED, WORDS, DPO, sampling.work)
    assert (one.id in await ids(LEADER, sampling), await ids(CONTROLLER, sampling)) == (True, set())


async def test_what_one_did_oneself_waits_for_somebody_else(sampling: Sampling) -> None:
    """Lene's accesses wait for no leader called Lene at work; who explained one is not asked to close it."""
    one, everything = await the_first(sampling)
    assert await ids(replace(LEADER, id=Personal("lene")), sampling) == set()
    assert await ids(BOTH, sampling) == everything
    await reviews.take(one.id, EXPLAINED, WORDS, BOTH, sampling.work)
    assert await ids(BOTH, sampling) == everything - {one.id}
    assert await ids(CONTROLLER, sampling) == {one.id}
    assert await ids(replace(CONTROLLER, id=Personal("lene")), sampling) == set()


async def test_of_an_erased_citizen_it_waits_for_the_controller(sampling: Sampling) -> None:
    """Nothing can be explained of who is erased: it waits for no leader, at once."""
    one, everything = await the_first(sampling)
    vault = await asyncpg.connect(sampling.house.databases.at.vault_owner)
    await vault.execute("DELETE FROM vault.subject_key WHERE handle = $1", one.citizen)
    await vault.close()
    assert await ids(CONTROLLER, sampling) >= {one.id}
    assert await ids(CONTROLLER, sampling) | await ids(LEADER, sampling) == everything
    assert await ids(CONTROLLER, sampling) & await ids(LEADER, sampling) == set()


async def test_late_first_then_by_last_day(sampling: Sampling) -> None:
    """Of explained ones and open ones, what is late stands first with its days."""
    one, _ = await the_first(sampling)
    sampling.to(APRIL + timedelta(10))
    await reviews.take(one.id, EXPLAINED, WORDS, LEADER, sampling.work)
    sampling.to(APRIL + timedelta(15))
    found = await tasks(BOTH, desk_of(sampling.house, sampling.work))
    assert [one.late for one in found] == [True] * (len(found) - 1) + [False]
    assert (found[-1].id, found[-1].days_late(date(2019, 4, 16))) == (one.id, 0)
    assert {one.days_late(date(2019, 4, 16)) for one in found[:-1]} == {1}


async def test_an_after_check_waits_likewise(checking: Checking) -> None:
    """Danger to life waits for the leader of the unit, then for a controller who did not explain it."""
    call = await checking.called()
    desk = now(checking)
    assert [(one.kind, one.id, one.unit) for one in await tasks(LEADER, desk)] == [(AFTER_CHECK, call.id, SOCIAL_UNIT)]
    for other in (OTHERS, CONTROLLER, DPO, replace(LEADER, id=Personal("lene"))):
        assert await tasks(other, desk) == ()
    await after_checks.take(call.id, EXPLAINED, WORDS, BOTH, checking.desk)
    assert [await tasks(who, desk) for who in (LEADER, BOTH)] == [(), ()]
    assert [one.id for one in await tasks(CONTROLLER, desk)] == [call.id]
    await checking.erase(call.citizen)
    assert [one.id for one in await tasks(BOTH, desk)] == []


async def test_what_a_leader_left_too_long_waits_for_the_controller_as_well(checking: Checking) -> None:
    """Five working days after its escalation a controller may close it, so it waits for them; never for who leads."""
    call = await checking.called()
    checking.to(NOON + timedelta(days=7))
    node = await checking.house.databases.vault.node("one")
    assert await escalate_late("korsbaek", node, checking.desk.after_checks, checking.desk.clock) == 1
    assert await tasks(CONTROLLER, now(checking)) == ()
    checking.to(NOON + timedelta(days=15))
    for officer in (CONTROLLER, LEADER, BOTH):
        assert [(one.id, one.late) for one in await tasks(officer, now(checking))] == [(call.id, True)]
    assert (await after_checks.opened(call.id, BOTH, checking.desk)).step == EXPLAINED
    assert await tasks(DPO, now(checking)) == ()


def now(checking: Checking) -> Desk:
    """Give the desk of tasks as the house's clock stands."""
    at = checking.desk
    work = reviews.Desk(
        at.clock, at.handles, at.directory, at.reader, sampling_door(checking.house), at.employers, at.disclosures
    )
    return desk_of(checking.house, work, at)


def sampling_door(house: PagesHouse) -> SamplesSql:
    """Give the door of samples of a house."""
    at = house.databases
    return SamplesSql(at.pool, at.log, at.vault)


async def to_erase(house: PagesHouse, number: int, by: OfficerLogin, days: int = 14) -> Erasure:
    """Ask that the citizen be erased."""
    at = house.databases
    (citizen,) = await at.vault.citizens([CITIZEN])
    actor = await at.vault.officer(by)
    made = Erasure(f"{ID}{number}", "korsbaek", citizen, "gdpr17_1_a", actor, NOON, NOON + timedelta(days))
    event = ErasureRequested(municipality="korsbaek", subject=citizen, actor=actor, at=NOON, erasure=made.id,
                             ground=made.ground, expires=20190318)  # fmt: skip
    await ErasuresSql(at.pool, at.log).request(made, event)
    return made


async def test_questions_files_and_erasures_wait_for_the_dpo(sampling: Sampling) -> None:
    """Unanswered, not closed, to approve and in time: the DPO's alone, of their municipality, and not one's own."""
    house, kim = sampling.house, OfficerLogin(Personal("kim"), OPERATOR, OPERATOR, frozenset({"korsbaek"}), "", NOON)
    lene, annette = await house.caseworker(), await house.citizen()
    await lene.get("/case")
    await lene.post("/case", **ASK)
    await annette.get(LINE)
    assert (await annette.post(LINE, text="hvorfor?")).status_code == 303
    desk = desk_of(house, replace(sampling.work, clock=FixedClock(NOON + timedelta(days=2))))
    filing = breaches.Desk(FixedClock(NOON), house.databases.vault, house.ports.directory, house.databases.reader,
                           desk.breaches, house.ceilings.count_touched)  # fmt: skip
    await breaches.open_file("korsbaek", NOON - timedelta(hours=30), WORDS, DPO, filing)
    wanted = await to_erase(house, 1, kim)
    await to_erase(house, 2, replace(DPO, issuer=OPERATOR))
    await to_erase(house, 3, kim, days=1)
    found = await tasks(DPO, desk)
    assert [(one.kind, one.late) for one in found] == [(BREACH, True), (ERASURE, False), (INQUIRY, False)]
    assert found[1].id == wanted.id
    assert "CANARY" not in repr(found)
    for other in (CONTROLLER, LEADER, an_officer("n", "dpo", "norrestrand")):
        assert await tasks(other, desk) == ()
    at, actor = house.databases, await house.databases.vault.officer(DPO)
    event = ErasureApproved(municipality="korsbaek", subject=wanted.citizen, actor=actor, at=NOON, erasure=wanted.id,
                            ground=wanted.ground, role="dpo")  # fmt: skip
    await ErasuresSql(at.pool, at.log).approve(wanted.id, wanted.citizen, event)
    dorte = await house.officer()
    asked = next(one.id for one in found if one.kind == INQUIRY)
    await dorte.get(f"/dpo/inquiries/{asked}")
    await dorte.send(f"/dpo/inquiries/{asked}", text="derfor")
    assert [one.kind for one in await tasks(DPO, desk)] == [BREACH]


async def test_page_and_json_say_the_same_and_name_nobody(sampling: Sampling) -> None:
    """Each task is a link that opens; no handle stands there; other roles, people and strangers get nothing."""
    one, everything = await the_first(sampling)
    house, clock = sampling.house, sampling.house.ports.clock
    assert isinstance(clock, FixedClock)
    clock.at = APRIL + timedelta(15)
    lise = await house.officer(
        id="lise", role="teamleder", units=[["korsbaek", "jobcentre"], ["korsbaek", SOCIAL_UNIT]]
    )
    page = (await lise.get("/dpo/tasks")).text
    told = (await lise.http.get("/v1/tasks")).json()["tasks"]
    assert {(row["kind"], row["id"], row["late"], row["days_late"]) for row in told} == {
        (SAMPLE, each, True, 1) for each in everything}  # fmt: skip
    assert all(f'href="/dpo/samples/{each}"' in page for each in everything)
    assert page.count("(1 dag for sent)") == len(everything)
    for answer in (page, json.dumps(told)):
        assert one.citizen not in answer
        assert one.actor not in answer
    kurt = await house.officer(id="kurt", role="logkontrollant")
    assert "Der venter ikke noget på dig." in (await kurt.get("/dpo")).text
    await reviews.take(one.id, EXPLAINED, WORDS, LEADER, sampling.work)
    assert '<a href="/dpo/tasks">1 ting venter på dig</a>' in (await kurt.get("/dpo")).text
    for role in ("styregruppe", "systemforvalter"):
        assert (await (await house.officer(role=role)).http.get("/v1/tasks")).status_code == 403
    for other in (await house.citizen(), await house.caseworker(), house.stranger()):
        assert (await other.http.get("/v1/tasks")).status_code == 401


async def test_no_role_no_tasks(sampling: Sampling) -> None:
    """Who has no part in oversight, or oversees nobody, is refused."""
    desk = desk_of(sampling.house, sampling.work)
    for officer in (an_officer("s", "styregruppe"), replace(DPO, municipalities=frozenset())):
        with pytest.raises(NotAllowed):
            await tasks(officer, desk)
