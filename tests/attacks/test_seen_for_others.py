"""What a parent, a guardian or an attorney is shown about another, and what anybody else tries. Over the real log."""

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.clock_system import FixedClock
from broker.adapters.deferrals_sql import DeferralsSql
from broker.consents.answer import Yes, grant, refuse
from broker.consents.lines import Wanted, WantedLine
from broker.consents.pause import pause
from broker.consents.request import request_consent
from broker.consents.withdraw import withdraw
from broker.domain.facts import CustodyHolder, RegisterRepresentative
from broker.domain.identity import CitizenLogin
from broker.domain.others import seen_of_child
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.oversight.deferral import Desk, Wish, approve, ask
from broker.transparency.others import my_children, represented, visible
from demo.postgres import PrivatePostgres
from tests.attacks.test_kept_back import ASKS, LAST_DAY, ONE, OVER_AT, TWO
from tests.builders import CASE, CHILD, CITIZEN, FAMILY, NOON, PURPOSE, STRANGER, a_caller, an_ask
from tests.fakes.registers import FakePeople
from tests.pages_house import ASK, LINES, PagesHouse, Reader, ask_for, hidden, link, marked, open_pages, say_yes
from tests.unit.web.pages.test_small_parts import an_entry

PLACE = "/mine/others"
NUMBER, NOBODYS = "710274-0022", "620101-0009"
NOTHING = "Der er ikke noget at vise."
NO = "Vi kan ikke vise dig noget om det nummer."
SHARING, PERSONAL, ECONOMIC = "data_sharing", "personal", "economic"


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house where a citizen said yes to what is hers and her child's, and somebody looked."""
    async with open_pages(postgres, tmp_path) as made:
        lene, annette = await made.caseworker(), await made.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES, why="Vi vil lave en plan.")
        await annette.get("/mine")
        await say_yes(annette)
        await lene.get("/case")
        await lene.post("/case", **ASK)
        yield made


def told(house: PagesHouse, number: Personal[str], **changes: Any) -> None:
    """Let the register tell something else of somebody."""
    people = house.ports.people
    assert isinstance(people, FakePeople)
    people.persons[number] = replace(people.persons[number], **changes)


def represents(house: PagesHouse, kind: str, *scope: str, to_day: int = 99991231) -> None:
    """Let a stranger represent the citizen."""
    told(house, CITIZEN, representatives=(RegisterRepresentative(STRANGER, kind, scope, 20180101, to_day),))


async def children_of(reader: Reader) -> str:
    """Press the button for one's children; give what the page says."""
    await reader.get(PLACE)
    return (await reader.post(f"{PLACE}/children")).text


async def tried(reader: Reader, number: str) -> tuple[int, str]:
    """Ask for a number; give the answer without what differs from one to the next."""
    await reader.get(PLACE)
    answer = await reader.post(f"{PLACE}/represented", citizen=number)
    return answer.status_code, re.sub(r'value="[^"]*"|[0-9a-f]{32}', "", answer.text)


async def looks(house: PagesHouse, number: Personal[str]) -> list[str]:
    """List what the looks for others came to on one person's list."""
    (handle,) = await house.ports.handles.citizens([number])
    admin = await asyncpg.connect(house.databases.admin)
    try:
        rows = await admin.fetch(
            "SELECT fields->>'outcome' AS outcome FROM log.index"
            " WHERE citizen = $1 AND kind = 'own.seen_for_another' ORDER BY log_id, idx",
            handle,
        )
    finally:
        await admin.close()
    return [row["outcome"] for row in rows]


async def test_a_parent_sees_what_is_shared_and_who_looked(house: PagesHouse) -> None:
    """The child's line, the unit and the look stand there, no proof, no name; and the child sees that she looked."""
    page = await children_of(await house.citizen())
    assert "Født 20. september 2006" in page
    assert "er ikke et bevis" in page
    directory = house.ports.directory
    assert f"{directory.units['jobcentre'].name_da}: {directory.categories['F01'].name_da}, fra" in page
    assert "4. marts 2019" in page
    assert "så:" in page
    assert "lene" not in page.lower()
    assert "8009064011" not in page.replace("-", "")
    theirs = (await (await house.citizen(CHILD)).get("/mine/accesses")).text
    assert "En forælder så, hvad der deles om dig" in theirs
    assert await looks(house, CHILD) == ["shown"]


