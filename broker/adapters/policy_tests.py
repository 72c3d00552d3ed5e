"""The rules' own tests (`*_test.rego`), run by OPA.

The embedded engine reads `with` in some tests otherwise than OPA does, so it is no judge of tests; that it decides
alike is held by golden vectors and the differential tests.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

IGNORED = ("--ignore=*.schema.json", "--ignore=capabilities.json", "--ignore=vectors")


class TestsCannotRun(Exception):
    """The rules or their tests cannot be read by OPA."""

    __test__ = False


def run_rego_tests(folder: Path, opa: Path) -> dict[str, bool]:
    """Say of each test, by its full name, whether it passes; raise `TestsCannotRun`."""
    command = [str(opa), "test", "--format=json", *IGNORED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own flags
    try:
        rows: list[dict[str, Any]] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise TestsCannotRun from None
    return {f"{row['package']}.{row['name']}": not (row.get("fail") or row.get("error")) for row in rows}
