"""Many past questions, put to rules again by several processes, each with engines of its own.

Rules kept here:
- A process that does not answer a portion in time, dies, or outgrows its memory ends the whole replay (`RunawayRules`):
  rules that somebody tries out can hold up a processor, never the machine and never the broker.
- Processes get questions and give codes and counts; no question comes back.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from broker.adapters.policy_batch import EmbeddedRules, EngineFailed, OpaRules, RuleSet
from broker.oversight.replay import Asked, Change, Rules, changes, differences

MOST_MEMORY_BYTES = 3 * 1024**3


class RunawayRules(Exception):
    """The rules gave no answer to a portion of questions in time, or brought their process down."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The rules of one revision, and those to be tried in their place, if any. `opa` and `capabilities`: by OPA."""

    recorded: RuleSet
    candidate: RuleSet | None = None
    opa: Path | None = None
    capabilities: Path | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """Questions that were answered by one revision."""

    revision: str
    asked: tuple[Asked, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one portion: how many questions, the differences by place, the changes by place."""

    count: int
    differences: tuple[tuple[str, tuple[str, ...]], ...]
    changes: tuple[tuple[str, tuple[Change, ...]], ...]


@dataclass(slots=True)
class _Worker:
    process: Any
    line: Connection
    knows: set[str]
    busy_since: float | None = None


def run(
    portions: Iterator[Portion], pairs: Callable[[str], Pair], *, processes: int, patience_seconds: float
) -> Iterator[Told]:
    """Give what came of each portion, as they end. Raises `RunawayRules`; every process is ended in any case."""
    # Started afresh: a copy of this process would hold its keys and connections.
    making = multiprocessing.get_context("spawn")
    workers = [_start(making, patience_seconds) for _ in range(processes)]
    try:
        while True:
            for worker in (worker for worker in workers if worker.busy_since is None):
                if (portion := next(portions, None)) is not None:
                    _give(worker, portion, pairs)
            if all(worker.busy_since is None for worker in workers):
                return
            yield from _hear(workers, patience_seconds)
    finally:
        for worker in workers:
            worker.line.close()
            worker.process.kill()
            worker.process.join()


def _start(making: Any, patience_seconds: float) -> _Worker:
    ours, theirs = making.Pipe()
    process = making.Process(target=_work, args=(theirs, patience_seconds), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours, set())


def _give(worker: _Worker, portion: Portion, pairs: Callable[[str], Pair]) -> None:
    pair = None if portion.revision in worker.knows else pairs(portion.revision)
    worker.knows.add(portion.revision)
    worker.busy_since = time.monotonic()
    try:
        worker.line.send((portion, pair))
    except OSError:
        raise RunawayRules from None


def _hear(workers: list[_Worker], patience_seconds: float) -> Iterator[Told]:
    """Give what the busy ones have to tell; wait for the first, no longer than the oldest portion's patience."""
    busy = [worker for worker in workers if worker.busy_since is not None]
    if not busy:
        return
    oldest = min(worker.busy_since or 0.0 for worker in busy)
    ready = wait([worker.line for worker in busy], timeout=max(0.0, oldest + patience_seconds - time.monotonic()))
    if not ready:
        raise RunawayRules
    for worker in busy:
        if worker.line not in ready:
            continue
        worker.busy_since = None
        try:
            told = worker.line.recv()
        except (EOFError, OSError):
            raise RunawayRules from None
        if not isinstance(told, Told):
            raise RunawayRules
        yield told


def _work(line: Connection, patience_seconds: float) -> None:
    """Answer portions until the line closes; in a process of its own, which ends by itself when one takes too long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    engines: dict[str, tuple[Rules, Rules | None]] = {}
    while True:
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            portion, pair = line.recv()
        except (EOFError, OSError):
            return
        # Whoever started this may be gone by then; no handler runs while an engine does, so the default ends it.
        signal.setitimer(signal.ITIMER_REAL, patience_seconds)
        try:
            if pair is not None:
                engines[portion.revision] = _engines(pair)
            line.send(_told(portion, *engines[portion.revision]))
        except (EngineFailed, RuntimeError, MemoryError):
            line.send(None)


def _engines(pair: Pair) -> tuple[Rules, Rules | None]:
    candidate = EmbeddedRules(pair.candidate) if pair.candidate is not None else None
    if pair.opa is not None and pair.capabilities is not None:
        return OpaRules(pair.opa, pair.capabilities, pair.recorded), candidate
    return EmbeddedRules(pair.recorded), candidate


def _told(portion: Portion, recorded: Rules, candidate: Rules | None) -> Told:
    found = differences(portion.asked, recorded) if any(one.record for one in portion.asked) else []
    changed = changes(portion.asked, recorded, candidate) if candidate is not None else []
    return Told(len(portion.asked), tuple(found), tuple(changed))
