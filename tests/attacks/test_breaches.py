"""Breach files: the clock, the register, whom it touches; and what others try with them. Over the real log."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.map_committer import MapCommitter
from audit.note import SigningKey
from broker.adapters.breaches_sql import BreachesSql
from broker.adapters.clock_system import FixedClock
from broker.domain.breaches import Breach, BreachNoted, Note
from broker.domain.errors import BadAsk, Conflict, NotAllowed, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.others import SeenForAnother
from broker.domain.own_look import OwnLookReached
from broker.domain.personal import Personal
from broker.oversight.breaches import Desk, Wanted, affected, count, exported, listed, note, open_file, opened
from broker.oversight.waiting import breaches_soon_late
from broker.web.breach_wire import words_from
from broker.web.inquiry_wire import words_from as words_of_inquiries
from demo.postgres import PrivatePostgres
from tests.log_events import an_outcome
from tests.pages_house import PagesHouse, open_pages
from tests.sampling import an_officer
from tests.signing import signing

WORDS = Personal("CANARY <b>forkert</b> modtager")
AT = datetime(2019, 3, 4, 12, tzinfo=UTC)
KNOWN = AT - timedelta(hours=2)
DPO = an_officer("dorte", "dpo")
CONTROLLER = an_officer("kurt", "logkontrollant")
ELSEWHERE = an_officer("n", "dpo", "norrestrand")
NOWHERE = "00000000-0000-4000-8000-000000000000"
MARCH = Wanted(datetime(2019, 3, 1, tzinfo=UTC), AT)


class House:
    """A house with a desk for breaches, and an employee who looked."""

    def __init__(self, house: PagesHouse) -> None:
        self.house = house
        at = house.databases
        self.desk = Desk(FixedClock(AT), at.vault, house.ports.directory, at.reader,
                         BreachesSql(at.pool, at.log, at.vault), house.ceilings.count_touched)  # fmt: skip

    async def looked(self, count: int, who: str = "lene", **changes: Any) -> tuple[str, list[str]]:
        """Let an employee look at citizens, one line each; give the employee's handle and the citizens'."""
        vault = self.house.databases.vault
        citizens = list(await vault.citizens([Personal(f"{number:010d}") for number in range(count)]))
        actor = await vault.officer(an_officer(who, "employee"))
        await self.house.databases.log.append(
            [replace(an_outcome(one, actor), ask=f"{who}{number}", at=AT - timedelta(days=1), **changes)
             for number, one in enumerate(citizens)]
        )  # fmt: skip
        return actor, citizens

    async def touch(self, citizen: str, actor: str) -> None:
        """Let an employee look at one citizen."""
        await self.house.databases.log.append([replace(an_outcome(citizen, actor), at=AT - timedelta(days=1))])

    async def opened(self) -> Breach:
        """Open a file."""
        return await open_file("korsbaek", KNOWN, WORDS, DPO, self.desk)

    def later(self, hours: float) -> None:
        """Move the clock on."""
        self.desk = replace(self.desk, clock=FixedClock(self.desk.clock.now() + timedelta(hours=hours)))

    async def rows(self, statement: str) -> list[Any]:
        """Read past all fences."""
        admin = await asyncpg.connect(self.house.databases.admin)
        try:
            return list(await admin.fetch(statement))
        finally:
            await admin.close()

    async def kinds(self) -> list[str]:
        """List the kinds of the entries of breach files, in the order of the log."""
        rows = await self.rows("SELECT kind FROM log.index WHERE kind LIKE 'breach.%' ORDER BY log_id, idx")
        return [row["kind"].removeprefix("breach.") for row in rows]


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[House]:
    """Give a house without breaches."""
    async with open_pages(postgres, tmp_path) as made:
        yield House(made)


async def write(house: House, one: Breach, *kinds: str, **more: str) -> None:
    """Write notes of these kinds."""
    for kind in kinds:
        await note(one.id, kind, WORDS, DPO, house.desk, **more)


async def test_the_whole_way_of_a_file(house: House) -> None:
    """Opened, assessed, told, closed and opened again: each step stands on the log, and the words are sealed."""
    one = await house.opened()
    assert (one.state, one.hours_left(AT), one.due) == ("open", 70, KNOWN + timedelta(hours=72))
    with pytest.raises(Conflict, match="not_whole"):
        await write(house, one, "closed")
    await write(house, one, "effects", "measures")
    await write(house, one, "assessed", risk="high")
    house.later(10)
    await write(house, one, "notified", reference="2019-33-0417")
    await write(house, one, "told")
    house.later(900)
    found = await opened(one.id, CONTROLLER, house.desk)
    assert (found.state, found.risk, found.missing) == ("notified", "high", ())
    # The clock stands where Datatilsynet was told.
    assert found.hours_left(house.desk.clock.now()) == 60
    assert found.notes[0].text == WORDS
    await write(house, one, "closed")
    with pytest.raises(Conflict, match="closed"):
        await write(house, one, "facts")
    await write(house, one, "reopened", "facts")
    assert (await opened(one.id, DPO, house.desk)).state == "notified"
    assert await house.kinds() == ["opened", *["noted"] * 5, "read", *["noted"] * 3, "read"]
    sealed = await house.rows("SELECT sealed_text FROM breaches.note")
    assert all(b"CANARY" not in row["sealed_text"] for row in sealed)
    for row in await house.rows("SELECT index_bytes FROM log.index"):
        assert "CANARY" not in row["index_bytes"]


async def test_the_clock_runs_over_until_somebody_is_told(house: House) -> None:
    """72 hours from knowledge, whatever the day; late is less than nought, and a late word stays late."""
    one = await house.opened()
    for hours, left in ((70, 0), (1, -1), (48, -49)):
        house.later(hours)
        assert one.hours_left(house.desk.clock.now()) == left
    await write(house, one, "assessed", risk="risk")
    await write(house, one, "notified", reference="2019-33-0417")
    house.later(500)
    assert (await opened(one.id, DPO, house.desk)).hours_left(house.desk.clock.now()) == -49


async def test_the_operator_hears_of_the_last_day(house: House) -> None:
    """From a day before the end, and after it, each file whose clock runs is counted; one that was told is not."""
    breaches = house.desk.breaches

    async def soon() -> int:
        return await breaches_soon_late("korsbaek", breaches, house.desk.clock.now())

    one, other = await house.opened(), await house.opened()
    house.later(46)
    assert await soon() == 0
    house.later(1)
    assert await soon() == 2
    await write(house, one, "assessed", risk="risk")
    await write(house, one, "notified", reference="2019-33-0417")
    assert await soon() == 1
    house.later(900)
    assert await soon() == 1
    await write(house, other, "effects", "measures")
    await write(house, other, "assessed", risk="none")
    await write(house, other, "not_notified")
    assert await soon() == 0
    assert await breaches_soon_late("norrestrand", breaches, house.desk.clock.now()) == 0


async def test_a_risk_is_never_left_untold(house: House) -> None:
    """Nobody writes a ground for silence where a risk was seen, or none was assessed; a later risk starts the clock."""
    one = await house.opened()
    with pytest.raises(Conflict, match="not_assessed"):
        await write(house, one, "not_notified")
    await write(house, one, "effects", "measures")
    await write(house, one, "assessed", risk="risk")
    with pytest.raises(Conflict, match="must_be_notified"):
        await write(house, one, "not_notified")
    await write(house, one, "assessed", risk="none")
    await write(house, one, "not_notified", "not_told")
    assert (await opened(one.id, DPO, house.desk)).stopped_at is not None
    await write(house, one, "assessed", risk="high")
    found = await opened(one.id, DPO, house.desk)
    assert (found.state, found.stopped_at) == ("assessed", None)
    with pytest.raises(Conflict, match="must_be_notified"):
        await write(house, one, "closed")


async def test_whom_it_touches_is_counted_first_and_listed_by_handle(house: House) -> None:
    """By employee, unit, source and time; counted on the log before it is shown, and listed by handle."""
    thief, citizens = await house.looked(5, "thief")
    await house.looked(9, "lene", unit="social-centre")
    await house.looked(3, "thief", outcome="refused")
    one = await house.opened()
    counted = await count(one.id, replace(MARCH, employee=thief), DPO, house.desk)
    assert (counted.more["entries"], counted.more["citizens"]) == (5, 5)
    by_unit = await count(one.id, replace(MARCH, unit="social-centre"), DPO, house.desk)
    assert by_unit.more["citizens"] == 9
    nobody = replace(MARCH, since=AT - timedelta(hours=1))
    assert (await count(one.id, nobody, DPO, house.desk)).more["citizens"] == 0
    found = await affected(one.id, counted.number, 1, CONTROLLER, house.desk)
    assert {row.citizen for row in found.rows} == set(citizens)
    assert not found.more
    assert (await affected(one.id, counted.number, 2, DPO, house.desk)).rows == ()
    assert await house.kinds() == ["opened", "counted", "counted", "counted", "listed", "listed"]


async def test_a_source_finds_whom_it_told_of(house: House) -> None:
    """By source: each line in which it was read and something was given out; no line of another source or log."""
    _, citizens = await house.looked(4, "lene", sources_read=("health", "social"))
    await house.looked(7, "kim", sources_read=("family",))
    await house.looked(6, "per", sources_read=("social",), outcome="refused")
    await house.looked(5, "nora", sources_read=("social",), municipality="norrestrand")
    one = await house.opened()
    counted = await count(one.id, replace(MARCH, source="social"), DPO, house.desk)
    assert (counted.more["entries"], counted.more["citizens"]) == (4, 4)
    assert counted.more["criteria"]["source"] == "social"
    found = await affected(one.id, counted.number, 1, DPO, house.desk)
    assert {row.citizen for row in found.rows} == set(citizens)
    for unknown in ("momentum", "soc", "social\x00", '"social"', "%"):
        with pytest.raises(BadAsk, match="unknown_source"):
            await count(one.id, replace(MARCH, source=unknown), DPO, house.desk)


async def test_an_employee_is_named_by_a_line(house: House) -> None:
    """A line of the municipality's own log stands for its employee; of another's, or none, it is no such line."""
    thief, _ = await house.looked(2, "thief")
    await house.looked(4, "lene")
    one = await house.opened()
    counted = await count(one.id, replace(MARCH, employee="2019/0"), DPO, house.desk)
    assert counted.more["criteria"]["actor"] == thief
    assert counted.more["citizens"] == 2
    for wrong in ("2019/4000", "1999/0", "x", "2019/", "٢٠١٩/0", "2019/0\x00", "x" * 4000, thief.upper()):
        with pytest.raises(BadAsk) as raised:
            await count(one.id, replace(MARCH, employee=wrong), DPO, house.desk)
        assert raised.value.pointer == "/employee"


@pytest.mark.parametrize(("since", "until", "pointer"), [
    ("0001-01-01T00:00:00Z", "2019-03-02T00:00:00Z", "/since"),
    ("1969-12-31T23:59:59Z", "2019-03-02T00:00:00Z", "/since"),
    ("2019-03-01T00:00:00Z", "9999-12-31T23:30:00Z", "/until"),
    ("2019-03-01T00:00:00Z", "2019-03-04T12:00:01Z", "/until"),
    ("2019-03-02T00:00:00Z", "2019-03-02T00:00:00Z", "/until"),
    ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:01+14:00", "/since"),
])  # fmt: skip
async def test_a_time_that_nothing_can_lie_in_is_refused(
    house: House, since: str, until: str, pointer: str
) -> None:  # fmt: skip
    """Long ago, still to come, or no time at all: refused by its field before anything is kept, and the file opens."""
    one = await house.opened()
    with pytest.raises(BadAsk) as raised:
        await count(one.id, Wanted(datetime.fromisoformat(since), datetime.fromisoformat(until)), DPO, house.desk)
    assert raised.value.pointer == pointer
    with pytest.raises(BadAsk, match="too_early"):
        await open_file("korsbaek", datetime(1, 1, 1, tzinfo=UTC), WORDS, DPO, house.desk)
    assert await house.kinds() == ["opened"]


async def test_a_line_without_an_employee_names_nobody(house: House, tmp_path: Path) -> None:
    """The log's own line and a citizen's own act stand for no employee, so nobody is counted for it."""
    _, citizens = await house.looked(1)
    mine = replace(an_outcome(citizens[0], citizens[0]), at=AT - timedelta(days=1), ask="mine")
    await house.house.databases.log.append([mine])
    one = await house.opened()
    with pytest.raises(BadAsk, match="no_employee"):
        await count(one.id, replace(MARCH, employee="2019/1"), DPO, house.desk)
    maps, address = partial(MapCommitter, epoch_seconds=0), house.house.databases.at.checkpointer
    async with signing(address, SigningKey.generate("test.example"), tmp_path / "signer", maps=maps) as rounds:
        await rounds.once()
    (root,) = await house.rows("SELECT idx FROM log.index WHERE fields ->> 'kind' = 'map' AND tenant = 'korsbaek'")
    with pytest.raises(BadAsk, match="no_such_line"):
        await count(one.id, replace(MARCH, employee=f"2019/{root['idx']}"), DPO, house.desk)


async def test_who_saw_it_for_another_touched_them(house: House) -> None:
    """A parent who was shown what is held or shared about a child has touched the child; nobody by their own look."""
    child, parent = await house.house.databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
    shared = SeenForAnother(municipality="korsbaek", subject=child, actor=parent, at=AT - timedelta(days=1), look="l",
                            aim="child", outcome="shown", shared=1, entries=1)  # fmt: skip
    await house.house.databases.log.append([shared, replace(shared, look="no", outcome="refused")])
    held = OwnLookReached(
        municipality="korsbaek", subject=child, actor=parent, at=AT - timedelta(days=1), look="k", aim="child",
        outcome="shown", reason="", law="", rule="", registry="", registers=(), sources_read=(), categories=(),
        silent=(), dropped=0, items=0, kept=(),
    )  # fmt: skip
    await house.house.databases.log.append([held, replace(held, look="o", subject=parent, aim="self")])
    one = await house.opened()
    counted = await count(one.id, MARCH, DPO, house.desk)
    assert (counted.more["entries"], counted.more["citizens"]) == (2, 1)


async def test_what_goes_out_names_nobody(house: House) -> None:
    """The file for the authority holds words and counts; no handle of anybody, and it is on the log."""
    thief, citizens = await house.looked(2, "thief")
    dorte = await house.house.officer()
    one = await house.opened()
    await count(one.id, replace(MARCH, employee=thief), DPO, house.desk)
    out = await dorte.http.get(f"/v1/breaches/{one.id}/export")
    assert out.json()["notes"][1]["criteria"]["employee"] is True
    assert out.json()["controller"]["cvr"]
    mine = await house.house.databases.vault.officer(DPO)
    assert not any(name in out.text for name in (thief, mine, *citizens))
    assert (await house.kinds())[-1] == "exported"


@pytest.mark.parametrize("officer", [
    ELSEWHERE, an_officer("n", "logkontrollant", "norrestrand"), replace(DPO, municipalities=frozenset()),
    an_officer("l", "teamleder", "korsbaek", "jobcentre"), an_officer("s", "styregruppe"),
])  # fmt: skip
async def test_what_one_may_not_see_is_not_there(house: House, officer: OfficerLogin) -> None:
    """Another municipality's, a leader's, a steering group's way leads nowhere, and leaves nothing on any log."""
    one = await house.opened()
    for wanted in (one.id, NOWHERE, "x", "\x00", "1" * 4000):
        for tried in (
            opened(wanted, officer, house.desk),
            exported(wanted, officer, house.desk),
            note(wanted, "facts", WORDS, officer, house.desk),
            count(wanted, MARCH, officer, house.desk),
            affected(wanted, 2, 1, officer, house.desk),
        ):
            with pytest.raises((NotFound, NotAllowed)):
                await tried
    with pytest.raises(NotAllowed):
        await open_file("korsbaek", KNOWN, WORDS, officer, house.desk)
    with contextlib.suppress(NotAllowed):
        assert await listed(officer, house.desk) == ()
    assert await house.kinds() == ["opened"]


