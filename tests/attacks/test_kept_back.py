"""Lawful deferral: what is kept back shows nowhere to its citizen, is counted all the same, and comes by itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.bundle import WholeList, verify_bundle
from audit.checkpointer_command import Rounds
from audit.map_committer import MapCommitter
from audit.note import SigningKey
from audit.postgres import ERASER_ROLE, deletion_statements
from audit.verify_map import verify_maps
from broker.adapters.audit_evidence import EvidencesPostgres
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.clock_system import FixedClock
from broker.adapters.deferrals_sql import DeferralsSql
from broker.domain.deferral import IN_FORCE, LAPSED, OVER, WAITING
from broker.domain.entries import LogFilter
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.oversight.deferral import Desk, Wish, approve, ask, deferrals, end
from broker.oversight.evidence import take_out
from broker.oversight.integrity import Desk as WatchDesk
from broker.oversight.integrity import Watch
from broker.oversight.lines import open_line
from broker.oversight.search import Line, Wanted, search
from demo.postgres import PrivatePostgres
from tests.builders import CHILD, CITIZEN
from tests.fakes.web import FakeCeilings
from tests.log_events import an_ask, an_outcome
from tests.pages_house import PagesHouse, open_pages
from tests.signing import signing

SIGNER = SigningKey.generate("test.example")
NOW = datetime(2019, 3, 4, 9, tzinfo=UTC)
LAST_DAY = date(2019, 4, 30)
OVER_AT = datetime(2019, 4, 30, 22, tzinfo=UTC)  # Danish midnight, in summer time.
ASKS = "jobcentre"


def an_officer(name: str, role: str = "dpo", municipality: str = "korsbaek") -> OfficerLogin:
    """Make an overseer."""
    return OfficerLogin(Personal(name), "issuer", role, frozenset({municipality}), "High", NOW)


ONE, TWO = an_officer("one"), an_officer("two", "logkontrollant")


@dataclass
class Kept:
    """A house in which entries can be kept back from Annette; her handle, and an employee's."""

    house: PagesHouse
    desk: Desk
    me: str
    kim: str
    rounds: Rounds

    def at(self, moment: datetime) -> Desk:
        """Stand at the desk at another moment."""
        return replace(self.desk, clock=FixedClock(moment))

    async def in_force(self) -> str:
        """Put a deferral in force, by two persons; give its id."""
        made = await ask(Wish(CITIZEN, ASKS, "dbl22_2", LAST_DAY), ONE, self.desk)
        await approve(made.id, CITIZEN, TWO, self.desk)
        return made.id

    async def looked(self, at: datetime, unit: str = ASKS) -> None:
        """Let a unit ask about Annette, and get an answer."""
        log, given = self.house.databases.log, {"unit": unit, "at": at}
        await log.append([an_ask(self.me, self.kim, **given), an_outcome(self.me, self.kim, **given)])

    async def shown(self, at: datetime) -> list[tuple[str, int]]:
        """List what Annette is shown at a moment."""
        page = await self.reader(at).of_subject(self.me)
        return [(entry.kind, entry.receipt.index) for entry in page.entries]

    def reader(self, at: datetime) -> LogReaderPostgres:
        """Read the log at a moment."""
        made = self.house.databases
        return LogReaderPostgres(made.pool, made.vault, clock=FixedClock(at), wait_seconds=0)

    async def bundle(self, at: datetime) -> tuple[WholeList, str]:
        """Count and sign all there is, and give Annette's bundle."""
        await self.rounds.once()
        assert self.rounds.wrong == {}
        text = await self.reader(at).bundle(self.me, made_at=datetime.now(UTC))
        (found,) = verify_bundle(text, [SIGNER.verify_key])
        return found, text


@pytest.fixture
async def kept(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Kept]:
    """Open a house, at nine in the morning."""
    async with open_pages(postgres, tmp_path) as house:
        made = house.databases
        me, kim = await made.vault.citizens([CITIZEN, CHILD])
        desk = Desk(FixedClock(NOW), made.vault, house.ports, DeferralsSql(made.pool, made.log))
        maps = partial(MapCommitter, epoch_seconds=0)
        async with signing(made.at.checkpointer, SIGNER, tmp_path / "signer", maps=maps) as rounds:
            yield Kept(house, desk, me, kim, rounds)


