"""The record of processing activities: what the registry and the law tables say, of one's own municipalities alone."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.directory import Directory
from broker.domain.retention import Retention
from broker.oversight.record import records
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, PURPOSE, a_house
from tests.log_events import an_outcome
from tests.pages_house import PagesHouse, open_pages
from tests.sampling import an_officer

TODAY = 20190304


@pytest.fixture
async def directory(tmp_path: Path) -> Directory:
    """Give a small registry's directory."""
    return (await a_house(tmp_path)).directory


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


async def test_every_activity_rests_on_law_and_has_who_gets_it(directory: Directory) -> None:
    """Each purpose in use has its rows of law of the day, its data, whose units get it; no row of another day."""
    (record,) = records(directory, ["korsbaek"], TODAY)
    assert {one.purpose.id for one in record.activities} >= {PURPOSE}
    for one in record.activities:
        assert one.laws
        assert {unit.municipality for unit in one.recipients} == {"korsbaek"}
        assert all(row.from_day <= TODAY <= row.to_day for row in one.laws)
        reached = frozenset().union(*(row.purposes[one.purpose.id] for row in one.laws))
        assert {category.id for category in one.categories} <= reached & directory.bound("korsbaek", one.purpose.id)
        assert all(unit.kind in frozenset().union(*(row.to_units for row in one.laws)) for unit in one.recipients)


async def test_what_a_municipality_narrowed_is_narrow_in_its_record(directory: Directory) -> None:
    """A purpose that is switched off is no activity; one that was narrowed has no more data than is left."""
    home = directory.municipalities["korsbaek"]
    off = replace(home, purposes={PURPOSE: frozenset()}, retention=Retention({"outcome": 9}))
    changed = replace(directory, municipalities={**directory.municipalities, "korsbaek": off})
    (record,) = records(changed, ["korsbaek"], TODAY)
    assert PURPOSE not in {one.purpose.id for one in record.activities}
    assert dict(record.months)["log"] == 9
    few = replace(home, purposes={PURPOSE: frozenset({"S01"})}, retention=None)
    (record,) = records(replace(changed, municipalities={"korsbaek": few}), ["korsbaek"], TODAY)
    (one,) = (one for one in record.activities if one.purpose.id == PURPOSE)
    assert [category.id for category in one.categories] == ["S01"]
    assert set(dict(record.months).values()) == {None}


async def test_a_line_of_the_log_leads_to_its_row(house: PagesHouse) -> None:
    """What a look-up was for is a link to the purpose's place in the record, which is there."""
    vault = house.databases.vault
    (citizen,) = await vault.citizens([CITIZEN])
    actor = await vault.officer(an_officer("lene", "employee"))
    await house.databases.log.append([replace(an_outcome(citizen, actor), purpose=PURPOSE)])
    dorte = await house.officer()
    found = re.search(r'href="/dpo/record#([^"]+)"', (await dorte.get("/dpo")).text)
    assert found
    assert f'id="{found[1]}"' in (await dorte.get("/dpo/record")).text


async def test_page_and_api_show_ones_own_municipalities(house: PagesHouse) -> None:
    """The DPO and the log controller read their own; a leader does not; both faces name the same."""
    dorte = await house.officer()
    body = (await dorte.http.get("/v1/record")).json()
    assert [row["controller"]["id"] for row in body["records"]] == ["korsbaek"]
    page = (await dorte.get("/dpo/record")).text
    # A time deletes lines of the log alone: what else is kept says so, or the record promises what nobody does.
    itself = {row["what"]: row["itself"] for row in body["records"][0]["kept"]}
    assert itself == {"log": None, "breaches": "for_good"} | dict.fromkeys(
        ("consents", "emergencies", "questions"), "until_erased"
    )
    assert page.count("Selve sagen bliver, til borgeren slettes.") == 3
    assert page.count("Selve sagen slettes ikke.") == 1
    for activity in body["records"][0]["activities"]:
        assert f'id="korsbaek-{activity["purpose"]}"' in page
        assert all(law["paragraph"] in page for law in activity["laws"])
    kurt = await house.officer(id="k", role="logkontrollant")
    assert (await kurt.get("/dpo/record")).status_code == 200
    lise = await house.officer(id="l", role="teamleder", units=[["korsbaek", "jobcentre"]])
    assert (await lise.get("/dpo/record")).status_code == 403
    assert (await lise.http.get("/v1/record")).status_code == 403
    assert (await house.stranger().http.get("/v1/record")).status_code == 401