async def test_the_controller_reads_and_writes_not(house: House) -> None:
    """Who controls the log sees files and counts; opening, writing and counting are the DPO's."""
    one = await house.opened()
    await opened(one.id, CONTROLLER, house.desk)
    for tried in (
        open_file("korsbaek", KNOWN, WORDS, CONTROLLER, house.desk),
        note(one.id, "facts", WORDS, CONTROLLER, house.desk),
        count(one.id, MARCH, CONTROLLER, house.desk),
    ):
        with pytest.raises(NotAllowed):
            await tried


async def test_of_two_at_once_one_is_kept(house: House) -> None:
    """Two who both saw one note write at the same moment: one is kept, the other is told, and the log has one entry."""
    one = await house.opened()
    event = BreachNoted(
        municipality="korsbaek", subject=one.keeper, actor=one.keeper, at=AT, breach=one.id, role="dpo", note="facts",
        number=2,
    )  # fmt: skip
    both = (house.desk.breaches.note(one, Note(2, "facts", AT, one.keeper, WORDS), event) for _ in range(2))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in done) == 1
    assert await house.kinds() == ["opened", "noted"]


@pytest.mark.parametrize(("kind", "more", "pointer"), [
    ("x", {}, "/kind"), ("found", {}, "/kind"), ("assessed", {}, "/risk"), ("assessed", {"risk": "some"}, "/risk"),
    ("notified", {}, "/reference"), ("notified", {"reference": "710274-0022"}, "/reference"),
    ("notified", {"reference": "x" * 65}, "/reference"), ("notified", {"reference": "a b c"}, "/reference"),
])  # fmt: skip
async def test_what_cannot_be_written_is_told_by_its_field(
    house: House, kind: str, more: dict[str, str], pointer: str
) -> None:
    """No such note, no risk, no number of the case: the field is named, and nothing is kept."""
    one = await house.opened()
    with pytest.raises(BadAsk) as raised:
        await note(one.id, kind, WORDS, DPO, house.desk, **more)
    assert raised.value.pointer == pointer
    assert len((await opened(one.id, DPO, house.desk)).notes) == 1


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("read", [words_from, words_of_inquiries])
async def test_the_end_of_a_line_counts_as_one_sign(read: Callable[[str], Personal[str]], end: str) -> None:
    """A form sends each line's end as two signs: what fits in the field fits in the file. So it is for every other."""
    assert read(end + "x" * 999 + end + "x" * 1000 + end).disclose() == "x" * 999 + "\n" + "x" * 1000
    assert words_from(end + "x" * 1999 + end + "x" * 2000 + end).disclose() == "x" * 1999 + "\n" + "x" * 2000


