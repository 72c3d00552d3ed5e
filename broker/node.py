"""One node as a process: take the port, open the house, serve, do the chores, end well.

What keeps it from opening is said in words that hold no secret (`CannotOpen`), and nothing is served.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import Mapping

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from broker import telemetry
from broker.chores import chores
from broker.domain.errors import LogUnavailable, PolicyUnavailable, StoreUnavailable
from broker.main import FAULTS, VERSION, open_house, web_doors
from broker.memory import leave_no_core
from broker.settings import Settings
from broker.web.faces import open_faces
from broker.web.server import configured

log = structlog.get_logger()


class CannotOpen(Exception):
    """The house cannot be opened. `faults` says why, one line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def run(settings: Settings) -> None:
    """Run one node in this process; raise `CannotOpen` with every reason when it cannot be opened."""
    leave_no_core()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, os.environ))
    except FAULTS as fault:
        raise CannotOpen(getattr(fault, "faults", None) or [str(fault)]) from None
    except StoreUnavailable:
        raise CannotOpen(["a database gives no answer (BROKER_DATABASE_URL, BROKER_VAULT_URL)"]) from None
    except LogUnavailable:
        raise CannotOpen(["the log takes no entry, so no registry can be taken into use"]) from None
    except PolicyUnavailable:
        raise CannotOpen(["the OPA server gives no answer"]) from None


async def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    """Serve one node until it is told to stop."""
    telemetry.set_up(settings.log_level)
    with _listening(settings) as listening:
        async with open_house(settings, environ) as house, open_faces(house.ports, web_doors(house, environ)) as app:
            errands = [asyncio.create_task(chore) for chore in await chores(house)]
            # What stands now stands for good; the collector need not look at it again at every few asks.
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 50)
            try:
                await _listen(app, listening, settings)
            finally:
                for errand in errands:
                    errand.cancel()
                await asyncio.gather(*errands, return_exceptions=True)


async def _listen(app: FastAPI, listening: socket.socket, settings: Settings) -> None:
    config = configured(app, request_seconds=settings.request_seconds, most_head_bytes=settings.most_head_bytes)
    log.info("serving", port=listening.getsockname()[1], version=VERSION)
    await uvicorn.Server(config).serve(sockets=[listening])


def _listening(settings: Settings) -> socket.socket:
    """Take the port, or say that somebody else has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named, or the event loop leaves Nagle's delay on for every connection it accepts.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((settings.host, settings.port))
        taken.listen(2048)
    except OSError as error:
        taken.close()
        raise CannotOpen([f"port {settings.port} on {settings.host} cannot be taken: {error.strerror}"]) from None
    return taken
