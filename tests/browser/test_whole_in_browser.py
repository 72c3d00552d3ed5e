"""Is anything missing: what a citizen's browser finds where all is well, and where list, witnesses or log are not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.browser.conftest import Stage
from tests.browser.surfing import Surfer
from tests.browser.test_pages_in_browser import STATUS, look_up, looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")
# A list counts as whole once the map's next root is signed and witnessed, which takes a minute.
EPOCH_SECONDS = 90
BUNDLE = "/v1/me/accesses/bundle"
WELL = "Der mangler ikke noget. Din liste er hel til og med:"
WITNESSED = "Vidner uden for kommunen har skrevet under på loggen."
SAVED = "Enheden husker nu loggen til næste gang."
GOES_ON = "Loggen går videre fra det, denne enhed så:"
ALONE = "Men vidnerne uden for kommunen har ikke skrevet under på den."
CHANGED = "Det er ikke den log, enheden så før."
UNSURE = "Vi kan ikke sige, at listen er hel."


@pytest_asyncio.fixture(loop_scope="module")
async def annette(stage: Stage) -> AsyncIterator[Surfer]:
    """Give a citizen of whom somebody asked, and whose list says so by now, on the page with the check."""
    lene, made = await stage.surfer(), await stage.surfer(script=True)
    await lene.log_in("caseworker", "lene", "/case")
    await look_up(lene)
    await made.log_in("citizen", "annette", "/mine")
    await made.page.goto(f"{made.address}/mine/whole")
    await until_counted(made)
    yield made
    assert [line for line in made.errors if not line.startswith(STATUS)] == []


async def until_counted(annette: Surfer, more_than: int = 0) -> dict[str, Any]:
    """Wait until the newest list holds so many lines; give it."""
    async with asyncio.timeout(EPOCH_SECONDS):
        while True:
            bundle: dict[str, Any] = await annette.page.evaluate(f"async () => (await fetch('{BUNDLE}')).json()")
            if sum(len(found["entries"]) for log in bundle["logs"] for found in log["lists"]) > more_than:
                return bundle
            await asyncio.sleep(2)


async def says(annette: Surfer, *sentences: str) -> None:
    """Press the button; hold the page to exactly these of the sentences it knows."""
    await annette.page.locator("#bb-check button").click()
    await expect(annette.page.locator("#bb-checked")).not_to_have_text("Vi tjekker …", timeout=30_000)
    told = await annette.page.locator("#bb-checked").inner_text()
    known = (WELL, WITNESSED, SAVED, GOES_ON, ALONE, CHANGED, UNSURE)
    assert [one for one in known if one in told] == list(sentences), told


async def with_bundle(annette: Surfer, bend: Callable[[dict[str, Any]], None]) -> None:
    """Let the file come to the browser bent."""

    async def bent(route: Route) -> None:
        answer = await route.fetch()
        bundle = await answer.json()
        bend(bundle)
        await route.fulfill(response=answer, json=bundle)

    await annette.page.unroute(f"**{BUNDLE}")
    await annette.page.route(f"**{BUNDLE}", bent)


async def heads(annette: Surfer) -> list[dict[str, Any]]:
    """Read what the device remembers: each head with its log, size and root."""
    kept = await annette.page.evaluate("localStorage.getItem('bb-heads')")
    return [json.loads(row["head"]) for row in json.loads(kept or "[]")]


async def remembering(annette: Surfer, **changes: str) -> None:
    """Let the device remember another head than it saw."""
    told = [{"at": "2019-03-04T12:00:00Z", "head": json.dumps(head | changes)} for head in await heads(annette)]
    await annette.page.evaluate("text => localStorage.setItem('bb-heads', text)", json.dumps(told))


async def test_all_is_well(annette: Surfer) -> None:
    """List, log and witnesses hold; the device remembers nothing that it was not asked to."""
    await looked_at(annette, "whole")
    await says(annette, WELL, WITNESSED)
    assert await heads(annette) == []
    await annette.page.screenshot(path=annette.folder / "whole-checked.png", full_page=True)


async def test_a_line_taken_out_shows(annette: Surfer) -> None:
    """The newest line of each list is gone: nothing is said to be whole, and nothing is remembered."""
    await annette.page.locator('label[for="remember"]').click()

    def without_one(bundle: dict[str, Any]) -> None:
        for found in (found for log in bundle["logs"] for found in log["lists"]):
            found["entries"] = found["entries"][:-1]

    await with_bundle(annette, without_one)
    await says(annette, UNSURE)
    await with_bundle(annette, dict.clear)
    await says(annette, UNSURE)
    assert await heads(annette) == []


async def test_without_its_witnesses_no_list_is_believed(annette: Surfer) -> None:
    """The log's own key may sign another history for one reader alone; that its witnesses are missing is said."""
    await annette.page.locator('label[for="remember"]').click()

    def without_witnesses(bundle: dict[str, Any]) -> None:
        for log in bundle["logs"]:
            text, _, signatures = log["checkpoint"].partition("\n\n")
            own = [line for line in signatures.splitlines() if not line.startswith("— witness.example/")]
            assert len(own) < len(signatures.splitlines())
            log["checkpoint"] = "\n".join([text, "", *own, ""])

    await with_bundle(annette, without_witnesses)
    await says(annette, ALONE)
    assert await heads(annette) == []


