"""The example of `connectors/README.md` works as it stands there."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from ruamel.yaml import YAML

from broker.domain.items import Visit
from broker.domain.personal import Personal
from connectors import Dropped, Limits, build
from tests.fakes.hostile import hostile

README = Path(__file__).parents[3] / "connectors" / "README.md"
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)


def block(title: str) -> str:
    """Give one titled block of the page."""
    found = re.search(rf'```\w+ title="{title}"\n(.*?)```', README.read_text("utf-8"), re.DOTALL)
    assert found, title
    return found[1]


def yaml(title: str) -> Any:
    """Read one titled block as YAML."""
    return YAML(typ="safe", pure=True).load(block(title))


async def test_the_example_source_is_read() -> None:
    """Registry lines, mapping and code of the page, over the answer of the page, give the item it speaks of."""
    entry = yaml("registry")["library"]
    dropped: list[Dropped] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.headers["X-Api-Key"] == "k"
        return web.json_response(json.loads(block("answer")))

    async with hostile(answer) as server:
        scope: dict[str, Any] = {
            "build": build,
            "Limits": Limits,
            "Personal": Personal,
            "settings": entry["settings"] | {"base_url": f"{server.address}/api"},
            "reads": yaml("mapping"),
            "secrets": {"api_key": "k"},
            "now": lambda: NOW,
        }
        lines = "".join(f"    {line}\n" for line in block("read").splitlines())
        exec(f"async def example():\n{lines}    return items\n", scope)
        items = await scope["example"]()
        async with build(
            entry["kind"], "library", scope["settings"], scope["reads"], {"api_key": "k"}, Limits(), now=lambda: NOW,
            report=dropped.append,
        ) as library:  # fmt: skip
            assert await library.read(Personal("7102740022"), "person-1", frozenset({"B03"})) == items

    (item,) = items
    assert (item.need, item.visits, item.from_day) == ("sprog", (Visit(960, 1005, weekday=2),), 20190107)
    assert item.people[0].role == "helper"
    assert [(one.category, one.why, one.count) for one in dropped] == [("B03", "other_category", 1)]
    assert server.seen[0][:2] == ("POST", "/api/lookup")
    assert json.loads(server.seen[0][2]) == {"civil": "7102740022", "what": "help"}


def test_every_code_the_page_lists_is_one() -> None:
    """The page's lists of codes are those of the code."""
    from broker.domain.items import KINDS, NEEDS, STATUSES
    from connectors.codes import DEMANDS, PLAN_TYPES, ROLES

    text = README.read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)(?:\[\])?` \| (.*) \|$", text, re.MULTILINE))
    for name, codes in {
        "kind": KINDS, "need": NEEDS, "status": STATUSES, "demands": DEMANDS, "plan_type": PLAN_TYPES,
    }.items():  # fmt: skip
        assert set(rows[name].split(", ")) == codes
    assert set(rows["people"].split("roles ")[1].split(", ")) == ROLES
