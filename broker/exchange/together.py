"""Do several things at once and be done with all of them together: nothing of an ask runs on when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Together:
    """A group for tasks that waits for all of them; where one fails the others are called off first.

    Raises the first error itself, so that whoever handles it by name finds it; nothing of the others hangs on it.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> asyncio.TaskGroup:
        return await self._group.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed: BaseException
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as several:
            failed = _first(several)
        else:
            return
        try:
            raise failed
        finally:
            # What else went wrong, or was called off, hangs on it in no way (P4).
            failed.__context__ = None


async def each(errands: list[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all at once and give what each gave, in their order; a single one needs no task of its own."""
    if len(errands) < 2:
        return [await errand for errand in errands]
    async with Together() as group:
        tasks = [group.create_task(errand) for errand in errands]
    return [task.result() for task in tasks]


def _first(error: BaseException) -> BaseException:
    """Find the first error within groups of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
