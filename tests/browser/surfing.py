"""A browser for tests: the system's Chromium with script off, and people who log in at the demo's provider."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Request, Response, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tools.places import IN_CI

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TWIN = "**/twin"
PHONE, DESK = {"width": 320, "height": 700}, {"width": 1280, "height": 900}


def chromium() -> str:
    """Give the path of the system's Chromium; without it the test is skipped, but in CI it fails."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        refuse = pytest.fail if IN_CI else pytest.skip
        refuse("no Chromium is installed on this machine")
    return str(program)


@dataclass
class Surfer:
    """One person at one browser window.

    `errors` are what the console said, `hosts` whom the pages asked, `status` what the page itself came with.
    """

    page: Page
    twin: Page
    address: str
    folder: Path
    errors: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    status: int = 0

    def __post_init__(self) -> None:
        self.page.on("console", lambda told: self.errors.append(told.text) if told.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    async def log_in(self, kind: str, person: str, to: str) -> None:
        """Go to a page, be sent to log in, choose who one is, and come back."""
        await self.page.goto(f"{self.address}{to}")
        await self.page.locator(f'button[name="person"][value="{person}"]').click()
        try:
            await self.page.wait_for_url(f"{self.address}{to}**")
        except PlaywrightTimeout:
            # Where it ended instead says why; all who log in here are invented.
            words = await self.page.locator("body").inner_text()
            raise AssertionError(f"{person} did not come back to {to}, but to {self.page.url}: {words}") from None

    async def look(self, name: str) -> dict[str, Any]:
        """Keep a picture of the page as a phone and as a desk shows it, and measure it at both widths."""
        measured: dict[str, Any] = {"status": self.status}
        for size in (PHONE, DESK):
            await self.page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict of two numbers
            wide = size["width"]
            await self.page.screenshot(path=self.folder / f"{name}-{wide}.png", full_page=True)
            measured[f"overflow-{wide}"] = await self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            measured[f"axe-{wide}"] = await self._axe(size)
        measured["h1"] = await self.page.locator("h1").count()
        measured["lang"] = await self.page.locator("html").get_attribute("lang")
        return measured

    async def _axe(self, size: dict[str, int]) -> list[tuple[str, list[str]]]:
        """Let axe judge the same page in a window where script runs, which axe needs."""
        body = await self.page.content()
        await self.twin.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict of two numbers
        await self.twin.route(TWIN, lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
        await self.twin.goto(f"{self.address}/twin")
        found = (await Axe().run(self.twin)).response["violations"]
        await self.twin.unroute(TWIN)
        return [(row["id"], [node["html"] for node in row["nodes"]][:3]) for row in found]

    def hosts(self) -> set[str]:
        """Name every host that was asked for anything."""
        return {urlsplit(address).netloc for address in self.addresses}

    def _asked(self, request: Request) -> None:
        self.addresses.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == self.page.main_frame:
            self.status = response.status


@contextlib.asynccontextmanager
async def browsing(*, keeps_pages: bool = False) -> AsyncIterator[Browser]:
    """Open a browser for the length of a block; one that keeps pages whole for the way back is as people have it."""
    program, off = chromium(), ["--disable-back-forward-cache"] if keeps_pages else None
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS), ignore_default_args=off)
        try:
            yield browser
        finally:
            await browser.close()


async def surfer(
    browser: Browser, address: str, folder: Path, *, locale: str = "da-DK", script: bool = False
) -> Surfer:
    """Give a new person with a window of their own, in which no script runs unless it is asked for."""
    plain = await browser.new_context(java_script_enabled=script, locale=locale)
    scripted = await browser.new_context(locale=locale)
    return Surfer(await plain.new_page(), await scripted.new_page(), address, folder)
