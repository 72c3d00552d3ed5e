"""Tables in a real browser: their heads sort, by a link without script and in place with it, where a field filters."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
# The table of the hours of the week: 24 rows, one a kind of the hour, whether anybody looked or not.
HOURS = "#hours-table"


async def first_cells(page: Page) -> list[str]:
    """Give the first cells of the rows that are shown."""
    rows = page.locator(f"{HOURS} tbody tr:visible th")
    return [text.strip() for text in await rows.all_inner_texts()]


async def test_a_head_sorts_without_script(stage: Stage) -> None:
    """The link leads to the same page with the rows the other way round, where they are, and says how they stand."""
    dpo = await stage.surfer()
    await dpo.log_in("officer", "dpo-korsbaek", "/dpo/figures")
    head = dpo.page.locator(f"{HOURS} thead a").first
    await dpo.page.locator("details:has(#hours-table) summary").click()
    await head.click()
    await dpo.page.locator(f'{HOURS} th[aria-sort="ascending"] a').click()

    assert await dpo.page.locator(f"{HOURS} th").first.get_attribute("aria-sort") == "descending"
    assert (await first_cells(dpo.page))[:2] == ["23\u201324", "22\u201323"]
    assert dpo.page.url.endswith("sort=hours-0-down#hours-table")


async def test_with_script_the_page_stays(stage: Stage) -> None:
    """The same head sorts in place, with the keyboard too; the field shows the rows with some words, and all again."""
    dpo = await stage.surfer(script=True)
    await dpo.log_in("officer", "dpo-korsbaek", "/dpo/figures")
    page, asked = dpo.page, list[str]()
    page.on("request", lambda request: asked.append(request.url))
    await page.locator("details:has(#hours-table) summary").click()
    head = page.locator(f"{HOURS} thead a").first

    await head.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(f"{HOURS} th").first).to_have_attribute("aria-sort", "ascending")
    assert (await first_cells(page))[8:11] == ["8\u20139", "9\u201310", "10\u201311"]
    await head.click()
    await expect(page.locator(f"{HOURS} th").first).to_have_attribute("aria-sort", "descending")
    assert (await first_cells(page))[0] == "23\u201324"

    await page.get_by_label("Vis rækker med").last.fill("22")
    assert await first_cells(page) == ["22\u201323", "21\u201322"]
    await page.screenshot(path=stage.pictures / "tables.png")
    await page.get_by_label("Vis rækker med").last.fill("")
    assert len(await first_cells(page)) == 24
    assert [url for url in asked if "/static/" not in url] == []