async def test_the_next_visit_sees_that_the_log_goes_on(stage: Stage, annette: Surfer) -> None:
    """What was ticked is remembered; a log that grew is proved to go on from it, out of its public tiles."""
    await annette.page.locator('label[for="remember"]').click()
    await says(annette, WELL, WITNESSED, SAVED)
    (before,) = await heads(annette)
    bundle = await until_counted(annette)
    lene = await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await look_up(lene)
    await until_counted(annette, sum(len(found["entries"]) for log in bundle["logs"] for found in log["lists"]))
    await annette.page.reload()
    assert await annette.page.locator("#remember").is_checked()
    await looked_at(annette, "whole-remembered")
    await says(annette, WELL, WITNESSED, SAVED, GOES_ON)
    (after,) = await heads(annette)
    assert int(before["size"]) < int(after["size"])
    assert before["origin"] == after["origin"]


async def test_another_log_than_before_shows(annette: Surfer) -> None:
    """A log that became shorter or another, and tiles that do not prove it: said each time, and the old is kept."""
    await annette.page.locator('label[for="remember"]').click()
    await says(annette, WELL, WITNESSED, SAVED)
    (true,) = await heads(annette)
    another = "A" * 43 + "="
    for changes in (
        {"size": str(int(true["size"]) + 1000)},
        {"root": another},
        {"root": another, "size": str(int(true["size"]) - 1)},
    ):
        await remembering(annette, **(true | changes))
        await says(annette, CHANGED)
        assert await heads(annette) == [true | changes]
    await annette.page.screenshot(path=annette.folder / "whole-changed.png", full_page=True)
    await remembering(annette, **(true | {"size": str(int(true["size"]) - 1)}))
    await annette.page.route("**/log/**/tile/**", lambda route: route.fulfill(status=404))
    await says(annette, UNSURE)


async def test_what_is_remembered_goes_with_the_tick_and_with_whoever_leaves(annette: Surfer) -> None:
    """No tick, no trace; and the button that leaves takes it away from any page."""
    tick = annette.page.locator('label[for="remember"]')
    await tick.click()
    await says(annette, WELL, WITNESSED, SAVED)
    await tick.click()
    assert await heads(annette) == []
    await tick.click()
    await says(annette, WELL, WITNESSED, SAVED)
    assert len(await heads(annette)) == 1
    await annette.page.goto(f"{annette.address}/mine")
    await annette.page.route("https://www.dmi.dk/**", lambda route: route.fulfill(body="Vejret"))
    await annette.page.get_by_role("button", name="Forlad siden").click()
    await annette.page.wait_for_url("https://www.dmi.dk/")
    await annette.page.goto(f"{annette.address}/accessibility")
    assert await heads(annette) == []
