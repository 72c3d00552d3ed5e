"""`docs/onboarding.md`, command by command: a system and a source come, change keys, and go, by data alone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from ruamel.yaml import YAML

from demo.world.casting import Cast
from demo.world.logbook import open_log_book
from demo.world.passing import remove_clusters
from demo.world.template import Template, merged
from demo.world.world import World
from demo.world.yaml_file import read_yaml
from tests.builders import ROOT
from tests.fakes.hostile import HostileServer, hostile

PAGE = (ROOT / "docs" / "onboarding.md").read_text("utf-8")
BLOCKS = [
    tuple(found) for found in re.findall(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', PAGE, re.DOTALL | re.MULTILINE)
]
HOME = "birkoebing"
NAMES = {"da": "Jobcenter Birkøbing", "en": "Birkøbing Jobcentre"}
# A municipality of its own, with nothing of the demo's in it: one jobcentre, its employer, its own tool.
BEFORE: dict[str, Any] = {
    "version": 1,
    "municipalities": {HOME: {"cvr": "33333333", "name": "Birkøbing Kommune", "code": "0997"}},
    "units": {f"{HOME}-jobcentre": {"municipality": HOME, "kind": "jobcentre", "name": NAMES, "cases": "sager"}},
    "sources": {f"{HOME}-jobcentre": {"unit": f"{HOME}-jobcentre", "kind": "rest_json", "name": NAMES}},
    "registers": {"people": {}, "cases": {"sager": {}}},
    "systems": {f"{HOME}-page": {"municipality": HOME, "units": [f"{HOME}-jobcentre"], "employers": [HOME]}},
    "employers": {HOME: {"issuer": "https://medarbejdere.birkoebing.example", "municipality": HOME}},
    "providers": {"caseworker": {"system": f"{HOME}-page", "employer": HOME}},
    "delegations": {},
}
ROLE = {"name": "sagsbehandler", "kle": ["32.*"], "sensitivity": 4}
CAST = Cast(
    {"anna": {"cpr": "710180-0003", "name": "Anna Test", "born": "1980-01-11", "municipality": HOME}},
    {"lene": {"name": "Lene Krogh", "unit": f"{HOME}-jobcentre", "roles": [ROLE]}},
    {"JC-1": {"unit": f"{HOME}-jobcentre", "citizen": "anna", "kle": "32.24.04", "caseworkers": ["lene"]}},
)
AT = datetime.fromisoformat("2019-03-04T10:00:00+01:00")


async def benefits(request: web.Request) -> web.StreamResponse:
    """Answer as the invented benefits office does: who knows its secret and asks by number is told."""
    body = await request.json()
    if request.headers.get("X-Api-Key") != "what the office gave you" or body != {"cpr": "7101800003"}:
        return web.Response(status=403)
    return web.json_response({"rows": [{"nr": 7, "cpr": "710180-0003", "what": "Boligstøtte", "since": "2019-01-01"}]})


@dataclass
class Walk:
    """The walk through the page: its blocks are taken in order, each once."""

    world: World
    office: HostileServer
    left: list[tuple[str, str, str]] = field(default_factory=lambda: list(BLOCKS))

    def take(self, title: str) -> str:
        """Take the page's next block; the page and this walk must agree on what comes."""
        _, found, content = self.left.pop(0)
        assert found == title
        return content

    async def shell(self, title: str) -> None:
        """Run a block of commands as it stands; all of it must succeed."""
        code, told = await self.run(self.take(title))
        assert code == 0, told

    async def run(self, command: str) -> tuple[int, str]:
        """Run commands in the registry's folder, and give how they ended and what they said."""
        spoken = f'set -e; python() {{ {sys.executable} "$@"; }}; {command}'
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160"}
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", spoken, cwd=self.world.files.folder, env=environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode or 0, told.decode()

    def edit(self, title: str) -> None:
        """Lay a block over the registry, as an operator would with an editor; null takes an entry out."""
        change = YAML(typ="safe", pure=True).load(
            self.take(title).replace("https://ydelser.birkoebing.example", self.office.address)
        )
        file = self.world.files.registry
        with file.open("r+", encoding="utf-8") as sink:
            whole = merged(read_yaml(file), change)
            sink.seek(0)
            sink.truncate()
            YAML(typ="safe", pure=True).dump(whole, sink)

    def write(self, title: str) -> None:
        """Write a block to the file it names, with this sandbox's addresses."""
        content = self.take(title)
        if title == "caller.json":
            told = json.loads(content)
            told |= {"broker": self.world.address, "employer": f"{self.world.provider}/employer/assertion"}
            key = self.world.files.folder / told["employer_key_file"]
            key.write_text(self.world.files.secrets_of(f"employer-{HOME}")["token"], "utf-8")
            content = json.dumps(told)
        (self.world.files.folder / title).write_text(content, "utf-8")

    async def check_and_start(self) -> None:
        """Check the registry as the page says, and start the node again."""
        check = next(content for _, title, content in BLOCKS if title == "check")
        code, told = await self.run(check)
        assert code == 0, told
        await self.world._stop_broker()
        await self.world._start_broker()

    async def ask(self, key: str = "jobtool.key.json") -> tuple[int, str]:
        """Ask as the page does, with one of the system's keys."""
        file = self.world.files.folder / "caller.json"
        file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"key_file": key}), "utf-8")
        return await self.run(next(content for _, title, content in BLOCKS if title == "ask"))

    async def registries(self) -> list[str]:
        """Give the hashes that the log names, in order."""
        async with open_log_book(self.world) as book:
            return [entry.index["revision"] for entry in await book.since({}) if entry.kind == "registry.loaded"]


