"""Beside what the citizen stopped stands how far its unit has heard of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from broker.adapters.stops_sql import StopsSql
from broker.consents.stops import StopDesk, receive
from broker.domain.identity import System
from demo.postgres import PrivatePostgres
from tests.pages_house import ASK, ask_for, link, open_pages, say_yes


async def test_the_page_says_how_many_of_their_systems_have_heard(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Not one, one of two, both; and never more is claimed than was received."""
    async with open_pages(postgres, tmp_path) as house:
        units: Any = house.ports.directory.units
        units["jobcentre"] = replace(units["jobcentre"], systems=2)
        lene, annette = await house.caseworker(), await house.citizen()
        await lene.get("/case")
        await ask_for(lene, ["social/S01"])
        await say_yes(annette)
        await lene.post("/case", **ASK)
        stop = link((await annette.get("/mine")).text, '/mine/consents/[^"]+/stop[^"]*')
        await annette.get(stop)
        await annette.send(stop.partition("?")[0])
        desk = StopDesk(house.ports.clock, house.ports.handles, StopsSql(house.databases.pool, house.databases.log))
        name, pages = f"{stop.split('/')[3]}.2", [(await annette.get("/mine")).text]
        for client in ("its-first-system", "its-second-system"):
            await receive(name, System(client, "korsbaek", frozenset({"jobcentre"})), desk)
            pages.append((await annette.get("/mine")).text)

    assert ["De har ikke taget imod" in page for page in pages] == [True, False, False]
    assert ["1 af deres 2 systemer har taget imod den" in page for page in pages] == [False, True, False]
    assert ["De tog imod beskeden 4. marts 2019" in page for page in pages] == [False, False, True]
