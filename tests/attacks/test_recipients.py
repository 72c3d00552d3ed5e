"""Who got what, where something must be put right: what the DPO is told, what they are not, and what others try."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import jsonschema
import pytest

from broker.adapters import ceilings_postgres
from broker.domain.asks import Key
from broker.domain.decisions import Basis, Verdict
from broker.domain.entries import LogEntry, LogFilter, LogPage
from broker.domain.errors import BadAsk, LogUnavailable, NotAllowed
from broker.domain.personal import Personal
from broker.oversight.recipients import Wish, receivers
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, STRANGER
from tests.fakes.registers import FakePeople
from tests.log_events import NOON, an_outcome
from tests.pages_house import PagesHouse, open_pages
from tests.sampling import an_officer

PLACE = "/dpo/package/recipients"
NUMBER = "710274-0022"
NEW = Personal("6211740022")
WISH = {"citizen": NUMBER, "aim": "corrected", "source": "social"}
ASKED = Wish(CITIZEN, "corrected", "social")


def let_out(citizen: str, *kinds: tuple[str, str]) -> tuple[Verdict, ...]:
    """Release these kinds."""
    basis = (Basis("consent", "CANARY-consent", "1", "RSL-11a-1"),)
    return tuple(Verdict(Key(*kind, citizen), "release", basis=basis) for kind in kinds)


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house whose log says who got what of a citizen's, in Korsbæk, in Nørrestrand, and who got nothing."""
    async with open_pages(postgres, tmp_path) as made:
        (citizen,) = await made.databases.vault.citizens([CITIZEN])
        actor = await made.databases.vault.officer(an_officer("nils", "employee"))
        first = an_outcome(citizen, actor, unit="jobcentre", verdicts=let_out(citizen, ("social", "S01")))
        again = replace(
            first, ask="ask-2", at=NOON + timedelta(days=2),
            verdicts=let_out(citizen, ("social", "S01"), ("social", "S02"), ("family", "F01")),
        )  # fmt: skip
        away = replace(first, ask="ask-3", requester="norrestrand", unit="far-away", at=NOON + timedelta(days=4))
        refused = replace(first, ask="ask-4", unit="school", outcome="refused")
        asked = replace(first, ask="ask-5", unit="health", outcome="evaluated")
        elsewhere = replace(first, municipality="norrestrand", requester="norrestrand", ask="ask-6", unit="unseen")
        await made.databases.log.append([first, again, away, refused, asked, elsewhere])
        yield made


async def told(house: PagesHouse, status: int = 200, who: dict[str, Any] | None = None, **more: str) -> Any:
    """Ask in JSON as an officer; give the body."""
    dorte = await house.officer(**(who or {}))
    await dorte.get("/dpo/inquiries")
    answer = await dorte.http.post("/v1/recipients", json=WISH | more, headers={"X-CSRF-Token": dorte.csrf})
    assert answer.status_code == status, answer.text
    return answer.json()


async def looks(house: PagesHouse, cpr: Personal[str] = CITIZEN) -> list[LogEntry]:
    """Give the entries that say that somebody looked who got a citizen's data."""
    (handle,) = await house.databases.vault.citizens([cpr])
    return list((await house.databases.reader.of_subject(handle, wanted=LogFilter(kind="recipients.seen"))).entries)


def short(body: Any) -> list[tuple[Any, ...]]:
    """Give the rows of an answer without their days."""
    return [(r["municipality"], r["unit"], r["source"], r["category"], r["times"]) for r in body["recipients"]]


async def test_which_units_got_which_kinds_when_and_how_often(house: PagesHouse) -> None:
    """Each unit and kind is a row, another municipality's named as such; a refusal and an evaluation are none."""
    body = await told(house)
    assert short(body) == [
        ("norrestrand", "far-away", "social", "S01", 1),
        ("korsbaek", "jobcentre", "social", "S01", 2),
        ("korsbaek", "jobcentre", "social", "S02", 1),
    ]
    row = body["recipients"][1]
    assert (row["first"][:10], row["last"][:10], body["whole"]) == ("2019-03-01", "2019-03-03", True)
    document = (await (await house.officer()).http.get("/openapi.json")).json()
    jsonschema.validate(body, {"$ref": "#/components/schemas/Recipients", "components": document["components"]})
    assert short(await told(house, category="S02")) == [("korsbaek", "jobcentre", "social", "S02", 1)]
    assert short(await told(house, source="family")) == [("korsbaek", "jobcentre", "family", "F01", 1)]