@pytest.mark.parametrize("text", ["a\r\rb", "a\r\n\rb", "a\n\r\nb", "a\n\nb"])
async def test_words_that_are_read_twice_are_the_same_words(text: str) -> None:
    """What stands in the file, sent again, is what stands there, whichever signs its lines first ended with."""
    once = words_from(text).disclose()
    assert once == words_from(once).disclose() == "a\n\nb"


@pytest.mark.parametrize("text", ["", " ", "x" * 4001, "det var 710274-0022 igen", "nr. 7102740022", "710274 0022"])
async def test_words_that_are_none_or_name_somebody_are_refused(text: str) -> None:
    """No words, too many, or the number of a person among them."""
    with pytest.raises(BadAsk) as raised:
        words_from(text)
    assert raised.value.pointer == "/text"


async def test_the_register_is_never_changed(house: House) -> None:
    """Neither the application's role nor the owner changes or deletes what was written; nobody counts from tomorrow."""
    await house.opened()
    for statement in ("UPDATE breaches.note SET kind = 'x'", "DELETE FROM breaches.note",
                      "TRUNCATE breaches.breach CASCADE", "UPDATE breaches.breach SET known_at = now()"):  # fmt: skip
        with pytest.raises(asyncpg.PostgresError):
            await house.rows(statement)
    with pytest.raises(BadAsk, match="still_to_come"):
        await open_file("korsbaek", AT + timedelta(seconds=1), WORDS, DPO, house.desk)
    # The application's own role, told no municipality, sees no row and adds none.
    pool = house.house.databases.pool
    assert await pool.fetchval("SELECT count(*) FROM breaches.breach") == 0


