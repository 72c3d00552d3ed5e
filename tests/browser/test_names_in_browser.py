"""An employee is named, and found, in a real browser without script: whole on phone and desk, in both languages."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import look_up, looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_did_it_on_phone_and_desk(stage: Stage) -> None:
    """A DPO opens a line, forgets the reason, gives one and reads the name; then looks for the same employee."""
    lene = await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await look_up(lene)
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        dpo = await stage.surfer(locale)
        await dpo.log_in("officer", "dpo-korsbaek", "/dpo")
        await dpo.page.goto(f"{dpo.address}/dpo?kind=ask")
        await dpo.page.locator('main a[href^="/dpo/lines/"]').first.click()
        await looked_at(dpo, f"line-with-a-reason-{language}")
        await dpo.page.locator('main form[action$="/who"] button').click()
        await looked_at(dpo, f"name-without-a-reason-{language}")
        assert await dpo.page.locator(".form-error #why").count() == 1
        await dpo.page.fill("#why", "A citizen has asked who it was.")
        await dpo.page.locator('main form[action$="/who"] button').click()
        await looked_at(dpo, f"named-{language}")
        told = await dpo.page.locator("main dl dd").all_inner_texts()
        person = told[-2]  # Behind the name, where the employer states one, and before the employer.
        await dpo.page.goto(f"{dpo.address}/dpo/employee")
        await dpo.page.fill("#employee", person)
        await dpo.page.fill("#why", "To see what else they opened.")
        await dpo.page.locator('main form[action="/dpo/employee"] button').click()
        await looked_at(dpo, f"found-by-employee-{language}")
        assert await dpo.page.locator('main a[href^="/dpo/lines/"]').count() > 0
        assert not any(person in address for address in dpo.addresses)
