"""The file of signed heads on a disk that fails: the short form of `python3 run.py soak --only disk` (P7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.disk_calls import FAULTS, calls_of, strace, try_call
from tools.places import IN_CI


@pytest.fixture(autouse=True)
def there_is_strace() -> None:
    """Skip where nothing can make calls fail; in CI that is a fault."""
    if strace() is None:
        (pytest.fail if IN_CI else pytest.skip)("strace is not here: Debian's package of that name makes calls fail")


@pytest.mark.parametrize("fault", FAULTS)
def test_no_head_is_signed_that_is_not_on_the_disk(tmp_path: Path, fault: str) -> None:
    """Each call on the disk fails in turn: the file stays whole, what is signed is on it, and the next try goes on."""
    calls = calls_of(tmp_path)

    said = [try_call(tmp_path, call, fault) for call in calls]

    assert {call.name for call in calls} >= {"openat", "write", "fsync", "rename"}
    # Every call that keeping needs is one whose failure is heard; a lock that will not close comes after it.
    assert "nothing" in said
