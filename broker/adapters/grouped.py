"""Put what many requests want at the same moment into one statement.

While one statement is under way, the next requests gather; nobody waits for a timer. Alone, a request pays one round
trip as ever; sixteen at once share one (as the log does with its group commit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from broker.adapters.database import UNREACHABLE
from broker.domain.errors import StoreUnavailable

W = TypeVar("W")
A = TypeVar("A")
MOST_AT_ONCE = 256


class Grouped(Generic[W, A]):
    """Ask `flush` for many wants at once; each caller gets the answer to theirs."""

    def __init__(self, flush: Callable[[Sequence[W]], Awaitable[Sequence[A]]]) -> None:
        self._flush = flush
        self._waiting: list[tuple[W, asyncio.Future[A]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, want: W) -> A:
        """Give the answer to one want. Raises `StoreUnavailable` when the database gives none."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((want, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                answers = await self._flush([want for want, _ in group])
            except UNREACHABLE:
                # One error a request: a shared one would gather the tracebacks of strangers.
                _refuse(group)
                continue
            except BaseException:
                _refuse(group + self._waiting)
                self._waiting = []
                raise
            for (_, future), answer in zip(group, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _refuse(group: Sequence[tuple[W, asyncio.Future[A]]]) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(StoreUnavailable())
