"""structlog set-up: one JSON line an event, from a fixed set of fields. No personal values, no error texts.

Rules kept here: exceptions are noted by kind only (their words may hold what a source said); the standard library's
loggers speak through the same form and only from warning up; access logs are off (paths are logged by template). What
the interpreter itself says of an error that nobody caught (a thread's, a finaliser's, the last of all), and its
warnings, go the same way.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

import structlog

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# Fields an event may carry; anything else is dropped, so that a careless line cannot leak.
FIELDS = frozenset(
    {"event", "level", "timestamp", "trace", "kind", "route", "source", "why", "count"}
    | {"engine", "revision", "log", "port", "version", "names"}
)


def set_up(level: str) -> None:
    """Let all logging of this process speak as said above, to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_known_fields,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Quiet()], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda kind, _, trace: _fell(kind, trace)
    sys.unraisablehook = lambda told: _fell(told.exc_type, told.exc_traceback)
    threading.excepthook = lambda told: _fell(told.exc_type, told.exc_traceback)


def _fell(kind: type[BaseException], trace: TracebackType | None) -> None:
    """Note an error that nobody caught: what kind it was and where it arose, in the order of calls."""
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}")
        trace = trace.tb_next
    structlog.get_logger().error("uncaught", kind=kind.__name__, names=" ".join(places))


def _only_known_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in event.items() if name in FIELDS}


class _Quiet(logging.Handler):
    """What libraries log: only who spoke, how loudly and what kind of error; never their words."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        structlog.get_logger().warning("library", names=record.name, kind=kind)