async def test_a_yes_that_is_used_up_is_not_shown_as_shared(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """What was for once and was used opens nothing more, and so it is not said to be shared."""
    async with open_pages(postgres, tmp_path) as house:
        lene, annette = await house.caseworker(), await house.citizen()
        await lene.get("/case")
        await ask_for(lene, LINES, why="Vi vil lave en plan.")
        asked = link((await annette.get("/mine")).text, '/mine/requests/[^"/]+')
        lines = re.findall(r'name="line" value="(\d+)"', (await annette.get(f"{asked}/often")).text)
        sure = (
            await annette.get(
                f"{asked}/some?often=1&limit=once&line={'&line='.join(lines)}&{await marked(annette, asked)}"
            )
        ).text
        await annette.send(f"{asked}/yes", digest=hidden(sure, "digest"), limit="once", line=lines)
        directory = house.ports.directory
        shared = f"{directory.units['jobcentre'].name_da}: {directory.categories['F01'].name_da}, fra"
        before = await children_of(annette)
        await lene.get("/case")
        await lene.post("/case", **ASK)
        after = await children_of(annette)

    assert (shared in before, shared in after) == (True, False)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"custody": ()}, id="custody-unknown"),
        pytest.param({"custody": (CustodyHolder(STRANGER, 4),)}, id="the-other-parent-has-it"),
        pytest.param({"custody": (CustodyHolder(CITIZEN, 3, 0, 20190303),)}, id="lost-yesterday"),
        pytest.param({"custody": (CustodyHolder(CITIZEN, 3, 20190305),)}, id="from-tomorrow"),
        pytest.param({"custody": (CustodyHolder(CITIZEN, 3), CustodyHolder(STRANGER, 4))}, id="lives-elsewhere"),
        pytest.param({"protected": True}, id="protected"),
        pytest.param({"protected": None}, id="protection-unknown"),
        pytest.param({"born": None}, id="age-unknown"),
        pytest.param({"born": 20010304}, id="eighteen-today"),
        pytest.param({"dead_on": 20190101}, id="dead"),
        pytest.param({"known": False}, id="not-in-the-register"),
    ],
)
async def test_whoever_may_not_sees_as_one_without_children(house: PagesHouse, changes: dict[str, Any]) -> None:
    """Without custody today, or where a place could be told, the page is that of one without children."""
    told(house, CHILD, **changes)
    seen = await children_of(await house.citizen())
    assert await looks(house, CHILD) == []
    told(house, CITIZEN, children=())
    without = await children_of(await house.citizen())
    assert NOTHING in seen
    assert re.sub(r'value="[^"]*"', "", seen) == re.sub(r'value="[^"]*"', "", without)


async def test_a_register_that_is_silent_shows_nothing(house: PagesHouse) -> None:
    """Who cannot be asked about is not guessed about."""
    people = house.ports.people
    assert isinstance(people, FakePeople)
    annette = await house.citizen()
    people.silent = True
    assert NOTHING in await children_of(annette)
    assert await tried(annette, NUMBER) == await tried(annette, NOBODYS)


async def test_from_fifteen_what_is_theirs_alone_leaves_no_trace(house: PagesHouse) -> None:
    """At fifteen what the young person answers alone is not there, nor a word that something is left out."""
    directory = house.ports.directory
    (alone, *more) = [row for row in directory.categories.values() if row.young_person == "alone"]
    (child,) = await house.ports.handles.citizens([CHILD])
    for born, seen in ((20040305, True), (20040304, False)):
        told(house, CHILD, born=born)
        person = await house.ports.people.person(CHILD)
        codes = seen_of_child(person, CITIZEN, directory, 20190304)
        assert ({row.id for row in (alone, *more)} <= codes) is seen
        assert "F01" in codes
    page = await children_of(await house.citizen())
    assert not any(f"{row.name_da}, fra" in page for row in (alone, *more))
    assert child not in page


def test_an_answer_is_shown_whole_or_not_at_all() -> None:
    """One that names a hidden thing, given or withheld, is not there; nor one for danger to life, or one of nothing."""
    rows = (("family", "F01"),)
    shown = replace(an_entry("outcome", "a", 1), released=rows)
    hidden = (("health", "H01"),)
    left_out = [
        replace(shown, released=(*rows, *hidden)),
        replace(shown, withheld=hidden),
        replace(shown, allowed=hidden),
        replace(shown, emergency=True),
        replace(shown, released=()),
    ]
    assert visible([*left_out, shown], frozenset({"F01"})) == (shown,)


