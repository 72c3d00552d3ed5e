"""Samples in a real browser without script: drawn in the demo's world by the command, whole on phone and desk."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from tests.browser.conftest import Stage
from tests.browser.test_pages_in_browser import look_up, looked_at

pytestmark = pytest.mark.asyncio(loop_scope="module")
SIGNED_WITHIN_SECONDS = 90


async def drawn(stage: Stage, *words: str, days: int = 0) -> str:
    """Run `broker samples draw`, its own clock some days on; give nothing where it did so, and else what it said."""
    later = stage.pictures / "later"
    later.write_text((stage.world.clock() + timedelta(days)).isoformat(), "utf-8")
    later.chmod(0o600)
    environ = {"PATH": os.environ["PATH"]} | stage.world._settings() | {"BROKER_CLOCK_FILE": str(later)}
    command = [sys.executable, "-m", "broker", "samples", "draw", *words]
    done = await asyncio.to_thread(subprocess.run, command, env=environ, capture_output=True, check=False, timeout=60)
    return f"{done.returncode}: {done.stdout!r} {done.stderr!r}" if done.returncode else ""


async def test_a_sample_on_phone_and_desk(stage: Stage) -> None:
    """A look-up is drawn; the DPO's list and the page of one keep what every page keeps, in both languages."""
    lene = await stage.surfer()
    await lene.log_in("caseworker", "lene", "/case")
    await look_up(lene)
    what = ("--municipality", "korsbaek", "--month", f"{stage.world.clock():%Y-%m}")
    assert await drawn(stage, *what) == ""
    until = time.monotonic() + SIGNED_WITHIN_SECONDS
    while said := await drawn(stage, *what, days=35):
        assert time.monotonic() < until, said
        await asyncio.sleep(1)
    for locale, language in (("da-DK", "da"), ("en-GB", "en")):
        dpo = await stage.surfer(locale)
        await dpo.log_in("officer", "dpo-korsbaek", "/dpo/samples")
        await looked_at(dpo, f"samples-{language}")
        await dpo.page.locator('main a[href^="/dpo/samples/"]').first.click()
        await looked_at(dpo, f"sample-{language}")
        await dpo.page.locator('nav a[href="/dpo/figures"]').click()
        assert await dpo.page.locator("main svg").count() >= 5
        await looked_at(dpo, f"figures-{language}")