@pytest.mark.parametrize(("days", "units"), [
    ({"since": "2019-03-05", "until": "2019-03-05"}, ["far-away"]),
    ({"until": "2019-03-01"}, ["jobcentre"]),
    ({"since": "2019-03-06"}, []),
])  # fmt: skip
async def test_days_are_whole_danish_ones(house: PagesHouse, days: dict[str, str], units: list[str]) -> None:
    """The first and the last day are both included; what was handed out on others is not counted."""
    body = await told(house, 200, None, **days)
    assert [(row["unit"], row["times"]) for row in body["recipients"]] == [(unit, 1) for unit in units]


async def test_nothing_else_of_the_citizen_is_told(house: PagesHouse) -> None:
    """No purpose, case, basis, employee or handle; nothing of another municipality's log; no number comes back."""
    (citizen,) = await house.databases.vault.citizens([CITIZEN])
    dorte = await house.officer()
    await dorte.get(PLACE)
    answers = [json.dumps(await told(house))]
    answers += [(await dorte.post(PLACE, **WISH, file=file)).text for file in ("", "csv", "json")]
    for text in answers:
        assert "far-away" in text
        for other in ("jobplan", "CANARY", "c" * 32, citizen, "ask-1", "unseen", "7102740022", NUMBER):
            assert other not in text, other
    assert not any(NUMBER in address or "7102740022" in address for address in dorte.seen)


async def test_page_and_files_say_the_same(house: PagesHouse) -> None:
    """The page names units in words; the spreadsheet has the same rows, and the file of JSON the body of `/v1`."""
    dorte = await house.officer()
    assert "Hvem har fået det" in (await dorte.get(PLACE)).text
    assert PLACE in (await dorte.get("/dpo/package")).text
    await dorte.get(PLACE)
    page = (await dorte.post(PLACE, **WISH)).text
    unit = house.ports.directory.units["jobcentre"].name_da
    assert all(word in page for word in (unit, "far-away", "Nørrestrand", "1. marts 2019", "3. marts 2019"))
    file = await dorte.post(PLACE, **WISH, file="csv")
    assert file.headers["content-disposition"] == 'attachment; filename="recipients.csv"'
    head, *rows = csv.reader(io.StringIO(file.text.removeprefix("\ufeff")), delimiter=";")
    assert head == ["Kommune", "Enhed", "Hvad", "Fra", "Første gang", "Sidste gang", "Hvor tit"]
    assert [(row[1], row[6]) for row in rows] == [("far-away", "1"), (unit, "2"), (unit, "1")]
    assert rows[1][4] == "2019-03-01T12:00:00+01:00"
    saved = await dorte.post(PLACE, **WISH, file="json")
    assert saved.headers["content-disposition"] == 'attachment; filename="recipients.json"'
    assert saved.json() == await told(house)


async def test_the_look_is_on_the_log_with_why_and_the_citizen_sees_it(house: PagesHouse) -> None:
    """Each look is one entry about the citizen: why, of which source, which days; their own list says so."""
    await told(house, category="S01", since="2019-03-02")
    (entry,) = await looks(house)
    opened = await house.databases.reader.entry(entry.receipt, municipalities=("korsbaek",))
    assert opened.body is not None
    said = {name: opened.body[name] for name in ("aim", "source", "category", "first_day", "last_day", "role")}
    assert said == {"aim": "corrected", "source": "social", "category": "S01", "first_day": 20190302,
                    "last_day": 99991231, "role": "dpo"}  # fmt: skip
    assert {"source", "category", "aim"} & set(entry.index) == set()
    annette = await house.citizen()
    assert "så, hvem der har fået noget af det, der er gemt om dig" in (await annette.get("/mine/accesses")).text
    rows = (await annette.http.get("/v1/me/accesses")).json()["entries"]
    assert [row["aim"] for row in rows if row["kind"] == "recipients.seen"] == ["corrected"]


