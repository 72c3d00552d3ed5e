"""A broker node that says where an ask's time goes: `python -m bench.watched FILE serve`, as `python -m broker serve`.

Each step of the road is wrapped, in this process alone, by a stopwatch: wall time, this process's CPU, statements to
PostgreSQL and calls over HTTP. A sampling timer that runs on CPU time notes which library's code runs, and for which
step. The signal USR1 writes what was gathered to FILE and begins anew. A node of the bench alone: nothing here is part
of the broker, and a step that is no longer called what it is called here ends the bench with an error.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

import asyncpg

SAMPLE_SECONDS = 0.002
SERVER, REST = "server loop", "rest of the request"
# The road of an ask, as `design.md` 3 draws it: what a step is called here, and where its function stands.
STEPS = {
    "authenticate": ("broker.web.caller", "Gate.caller"),
    "record": ("broker.exchange", "record"),
    "look up": ("broker.exchange", "look_up"),
    "decide": ("broker.exchange", "decide"),
    "fetch": ("broker.exchange", "fetch"),
    "keep": ("broker.exchange", "keep_permitted"),
    "release": ("broker.exchange", "release"),
    "answer": ("broker.web.api.exchange", "answer_body"),
}
# Work for many asks at once, in tasks of its own; the asks wait for it within their steps.
SHARED = {"group commit": ("audit.committer", "GroupCommitter._commit")}
# What every call over HTTP goes through: the courier's, up to its whole answer, and the library's, up to its headers.
CALLS = (("broker.courier", "Courier.carry"), ("aiohttp", "ClientSession._request"))
ROOT = Path(__file__).parents[1]

_step: ContextVar[str] = ContextVar("step", default=SERVER)


class Watch:
    """What was gathered since the last look."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget everything, and begin anew."""
        self.begun = (time.perf_counter(), time.process_time())
        self.sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.samples: Counter[tuple[str, str]] = Counter()
        self.functions: Counter[str] = Counter()

    def told(self) -> dict[str, Any]:
        """Lay out what was gathered, and begin anew.

        The next sample may fall while this runs; it falls into the new counts, so none changes under its reader.
        """
        (wall, cpu), sums, samples, functions = self.begun, self.sums, self.samples, self.functions
        self.begin()
        return {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
            "sums": {step: dict(of_step) for step, of_step in sums.items()},
            "samples": [[step, library, count] for (step, library), count in samples.most_common()],
            "functions": functions.most_common(40),
        }

    def spent(self, step: str, wall: float, cpu: float) -> None:
        """Add one time through a step."""
        self.sums[step].update({"times": 1, "wall": wall, "cpu": cpu})

    def waited(self, kind: str, seconds: float) -> None:
        """Add one statement or call, to the step that waits for it."""
        self.sums[_step.get()].update({kind: 1, f"{kind} wall": seconds})

    def sample(self, _signal: int, frame: FrameType | None) -> None:
        """Note what runs just now."""
        if frame is None:
            return
        code = frame.f_code
        library = library_of(code.co_filename)
        self.samples[_step.get(), library] += 1
        self.functions[f"{library} {Path(code.co_filename).name}:{code.co_qualname}"] += 1


def library_of(file: str) -> str:
    """Name whose code a file is: a part of ours, an installed library, or Python's own."""
    parts = Path(file).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    if Path(file).is_relative_to(ROOT):
        return Path(file).relative_to(ROOT).parts[0]
    return f"Python: {'asyncio' if 'asyncio' in parts else 'other'}"


def timed(watch: Watch, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function, or a coroutine function, in a stopwatch."""

    @functools.wraps(function)
    async def slowly(*args: Any, **kwargs: Any) -> Any:
        token, wall, cpu = _step.set(step), time.perf_counter(), time.process_time()
        try:
            return await function(*args, **kwargs)
        finally:
            watch.spent(step, time.perf_counter() - wall, time.process_time() - cpu)
            _step.reset(token)

    @functools.wraps(function)
    def at_once(*args: Any, **kwargs: Any) -> Any:
        token, wall, cpu = _step.set(step), time.perf_counter(), time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            watch.spent(step, time.perf_counter() - wall, time.process_time() - cpu)
            _step.reset(token)

    return slowly if inspect.iscoroutinefunction(function) else at_once


def standing_at(module: str, name: str) -> tuple[Any, str]:
    """Find whose attribute a function is, and what it is called there; raise `AttributeError` when it is not there."""
    owner: Any = importlib.import_module(module)
    *holders, last = name.split(".")
    for holder in holders:
        owner = getattr(owner, holder)
    getattr(owner, last)
    return owner, last


def wrap(watch: Watch) -> None:
    """Put a stopwatch on every step."""
    for step, (module, name) in (STEPS | SHARED).items():
        owner, last = standing_at(module, name)
        setattr(owner, last, timed(watch, step, getattr(owner, last)))


def _count_statements(watch: Watch) -> None:
    """Let every connection to PostgreSQL tell of each statement: each is one round trip once it is prepared."""
    connections: Any = asyncpg.Connection
    begin = connections.__init__

    def logged(record: Any) -> None:
        watch.waited("sql", record.elapsed)

    def begun(connection: Any, *args: Any, **kwargs: Any) -> None:
        begin(connection, *args, **kwargs)
        connection.add_query_logger(logged)

    connections.__init__ = begun


def _count_calls(watch: Watch) -> None:
    """Let every call over HTTP be told of."""
    for module, name in CALLS:
        owner, last = standing_at(module, name)
        setattr(owner, last, counted(watch, getattr(owner, last)))


def counted(watch: Watch, ask: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap what makes a call, so that it is told of."""

    @functools.wraps(ask)
    async def asked(*args: Any, **kwargs: Any) -> Any:
        begun = time.perf_counter()
        try:
            return await ask(*args, **kwargs)
        finally:
            watch.waited("http", time.perf_counter() - begun)

    return asked


def _watch_requests(watch: Watch) -> None:
    """Time each request as a whole, from its headers to the last byte of its answer, and count its bytes."""
    main: Any = importlib.import_module("broker.node")
    open_faces = main.open_faces

    @asynccontextmanager
    async def watched(*args: Any) -> AsyncIterator[Any]:
        async with open_faces(*args) as app:
            yield _watched_app(watch, app)

    main.open_faces = watched


def _watched_app(watch: Watch, app: Any) -> Any:
    async def whole(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    slowly = timed(watch, REST, whole)

    async def serve(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        # Health and the token's own request are no ask.
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await app(scope, receive, send)
            return

        async def counted(message: Mapping[str, Any]) -> None:
            watch.sums[REST]["bytes"] += len(message.get("body", b""))
            await send(message)

        await slowly(scope, receive, counted)

    return serve


def main() -> None:
    """Serve, watched."""
    file = Path(sys.argv.pop(1))
    watch = Watch()

    def tell(_signal: int, _frame: FrameType | None) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(watch.told()), "utf-8")
        fresh.rename(file)

    wrap(watch)
    _count_statements(watch)
    _count_calls(watch)
    _watch_requests(watch)
    signal.signal(signal.SIGUSR1, tell)
    signal.signal(signal.SIGPROF, watch.sample)
    signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)
    importlib.import_module("broker.__main__").main()


if __name__ == "__main__":
    main()
