"""What the browser's tests stand on: scenario 1's world with a real broker, and one browser, for all of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from demo.scenario.file import read_scenario
from demo.world.passing import remove_clusters
from demo.world.template import chosen_template
from demo.world.world import World
from tests.browser.surfing import Surfer, browsing, chromium, surfer

SCENARIO = Path(__file__).parents[2] / "scenarios" / "s1-annette.yaml"


@dataclass
class Stage:
    """The world on stage before its first step, where pictures of pages go, and a browser to look at it with."""

    world: World
    browser: Browser
    pictures: Path

    async def surfer(self, locale: str = "da-DK", *, script: bool = False) -> Surfer:
        """Give a person with a window of their own."""
        return await surfer(self.browser, self.world.address, self.pictures, locale=locale, script=script)


@pytest.fixture(scope="module")
def pictures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give where a module's pictures go: its own folder in what `BROWSER_PICTURES` names, or a passing one."""
    kept = os.environ.get("BROWSER_PICTURES")
    if kept is None:
        return tmp_path_factory.mktemp("pictures")
    folder = Path(kept).absolute() / request.path.stem
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> AsyncIterator[Stage]:
    """Start the world of scenario 1 with no consent given, and a browser."""
    chromium()
    scenario = read_scenario(SCENARIO)
    template = chosen_template(scenario.registry, scenario.file.parent)
    folder = tmp_path_factory.mktemp("world")
    try:
        async with World(folder) as world, browsing() as browser:
            await world.stage(template, scenario.cast, scenario.records, scenario.clock)
            yield Stage(world, browser, pictures)
    finally:
        remove_clusters(folder)
