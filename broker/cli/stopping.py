"""What a command started, it ends: Ctrl-C calls the work off once, and what it tidies up is then left in peace."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
# As the shell says it of a command ended by Ctrl-C.
STOPPED = 130
_STOPS = (signal.SIGINT, signal.SIGTERM)


def run_until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """Run work in a loop of its own; the first Ctrl-C or SIGTERM calls it off, and raises `KeyboardInterrupt`.

    Those that come after it, while the work ends what it started, are let pass: they would break that off.
    """

    async def watched() -> T:
        loop, ours = asyncio.get_running_loop(), asyncio.ensure_future(work)

        def call_off() -> None:
            for one in _STOPS:
                loop.add_signal_handler(one, _let_pass)
            ours.cancel()

        for one in _STOPS:
            loop.add_signal_handler(one, call_off)
        return await ours

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _let_pass() -> None: ...
