"""Serve a witness over HTTP: `POST <prefix>/add-checkpoint`, and `GET <prefix>/` for its keys.

Small on purpose: one process, one request judged at a time, bodies and waiting bounded, nothing echoed.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from aiohttp import web

from audit.cosignature import CosignerKey
from audit.errors import StateRefused
from audit.witness import PLAIN, Answer, Witness

MAX_BODY = 64 * 1024
SECONDS_TO_ARRIVE = 10.0
# What is still under way when a signal comes; a log asks again, so nobody has to wait for it.
SECONDS_TO_END = 2.0


class WitnessServer:
    """One witness on one address. `tell` hears what the operator should see, as one line."""

    def __init__(self, witness: Witness, keys: Sequence[CosignerKey], *, prefix: str = "") -> None:
        self._witness = witness
        self._keys = "".join(f"{key}\n" for key in keys)
        self._ended = asyncio.Event()
        self._fault: StateRefused | None = None
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post(f"{prefix}/add-checkpoint", self._add_checkpoint)
        app.router.add_get(f"{prefix}/", self._tell_keys)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=75.0, shutdown_timeout=SECONDS_TO_END)

    async def start(self, host: str, port: int) -> int:
        """Listen, and give the port; raise OSError where the address is taken. From now on a signal ends `run`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def run(self) -> None:
        """Serve until a signal; raise StateRefused as soon as the file of heads fails: whoever watches must look."""
        try:
            await self._ended.wait()
        finally:
            await self._runner.cleanup()
        if self._fault is not None:
            raise self._fault

    async def _add_checkpoint(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(SECONDS_TO_ARRIVE):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        try:
            # Without an await in between: this is what makes looking and keeping one step.
            answer = self._witness.add_checkpoint(body)
        except StateRefused as error:
            self._fault = error
            self._ended.set()
            answer = Answer(500, "this witness cannot keep what it would sign\n", told=f"state lost: {error}")
        if answer.told:
            tell("witness", what=answer.told)
        return web.Response(
            status=answer.status, body=answer.text.encode(), headers={"Content-Type": answer.content_type}
        )

    async def _tell_keys(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._keys.encode(), headers={"Content-Type": PLAIN})


def tell(event: str, **facts: object) -> None:
    """Write one line of JSON for the operator, of public facts alone."""
    sys.stderr.write(json.dumps({"event": event, **facts}, sort_keys=True) + "\n")
    sys.stderr.flush()
