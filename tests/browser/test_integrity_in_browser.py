"""How the logs stand, in a real browser without script: the button, the check as it goes on, its end."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from audit.__main__ import main
from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import look_up, looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")
# They bound a hang and judge no speed.
SECONDS_TO_END, SECONDS_TO_SIGN = 120, 90


async def test_a_check_on_phone_and_desk(stage: Stage) -> None:
    """A cosigned log is checked by a button; the page tells its end without script, on phone and desk."""
    lene = await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await look_up(lene)
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        dpo = await stage.surfer(locale)
        await dpo.log_in("officer", "dpo-korsbaek", "/dpo/integrity")
        async with asyncio.timeout(SECONDS_TO_SIGN):
            while "neighbour: " not in await dpo.page.locator("main").inner_text():
                await asyncio.sleep(1)
                await dpo.page.reload()
        await looked_at(dpo, f"integrity-{language}")
        await dpo.page.locator('main form[action="/dpo/integrity/checks"] button').first.click()
        await expect(dpo.page.locator("main .badge-success").first).to_be_visible(timeout=SECONDS_TO_END * 1000)
        await looked_at(dpo, f"checks-{language}")
        await dpo.page.goto(f"{dpo.address}/dpo?kind=outcome")
        await dpo.page.locator('main a[href^="/dpo/evidence/"]').first.click()
        await looked_at(dpo, f"evidence-{language}")
        async with dpo.page.expect_download() as coming:
            await dpo.page.locator("#take-out").click()
        file = stage.pictures / f"evidence-{language}.zip"
        await (await coming.value).save_as(file)
        key = stage.world.files.keys / "log.vkey"
        assert main(["verify", "--evidence", str(file), "--vkey-file", str(key)]) == 0