async def test_the_page_alone_looks_at_nothing(house: PagesHouse) -> None:
    """Opening it asks nothing; a form without the page's token neither, nor one who is not logged in."""
    annette = await house.citizen()
    await annette.get(PLACE)
    assert (await annette.post(f"{PLACE}/children", csrf="guessed")).status_code == 403
    assert (await annette.post(f"{PLACE}/represented", csrf="guessed", citizen=NUMBER)).status_code == 403
    assert (await house.stranger().post(f"{PLACE}/children")).status_code == 303
    assert await looks(house, CHILD) == []


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("guardian_6", (PERSONAL, ECONOMIC)),
        ("guardian_5", (PERSONAL,)),
        ("future_power", (PERSONAL, SHARING)),
        ("power_of_attorney", (PERSONAL, SHARING)),
    ],
)
async def test_who_speaks_for_somebody_sees_it(house: PagesHouse, kind: str, scope: tuple[str, ...]) -> None:
    """Guardian and attorney see what is shared in their area, and the citizen that they did."""
    represents(house, kind, *scope)
    status, page = await tried(await house.citizen(STRANGER), NUMBER)
    assert status == 200
    assert "Født 11. februar 1974" in page
    assert NUMBER.replace("-", "") not in page.replace("-", "")
    assert "En, der må tale for dig" in (await (await house.citizen()).get("/mine/accesses")).text


@pytest.mark.parametrize(
    ("kind", "scope", "to_day"),
    [
        ("guardian_5", (PERSONAL,), 20190303),
        ("power_of_attorney", (PERSONAL,), 99991231),
        ("future_power", (PERSONAL,), 99991231),
        ("assistant", (PERSONAL, SHARING), 99991231),
        ("friend", (PERSONAL, SHARING), 99991231),
    ],
)
async def test_who_does_not_gets_the_answer_of_nobodys_number(
    house: PagesHouse, kind: str, scope: tuple[str, ...], to_day: int
) -> None:
    """A former guardian, a paper without sharing, one who comes along: byte for byte as for a number nobody has."""
    represents(house, kind, *scope, to_day=to_day)
    other = await house.citizen(STRANGER)
    refused = await tried(other, NUMBER)
    assert refused == await tried(other, NOBODYS)
    assert refused[0] == 400
    assert NO in refused[1]
    assert await looks(house, CITIZEN) == ["refused"]
    assert (
        "En prøvede at se, hvad der deles om dig, og fik intet"
        in (await (await house.citizen()).get("/mine/accesses")).text
    )
    mine = (await other.get("/mine/accesses")).text
    assert mine.count("Du bad om at se, hvad der deles om en anden") == 2
    assert "En prøvede" not in mine


async def test_protection_and_areas_are_kept(house: PagesHouse) -> None:
    """A protected citizen is shown to none; one who speaks in money matters alone sees nothing of the rest."""
    other = await house.citizen(STRANGER)
    represents(house, "guardian_6", PERSONAL, ECONOMIC)
    told(house, CITIZEN, protected=None)
    assert (await tried(other, NUMBER))[0] == 400
    told(house, CITIZEN, protected=False)
    represents(house, "guardian_5", ECONOMIC)
    status, page = await tried(other, NUMBER)
    directory = house.ports.directory
    personal = {row.name_da for row in directory.categories.values() if row.area == PERSONAL}
    assert status == 200
    assert not any(f"{name}, fra" in page for name in personal)


@pytest.mark.parametrize("number", ["", "x", "710274\x000022", "7102740022 OR 1=1", "9" * 4000, "0000000000"])
async def test_what_is_no_number_is_said_and_not_echoed(house: PagesHouse, number: str) -> None:
    """A form that holds no number is given back without it; nothing is looked at."""
    status, page = await tried(await house.citizen(STRANGER), number)
    assert status in {400, 413, 422}
    assert len(number) < 5 or number not in page
    assert await looks(house, CITIZEN) == []


async def test_a_number_in_an_address_is_not_read(house: PagesHouse) -> None:
    """A number that somebody puts into the address finds nobody, and no address of ours has one."""
    represents(house, "guardian_6", PERSONAL, ECONOMIC)
    other = await house.citizen(STRANGER)
    await other.get(PLACE)
    assert (await other.post(f"{PLACE}/represented?citizen=7102740022")).status_code == 400
    assert (await other.get(f"{PLACE}/represented")).status_code == 405
    await tried(other, NUMBER)
    assert not any(CITIZEN.disclose() in place.replace("-", "") for place in other.seen if "?citizen" not in place)


