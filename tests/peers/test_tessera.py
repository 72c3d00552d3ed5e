"""Tessera's own fsck walks a log that our HTTP server serves: the true one it finds whole, a bent one it does not."""

import asyncio
import subprocess
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
from tools.parts import found

ORIGIN = f"{BASE}/korsbaek/2019"
SIZE = 600


@pytest.fixture(scope="module")
def served(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house whose log has 600 entries, signed."""
    with open_served(postgres, tmp_path_factory.mktemp("tessera")) as made:
        made.run(fill(made))
        yield made


async def fill(served: Served) -> None:
    """Write the entries and let the checkpointer sign."""
    databases = served.house.databases
    anna, kim = await databases.vault.citizens([Personal("0000000001"), Personal("0000000002")])
    await databases.log.append([an_ask(anna, kim)] * SIZE)
    async with asyncpg.create_pool(databases.at.checkpointer, min_size=1, max_size=1) as pool:
        await sign_and_publish(own_checkpointer(pool, LOG_KEY), ORIGIN)


def walked(served: Served, folder: Path) -> str:
    """Let it walk the log; give what it says of it. Skipped where it was not built."""
    program = found("tessera-fsck")
    if program is None:
        pytest.skip("Tessera's fsck is not built (python3 -m tools.parts): this judge is not asked")
    key = folder / "key"
    key.write_text(str(LOG_KEY.verify_key))
    address = f"{served.address}/log/korsbaek/2019"
    # With one worker it waits for ever once that worker has found a fault.
    options = [f"--storage_url={address}", f"--public_key={key}", f"--origin={ORIGIN}", "--ui=false", "--v=1", "-N=8"]
    told = subprocess.run([program, *options], capture_output=True, text=True, check=True, timeout=120)
    return told.stderr


BENT = {
    "an entry": ("log.entry", "leaf", "set_byte(leaf, 60, get_byte(leaf, 60) # 1)", "idx = 300"),
    "a node": ("log.node", "hash", "set_byte(hash, 0, get_byte(hash, 0) # 1)", "level = 1 AND idx = 1"),
    "a leaf's hash": ("log.entry", "leaf_hash", "set_byte(leaf_hash, 0, get_byte(leaf_hash, 0) # 1)", "idx = 7"),
    "the size": ("log.checkpoint", "note", "overlay(note placing '9' from position(E'\\n' in note) + 1 for 1)", "true"),
}


async def bent(served: Served, folder: Path, table: str, column: str, value: str, where: str) -> str:
    """Change something in the log as a superuser, let the judge walk it, and put all back."""
    superuser = await asyncpg.connect(served.house.databases.admin)
    try:
        before = await superuser.fetchval(f"SELECT {column} FROM {table} WHERE {where}")
        await superuser.execute(f"UPDATE {table} SET {column} = {value} WHERE {where}")
        told = await asyncio.to_thread(walked, served, folder)
        await superuser.execute(f"UPDATE {table} SET {column} = $1 WHERE {where}", before)
    finally:
        await superuser.close()
    return told


def test_tessera_walks_our_served_log(served: Served, tmp_path: Path) -> None:
    """Every tile and bundle that it fetches from our server is the one it computes itself, up to the signed root."""
    told = walked(served, tmp_path)
    assert "Successfully fsck'd log" in told
    assert "fsck failed" not in told


@pytest.mark.parametrize("what", BENT)
def test_tessera_finds_what_is_bent(served: Served, tmp_path: Path, what: str) -> None:
    """With one entry, one hash of a tile or the checkpoint's size changed in the database, the same walk fails."""
    told = asyncio.run(bent(served, tmp_path, *BENT[what]))
    assert "fsck failed" in told
    assert "Successfully fsck'd log" not in told
