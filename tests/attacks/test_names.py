"""Whoever would have an employee named without a reason, a trace or a right to it, or make a list of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters import ceilings_postgres
from broker.adapters.ceilings_postgres import Ceiling, Limits, PostgresCeilings
from broker.adapters.disclosures_vault import DisclosuresVault
from broker.domain.desk_look import DeskLooked
from broker.domain.entries import LogEntry, LogFilter
from broker.domain.errors import BadAsk, Conflict, LogUnavailable, NotAllowed, NotFound, TooManyAsks
from broker.domain.events import AskMade, BlockChanged, BreakGlassDecided, BreakGlassRead
from broker.domain.personal import Personal
from broker.oversight.names import Desk, Sought, code_of, name_behind
from broker.oversight.search import Line, Wanted, search
from broker.web.named_wire import sought_from, why_from
from demo.postgres import PrivatePostgres
from tests.attacks.test_oversight import officer
from tests.builders import CITIZEN, NOON, a_caller
from tests.fakes.web import FakeCeilings
from tests.pages_house import ASK, EMPLOYER, PagesHouse, open_pages

WHY = "CANARY a citizen complains of the look on Sunday night"
WORDS = Personal(WHY)
LENE = "lene"
DPO = officer("dpo", "korsbaek")


@dataclass
class Naming:
    """The house in which Lene asked about Annette, and the desk at which employees are named."""

    house: PagesHouse
    desk: Desk
    ask: LogEntry

    @property
    def line(self) -> Line:
        """Where Lene's ask stands."""
        return Line("korsbaek", 2019, self.ask.receipt.index)

    @property
    def place(self) -> str:
        """The same, as addresses have it."""
        return f"korsbaek/2019/{self.ask.receipt.index}"

    async def of_the_citizen(self) -> Line:
        """Write down something that the citizen did, and say where it stands."""
        citizen = self.ask.index["citizen"]
        event = BlockChanged(
            municipality="korsbaek", subject=citizen, actor=citizen, at=NOON, block="b", source=None, unit=None,
            category=None, lifted=False,
        )  # fmt: skip
        (receipt,) = await self.house.databases.log.append([event])
        return Line("korsbaek", 2019, receipt.index)

    async def told(self) -> list[LogEntry]:
        """Give the entries that say that somebody was named, each with its body, the oldest first."""
        reader = self.house.databases.reader
        rows = (await reader.search(["korsbaek"], LogFilter(kind="employee.named"))).entries
        return [await reader.entry(row.receipt, municipalities=("korsbaek",)) for row in reversed(rows)]


@pytest.fixture
async def naming(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Naming]:
    """Open the house after one ask."""
    async with open_pages(postgres, tmp_path) as house:
        krogh = replace(a_caller().caseworker, issuer=EMPLOYER.issuer, name=Personal("Lene Krogh"))
        await house.databases.vault.actor(krogh)
        lene = await house.caseworker(issuer=EMPLOYER.issuer)
        await lene.get("/case")
        await lene.post("/case", **ASK)
        made = house.databases
        limits = Ceiling(100, 3600)
        desk = Desk(
            clock=house.clock,
            handles=made.vault,
            directory=house.ports.directory,
            reader=made.reader,
            disclosures=DisclosuresVault(made.log, made.vault),
            employers={EMPLOYER.issuer: "korsbaek", "https://login.norrestrand.example": "norrestrand"},
            count=PostgresCeilings(made.pool, Limits(limits, limits, limits)).count_name,
        )
        (ask,) = (await made.reader.search(["korsbaek"], LogFilter(kind="ask"))).entries
        yield Naming(house, desk, ask)