async def keep_back(house: PagesHouse, number: Personal[str]) -> None:
    """Keep the jobcentre's asks back from somebody, from ten minutes after the first look on."""
    made = house.databases
    clock = FixedClock(NOON + timedelta(minutes=10))
    desk = Desk(clock, made.vault, house.ports, DeferralsSql(made.pool, made.log))
    kept = await ask(Wish(number, ASKS, "dbl22_2", LAST_DAY), ONE, desk)
    await approve(kept.id, number, TWO, desk)


async def ask_later(house: PagesHouse) -> None:
    """Let the jobcentre ask once more, twenty minutes after the first time."""
    later = replace(house.ports, clock=FixedClock(NOON + timedelta(minutes=20)))
    await exchange(an_ask(), a_caller(), later)


async def test_what_is_kept_back_from_a_parent_is_not_told_by_the_childs_list(house: PagesHouse) -> None:
    """An ask about her that names her child stands on the child's list too; she sees it when its last day is over."""
    login, made = CitizenLogin(CITIZEN, "Substantial", NOON), house.databases
    await keep_back(house, CITIZEN)
    await ask_later(house)
    counts = []
    for at in (OVER_AT - timedelta(seconds=1), OVER_AT):
        (child,) = await my_children(login, house.ports, LogReaderPostgres(made.pool, made.vault, clock=FixedClock(at)))
        counts.append(len(child.entries))

    assert counts[1] - counts[0] == 1


async def test_what_is_kept_back_from_who_helps_is_not_told_by_the_others_list(house: PagesHouse) -> None:
    """A guardian from whom one unit's asks are kept back sees none of that unit's on the list of whom they help."""
    login, made = CitizenLogin(STRANGER, "Substantial", NOON), house.databases
    represents(house, "guardian_6", *{row.area for row in house.ports.directory.categories.values() if row.area})
    await keep_back(house, STRANGER)
    await ask_later(house)
    counts = []
    for at in (OVER_AT - timedelta(seconds=1), OVER_AT):
        reader = LogReaderPostgres(made.pool, made.vault, clock=FixedClock(at))
        counts.append(len((await represented(CITIZEN, login, house.ports, reader)).entries))

    assert counts[1] - counts[0] == 1


FATHER = Personal("6505700011")


async def of_the_other(house: PagesHouse, said: str, number: Personal[str]) -> None:
    """Let the other giver of the newest request answer it so."""
    (handle,) = await house.ports.handles.citizens([number])
    (request, *_) = await house.ports.consents.requests_of(handle)
    login = CitizenLogin(number, "Substantial", NOON)
    if said == "silent":
        return
    if said == "no":
        await refuse(request.id, login, house.ports)
        return
    given, _ = await grant(request.id, Yes(), login, house.ports)
    if said != "yes":
        await {"paused": pause, "taken back": withdraw}[said](given.id, None, login, house.ports)


@pytest.mark.parametrize("other", [FATHER, CHILD], ids=["the other parent", "the young person"])
async def test_what_another_answered_about_a_child_is_not_told(
    postgres: PrivatePostgres, tmp_path: Path, other: Personal[str]
) -> None:
    """Worlds that differ in the other giver's answer, pause or withdrawal alone give a parent the same page."""
    pages = []
    for number, said in enumerate(("silent", "no", "yes", "paused", "taken back")):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with open_pages(postgres, folder) as house:
            both = (CustodyHolder(CITIZEN, 3), CustodyHolder(FATHER, 4))
            born = {} if other == FATHER else {"born": 20030304}
            told(house, CHILD, custody=both[: 2 if other == FATHER else 1], household=(CITIZEN,), **born)
            wish = Wanted(CITIZEN, PURPOSE, Personal(CASE), (WantedLine(FAMILY, "F01"),), 20200303)
            made, _ = await request_consent(str(uuid.uuid4()), wish, a_caller(), house.ports)
            await grant(made.id, Yes(), CitizenLogin(CITIZEN, "Substantial", NOON), house.ports)
            await of_the_other(house, said, other)
            page = await children_of(await house.citizen())
            assert house.ports.directory.categories["F01"].name_da in page
            pages.append(re.sub(r'value="[^"]*"', "", page))

    assert len(set(pages)) == 1
