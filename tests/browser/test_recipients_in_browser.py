"""Who got what is looked up in a real browser without script: whole on phone and desk, in both languages."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import looked_at
from tests.browser.test_rights_in_browser import something_is_handed_out

pytestmark = pytest.mark.asyncio(loop_scope="module")
NUMBER = "710274-0022"


async def test_who_got_it_on_phone_and_desk(stage: Stage) -> None:
    """A DPO comes by the page of answers, forgets why, says why, and reads who got it; the number is in no address."""
    await something_is_handed_out(stage)
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        dpo = await stage.surfer(locale)
        await dpo.log_in("officer", "dpo-korsbaek", "/dpo/package")
        await dpo.page.locator('main a[href="/dpo/package/recipients"]').click()
        await looked_at(dpo, f"recipients-{language}")
        await dpo.page.fill("#citizen", NUMBER)
        await dpo.page.select_option("#source", index=1)
        await dpo.page.locator('main form[action="/dpo/package/recipients"] button').click()
        await looked_at(dpo, f"recipients-without-why-{language}")
        assert await dpo.page.locator(".form-error #aim").count() == 1
        await dpo.page.fill("#citizen", NUMBER)
        await dpo.page.select_option("#aim", "corrected")
        await dpo.page.select_option("#source", "korsbaek-social")
        await dpo.page.locator('main form[action="/dpo/package/recipients"] button').click()
        await looked_at(dpo, f"receivers-{language}")
        assert await dpo.page.locator("main tbody tr").count() > 0
        assert not any(NUMBER in address or "7102740022" in address for address in dpo.addresses)
