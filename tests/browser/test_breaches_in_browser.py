"""A breach file in a real browser without script: opened, counted and written, whole on phone and desk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_breach_on_phone_and_desk(stage: Stage) -> None:
    """The DPO opens a file, counts whom it touches, sees them by handle and writes; faults are told; both languages."""
    today = stage.world.clock()
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        dpo = await stage.surfer(locale)
        await dpo.log_in("officer", "dpo-korsbaek", "/dpo")
        page = dpo.page
        # Whoever searched for a citizen has touched them too.
        await page.fill("#citizen", "710274-0022")
        await page.locator('main form[action="/dpo/find"] button[type=submit]').first.click()
        await page.goto(f"{dpo.address}/dpo/breaches")
        await page.fill("#text", "En fil blev sendt til en forkert modtager. " * 5)
        await page.locator('main form[action="/dpo/breaches"] button[type=submit]').click()
        await page.fill("#since_day", f"{today:%Y-%m-%d}")
        # A count goes to now, and the second that runs is not in it.
        stage.world.set_clock(today + timedelta(minutes=1))
        await page.locator('main form[action$="/counts"] button[type=submit]').click()
        await page.select_option("#nature", "sent")
        await page.select_option("#advice", "watch")
        await page.fill("#numbers", "710274-0022")
        await page.locator('main form[action$="/letters"] button[type=submit]').click()
        stage.world.set_clock(today)
        await page.select_option("#kind", "assessed")
        await page.fill("#text", "Færdig")
        await page.locator("main form:has(#kind) button[type=submit]").click()
        await looked_at(dpo, f"breach-{language}")
        await page.locator('main a[href*="/counts/"]').first.click()
        await looked_at(dpo, f"breach-citizens-{language}")