async def test_pages_and_api_say_the_same(house: House) -> None:
    """The DPO opens, counts and writes on the pages; faults keep what was typed; markup never runs; the API agrees."""
    thief, _ = await house.looked(3, "thief")
    dorte = await house.house.officer()
    await dorte.get("/dpo/breaches")
    wrong = await dorte.post("/dpo/breaches", municipality="korsbaek", known_day="2019-02-30", known_time="10:00",
                             text="CANARY <script>x</script>")  # fmt: skip
    assert (wrong.status_code, "<script>x" in wrong.text, "CANARY &lt;script" in wrong.text) == (400, False, True)
    page = await dorte.send("/dpo/breaches", municipality="korsbaek", known_day="2019-03-01", known_time="10:00",
                            text="CANARY <script>x</script>")  # fmt: skip
    assert "<script>x" not in page.text
    here = str(page.url).removeprefix("https://broker.example")
    mine = {"since_day": "2019-03-01", "employee": thief}
    assert "3 borgere" in (await dorte.send(f"{here}/counts", **mine)).text
    assert (await dorte.post(f"{here}/counts", since_day="x", until_day="2019-03-04")).status_code == 400
    assert "<code>" in (await dorte.get(f"{here}/counts/2")).text
    assert (await dorte.get(f"{here}/counts/1")).status_code == 404
    refused = await dorte.post(here, kind="closed", text="jeg lukker")
    assert (refused.status_code, "Der mangler stadig noget" in refused.text, "jeg lukker" in refused.text) == (
        400,
        True,
        True,
    )
    await dorte.send(here, kind="assessed", risk="high", text="helbred")
    told = (await dorte.http.get(f"/v1/breaches/{here.split('/')[-1]}")).json()
    assert (told["state"], told["risk"], [one["kind"] for one in told["notes"]]) == (
        "assessed", "high", ["facts", "found", "assessed"])  # fmt: skip
    rows = (await dorte.http.get("/v1/breaches")).json()
    assert "CANARY" not in json.dumps(rows)
    assert rows["breaches"][0]["id"] == told["id"]
    assert not any("CANARY" in address or thief in address for address in dorte.seen)


