"""A pytest plugin that writes down how each test ended, and by which error: exit codes tell too little.

A test that ran once with some value and failed is not run with its other values: one failure is enough.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

FILE = "DEFENCES_WITNESS"
_seen: list[dict[str, Any]] = []
_failed: set[str] = set()


def pytest_configure() -> None:
    """Let a law that is broken be broken: that its example is not the smallest does not matter here."""
    settings.register_profile("defences", phases=(Phase.explicit, Phase.generate), database=None)
    settings.load_profile("defences")


def plain(name: str) -> str:
    """Give a test's name without the values it runs with."""
    return name.partition("[")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what has failed already with another value."""
    if plain(item.nodeid) in _failed:
        pytest.skip("it failed with another value")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Note each failure with its stage and its errors, and each test that ran through."""
    report = yield
    if call.excinfo is not None and report.outcome == "failed":
        _failed.add(plain(item.nodeid))
        _seen.append({"test": item.nodeid, "stage": call.when, "errors": _names(call.excinfo.value)})
    elif call.when == "call" and report.outcome == "passed":
        _seen.append({"test": item.nodeid, "stage": "call", "errors": []})
    return report


def pytest_sessionfinish() -> None:
    """Write it all down."""
    Path(os.environ[FILE]).write_text(json.dumps(_seen), encoding="utf-8")


def _names(error: BaseException) -> list[str]:
    """Name the kinds of an error, those of a group apart."""
    if isinstance(error, BaseExceptionGroup):
        return sorted({name for inner in error.exceptions for name in _names(inner)})
    return sorted({kind.__name__ for kind in type(error).__mro__} - {"object", "BaseException", "Exception"})