async def test_with_the_log_down_nothing_is_read(house: PagesHouse) -> None:
    """Neither the register nor the log is asked before the look is written down (P2)."""

    class Down:
        async def append(self, *_: Any, **__: Any) -> Any:
            raise LogUnavailable

    people, read = cast("FakePeople", house.ports.people), list[str]()
    before = list(people.asked)

    class Watched:
        async def of_subject(self, subject: str, **_: Any) -> Any:
            read.append(subject)
            return LogPage((), None)

    ports = replace(house.ports, log=cast("Any", Down()))
    with pytest.raises(LogUnavailable):
        await receivers(ASKED, an_officer("dorte", "dpo"), ports, cast("Any", Watched()), uncounted)
    assert (people.asked, read) == (before, [])


async def uncounted(_: str) -> None:
    """Hold nobody to a ceiling."""


async def test_unknown_and_empty_are_the_same(house: PagesHouse) -> None:
    """Who is not known, of whom nothing is held, and whose data nobody got of that kind have the same bytes."""
    dorte = await house.officer()
    await dorte.get(PLACE)
    headers, answers = {"X-CSRF-Token": dorte.csrf}, list[bytes]()
    for citizen in (CITIZEN, STRANGER, Personal("6101010011")):
        wish = WISH | {"citizen": citizen.disclose(), "source": "health"}
        answers.append((await dorte.http.post("/v1/recipients", json=wish, headers=headers)).content)
        for file in ("csv", "json"):
            await dorte.get(PLACE)
            answers.append((await dorte.post(PLACE, **wish, file=file)).content)
    assert len(set(answers[0::3])) == len(set(answers[1::3])) == len(set(answers[2::3])) == 1
    assert json.loads(answers[0]) == {"format": "borgerbro-recipients@v1", "whole": True, "recipients": []}
    page = (await dorte.post(PLACE, **WISH | {"source": "health"})).text
    assert "Loggen viser ikke nogen, der har fået det." in page


async def test_nobody_else_looks(house: PagesHouse) -> None:
    """A log controller, a leader, a DPO of nowhere, a citizen, a stranger and a forged form get nothing."""
    leader = {"role": "teamleder", "units": [["korsbaek", "jobcentre"]]}
    others: list[dict[str, Any]] = [{"role": "logkontrollant"}, leader, {"municipalities": []}]
    for who in others:
        await told(house, 403, who)
        other = await house.officer(**who)
        await other.get("/dpo/inquiries")
        assert (await other.post(PLACE, **WISH)).status_code == 403
    for login in (an_officer("x", "logkontrollant"), replace(an_officer("x", "dpo"), municipalities=frozenset())):
        with pytest.raises(NotAllowed):
            await receivers(ASKED, login, house.ports, house.databases.reader, uncounted)
    dorte, annette = await house.officer(), await house.citizen()
    await dorte.get(PLACE)
    assert (await dorte.post(PLACE, csrf="0" * 43, **WISH)).status_code == 403
    assert (await dorte.http.post("/v1/recipients", json=WISH)).status_code == 403
    await annette.get("/mine")
    assert (await annette.http.post("/v1/recipients", json=WISH)).status_code in {401, 403}
    assert (await house.stranger().post(PLACE, **WISH)).status_code == 303
    assert await looks(house) == []


WRONG = (
    ("citizen", ""), ("citizen", "CANARY-0022"), ("citizen", "0000000000"), ("aim", ""), ("aim", "CANARY"),
    ("source", ""), ("source", "CANARY"), ("source", NUMBER), ("category", "CANARY"), ("category", "S01\x00"),
    ("since", "2019-02-30"), ("since", "CANARY"), ("until", "2019-13-01"), ("until", "1\u0662"),
)  # fmt: skip


async def test_what_cannot_be_is_a_fault(house: PagesHouse) -> None:
    """A wrong number, source, day or why is told at its field, and is on no log; no number comes back."""
    dorte = await house.officer()
    await dorte.get(PLACE)
    for field, value in WRONG:
        answer = await dorte.post(PLACE, **WISH | {field: value})
        assert (answer.status_code, f'href="#{field}"' in answer.text) == (400, True), (field, value)
        assert not any(part in answer.text for part in ("7102740022", NUMBER))
        assert (await told(house, 400, None, **{field: value}))["status"] == 400
    assert await looks(house) == []