async def test_what_is_sent_twice_is_one_file_and_one_note(house: House) -> None:
    """A double click, also at the same moment, makes one file and one note; the same key for other words is refused."""
    dorte = await house.house.officer()
    page = await dorte.get("/dpo/breaches")
    (once,) = re.findall(r'name="once" value="([0-9a-f-]{36})"', page.text)
    sent = {
        "municipality": "korsbaek",
        "known_day": "2019-03-01",
        "known_time": "10:00",
        "text": "x\r\ny",
        "once": once,
    }
    both = await asyncio.gather(*(dorte.post("/dpo/breaches", **sent) for _ in range(2)))
    (here,) = {answer.headers["location"] for answer in both}
    other = await dorte.post("/dpo/breaches", **(sent | {"text": "z"}))
    assert (other.status_code, "Det er sendt før" in other.text, once in other.text) == (400, True, False)
    assert (await dorte.post("/dpo/breaches", **(sent | {"once": "\x00"}))).status_code == 400
    (seen,) = re.findall(r'name="seen" value="([0-9]+)"', (await dorte.get(here)).text)
    for _ in range(2):
        assert (await dorte.post(here, kind="effects", text="x", seen=seen)).headers["location"] == here
    meanwhile = await dorte.post(here, kind="effects", text="y", seen=seen)
    assert (meanwhile.status_code, "skrevet" in meanwhile.text or "skrev" in meanwhile.text) == (400, True)
    key = {"X-CSRF-Token": dorte.csrf, "Idempotency-Key": once}
    body = {"municipality": "korsbaek", "known_at": "2019-03-01T09:00:00Z", "text": "x\ny"}
    again = await dorte.http.post("/v1/breaches", json=body, headers=key)
    assert (again.status_code, again.json()["id"]) == (201, here.split("/")[-1])
    assert (await dorte.http.post("/v1/breaches", json=body | {"text": "z"}, headers=key)).status_code == 422
    kinds = await house.kinds()
    assert (kinds.count("opened"), kinds.count("noted")) == (1, 1)
    # Another officer's same key is another request.
    assert (await open_file("korsbaek", KNOWN, WORDS, DPO, house.desk, once=once)).id != here.split("/")[-1]


