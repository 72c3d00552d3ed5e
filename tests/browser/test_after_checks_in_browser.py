"""After-checks in a real browser without script: named in danger to life by the API, whole on phone and desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from demo.scenario.callers import Callers
from demo.scenario.emergencies import Emergencies
from demo.scenario.file import read_scenario
from demo.world.passing import remove_clusters
from demo.world.template import chosen_template
from demo.world.world import World
from tests.browser.conftest import SCENARIO, Stage
from tests.browser.surfing import browsing, chromium
from tests.browser.test_pages_in_browser import looked_at

DANGER = {"da": "fare for liv", "en": "life is in danger"}
TOGETHER = {"da": "Tre gange", "en": "Three times"}
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> AsyncIterator[Stage]:
    """Start the world of the emergency before its first step, and a browser."""
    chromium()
    scenario = read_scenario(SCENARIO.parent / "e1-danger-to-life.yaml")
    template = chosen_template(scenario.registry, scenario.file.parent)
    folder = tmp_path_factory.mktemp("world")
    try:
        async with World(folder) as world, browsing() as browser:
            await world.stage(template, scenario.cast, scenario.records, scenario.clock)
            yield Stage(world, browser, pictures)
    finally:
        remove_clusters(folder)


async def test_an_after_check_on_phone_and_desk(stage: Stage) -> None:
    """The leader is told who it was and explains, the log controller closes; every page is whole in both languages."""
    async with Callers(stage.world) as callers:
        calls = Emergencies(stage.world, callers)
        for name in ("call", "again", "third"):
            said = await calls.request(
                name, {"by": "nina", "citizen": "anna", "callout": f"V-{name}", "reason": "LIFE"}
            )
            assert said.status == 201
        assert (await calls.decide({"request": "call", "by": "grethe", "said": "yes"})).status < 300
    place = f"/dpo/break-glass/{calls.id_of('call')}"
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        leader = await stage.surfer(locale)
        await leader.log_in("officer", "leder-korsbaek", "/dpo")
        assert leader.page.url.endswith("/dpo/tasks")
        assert await leader.page.locator("main ul li.bb-panel").count() == 4
        await looked_at(leader, f"tasks-{language}")
        await leader.page.locator('nav a[href="/dpo/break-glass"]').click()
        assert await leader.page.locator("main ul li.bb-panel").count() == 4
        await looked_at(leader, f"after-checks-{language}")
        await leader.page.goto(f"{leader.address}{place}")
        await looked_at(leader, f"after-check-{language}")
        await leader.page.locator(f'form[action="{place}/who"] button').click()
        await looked_at(leader, f"after-check-who-{language}")
        await leader.page.goto(f"{leader.address}/dpo/break-glass")
        together = leader.page.locator("main li.bb-panel", has_text=TOGETHER[language])
        await together.locator("a").click()
        await looked_at(leader, f"after-check-three-{language}")
        anna = await stage.surfer(locale)
        await anna.log_in("citizen", "anna", "/mine/accesses")
        assert DANGER[language] in await anna.page.locator("main").inner_text()
        await looked_at(anna, f"accesses-emergency-{language}")
    await leader.page.goto(f"{leader.address}{place}")
    await leader.page.fill("#text", "She was on call.")
    await leader.page.locator("main form button.button-primary").click()
    controller = await stage.surfer()
    await controller.log_in("officer", "kontrol-korsbaek", place)
    await controller.page.locator("main form button.button-primary").click()
    assert await controller.page.locator("#text-fault").count() == 1
    await looked_at(controller, "after-check-fault")
    await controller.page.fill("#text", "Set og fundet i orden.")
    await controller.page.locator("main form button.button-primary").click()
    assert "Lukket" in await controller.page.locator("main").inner_text()
    await looked_at(controller, "after-check-closed")


async def test_what_is_escalated_on_phone_and_desk(stage: Stage) -> None:
    """The DPO meets it on their first page; after the leader's days a log controller closes it, openly."""
    async with Callers(stage.world) as callers:
        calls = Emergencies(stage.world, callers)
        said = await calls.request("silent", {"by": "nina", "citizen": "anna", "callout": "V-silent", "reason": "LIFE"})
        assert said.status == 201
        case = calls.id_of("silent")
    now, place = stage.world.clock(), f"/dpo/break-glass/{case}"
    # Where the clock is set by hand no node writes by itself: what its page looks like is seen without one.
    admin = await asyncpg.connect(stage.world.databases.superuser)
    await admin.execute(
        "INSERT INTO break_glass.escalation (about, opening, municipality, by, at) VALUES ($1, 0, 'korsbaek', 'n', $2)",
        UUID(case), now + timedelta(days=7),
    )  # fmt: skip
    await admin.close()
    stage.world.set_clock(now + timedelta(days=7))
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        dpo = await stage.surfer(locale)
        await dpo.log_in("officer", "dpo-korsbaek", "/dpo")
        await looked_at(dpo, f"log-escalated-{language}")
        await dpo.page.locator('main a[href="/dpo/break-glass?state=escalated"]').click()
        await looked_at(dpo, f"after-checks-escalated-{language}")
        await dpo.page.locator(f'main a[href="{place}"]').click()
        await looked_at(dpo, f"after-check-escalated-{language}")
    stage.world.set_clock(now + timedelta(days=30))
    controller = await stage.surfer()
    await controller.log_in("officer", "kontrol-korsbaek", place)
    assert "uden lederens ord" in await controller.page.locator("main").inner_text()
    await looked_at(controller, "after-check-overdue")
    await controller.page.fill("#text", "Lederen svarede ikke. Opslaget var i orden.")
    await controller.page.locator("main form button.button-primary").click()
    assert "Lukket uden lederens ord" in await controller.page.locator("main").inner_text()
    await looked_at(controller, "after-check-closed-unexplained")
    stage.world.set_clock(now)
