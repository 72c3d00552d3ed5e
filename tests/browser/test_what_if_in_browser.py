"""What-if in a real browser: the choice, the run as it goes on with script and without, and a result with a table."""

from __future__ import annotations

import json
import shutil
import uuid

import asyncpg
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import looked_at
from tests.builders import POLICIES

pytestmark = pytest.mark.asyncio(loop_scope="module")
# It bounds a hang and judges no speed.
SECONDS_TO_END = 120
RESULT = {
    "purposes": ["jobplan", ""],
    "rows": [
        {"kind": "newly_released", "by": "CONSENT_MISSING", "counts": [12, 0], "total": 12},
        {"kind": "basis_changed", "by": "consent > SEL-152", "counts": [None, 0], "total": None},
        {"kind": "same", "by": "", "counts": [None, 0], "total": None},
        {"kind": "not_put", "by": "erased", "counts": [0, 7], "total": 7},
    ],
    "totals": [40, 7],
    "total": 47,
    "deleted": 9,
}


async def a_result(stage: Stage) -> str:
    """Let a run with a table stand that ended; give its name."""
    name = uuid.uuid4()
    app = await asyncpg.connect(stage.world.addresses.app)
    await app.execute("SELECT set_config('borgerbro.municipality', 'korsbaek', false)")
    await app.execute(
        "INSERT INTO what_if.run (id, municipality, month, candidate, rules, by, role, begun_at, state, ended_at,"
        " share, result) VALUES ($1, 'korsbaek', '2018-06', 'broader', 'sha256:' || repeat('a', 64), 'x', 'dpo', now(),"
        " 'ended', now(), 100, $2)",
        name, json.dumps(RESULT),
    )  # fmt: skip
    await app.close()
    return str(name)


async def test_other_rules_on_phone_and_desk(stage: Stage) -> None:
    """Rules are chosen and tried by a button; the page tells the end with script and without; tables fit a phone."""
    folder = stage.world.files.keys.parent / "candidates"
    run = None
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        # Rules of another digest each time: the same ones are tried once.
        shutil.copytree(POLICIES, folder / f"tried-{language}")
        with (folder / f"tried-{language}" / "decision.rego").open("a") as file:
            file.write(f"\n# {language}\n")
        run = run or await a_result(stage)
        dpo = await stage.surfer(locale, script=language == "en")
        await dpo.log_in("officer", "dpo-korsbaek", "/dpo/what-if")
        await looked_at(dpo, f"what-if-{language}")
        await dpo.page.select_option("#candidate", f"tried-{language}")
        await dpo.page.locator('main form[action="/dpo/what-if"] button').click()
        await expect(dpo.page.locator("main .badge-success").first).to_be_visible(timeout=SECONDS_TO_END * 1000)
        await dpo.page.goto(f"{dpo.address}/dpo/what-if/{run}")
        await looked_at(dpo, f"what-if-result-{language}")