async def test_a_form_without_its_token_does_nothing(house: House) -> None:
    """Another site's form, and the API without the token, open and write nothing; a citizen finds no door."""
    one = await house.opened()
    dorte, annette = await house.house.officer(), await house.house.citizen()
    await dorte.get("/dpo/breaches")
    await annette.get("/mine")
    sent = {"municipality": "korsbaek", "known_day": "2019-03-01", "known_time": "10:00", "text": "x"}
    assert (await dorte.post("/dpo/breaches", csrf="0" * 43, **sent)).status_code == 403
    assert (await dorte.post(f"/dpo/breaches/{one.id}", csrf="", kind="facts", text="x")).status_code == 403
    body = {"kind": "facts", "text": "x"}
    assert (await dorte.http.post(f"/v1/breaches/{one.id}/notes", json=body)).status_code == 403
    assert (await annette.http.get(f"/v1/breaches/{one.id}")).status_code in {401, 403}
    assert await house.kinds() == ["opened"]


async def test_unknown_and_forbidden_ids_answer_alike(house: House) -> None:
    """A file of another municipality and one that there is not give the same bytes, on every door."""
    one = await house.opened()
    other = await house.house.officer(id="o", municipalities=["norrestrand"])
    await other.get("/dpo/breaches")
    token = {"X-CSRF-Token": other.csrf}

    async def tried(name: str) -> list[tuple[int, str]]:
        wanted = {"since": "2019-03-01T00:00:00Z", "until": "2019-03-02T00:00:00Z"}
        answers = [
            await other.get(f"/dpo/breaches/{name}"),
            await other.get(f"/dpo/breaches/{name}/counts/1"),
            await other.post(f"/dpo/breaches/{name}", kind="facts", text="x"),
            await other.post(f"/dpo/breaches/{name}/counts", since_day="2019-03-01", until_day="2019-03-02"),
            await other.http.get(f"/v1/breaches/{name}"),
            await other.http.get(f"/v1/breaches/{name}/export"),
            await other.http.get(f"/v1/breaches/{name}/counts/1"),
            await other.http.post(f"/v1/breaches/{name}/counts", json=wanted, headers=token),
            await other.http.post(f"/v1/breaches/{name}/notes", json={"kind": "facts", "text": "x"}, headers=token),
        ]
        return [(answer.status_code, re.sub(name + r"|[0-9a-f]{32}", "", answer.text)) for answer in answers]

    assert await tried(one.id) == await tried(NOWHERE)
    assert {status for status, _ in await tried(one.id)} == {404}