async def test_what_is_kept_back_shows_nowhere_until_its_day_and_then_by_itself(kept: Kept) -> None:
    """List, single entries and bundle leave out one unit's asks to the last second; then all is there, proved."""
    await kept.looked(NOW - timedelta(hours=1))
    await kept.in_force()
    await kept.looked(NOW + timedelta(hours=1))
    await kept.looked(NOW + timedelta(hours=2), unit="school")
    before, after = OVER_AT - timedelta(seconds=1), OVER_AT
    seen = [("outcome", 7), ("ask", 6), ("outcome", 1), ("ask", 0)]
    assert sorted(await kept.shown(before)) == sorted(seen)
    hidden = (await kept.house.databases.reader.search(["korsbaek"], LogFilter(kind="deferral.approved"))).entries
    for entry in hidden:
        with pytest.raises(NotFound):
            await kept.reader(before).entry(entry.receipt, subject=kept.me)
    found, text = await kept.bundle(before)
    assert found.fault is None
    assert [[entry.index for entry in one] for one in found.lists] == [[0, 1, 6, 7]]
    assert "deferral" not in text
    later, text = await kept.bundle(after)
    assert later.fault is None
    assert [[entry.index for entry in one] for one in later.lists] == [[0, 1, 6, 7], [3, 4, 5]]
    assert json.loads(later.lists[1][0].shown or "")["ground"] == "dbl22_2"
    assert len(await kept.shown(after)) == 7


async def test_what_was_shown_in_the_second_of_the_approval_stays_shown(kept: Kept) -> None:
    """An ask of that very second, counted before, is never taken out of the list: the bundle stays whole and grows."""
    await kept.looked(NOW)
    await kept.bundle(NOW)
    await kept.in_force()
    await kept.looked(NOW + timedelta(seconds=1))
    found, text = await kept.bundle(NOW + timedelta(seconds=2))
    assert (found.fault, [[entry.index for entry in one] for one in found.lists]) == (None, [[0, 1]])
    assert "deferral" not in text
    assert await kept.shown(NOW + timedelta(seconds=2)) == [("outcome", 1), ("ask", 0)]
    later, _ = await kept.bundle(OVER_AT)
    assert (later.fault, [len(one) for one in later.lists]) == (None, [2, 3])


async def test_who_is_kept_back_from_the_first_ask_on_has_no_list_to_see_it_by(kept: Kept) -> None:
    """Of whom nothing else stands anywhere, the bundle names no log while it lasts, as if nobody had asked."""
    before = await kept.reader(NOW).bundle(kept.me, made_at=NOW)
    await kept.in_force()
    await kept.looked(NOW + timedelta(hours=1))
    await kept.rounds.once()
    assert await kept.reader(OVER_AT - timedelta(seconds=1)).bundle(kept.me, made_at=NOW) == before
    found, _ = await kept.bundle(OVER_AT)
    assert (found.fault, [len(one) for one in found.lists]) == (None, [0, 3])


async def test_who_oversees_sees_it_all_the_while_and_the_lists_add_up(kept: Kept) -> None:
    """The DPO's search leaves nothing out; building every list anew finds no fault; the root says how many are kept."""
    await kept.in_force()
    await kept.looked(NOW + timedelta(hours=1))
    await kept.rounds.once()
    page = await kept.house.databases.reader.search(["korsbaek"], LogFilter())
    assert len(page.entries) == 4
    connection = await asyncpg.connect(kept.house.databases.admin)
    faults = await verify_maps(connection)
    said = await connection.fetchval("SELECT fields ->> 'kept_back' FROM log.index WHERE fields ->> 'kind' = 'map'")
    assert said == "3"
    assert [fault for found in faults.values() for fault in found] == []
    await connection.execute("DELETE FROM log.deferral")
    unlawful = await verify_maps(connection)
    await connection.close()
    assert [fault.index for found in unlawful.values() for fault in found][:3] == [1, 2, 3]


