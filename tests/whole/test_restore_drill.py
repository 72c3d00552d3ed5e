"""The restore drill of docs/restore-drill.md, played once as it is written, and once as it must not be done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from audit.errors import TreeMismatch
from demo.postgres import PostgresUnavailable
from tests.attacks.test_bent_disk import an_open_folder
from tests.soak.restore import FEWEST_LINES, Drill, a_drill


@pytest.fixture
async def drill() -> AsyncIterator[Drill]:
    """Set up two servers with their keepers of WAL."""
    with an_open_folder() as folder:
        drills = a_drill(folder)
        try:
            made = await drills.__aenter__()
        except PostgresUnavailable as lacking:
            pytest.skip(str(lacking))
        try:
            yield made
        finally:
            await drills.__aexit__(None, None, None)


async def test_the_drill(drill: Drill, record_property: Callable[[str, object], None]) -> None:
    """Nothing acknowledged is lost and nobody erased comes back; a log put back too far is signed by nobody."""
    await drill.play()
    for step, count in drill.took.items():
        record_property(step, count)
    assert len(drill.told) >= FEWEST_LINES

    keys = await kept_keys(drill)
    assert keys
    for kept, holds in (("log", False), ("vault", True)):
        found = {key for key in keys if stands_in(key, drill.folder / f"base-{kept}", drill.folder / f"wal-{kept}")}
        assert found == (keys if holds else set()), kept

    await drill.bring_back_too_early()
    with pytest.raises(TreeMismatch, match="shorter than what was signed"):
        await drill.memories.sign(drill.at.checkpointer)
    # Whoever begins the file anew to make it go on has the witness against them still.
    drill.memories.cosigned = 0
    with pytest.raises(AssertionError, match="the witness answers 409"):
        await drill.memories.sign(drill.at.checkpointer, new=True, file="anew", take_over=True)


async def kept_keys(drill: Drill) -> set[bytes]:
    """Read the wrapped keys of all who have one, as the key store's superuser."""
    connection = await asyncpg.connect(drill.superuser(drill.vault, drill.at.vault))
    rows = await connection.fetch("SELECT wrapped FROM vault.subject_key")
    await connection.close()
    return {row["wrapped"] for row in rows}


def stands_in(key: bytes, *folders: Path) -> bool:
    """Tell whether a key stands in any file of a base backup or its WAL."""
    return any(key in path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())
