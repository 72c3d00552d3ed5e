"""The broker, whose answers can be made to crash with all that sources told in the error's words. A program.

The file that `CRASHING` names says how: in the handler, in a thread, in a finaliser, or in a task nobody waits for.
"""

import asyncio
import os
import runpy
import threading
from pathlib import Path
from typing import Any

from broker.web.api import exchange

HOW = Path(os.environ.get("CRASHING", "/nowhere"))
WAYS = ("handler", "group", "thread", "finaliser", "task")
laid_out = exchange.answer_body


class Falls:
    """Something that falls when it is taken away."""

    def __init__(self, told: str) -> None:
        self.told = told

    def __del__(self) -> None:
        raise ValueError(self.told)


def fall(told: str) -> None:
    """Fall with these words, and with them in the cause."""
    raise RuntimeError(told) from KeyError(told)


async def fall_alone(told: str) -> None:
    """Fall where nobody waits."""
    fall(told)


def crashing(answer: Any, directory: Any) -> dict[str, Any]:
    """Lay out the answer, or crash with it in hand."""
    body = laid_out(answer, directory)
    told = str(body)
    match HOW.read_text("utf-8") if HOW.exists() else "":
        case "handler":
            fall(told)
        case "group":
            raise ExceptionGroup(told, [ValueError(told), OSError(told)])
        case "thread":
            threading.Thread(target=fall, args=(told,), name=told).start()
        case "finaliser":
            Falls(told)
        case "task":
            asyncio.ensure_future(fall_alone(told))  # noqa: RUF006 - nobody is to wait for it
    return body


if __name__ == "__main__":
    exchange.answer_body = crashing
    runpy.run_module("broker", run_name="__main__", alter_sys=True)