# What whoever rules the database does to the row of a deferral that was approved, ended or not.
BENT_ROWS = {
    "put in": "INSERT INTO log.deferral SELECT gen_random_uuid(), tenant, citizen, 'school', ground, secret, asked_by,"
    " asked_at, until_at, approved_by, from_at FROM log.deferral",
    "begun before": "UPDATE log.deferral SET from_at = from_at - 3600",
    "made longer": "UPDATE log.deferral SET until_at = until_at + 86400",
    "its end forgotten": "UPDATE log.deferral SET ended_by = NULL, ended_at = NULL",
    "its end put off": "UPDATE log.deferral SET ended_at = ended_at + 3600",
    "of another unit": "UPDATE log.deferral SET unit = 'school'",
    "of another person": "UPDATE log.deferral SET citizen = 'somebody'",
    "of another municipality": "UPDATE log.deferral SET tenant = 'oestby'",
}


@pytest.mark.parametrize("statement", BENT_ROWS.values(), ids=BENT_ROWS.keys())
async def test_a_deferral_that_no_entry_says_is_named(kept: Kept, statement: str) -> None:
    """A row that was put in or changed past its two persons is named by building every list anew; an honest one not."""
    deferral = await kept.in_force()
    if "ended_at" in statement:
        await end(deferral, CITIZEN, ONE, kept.at(NOW + timedelta(minutes=2)))
    connection = await asyncpg.connect(kept.house.databases.admin)
    reader = await asyncpg.connect(kept.house.databases.at.reader)
    honest = await verify_maps(reader)
    await connection.execute(statement)
    bent = await verify_maps(reader)
    await asyncio.gather(connection.close(), reader.close())
    assert [fault for found in honest.values() for fault in found] == []
    said = [str(fault) for found in bent.values() for fault in found]
    assert any(line.startswith("deferral ") and "no entry of the log says" in line for line in said), said


async def test_a_deferral_whose_words_were_lawfully_deleted_is_none_without_words(kept: Kept) -> None:
    """Where body and index row of the approval are gone, its leaf still stands first in the list: nothing to say."""
    await kept.in_force()
    await kept.looked(NOW + timedelta(hours=1))
    await kept.rounds.once()
    connection = await asyncpg.connect(kept.house.databases.admin)
    for table in ("body", "index"):
        await connection.execute(f"DELETE FROM log.{table} WHERE idx = 1")
    faults = await verify_maps(connection)
    await connection.close()
    assert [fault for found in faults.values() for fault in found] == []


