"""Whoever would try rules and may not, bring rules of their own, or work one question out of what is told."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from broker.adapters.beside import held_back
from broker.adapters.what_if_program import WORDS
from broker.adapters.what_ifs_sql import Bounds
from broker.domain.errors import LogUnavailable
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.attacks.test_replay import RUNAWAY
from tests.builders import CASE, CHILD, CITIZEN, POLICIES, SOCIAL, a_house
from tests.pages_house import PagesHouse, Reader, open_pages
from tests.trying import MONTH, ask_in_february, ended, kinds, more_sensitive, token_of, tried

DOORS = ("/v1/what-if-runs", "/dpo/what-if")
BODY = {"candidate": "level-4", "month": MONTH}


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Open a house with rules laid ready."""
    (tmp_path / "candidates").mkdir()
    more_sensitive(tmp_path / "candidates")
    async with open_pages(postgres, tmp_path, candidates=tmp_path / "candidates") as made:
        yield made


async def runs(house: PagesHouse) -> int:
    """Count the runs that were ever begun."""
    superuser = await asyncpg.connect(house.databases.admin)
    try:
        return int(await superuser.fetchval("SELECT count(*) FROM what_if.run"))
    finally:
        await superuser.close()


async def post(reader: Reader, **body: Any) -> int:
    """Ask for a run; give the status."""
    answer = await reader.http.post("/v1/what-if-runs", json=BODY | body, headers=await token_of(reader))
    return answer.status_code


async def test_nobody_else_comes_in(house: PagesHouse) -> None:
    """A citizen, a caseworker, the desk and a stranger see nothing of it, and begin nothing."""
    for reader in (await house.citizen(), await house.caseworker(), await house.desk(), house.stranger()):
        for door in (*DOORS, f"{DOORS[0]}/x", f"{DOORS[1]}/x"):
            assert (await reader.get(door)).status_code in {303, 401}, door
        assert (await reader.http.post("/v1/what-if-runs", json=BODY)).status_code == 401
        assert (await reader.post("/dpo/what-if", **BODY)).status_code in {303, 401}
    assert (await runs(house), await kinds(house)) == (0, [])


@pytest.mark.parametrize(
    "changes",
    [{"role": role} for role in ("logkontrollant", "teamleder", "styregruppe", "systemforvalter")]
    + [{"municipalities": []}],
)
async def test_another_role_does_not_either(house: PagesHouse, changes: dict[str, Any]) -> None:
    """Who oversees without being the DPO, or oversees nothing, gets a no at each door."""
    reader = await house.officer(**changes)
    token = await token_of(reader)
    answers = [await reader.get(door) for door in (*DOORS, f"{DOORS[0]}/x", f"{DOORS[1]}/x")]
    answers += [await reader.http.post("/v1/what-if-runs", json=BODY, headers=token)]
    answers += [await reader.post("/dpo/what-if", csrf=token["X-CSRF-Token"], **BODY)]

    assert {answer.status_code for answer in answers} == {403}
    assert (await runs(house), await kinds(house)) == (0, [])


async def test_a_run_needs_the_pages_token(house: PagesHouse) -> None:
    """From another site, or without the token, nothing begins."""
    dorte = await house.officer()
    token = await token_of(dorte)
    for headers in ({}, {"X-CSRF-Token": "x"}, token | {"origin": "https://evil.example"}):
        assert (await dorte.http.post("/v1/what-if-runs", json=BODY, headers=headers)).status_code == 403
    assert await runs(house) == 0


@pytest.mark.parametrize(
    "name",
    ["../policies", "..", ".", "/etc", "level-4/../level-4", "level-4/tables", "LEVEL-4", "level-4\0", "' OR 1=1"],
)
async def test_rules_that_operations_has_not_laid_ready_are_not_there(
    house: PagesHouse, tmp_path: Path, name: str
) -> None:
    """No name leads out of the folder or into one of its folders; a folder with another kind of name is none."""
    shutil.copytree(POLICIES, tmp_path / "candidates" / "-hidden")
    (tmp_path / "candidates" / "empty").mkdir()
    dorte = await house.officer()

    assert await post(dorte, candidate=name) in {400, 404}
    assert (await dorte.http.get("/v1/what-if-runs")).json()["candidates"] == ["level-4"]
    assert {await post(dorte, candidate=other) for other in ("-hidden", "empty")} == {404}
    assert (await runs(house), await kinds(house)) == (0, [])


@pytest.mark.parametrize("month", ["2019-03", "2019-04", "2018-02", "2019-2", "2019-13", "9999-12", "x", ""])
async def test_a_month_that_is_not_over_cannot_be_tried(house: PagesHouse, month: str) -> None:
    """Neither this month nor what is none: two results of it would differ by a day's questions."""
    dorte = await house.officer()
    assert await post(dorte, month=month) == 400
    await dorte.get("/dpo/what-if")
    assert (await dorte.post("/dpo/what-if", candidate="level-4", month=month or "x")).status_code == 400
    assert await runs(house) == 0