async def test_days_the_wrong_way_round_are_a_fault(house: PagesHouse) -> None:
    """Days that end before they begin would find nobody: that is refused and not answered."""
    with pytest.raises(BadAsk) as wrong:
        await receivers(replace(ASKED, first_day=20190302, last_day=20190301), an_officer("dorte", "dpo"),
                        house.ports, house.databases.reader, uncounted)  # fmt: skip
    assert wrong.value.pointer == "/until"
    await told(house, 400, since="2019-03-02", until="2019-03-01")
    assert await looks(house) == []


async def test_each_dpo_has_their_own_logs(house: PagesHouse) -> None:
    """Nørrestrand's DPO is told what Nørrestrand's log has, and Korsbæk's is not asked; who has both has both."""
    assert short(await told(house, who={"id": "n", "municipalities": ["norrestrand"]})) == [
        ("norrestrand", "unseen", "social", "S01", 1)
    ]
    both = await told(house, who={"id": "b", "municipalities": ["korsbaek", "norrestrand"]})
    assert {row["unit"] for row in both["recipients"]} == {"unseen", "far-away", "jobcentre"}


async def test_looks_and_files_count_on_one_ceiling(house: PagesHouse) -> None:
    """Who has made the files of a day sees nobody's recipients either, by page or JSON, and nothing is written."""
    dorte = await house.officer()
    await dorte.get(PLACE)
    headers = {"X-CSRF-Token": dorte.csrf}
    for _ in range(ceilings_postgres.PACKAGES.asks - 1):
        await dorte.http.post("/v1/packages", json={"citizen": NUMBER}, headers=headers)
    assert (await dorte.http.post("/v1/recipients", json=WISH, headers=headers)).status_code == 200
    assert (await dorte.http.post("/v1/recipients", json=WISH, headers=headers)).status_code == 429
    assert (await dorte.post(PLACE, **WISH)).status_code == 429
    assert len(await looks(house)) == 1


@pytest.mark.parametrize("named", [CITIZEN, NEW])
async def test_it_is_whole_by_either_number(house: PagesHouse, named: Personal[str]) -> None:
    """Somebody who got a new number is one person, and sees the look by the one they have now."""
    people = cast("FakePeople", house.ports.people)
    old = people.persons[CITIZEN]
    people.persons[CITIZEN] = replace(old, current_cpr=NEW)
    people.persons[NEW] = replace(old, cpr=NEW, former=(CITIZEN,))
    assert len(short(await told(house, citizen=named.disclose()))) == 3
    assert (len(await looks(house)), len(await looks(house, NEW))) == (1, 1)


async def test_what_the_law_keeps_back_stays_there(house: PagesHouse) -> None:
    """A unit whose lines are kept back from the citizen is not named, for what is passed on is told them."""
    (citizen,) = await house.databases.vault.citizens([CITIZEN])
    superuser = await asyncpg.connect(house.databases.admin)
    at = int(NOON.timestamp())
    await superuser.execute(
        "INSERT INTO log.deferral (id, tenant, citizen, unit, ground, secret, asked_by, asked_at, until_at,"
        " approved_by, from_at) VALUES ($1, 'korsbaek', $2, 'jobcentre', 'g', $3, 'a', $4, $5, 'b', $4)",
        uuid4(), citizen, b"s" * 32, at - 30 * 86400, at + 86400 * 365,
    )  # fmt: skip
    await superuser.close()
    body = await told(house)
    assert ([row["unit"] for row in body["recipients"]], body["whole"]) == (["far-away"], True)


async def test_a_changed_line_is_not_passed_over_in_silence(house: PagesHouse) -> None:
    """Whoever changes a row with the database's own password hides nobody without the answer saying so."""
    superuser = await asyncpg.connect(house.databases.admin)
    await superuser.execute("SET session_replication_role = 'replica'")
    change = "UPDATE log.index SET index_bytes = replace(index_bytes, 'far-away', 'far-gone')"
    changed = await superuser.execute(change)
    await superuser.close()
    assert changed != "UPDATE 0"
    body = await told(house)
    assert ([row["unit"] for row in body["recipients"]], body["whole"]) == (["jobcentre", "jobcentre"], False)
    dorte = await house.officer()
    await dorte.get(PLACE)
    for file in ("", "csv"):
        assert "Nogen har ændret en linje i loggen." in (await dorte.post(PLACE, **WISH, file=file)).text