async def test_two_persons_are_needed_and_each_names_the_citizen(kept: Kept) -> None:
    """Nobody approves their own, twice, late, of another person or beside another; an id alone does nothing."""
    made = await ask(Wish(CITIZEN, ASKS, "dbl22_2", LAST_DAY), ONE, kept.desk)
    await kept.looked(NOW)
    assert len(await kept.shown(NOW)) == 2
    with pytest.raises(Conflict):
        await approve(made.id, CITIZEN, ONE, kept.desk)
    with pytest.raises(NotFound):
        await approve(made.id, CHILD, TWO, kept.desk)
    for deferral in ("x", "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFound):
            await approve(deferral, CITIZEN, TWO, kept.desk)
    with pytest.raises(NotFound):
        await approve(made.id, CITIZEN, an_officer("two", municipality="oestby"), kept.desk)
    with pytest.raises(Conflict):
        await approve(made.id, CITIZEN, TWO, kept.at(OVER_AT))
    with pytest.raises(Conflict):
        await end(made.id, CITIZEN, TWO, kept.desk)
    await approve(made.id, CITIZEN, TWO, kept.desk)
    with pytest.raises(Conflict):
        await approve(made.id, CITIZEN, TWO, kept.desk)
    again = await ask(Wish(CITIZEN, ASKS, "dbl22_1", LAST_DAY), TWO, kept.desk)
    with pytest.raises(Conflict):
        await approve(again.id, CITIZEN, ONE, kept.desk)
    states = {one.id: [one.state(at) for at in (NOW, OVER_AT)] for one in await deferrals(ONE, kept.desk)}
    assert states == {made.id: [IN_FORCE, OVER], again.id: [WAITING, LAPSED]}
    assert await deferrals(an_officer("x", municipality="oestby"), kept.desk) == ()


@pytest.mark.parametrize(
    ("wish", "officer", "refused"),
    [
        (Wish(CITIZEN, ASKS, "because", LAST_DAY), ONE, BadAsk),
        (Wish(CITIZEN, ASKS, "dbl22_1", date(2019, 3, 3)), ONE, BadAsk),
        (Wish(CITIZEN, ASKS, "dbl22_1", date(2019, 9, 30)), ONE, BadAsk),
        (Wish(CITIZEN, "nowhere", "dbl22_1", LAST_DAY), ONE, BadAsk),
        (Wish(CITIZEN, ASKS, "dbl22_1", LAST_DAY), an_officer("x", municipality="oestby"), NotAllowed),
        (Wish(CITIZEN, ASKS, "dbl22_1", LAST_DAY), an_officer("x", "mayor"), NotAllowed),
    ],
)
async def test_a_deferral_needs_its_ground_its_end_and_its_overseer(
    kept: Kept, wish: Wish, officer: OfficerLogin, refused: type[Exception]
) -> None:
    """No other ground, no past day, none beyond half a year, no other municipality's unit, no other role."""
    with pytest.raises(refused):
        await ask(wish, officer, kept.desk)
    assert await deferrals(ONE, kept.desk) == ()


async def test_ended_early_it_shows_at_once_and_says_so(kept: Kept) -> None:
    """What was kept back is there the same second; what comes after is never kept; that it ended stands in the list."""
    deferral = await kept.in_force()
    await kept.looked(NOW + timedelta(minutes=1))
    await end(deferral, CITIZEN, ONE, kept.at(NOW + timedelta(minutes=2)))
    after = NOW + timedelta(minutes=2, seconds=1)
    await kept.looked(after)
    assert len(await kept.shown(after)) == 6
    found, _ = await kept.bundle(after)
    assert found.fault is None
    assert [[json.loads(entry.shown or "")["event"] for entry in one] for one in found.lists] == [
        ["deferral.ended", "ask", "outcome"],
        ["deferral.approved", "ask", "outcome"],
    ]
    with pytest.raises(Conflict):
        await end(deferral, CITIZEN, ONE, kept.at(after))


async def test_whoever_forgets_to_say_when_it_is_shows_nothing(kept: Kept) -> None:
    """Without a moment in the transaction, what is kept back stays back: unknown protects."""
    await kept.in_force()
    assert await kept.shown(OVER_AT) != []
    page = await kept.house.databases.reader.of_subject(kept.me)
    assert page.entries == ()


async def test_the_erasers_rights_laid_again_show_it_nothing_that_is_kept_back(kept: Kept) -> None:
    """Whoever runs `deletion.sql` once more gives its role no table that came since: no secret, no deferral."""
    connection = await asyncpg.connect(kept.house.databases.admin)
    for statement in deletion_statements():
        await connection.execute(statement)
    await connection.execute(f"SET ROLE {ERASER_ROLE}")
    for table in ("deferral", "map_entry", "map_leaf"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT * FROM log.{table}")
    await connection.close()


async def test_the_asker_itself_notices_nothing_and_others_lists_neither(kept: Kept) -> None:
    """The other person's bundle is as if there were no deferral; the one kept back has the list they would have."""
    await kept.looked(NOW - timedelta(hours=1))
    plain, _ = await kept.bundle(NOW)
    await kept.in_force()
    await kept.looked(NOW + timedelta(hours=1))
    same, _ = await kept.bundle(NOW + timedelta(hours=2))
    assert same.lists == plain.lists
    assert (plain.fault, same.fault) == (None, None)


async def test_overseers_do_it_over_the_interface(kept: Kept) -> None:
    """Asked for, listed, approved by another and ended, each with the citizen in the body and the token of the page."""
    first = await kept.house.officer()
    second = await kept.house.officer(id="e")
    path = "/v1/deferrals"
    tokens = [(await one.http.get("/v1/accesses/session")).json()["csrf"] for one in (first, second)]
    body = {"citizen": CITIZEN.disclose(), "unit": ASKS, "ground": "dbl22_2", "last_day": "2019-04-30"}
    made = await first.http.post(path, json=body, headers={"X-CSRF-Token": tokens[0]})
    assert made.status_code == 201, made.text
    ident, whose = made.json()["id"], {"citizen": CITIZEN.disclose()}
    own = await first.http.post(f"{path}/{ident}/approval", json=whose, headers={"X-CSRF-Token": tokens[0]})
    assert own.status_code == 409
    done = await second.http.post(f"{path}/{ident}/approval", json=whose, headers={"X-CSRF-Token": tokens[1]})
    assert done.status_code == 200, done.text
    (row,) = (await first.http.get(path)).json()["deferrals"]
    assert (row["state"], row["unit"], row["ground"]) == (IN_FORCE, ASKS, "dbl22_2")
    over = await first.http.post(f"{path}/{ident}/end", json=whose, headers={"X-CSRF-Token": tokens[0]})
    assert over.status_code in {200, 409}
    annette = await kept.house.citizen()
    assert (await annette.http.get(path)).status_code in {401, 403}


async def test_an_overseer_who_opens_what_is_kept_back_tells_nobody(kept: Kept) -> None:
    """Opening a line that shows to the citizen shows to them too; of one that is kept back it tells them nothing."""
    await kept.looked(NOW - timedelta(hours=1))
    await kept.in_force()
    await kept.looked(NOW + timedelta(hours=1))
    then = NOW + timedelta(hours=2)
    ports, reader = replace(kept.house.ports, clock=FixedClock(then)), kept.reader(then)
    page = await reader.search(["korsbaek"], LogFilter(citizen=kept.me, kind="ask"))
    hidden, shown = [entry.receipt.index for entry in page.entries]
    evidences = EvidencesPostgres(kept.house.databases.pool, kept.house.databases.vault, [str(SIGNER.verify_key)])
    await kept.rounds.once()
    unused: Any = None
    desk = WatchDesk(ports.clock, ports.handles, ports.log, reader, Watch(unused, unused, evidences))
    for index in (hidden, shown):
        await open_line(Line("korsbaek", 2019, index), ONE, ports, reader, FakeCeilings().count_line)
        log = page.entries[0].receipt.log
        await take_out(Receipt(log, index), ONE, desk, FakeCeilings().count_evidence)
    taken = [entry for entry in (await reader.of_subject(kept.me)).entries if entry.kind == "evidence.made"]
    assert [entry.index["line"] for entry in taken] == [shown]
    seen = [entry for entry in (await reader.of_subject(kept.me)).entries if entry.kind == "entry.opened"]
    assert [entry.index["line"] for entry in seen] == [shown]
    assert len((await reader.search(["korsbaek"], LogFilter(kind="entry.opened"))).entries) == 2


async def test_a_search_from_a_line_that_is_kept_back_tells_the_citizen_nothing(kept: Kept) -> None:
    """Looking for lines of the same person is the officer's matter while that line is kept back, and theirs later."""
    await kept.in_force()
    await kept.looked(NOW + timedelta(hours=1))
    during, after = NOW + timedelta(hours=2), OVER_AT + timedelta(hours=1)
    page = await kept.reader(during).search(["korsbaek"], LogFilter(kind="outcome", citizen=kept.me))
    line = page.entries[0].receipt
    for moment, more in ((during, 0), (after, 1)):
        before = await kept.shown(moment)
        ports = replace(kept.house.ports, clock=FixedClock(moment))
        wanted = Wanted(about=Line("korsbaek", 2019, line.index))
        found = await search(wanted, ONE, ports, kept.reader(moment), FakeCeilings().count_search)
        assert line in [entry.receipt for entry in found.entries]
        assert len(await kept.shown(moment)) == len(before) + more
