"""The node that watches itself tells what it saw, whatever it sees meanwhile."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from bench.watched import Watch


def test_a_sample_that_falls_while_it_tells_is_of_the_next_telling() -> None:
    """The timer's signal comes between any two lines, those of the telling among them."""
    watch = Watch()
    watch.functions.update({f"function {i}": i for i in range(100)})
    seen = 0

    def another(_frame: FrameType, _event: str, _arg: Any) -> Any:
        nonlocal seen
        seen += 1
        watch.functions[f"new {seen}"] += 1
        return another

    before = sys.gettrace()
    sys.settrace(another)
    try:
        told = watch.told()
    finally:
        sys.settrace(before)

    assert len(told["functions"]) == 40
    assert seen > 1
    assert any(name.startswith("new") for name, _ in watch.told()["functions"])
