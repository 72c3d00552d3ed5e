"""What others try with the fact sheet: another municipality's is not there, and no reader but the overseers has one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.directory import Directory
from broker.domain.errors import NotAllowed
from broker.oversight.fact_sheets import sheets_for
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, a_house
from tests.log_events import an_outcome
from tests.pages_house import PagesHouse, open_pages
from tests.sampling import an_officer

TODAY = 20190304
PATHS = ("/dpo/fact-sheet", "/dpo/fact-sheet.pdf", "/v1/fact-sheets")


@pytest.fixture
async def directory(tmp_path: Path) -> Directory:
    """Give a directory with a third municipality, which has a source and a unit like the second's."""
    known = (await a_house(tmp_path)).directory
    third = replace(known.municipalities["norrestrand"], id="third", name="CANARY Kommune")
    unit = replace(known.units["far-social-centre"], id="third-unit", municipality="third", name_da="CANARY")
    source = replace(known.sources["far-social"], id="third-source", unit="third-unit", municipality="third")
    return replace(known, municipalities={**known.municipalities, "third": third},
                   units={**known.units, "third-unit": unit},
                   sources={**known.sources, "third-source": source})  # fmt: skip


@pytest.fixture
async def house(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[PagesHouse]:
    """Give a house with its pages."""
    async with open_pages(postgres, tmp_path) as made:
        yield made


def test_what_passes_between_two_others_is_on_neither_s_third(directory: Directory) -> None:
    """An officer reads what their own gives and gets; what two others have with each other is not there."""
    for home in ("korsbaek", "norrestrand", "third"):
        (sheet,) = sheets_for(an_officer("x", "dpo", home), directory, TODAY)
        assert sheet.record.controller.id == home
        assert {unit.municipality for unit in sheet.units} == {home}
        assert sheet.flows
        assert all(home in {one.source.municipality, one.to.id} for one in sheet.flows)
    pair = {("norrestrand", "third"), ("third", "norrestrand")}
    (theirs,) = sheets_for(an_officer("x", "dpo", "third"), directory, TODAY)
    assert {(one.source.municipality, one.to.id) for one in theirs.flows} & pair


@pytest.mark.parametrize("role", ["teamleder", "caseworker", ""])
def test_other_roles_get_none(directory: Directory, role: str) -> None:
    """A leader and an unknown role read no sheet, nor does an overseer of no municipality."""
    with pytest.raises(NotAllowed):
        sheets_for(an_officer("x", role), directory, TODAY)
    with pytest.raises(NotAllowed):
        sheets_for(replace(an_officer("x", "dpo"), municipalities=frozenset()), directory, TODAY)


async def test_the_doors(house: PagesHouse) -> None:
    """Stranger, citizen, caseworker and leader get nothing; nothing in the address leads to another municipality."""
    lise = await house.officer(id="l", role="teamleder", units=[["korsbaek", "jobcentre"]])
    others = (house.stranger(), await house.citizen(), await house.caseworker(), lise)
    for reader in others:
        for path in PATHS:
            assert (await reader.get(path)).status_code in {303, 401, 403}
    dpo = await house.officer()
    for asked in ("municipality=norrestrand", "home=norrestrand", "municipality=korsbaek&municipality=norrestrand"):
        answer = await dpo.get(f"/v1/fact-sheets?{asked}")
        if answer.status_code == 200:
            assert [row["record"]["controller"]["id"] for row in answer.json()["fact_sheets"]] == ["korsbaek"]
    nora = await house.officer(id="n", municipalities=["norrestrand"])
    (sheet,) = (await nora.http.get("/v1/fact-sheets")).json()["fact_sheets"]
    assert sheet["record"]["controller"]["id"] == "norrestrand"
    assert {row["unit"] for row in sheet["between_controllers"]["contacts"]} == {"far-social-centre"}


async def test_nobody_is_named(house: PagesHouse) -> None:
    """Whoever was looked up and whoever looked, no handle, name or number of theirs is in page or file."""
    vault = house.databases.vault
    (citizen,) = await vault.citizens([CITIZEN])
    actor = await vault.officer(an_officer("lene", "employee"))
    await house.databases.log.append([an_outcome(citizen, actor)])
    kurt = await house.officer(id="k", role="logkontrollant", name="Kurt")
    for path in ("/dpo/fact-sheet", "/v1/fact-sheets"):
        text = (await kurt.http.get(path)).text
        assert [one for one in (citizen, actor, CITIZEN.disclose(), "lene") if one in text] == []
