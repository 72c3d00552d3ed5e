"""The social centre is a database of its own: one reader, one view a category, CPR numbers as bound values."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from demo.postgres import PrivatePostgres

ANNETTE = "7102740022"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the cluster; started by root, it keeps its data elsewhere, and that goes too."""
    folder = tmp_path_factory.mktemp("cluster")
    yield folder
    PrivatePostgres(folder).remove()


@pytest.fixture(scope="module")
def centre(cluster: Path, start: Any, records: Any) -> Any:
    """The social centre over scenario 1, with a treatment for abuse beside it."""
    own = records["social_centre"]
    abuse = {**own["indsatser"][0], "indsatsnr": "S9", "ydelse": "Behandling", "kle": "27.51.04"}
    return start("systems.social_centre", {**own, "indsatser": [*own["indsatser"], abuse]}, "--folder", str(cluster))


@pytest.fixture
def dsn(centre: Any) -> str:
    """The reader's address, with everything as it was at the start."""
    centre.control("/reset", {})
    return Path(centre.ready[1]).read_text("utf-8").strip()


@pytest.fixture
async def reader(dsn: str) -> AsyncIterator[Any]:
    """A connection as the reading role."""
    connection = await asyncpg.connect(dsn)
    yield connection
    connection.terminate()


def test_the_address_stands_in_a_file_for_its_owner_alone(centre: Any) -> None:
    """The ready line names a file of mode 0600; the password is nowhere else."""
    file = Path(centre.ready[1])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "@" not in " ".join(centre.ready)


async def test_visits_come_by_weekday(reader: Any) -> None:
    """An intervention carries its weekly visits, one object a weekday."""
    (row,) = await reader.fetch("SELECT * FROM udveksling.s01_indsatser WHERE cpr = $1", ANNETTE)

    assert (row["indsatsnr"], row["afgoerelsesnr"], row["startdato"].isoformat()) == ("S1", "SO-771", "2019-03-11")
    visits = await reader.fetchval("SELECT besoegstider->4 FROM udveksling.s01_indsatser WHERE cpr = $1", ANNETTE)
    assert visits == '{"fra": "07:15", "til": "08:00", "ugedag": 5}'


@pytest.mark.parametrize(
    ("view", "key", "found"),
    [
        ("s02_handleplaner", "plannr", ["S2"]),
        ("s03_udredninger", "udredningsnr", ["S4"]),
        ("s04_foelsomme_oplysninger", "oplysningsnr", ["S3"]),
        ("s05_ophold", "opholdsnr", []),
        ("h04_laegeerklaeringer", "erklaeringsnr", []),
        ("h07_misbrugsbehandling", "indsatsnr", ["S9"]),
        ("p01_personer", "cpr", [ANNETTE]),
        ("p02_adresser", "cpr", [ANNETTE]),
        ("p03_kontaktpersoner", "sagsnr", ["SC-2018-118"]),
    ],
)
async def test_each_view_tells_its_own_category(reader: Any, view: str, key: str, found: list[str]) -> None:
    """A view tells one category, by the CPR number; treatment for abuse is not among the ordinary help."""
    rows = await reader.fetch(f"SELECT {key} FROM udveksling.{view} WHERE cpr = $1", ANNETTE)
    assert [row[0] for row in rows] == found
    assert await reader.fetch(f"SELECT 1 FROM udveksling.{view} WHERE cpr = $1", "0101010000") == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM intern.sager",
        "SELECT * FROM intern.indsatser_med_tider",
        "CREATE TABLE udveksling.x (a int)",
        "CREATE TABLE public.x (a int)",
    ],
)
async def test_the_reader_reads_the_views_and_nothing_else(reader: Any, statement: str) -> None:
    """The internal schema is closed, and nothing can be written."""
    await reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(statement)


async def test_the_engine_sees_which_view_was_read(centre: Any, reader: Any) -> None:
    """Prepared or simple, a query is seen by its view and category, without its values."""
    statement = await reader.prepare("SELECT * FROM udveksling.s02_handleplaner WHERE cpr = $1")
    await statement.fetch(ANNETTE)
    await statement.fetch("0101010000")
    await reader.execute('SELECT 1 FROM udveksling."s05_ophold"')
    await reader.execute("SELECT 1")

    assert centre.calls() == [
        ("SELECT", "udveksling.s02_handleplaner", "S02"),
        ("SELECT", "udveksling.s02_handleplaner", "S02"),
        ("SELECT", "udveksling.s05_ophold", "S05"),
    ]


async def test_a_held_query_waits_until_it_is_released(centre: Any, reader: Any) -> None:
    """While held, a query waits; released, it is answered."""
    centre.control("", {"hold": True})
    asking = asyncio.create_task(reader.fetch("SELECT 1 FROM udveksling.s01_indsatser WHERE cpr = $1", ANNETTE))
    while not (await asyncio.to_thread(centre.control))["waiting"]:
        await asyncio.sleep(0.02)
    assert not asking.done()

    centre.control("", {"hold": False})
    assert len(await asyncio.wait_for(asking, 10)) == 1


async def test_silent_means_no_answer(centre: Any, reader: Any, dsn: str) -> None:
    """A silent system answers neither a query nor a new connection."""
    centre.control("", {"mode": "silent"})
    with pytest.raises(TimeoutError):
        await asyncpg.connect(dsn, timeout=0.4)
    with pytest.raises(TimeoutError):
        await reader.fetch("SELECT 1 FROM udveksling.s01_indsatser", timeout=0.4)


@pytest.mark.parametrize(("wish", "error"), [({"error": 500}, asyncpg.PostgresError), ({"garbage": True}, Exception)])
async def test_a_system_gone_wrong(centre: Any, dsn: str, wish: Any, error: type[Exception]) -> None:
    """An error is a proper refusal, garbage is not the protocol at all; neither opens anything."""
    centre.control("", wish)
    with pytest.raises(error):
        await asyncpg.connect(dsn, timeout=2)


async def test_records_are_replaced_whole_or_not_at_all(centre: Any, reader: Any, records: Any) -> None:
    """Records that do not fit change nothing, and the refusal names the list and no value."""
    statement = "SELECT count(*) FROM udveksling.s01_indsatser"
    own = records["social_centre"]
    for broken in (
        {**own, "indsatser": [{**own["indsatser"][0], "sagsnr": ANNETTE}]},
        {**own, "indsatser": [{**own["indsatser"][0], "startdato": ANNETTE + "x"}]},
        {**own, "indsatser": [{**own["indsatser"][0], "farve": ANNETTE}]},
    ):
        refused = centre.refused_control("/records", broken)
        assert refused.status == 400
        assert "indsatser" in refused.json["error"]
        assert ANNETTE not in refused.json["error"]
    assert await reader.fetchval(statement) == 1

    centre.control("/records", {**own, "indsatser": [], "besoegstider": []})
    assert await reader.fetchval(statement) == 0