async def test_a_name_is_told_for_a_reason_that_is_on_the_log_first(naming: Naming) -> None:
    """The entry has who, which line, whose code and, sealed, why; it is about the overseer and not the citizen."""
    citizen = naming.ask.index["citizen"]
    before = len((await naming.house.databases.reader.of_subject(citizen)).entries)
    told = await name_behind(naming.line, WORDS, DPO, naming.desk)
    assert (told.id.disclose(), told.name and told.name.disclose()) == (LENE, "Lene Krogh")
    (entry,) = await naming.told()
    assert entry.body is not None
    assert (entry.body["employee"], entry.body["line"]) == (naming.ask.index["actor"], naming.line.index)
    assert entry.index["citizen"] == entry.index["actor"] != citizen
    assert not any(part in str([entry.index, entry.body]) for part in ("CANARY", "Krogh", LENE, citizen))
    why = await naming.desk.disclosures.why(entry)
    assert why is not None
    assert why.disclose() == WHY
    assert len((await naming.house.databases.reader.of_subject(citizen)).entries) == before
    assert await naming.desk.disclosures.why(naming.ask) is None


async def test_nobody_is_named_while_it_cannot_be_written_down(naming: Naming) -> None:
    """With the log down, the vault is not asked whose the code is."""

    class Down:
        async def append(self, *_: Any, **__: Any) -> Any:
            raise LogUnavailable

    vault = naming.house.databases.vault
    asked: list[str] = []

    class Watched:
        keys = vault.keys

        async def disclose_actor(self, handle: str) -> Any:
            asked.append(handle)

    down = replace(naming.desk, disclosures=DisclosuresVault(Down(), Watched()))  # type: ignore[arg-type]  # half a door
    with pytest.raises(LogUnavailable):
        await name_behind(naming.line, WORDS, DPO, down)
    with pytest.raises(LogUnavailable):
        await code_of(Sought(Personal(LENE)), WORDS, DPO, down)
    assert asked == []


async def test_who_may_not_have_anybody_named(naming: Naming) -> None:
    """A leader, a caseworker, who oversees nobody, and another municipality's overseer: nothing is told or written."""
    for who in (officer("teamleder", "korsbaek"), officer("sagsbehandler", "korsbaek"), officer("dpo")):
        with pytest.raises(NotAllowed):
            await name_behind(naming.line, WORDS, who, naming.desk)
        with pytest.raises(NotAllowed):
            await code_of(Sought(Personal(LENE)), WORDS, who, naming.desk)
    abroad = officer("dpo", "norrestrand")
    with pytest.raises(NotFound):
        await name_behind(naming.line, WORDS, abroad, naming.desk)
    with pytest.raises(BadAsk):
        await code_of(Sought(Personal(LENE), EMPLOYER.issuer), WORDS, abroad, naming.desk)
    assert await naming.told() == []
    assert await code_of(Sought(Personal(LENE)), WORDS, abroad, naming.desk) is None


async def test_who_works_for_another_is_not_named(naming: Naming) -> None:
    """An ask of another municipality's unit on our log, and its person who answered for data, stay codes."""
    directory = naming.desk.directory
    foreign = next(unit for unit in directory.units.values() if unit.municipality == "norrestrand")
    said: dict[str, Any] = {
        "municipality": "korsbaek", "subject": naming.ask.index["citizen"], "actor": naming.ask.index["actor"],
        "at": NOON, "request": "b", "requester": "norrestrand", "purpose": "emergency", "reason": "r", "said": "yes",
        "case": naming.ask.index["case"], "sources": (), "holders": ("jobcentre",),
    }  # fmt: skip
    events = [
        BreakGlassDecided(**said, unit=foreign.id, holder="jobcentre"),
        BreakGlassDecided(**said, unit="jobcentre", holder=foreign.id),
    ]
    ours, theirs = [Line("korsbaek", 2019, one.index) for one in await naming.house.databases.log.append(events)]
    assert (await name_behind(ours, WORDS, DPO, naming.desk)).id.disclose() == LENE
    with pytest.raises(Conflict) as refused:
        await name_behind(theirs, WORDS, DPO, naming.desk)
    assert refused.value.what == "employee_of_another"
    units = dict(directory.units)
    units["jobcentre"] = replace(units["jobcentre"], municipality="norrestrand")
    moved = replace(naming.desk, directory=replace(directory, units=units))
    with pytest.raises(Conflict):
        await name_behind(naming.line, WORDS, DPO, moved)
    assert len(await naming.told()) == 1


