"""A yes that ends soon says so on the citizen's first page, and that it ends by itself."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from broker.adapters.clock_system import FixedClock
from broker.domain.events import ConsentRequested
from demo.postgres import PrivatePostgres
from tests.builders import CITIZEN, NOON
from tests.pages_house import ask_for, link, open_pages, say_yes


async def test_the_first_page_says_what_ends_soon(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Nothing while there is a long time left; then the days that are left, and on the last day that it is the last."""
    async with open_pages(postgres, tmp_path) as house:
        lene = await house.caseworker()
        await lene.get("/case")
        await ask_for(lene, ["social/S01"])
        await say_yes(await house.citizen())
        assert isinstance(house.ports.clock, FixedClock)
        pages = []
        for days in (300, 358, 365):
            house.ports.clock.at = NOON + timedelta(days=days)
            pages.append((await (await house.citizen()).get("/mine")).text)

    assert ["Det slutter af sig selv." in page for page in pages] == [False, True, True]
    assert ["Slutter om 7 dage." in page for page in pages] == [False, True, False]
    assert ["Slutter i dag." in page for page in pages] == [False, False, True]


async def test_a_renewal_says_what_it_follows(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """The question says when the yes they gave ends and that a new one begins after it; without one it does not."""
    async with open_pages(postgres, tmp_path) as house:
        lene, annette = await house.caseworker(), await house.citizen()
        await lene.get("/case")
        await ask_for(lene, ["social/S01"])
        first = (await annette.get(link((await annette.get("/mine")).text, '/mine/requests/[^"/]+'))).text
        await say_yes(annette)
        (citizen,) = await house.ports.handles.citizens([CITIZEN])
        (old,) = await house.ports.consents.requests_of(citizen)
        new = replace(old, id=str(uuid4()), renews=old.id, from_day=20200304, to_day=20200903, answers=())
        event = ConsentRequested(
            municipality=new.municipality, subject=citizen, actor=citizen, at=new.asked_at, consent=new.id,
            unit=new.unit, purpose=new.purpose, case=new.case, lines=((citizen, "social", "S01"),), channel="system",
            text_version=new.text_version,
        )  # fmt: skip
        await house.ports.consents.request(new, event)
        asked = (await annette.get(f"/mine/requests/{new.id}")).text

    assert "Det ja slutter af sig selv." not in first
    assert "Du har sagt ja til det her før, til og med 3. marts 2020. Det ja slutter af sig selv." in asked