async def test_nobody_uploads_rules(house: PagesHouse) -> None:
    """A body or form that brings rules is refused, or what it brings is not read."""
    dorte = await house.officer()
    assert await post(dorte, rules={"decision.rego": "package broker.share"}) == 400
    await dorte.get("/dpo/what-if")
    files = {"candidate": ("decision.rego", b"package broker.share")}
    form = {"csrf": dorte.csrf, "month": MONTH}
    assert (await dorte.http.post("/dpo/what-if", data=form, files=files)).status_code in {400, 403, 404, 413, 415}
    assert await runs(house) == 0


async def test_another_municipalitys_runs_are_not_there(house: PagesHouse, tmp_path: Path) -> None:
    """Its DPO sees none of ours, by no door; row-level security shows and changes none either."""
    await ask_in_february(house, tmp_path, 6)
    dorte, nora = await house.officer(), await house.officer(municipalities=["norrestrand"])
    run = await tried(dorte, **BODY)

    assert await post(dorte, municipality="norrestrand") == 404
    for door in DOORS:
        assert (await nora.get(f"{door}/{run['id']}")).status_code == 404
        assert run["id"] not in (await nora.get(door)).text
    theirs = await tried(nora, **BODY)
    assert theirs["result"]["total"] == 0
    app = await asyncpg.connect(house.databases.at.app)
    try:
        await app.execute("SELECT set_config('borgerbro.municipality', 'norrestrand', false)")
        assert await app.fetchval("SELECT count(*) FROM what_if.run WHERE municipality = 'korsbaek'") == 0
        for statement in ("DELETE FROM what_if.run", "TRUNCATE what_if.run", "UPDATE what_if.run SET month = '2019-01'",
                          "UPDATE what_if.run SET why = 'x'"):  # fmt: skip
            with pytest.raises(asyncpg.PostgresError):
                await app.execute(statement)
    finally:
        await app.close()


async def test_small_numbers_are_told_and_kept_nowhere(house: PagesHouse, tmp_path: Path) -> None:
    """Three questions are withheld on the page, in the JSON and in the database, with their sums."""
    await ask_in_february(house, tmp_path, 3)
    dorte = await house.officer()
    run = await tried(dorte, **BODY)
    (row,) = run["result"]["rows"]

    assert (row["counts"], row["total"], run["result"]["total"], run["result"]["totals"]) == (
        [None],
        None,
        None,
        [None],
    )
    page = await dorte.get(f"/dpo/what-if/{run['id']}")
    assert "<td>3</td>" not in page.text
    superuser = await asyncpg.connect(house.databases.admin)
    kept = json.loads(await superuser.fetchval("SELECT result FROM what_if.run"))
    await superuser.close()
    assert kept == run["result"]


async def test_a_month_is_tried_once_by_the_same_rules(house: PagesHouse, tmp_path: Path) -> None:
    """Before and after an erasure, or under another name: one result, so nobody is the difference of two."""
    await ask_in_february(house, tmp_path, 6)
    shutil.copytree(tmp_path / "candidates" / "level-4", tmp_path / "candidates" / "again")
    dorte = await house.officer()
    await tried(dorte, **BODY)

    assert {await post(dorte), await post(dorte, candidate="again")} == {409}
    await dorte.get("/dpo/what-if")
    page = await dorte.post("/dpo/what-if", candidate="again", month=MONTH)
    assert (page.status_code, "allerede prøvet" in page.text) == (400, True)
    assert await runs(house) == 1


async def test_an_erased_citizen_is_counted_as_such(house: PagesHouse, tmp_path: Path) -> None:
    """With the key gone the questions are gone: they are counted, and put to nobody."""
    outcome = await ask_in_february(house, tmp_path, 6)
    vault = await asyncpg.connect(house.databases.at.vault_owner)
    await vault.execute("DELETE FROM vault.subject_key WHERE handle = $1", outcome.subject)
    await vault.close()
    run = await tried(await house.officer(), **BODY)

    assert [(row["kind"], row["by"], row["total"]) for row in run["result"]["rows"]] == [("not_put", "erased", 6)]
    assert run["done"] == 0