async def test_whose_unit_is_gone_is_named_to_its_own_alone(naming: Naming) -> None:
    """A unit that left the registry is still of who asked: another municipality's employee stays a code for good."""
    subject, actor, case = (naming.ask.index[name] for name in ("citizen", "actor", "case"))
    asked = AskMade(
        municipality="korsbaek", subject=subject, actor=actor, at=NOON, ask="gone", requester="norrestrand",
        unit="gone", system="s", roles=(), nsis="High", purpose="p", case=case, categories=None, sources=None,
    )  # fmt: skip
    read = BreakGlassRead(
        municipality="korsbaek", subject=subject, actor=actor, at=NOON, request="b", requester="korsbaek",
        unit="jobcentre", purpose="emergency", reason="r", case=case, sources=(), holders=(), holder="gone",
    )  # fmt: skip
    looked = DeskLooked(
        municipality="korsbaek", subject=subject, actor=actor, at=NOON, unit="gone", system="s",
    )  # fmt: skip
    events = [asked, read, replace(asked, requester="korsbaek"), looked]
    theirs, unknown, ours, at_desk = [
        Line("korsbaek", 2019, one.index) for one in await naming.house.databases.log.append(events)
    ]
    for line in (theirs, unknown):
        with pytest.raises(Conflict) as refused:
            await name_behind(line, WORDS, DPO, naming.desk)
        assert refused.value.what == "employee_of_another"
    for line in (ours, at_desk):
        assert (await name_behind(line, WORDS, DPO, naming.desk)).id.disclose() == LENE
    assert len(await naming.told()) == 2


async def test_what_overseers_did_names_them_to_their_own_log(naming: Naming) -> None:
    """A line of no unit is its log's own overseers': who searched is named, as any employee is."""
    await search(Wanted(), DPO, naming.house.ports, naming.house.databases.reader, FakeCeilings().count_search)
    rows = (await naming.house.databases.reader.search(["korsbaek"], LogFilter(kind="log.searched"))).entries
    named = await name_behind(Line("korsbaek", 2019, rows[0].receipt.index), WORDS, DPO, naming.desk)
    assert named.id.disclose() == DPO.id.disclose()


async def test_an_erased_citizens_line_names_its_own(naming: Naming) -> None:
    """What is erased has its row alone: a unit that is there is named by, one that is gone names nobody."""
    vault = await asyncpg.connect(naming.house.databases.at.vault_owner)
    await vault.execute("DELETE FROM vault.subject_key WHERE handle = $1", naming.ask.index["citizen"])
    await vault.close()
    assert (await name_behind(naming.line, WORDS, DPO, naming.desk)).id.disclose() == LENE
    units = {name: unit for name, unit in naming.desk.directory.units.items() if name != "jobcentre"}
    gone = replace(naming.desk, directory=replace(naming.desk.directory, units=units))
    with pytest.raises(Conflict) as refused:
        await name_behind(naming.line, WORDS, DPO, gone)
    assert refused.value.what == "employee_of_another"


async def test_a_changed_row_names_nobody(naming: Naming) -> None:
    """Whoever puts another's code into a row with the database's own password has nobody named by it."""
    superuser = await asyncpg.connect(naming.house.databases.admin)
    await superuser.execute("SET session_replication_role = 'replica'")
    boss = await naming.house.databases.vault.officer(DPO)
    change = "UPDATE log.index SET index_bytes = replace(index_bytes, $1, $2)"
    await superuser.execute(change, naming.ask.index["actor"], boss)
    await superuser.close()
    with pytest.raises(Conflict) as refused:
        await name_behind(naming.line, WORDS, DPO, naming.desk)
    assert refused.value.what == "line_changed"
    assert await naming.told() == []


