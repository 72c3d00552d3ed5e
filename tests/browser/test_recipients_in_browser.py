"""A citizen is answered, and who got what is looked up, in a real browser without script, in both languages.

`--basetemp FOLDER` keeps the steps and seconds of an answer (`answered.json`).
"""

from __future__ import annotations

import json
import re
import time
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import looked_at
from tests.browser.test_rights_in_browser import something_is_handed_out

pytestmark = pytest.mark.asyncio(loop_scope="module")
NUMBER = "710274-0022"
ANSWERING = Path(__file__).parents[2] / "docs" / "answering.md"
FORM = 'main form[action="/dpo/package"]'


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


async def test_a_citizen_is_answered(stage: Stage) -> None:
    """From the log-in to the paper in as many steps as the guide says; the page has the same, in either language.

    Runs after somebody's data was handed out.
    """
    dpo, begin, steps = await stage.surfer(), time.monotonic(), 1
    await dpo.log_in("officer", "dpo-korsbaek", "/dpo")
    await dpo.page.locator('main a[href="/dpo/package"]').click()
    await dpo.page.fill("#citizen", NUMBER)
    async with dpo.page.expect_download() as downloads:
        await dpo.page.locator(f'{FORM} button[value="pdf"]').click()
    steps += 3
    paper = PdfReader(BytesIO(Path(await (await downloads.value).path()).read_bytes()))
    seconds = round(time.monotonic() - begin, 1)
    assert "Det, der er gemt om dig" in paper.pages[0].extract_text()
    (stage.pictures / "answered.json").write_text(json.dumps({"steps": steps, "seconds": seconds}))
    told = re.search(r"(\d+) steps from the log-in to the paper", ANSWERING.read_text("utf-8"))
    assert told is not None
    assert steps == int(told[1])
    for language, title in (("da", "Det, der er gemt om dig"), ("en", "What is held about you")):
        await dpo.page.goto(f"{dpo.address}/dpo/package")
        await dpo.page.fill("#citizen", NUMBER)
        await dpo.page.select_option("#language", language)
        await dpo.page.locator(f'{FORM} button[value="page"]').click()
        await looked_at(dpo, f"package-paper-{language}")
        assert await dpo.page.locator("h1").inner_text() == title
        assert await dpo.page.locator("main tbody tr").count() > 0
    assert not any(NUMBER in address or "7102740022" in address for address in dpo.addresses)