async def test_rules_that_write_a_handle_tell_nothing(house: PagesHouse, tmp_path: Path) -> None:
    """Rules that put the citizen in the place of a law: the handle is on no page, in no JSON and in no database."""
    small, vault = await a_house(tmp_path), house.databases.vault
    small.citizen, small.child = await vault.citizens([CITIZEN, CHILD])
    small.case = await vault.case("jobcentre", Personal(CASE))
    small.consents.standing.append(small.consented(SOCIAL, "S01"))
    house.ports = replace(house.ports, consents=small.consents)
    outcome = await ask_in_february(house, tmp_path, 6)
    tables = tmp_path / "candidates" / "level-4" / "tables"
    shutil.copyfile(POLICIES / "tables" / "categories.json", tables / "categories.json")
    file = tables.parent / "decision.rego"
    text, by_consent = file.read_text("utf-8"), '{"kind": "consent", "id": id,'
    assert by_consent in text
    file.write_text(text.replace(by_consent, '{"kind": "statute", "id": input.ask.citizen,'), "utf-8")
    dorte = await house.officer()
    run = await tried(dorte, **BODY)
    page = await dorte.get(f"/dpo/what-if/{run['id']}")
    superuser = await asyncpg.connect(house.databases.admin)
    kept = str(await superuser.fetch("SELECT * FROM what_if.run"))
    await superuser.close()

    assert [(row["kind"], row["by"], row["total"]) for row in run["result"]["rows"]] == [
        ("basis_changed", "consent > other", 6)
    ]
    for told in (json.dumps(run), page.text, kept):
        assert outcome.subject not in told
        assert outcome.ask not in told


async def test_rules_that_run_away_end_their_run_alone(house: PagesHouse, tmp_path: Path) -> None:
    """What would take hours is stopped after its patience, says so on page and log, and another run may begin."""
    await ask_in_february(house, tmp_path, 6)
    made = tmp_path / "candidates" / "runaway"
    shutil.copytree(POLICIES, made)
    (made / "runaway.rego").write_text(RUNAWAY, "utf-8")
    file = made / "decision.rego"
    schema = '"schema": "borgerbro/decision/1",'
    file.write_text(
        file.read_text("utf-8").replace(schema, f'{schema} "ways": data.broker.runaway.ways,'), "utf-8"
    )  # fmt: skip
    house.what_ifs._bounds = Bounds(patience_seconds=8.0)
    dorte = await house.officer()
    run = await tried(dorte, candidate="runaway", month=MONTH)

    assert (run["state"], run["why"], run["result"]) == ("broken_off", "ran_away", None)
    assert "Reglerne svarede ikke i tide." in (await dorte.get(f"/dpo/what-if/{run['id']}")).text
    assert await kinds(house) == ["what_if.begun", "what_if.ended"]


@pytest.mark.parametrize(
    "rule", ['leak := http.send({"method": "GET", "url": "http://127.0.0.1/"})', "clock := time.now_ns()", "no rego"]
)
async def test_rules_outside_the_profile_are_not_run(house: PagesHouse, tmp_path: Path, rule: str) -> None:
    """Rules that reach the network or a clock, or are none, are put no question."""
    await ask_in_february(house, tmp_path, 6)
    file = tmp_path / "candidates" / "level-4" / "more.rego"
    file.write_text(f"package broker.more\n\n{rule}\n", "utf-8")
    run = await tried(await house.officer(), **BODY)

    assert (run["state"], run["why"], run["done"]) == ("broken_off", "rules_unusable", 0)


async def test_without_the_log_nothing_begins_and_nothing_is_shown(house: PagesHouse, tmp_path: Path) -> None:
    """Whoever cannot be written down begins nothing; a result that is there is not shown."""
    await ask_in_february(house, tmp_path, 6)
    dorte = await house.officer()
    run = await tried(dorte, **BODY)

    async def down(*_: Any, **__: Any) -> Any:
        raise LogUnavailable

    house.databases.log.append = down  # type: ignore[method-assign]  # the log is down
    house.databases.log.append_within = down  # type: ignore[method-assign]  # in every way
    for door in DOORS:
        answer = await dorte.get(f"{door}/{run['id']}")
        assert (answer.status_code, "reasons_changed" in answer.text) == (503, False)
    assert await post(dorte, month="2019-01") == 503
    assert await runs(house) == 1


async def test_ten_at_once_begin_one(house: PagesHouse, tmp_path: Path) -> None:
    """Whoever presses ten times at the same moment has one run under way, and one entry that says so."""
    await ask_in_february(house, tmp_path, 6)
    dorte = await house.officer()
    token = await token_of(dorte)
    answers = await asyncio.gather(
        *(dorte.http.post("/v1/what-if-runs", json=BODY, headers=token) for _ in range(10))
    )  # fmt: skip
    (begun,) = [answer for answer in answers if answer.status_code == 202]

    assert {answer.status_code for answer in answers} == {202, 409}
    await ended(dorte, begun.json()["id"])
    assert (await kinds(house)).count("what_if.begun") == await runs(house) == 1


async def test_the_program_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rules run in knows no address and no key: neither its words nor its environment hold any."""
    monkeypatch.setenv("BROKER_DATABASE_URL", "postgresql://secret")
    async with held_back(["-c", "import os, orjson; print(orjson.dumps(dict(os.environ)).decode())"]) as process:
        told, _ = await process.communicate()

    assert set(json.loads(told)) <= {"PATH", "PYTHONPATH", "LC_CTYPE"}
    assert WORDS == ("-m", "broker.adapters.what_if_program")
