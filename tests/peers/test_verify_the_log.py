"""The commands of docs/verify-the-log.md, as a stranger types them, against a served log."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.databases import BASE
from tests.log_events import an_ask
from tests.pages_house import LOG_KEY
from tests.served_house import Served, open_served
from tests.signing import own_checkpointer, sign_and_publish

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "verify-the-log.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if not line.startswith(("LOG=", "ORIGIN="))
]
ORIGIN = f"{BASE}/korsbaek/2019"


@pytest.fixture(scope="module")
def served(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house whose log has 400 entries, signed."""
    with open_served(postgres, tmp_path_factory.mktemp("page")) as made:
        made.run(fill(made, 400))
        yield made


async def fill(served: Served, count: int) -> None:
    """Write entries and let the checkpointer sign."""
    databases = served.house.databases
    anna, kim = await databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
    await databases.log.append([an_ask(anna, kim)] * count)
    async with asyncpg.create_pool(databases.at.checkpointer, min_size=1, max_size=1) as pool:
        await sign_and_publish(own_checkpointer(pool, LOG_KEY), ORIGIN)


def typed(command: str, served: Served, folder: Path) -> tuple[int, str]:
    """Type one command in a folder of one's own; give how it ended and what it said."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    given = {"LOG": f"{served.address}/log/korsbaek/2019", "ORIGIN": ORIGIN, "PATH": path, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=os.environ | given, capture_output=True, text=True, check=False
    )
    return told.returncode, told.stdout + told.stderr


def test_every_command_of_the_page_works(served: Served, tmp_path: Path) -> None:
    """From the key to the proof each command ends well, one after the other, and says that the log is intact."""
    told = {command: typed(command, served, tmp_path) for command in COMMANDS}
    assert [(command, text) for command, (code, text) in told.items() if code] == []
    assert sum("intact" in text and "signature checked" in text for _, text in told.values()) == 2
    assert any(f"{ORIGIN}: entry 0 of" in text for _, text in told.values())
    assert len(told) == 6


def test_the_same_command_finds_only_what_is_new_and_then_what_was_changed(served: Served, tmp_path: Path) -> None:
    """The second run says what was verified before; after an old entry was changed a fresh one ends with 1."""
    keys, verify = COMMANDS[:2]
    for command in (keys, verify):
        assert typed(command, served, tmp_path)[0] == 0
    served.run(fill(served, 3))
    code, text = typed(verify, served, tmp_path)
    assert code == 0, text
    assert "of them verified before" in text
    asyncio.run(changed(served))
    code, text = typed(verify.replace("--state kept.json", ""), served, tmp_path)
    assert code == 1
    assert "entry 7: does not match tile/0/000" in text
    code, text = typed(verify.replace('"$LOG"', "http://127.0.0.1:1/log"), served, tmp_path)
    assert code == 2, text


async def changed(served: Served) -> None:
    """Change an old entry, as a superuser."""
    superuser = await asyncpg.connect(served.house.databases.admin)
    flip = "set_byte(leaf, 60, get_byte(leaf, 60) # 1)"
    await superuser.execute(f"UPDATE log.entry SET leaf = {flip} WHERE idx = 7")
    await superuser.close()