@asynccontextmanager
async def sandbox(folder: Path) -> AsyncIterator[Walk]:
    """Open a sandbox of real processes, and the benefits office's system."""
    try:
        async with hostile(benefits) as office, World(folder) as world:
            await world.stage(Template(BEFORE, folder), CAST, {}, AT)
            yield Walk(world, office)
    finally:
        remove_clusters(folder)


async def test_the_page_can_be_followed(tmp_path: Path) -> None:
    """Keys, system, employer, source, check, ask, rotation without a gap, removal: each as the page says, in order."""
    folder = tmp_path / "sandbox"
    folder.mkdir(mode=0o711)
    async with sandbox(folder) as walk:
        await walk.shell("a key pair")
        await walk.shell("an employer's key pair")
        walk.edit("register")
        walk.edit("register")
        walk.write("benefits.yaml")
        await walk.shell("the secret's file")
        await walk.shell("check")
        walk.write("caller.json")
        walk.write("ask.json")
        code, told = await walk.ask()
        assert (code, "401" in told) == (1, True), told
        await walk.check_and_start()
        walk.take("ask")
        code, told = await walk.ask()
        assert code == 0, told
        assert "birkoebing-benefits" in told
        assert "RSL-11a-2" in told
        assert "0 own, 1 shared" in told

        await walk.shell("the next key")
        assert (await walk.ask("next.key.json"))[0] == 1
        walk.edit("register")
        await walk.check_and_start()
        assert [(await walk.ask(key))[0] for key in ("jobtool.key.json", "next.key.json")] == [0, 0]
        walk.edit("register")
        await walk.check_and_start()
        old, new = [await walk.ask(key) for key in ("jobtool.key.json", "next.key.json")]
        assert (old[0], "401" in old[1], new[0]) == (1, True, 0)

        walk.edit("take out")
        await walk.check_and_start()
        code, told = await walk.ask("next.key.json")
        assert "birkoebing-benefits" not in told
        walk.edit("take out")
        await walk.check_and_start()
        code, told = await walk.ask("next.key.json")
        assert (code, "401" in told) == (1, True), told

        assert walk.left == []
        # One entry a change, and none for what stayed as it was.
        named = await walk.registries()
        assert len(named) == 6
        assert named[0] == named[-1]
        assert len(set(named)) == 5
        await walk.check_and_start()
        assert await walk.registries() == named