async def test_what_a_citizen_did_names_no_employee(naming: Naming) -> None:
    """A line of the citizen's own has nobody to name; their code is no employee's in a search either."""
    reader, dorte = naming.house.databases.reader, await naming.house.officer()
    (citizen,) = await naming.house.databases.vault.citizens([CITIZEN])
    with pytest.raises(Conflict) as refused:
        await name_behind(await naming.of_the_citizen(), WORDS, DPO, naming.desk)
    assert refused.value.what == "no_employee"
    for code in (citizen, naming.ask.index["case"], "0" * 32):
        with pytest.raises(BadAsk) as wrong:
            await search(Wanted(LogFilter(actor=code)), DPO, naming.house.ports, reader, FakeCeilings().count_search)
        assert wrong.value.pointer == "/actor"
    await dorte.get("/dpo")
    page = await dorte.post("/dpo/find", actor=citizen)
    assert (page.status_code, 'href="#actor"' in page.text) == (400, True)
    assert (await reader.search(["korsbaek"], LogFilter(kind="log.searched"))).entries[0].index["actor"] != citizen


async def test_so_many_names_in_a_day_and_no_more(naming: Naming, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways count on one ceiling, at once and for another municipality too; what is refused is not on the log."""
    monkeypatch.setattr(ceilings_postgres, "NAMES", Ceiling(3, 86400))
    asks = [name_behind(naming.line, WORDS, DPO, naming.desk) for _ in range(4)]
    looks = [code_of(Sought(Personal(f"nobody {n}")), WORDS, DPO, naming.desk) for n in range(4)]
    answers = await asyncio.gather(*asks, *looks, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, TooManyAsks)]
    assert (len(refused), len(await naming.told())) == (5, 3)
    controller = replace(DPO, role="logkontrollant")
    with pytest.raises(TooManyAsks):
        await name_behind(naming.line, WORDS, controller, naming.desk)
    with pytest.raises(TooManyAsks):
        await code_of(Sought(Personal(LENE)), WORDS, officer("dpo", "norrestrand"), naming.desk)
    await name_behind(naming.line, WORDS, replace(DPO, id=Personal("another")), naming.desk)


async def test_an_employee_is_found_by_their_id(naming: Naming) -> None:
    """A known id gives the code, an unknown one none and makes none; both are on the log, without the id."""
    assert await code_of(Sought(Personal(LENE)), WORDS, DPO, naming.desk) == naming.ask.index["actor"]
    for nobody in ("Lene Krogh", "lene.krogh", CITIZEN.disclose(), "%"):
        assert await code_of(Sought(Personal(nobody)), WORDS, DPO, naming.desk) is None
        assert await naming.house.databases.vault.employee(EMPLOYER.issuer, Personal(nobody)) is None
    for issuer in ("https://login.norrestrand.example", "i", "https://nowhere.example"):
        with pytest.raises(BadAsk):
            await code_of(Sought(Personal(LENE), issuer), WORDS, DPO, naming.desk)
    entries = await naming.told()
    assert [entry.body["employee"] != "" for entry in entries if entry.body] == [True] + 4 * [False]
    assert not any(part in str([e.body for e in entries]) for part in (LENE, "CANARY", CITIZEN.disclose()))
    both = replace(DPO, municipalities=frozenset({"korsbaek", "norrestrand"}))
    with pytest.raises(BadAsk):
        await code_of(Sought(Personal(LENE)), WORDS, both, naming.desk)
    assert await code_of(Sought(Personal(LENE), EMPLOYER.issuer), WORDS, both, naming.desk) is not None


@pytest.mark.parametrize("words", ["", "  ", "x" * 501, "a\x00b", "about 710274-0022", "about 7102740022"])
def test_a_reason_is_words(words: str) -> None:
    """No word, too many, a control sign or a CPR number is no reason."""
    with pytest.raises(BadAsk):
        why_from(words)


@pytest.mark.parametrize("person", ["", " ", "x" * 201, "a\nb"])
def test_an_id_is_an_id(person: str) -> None:
    """Nothing, too much or a control sign is nobody's id."""
    with pytest.raises(BadAsk):
        sought_from(person, "")


async def test_the_pages_name_and_find_in_their_bodies_alone(naming: Naming) -> None:
    """The line asks for a reason and shows the name once; the search takes an id; no address, no list has either."""
    dorte = await naming.house.officer()
    page = await dorte.get(f"/dpo/lines/{naming.place}")
    assert 'id="why"' in page.text
    assert "Krogh" not in page.text
    bare = await dorte.post(f"/dpo/lines/{naming.place}/who", why=" ")
    assert (bare.status_code, 'href="#why"' in bare.text, "Krogh" in bare.text) == (400, True, False)
    assert await naming.told() == []
    named = await dorte.post(f"/dpo/lines/{naming.place}/who", why=WHY)
    assert (named.status_code, "Lene Krogh" in named.text, named.headers["cache-control"]) == (200, True, "no-store")
    (entry,) = await naming.told()
    said = await dorte.get(f"/dpo/lines/korsbaek/2019/{entry.receipt.index}")
    assert WHY in said.text
    assert "Krogh" not in said.text
    assert (await dorte.post("/dpo/employee", employee="", why=WHY)).status_code == 400
    assert (await dorte.post("/dpo/employee", employee=LENE, why="")).status_code == 400
    assert (await dorte.post("/dpo/employee", employee=LENE, why=WHY, issuer="i")).status_code == 400
    found = await dorte.post("/dpo/employee", employee=LENE, why=WHY)
    assert (found.status_code, naming.place in found.text) == (200, True)
    nobody = await dorte.post("/dpo/employee", employee="nobody", why=WHY)
    assert (nobody.status_code, "bb-panel" in nobody.text) == (200, False)
    for place in ("korsbaek/2019/999", "norrestrand/2019/0", "x/y/z"):
        assert (await dorte.post(f"/dpo/lines/{place}/who", why=WHY)).status_code == 404
    assert not any(part in "".join(dorte.seen) for part in ("CANARY", "lene", "Krogh"))


async def test_a_page_says_why_there_is_no_name(naming: Naming) -> None:
    """Where a line has no employee of ours, the page says so and shows nobody."""
    dorte = await naming.house.officer()
    place = f"/dpo/lines/korsbaek/2019/{(await naming.of_the_citizen()).index}"
    line = await dorte.get(place)
    assert (line.status_code, 'id="why"' in line.text, 'name="actor"' in line.text) == (200, False, False)
    refused = await dorte.post(f"{place}/who", why=WHY)
    assert (refused.status_code, 'href="#why"' in refused.text) == (400, True)


async def test_json_names_and_finds_as_the_pages_do(naming: Naming) -> None:
    """The same by JSON: a reason or nothing, the token that a form carries, the ceiling, and no echo."""
    dorte = await naming.house.officer()
    await dorte.get("/dpo")
    told, place = {"X-CSRF-Token": dorte.csrf}, f"/v1/accesses/{naming.place}/employee"
    assert (await dorte.http.post(place, json={"reason": WHY})).status_code == 403
    for wrong in ({}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "CANARY 7102740022"}, {"reason": WHY, "x": 1}):
        refused = await dorte.http.post(place, json=wrong, headers=told)
        assert (refused.status_code, "CANARY" in refused.text) == (400, False), wrong
    assert await naming.told() == []
    answer = await dorte.http.post(place, json={"reason": WHY}, headers=told)
    assert answer.json() == {"issuer": EMPLOYER.issuer, "id": LENE, "name": "Lene Krogh"}
    body = {"employee": {"id": LENE}, "why": WHY, "kind": "ask"}
    found = await dorte.http.post("/v1/accesses/by-employee", json=body, headers=told)
    assert [row["index"] for row in found.json()["entries"]] == [naming.line.index]
    assert found.json()["actor"] == naming.ask.index["actor"]
    nobody = await dorte.http.post("/v1/accesses/by-employee", json=body | {"employee": {"id": "n"}}, headers=told)
    assert nobody.json() == {"actor": None, "entries": [], "next": None}
    both = await dorte.http.post("/v1/accesses/by-employee", json=body | {"actor": "0" * 32}, headers=told)
    assert both.status_code == 400
    for _ in range(ceilings_postgres.NAMES.asks - 3):
        assert (await dorte.http.post(place, json={"reason": WHY}, headers=told)).status_code == 200
    late = await dorte.http.post(place, json={"reason": WHY}, headers=told)
    assert (late.status_code, "Krogh" in late.text) == (429, False)
