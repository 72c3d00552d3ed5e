"""PostgreSQL falls under load, at random moments: the short form of `python3 run.py soak --only crashes` (P2, P7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.crashes import crashes

FALLS = 4


async def test_nothing_acknowledged_is_lost_when_the_database_falls(tmp_path_factory: pytest.TempPathFactory) -> None:
    """After each fall all that callers were told is there, the log is gapless, and the checkpointer goes on."""
    folder = tmp_path_factory.mktemp("falling")
    seed = 20190506

    counted = await crashes(Path(folder), seed, lambda falls: falls < FALLS)

    assert counted["falls"] == FALLS
    assert counted["acknowledged"] > 0
