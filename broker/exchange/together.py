"""Do several things at once and be done with all of them together: nothing of an ask runs on when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Give a group for tasks and wait for all of them; where one fails the others are called off first.

    Raises the first error itself, so that whoever handles it by name finds it; nothing of the others hangs on it.
    """
    failed: BaseException
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as several:
        failed = _first(several)
    else:
        return
    # Raised out here, so that what else went wrong hangs on it in no way (P4).
    raise failed


def _first(error: BaseException) -> BaseException:
    """Find the first error within groups of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
