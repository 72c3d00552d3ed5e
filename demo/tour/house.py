"""The demo's world: scenario 1's people over a database that stays, at a port of one's choice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from demo.scenario.file import Scenario, read_scenario
from demo.world.children import ROOT, Nurseries
from demo.world.files import write_private
from demo.world.template import chosen_template
from demo.world.world import World

SCENARIOS = ROOT / "scenarios"
FIRST = SCENARIOS / "s1-annette.yaml"
ASKER, CITIZEN = "lene", "annette"


@asynccontextmanager
async def demo_world(
    folder: Path, port: int, say: Callable[[str], None], nurseries: Nurseries
) -> AsyncIterator[tuple[World, Scenario]]:
    """Open the demo's world with the state of the last time, and end it all afterwards."""
    scenario = read_scenario(FIRST)
    async with World(folder, port=port, say=say, nurseries=nurseries) as world:
        # Where the last tour left the clock, it goes on.
        at = world.clock() if world.files.clock.exists() else scenario.clock
        template = chosen_template(scenario.registry, scenario.file.parent)
        await world.stage(template, scenario.cast, scenario.records, at, fresh=False)
        _write_example(world)
        yield world, scenario


def _write_example(world: World) -> None:
    """Write what `broker ask` needs to ask as Lene does, and where whoever verifies the log may read it."""
    unit = world.cast.caseworker(ASKER)["unit"]
    system, employer = world.template.system_for(unit), world.template.employer_of(unit)
    caller = {
        "broker": world.address,
        "system": system,
        "key_file": str(world.files.system_key(system)),
        "employer": f"{world.provider}/employer/assertion",
        "employer_key_file": world.files.secret_files(f"employer-{employer}")["token"],
        "caseworker": ASKER,
    }
    ask = {"citizen": world.cast.cpr(CITIZEN), "purpose": "helhedsorienteret_plan", "case": "JC-2019-0417"}
    write_private(world.files.folder / "lene.json", json.dumps(caller, indent=2))
    write_private(world.files.folder / "lene-saml.json", json.dumps(caller | {"assertion": "saml"}, indent=2))
    write_private(world.files.folder / "ask.json", json.dumps(ask, indent=2))
    write_private(world.files.folder / "reader.dsn", world.addresses.reader)
