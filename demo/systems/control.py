"""The control channel of a system: how the scenario engine makes it slow, silent, wrong or waiting.

It stands on a loopback port of its own, outside the department's interface, and is for tests and the demo only.
What it tells of calls is the method, the path template and the category: never a value about a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.systems.records import RecordsUnusableError

Handler = Callable[[Request], Awaitable[Response]]
CategoryOf = Callable[[Request], Awaitable[str | None]]
Replace = Callable[[Any], Awaitable[None]]


class WishRefusedError(ValueError):
    """The engine wished for a behaviour that there is not; names the field."""


MODES = ("normal", "silent", "slow", "flap", "drip")
GARBAGE = b'{"ufuldst\xe6ndig": ['


@dataclass(frozen=True, slots=True)
class Mode:
    """How the system behaves.

    `silent` never answers, `slow` waits `delay_ms` before each answer, `flap` answers every second call with 503, and
    `drip` sends its answer byte by byte with `delay_ms` between them. `error` is a status to answer, `oversize_bytes`
    the size of a far too long answer; with `leak` a system tells about the right person, but does not keep to the
    category it was asked for.
    """

    mode: str = "normal"
    delay_ms: int = 0
    error: int | None = None
    garbage: bool = False
    hold: bool = False
    oversize_bytes: int = 0
    leak: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call seen: method, path template, and the category it asks for, if it asks for one."""

    method: str
    path: str
    category: str | None


class Control:
    """What the engine has set, and the calls seen since the last reset."""

    def __init__(self) -> None:
        self.mode = Mode()
        self.calls: list[Call] = []
        self.waiting = 0
        self.inside = 0
        self.most_inside = 0
        self._flips = 0
        self._changed = asyncio.Condition()

    def see(self, method: str, path: str, category: str | None) -> None:
        """Remember one call, in the order of arrival."""
        self.calls.append(Call(method, path, category))

    async def set(self, mode: Mode) -> None:
        """Behave so from now on; calls that were held go on when `hold` ends."""
        async with self._changed:
            self.mode = mode
            self._changed.notify_all()

    async def pause(self) -> None:
        """Wait as long as the mode says: the delay of `slow`, and while `hold` lasts."""
        self.waiting += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: not self.mode.hold)
            if self.mode.mode == "slow":
                await asyncio.sleep(self.mode.delay_ms / 1000)
        finally:
            self.waiting -= 1

    def gate(self, path: str, handler: Handler, category: str | CategoryOf | None = None) -> Handler:
        """Let `handler` answer as the mode says, after its call was seen."""

        async def gated(request: Request) -> Response:
            # Read first, whatever is answered: closing on unread bytes would cut the answer off.
            await request.body()
            asked = await category(request) if callable(category) else category
            self.see(request.method, path, asked)
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            try:
                await self.pause()
                return await self._answer(request, handler)
            finally:
                self.inside -= 1

        return gated

    async def _answer(self, request: Request, handler: Handler) -> Response:
        mode = self.mode
        if mode.mode == "silent":
            await _until_gone(request)
            return Response(status_code=504)
        if (error := self._error()) is not None:
            return JSONResponse({"fejl": "intern fejl"}, error)
        if mode.garbage:
            return Response(GARBAGE, media_type="application/json")
        if mode.oversize_bytes:
            return Response(b" " * mode.oversize_bytes, media_type="application/json")
        answer = await handler(request)
        if mode.mode == "drip":
            return StreamingResponse(_dripping(bytes(answer.body), mode.delay_ms / 1000), media_type=answer.media_type)
        return answer

    def _error(self) -> int | None:
        """Give the status of the fault that this call meets, if it meets one."""
        if self.mode.mode == "flap":
            self._flips += 1
            return 503 if self._flips % 2 else self.mode.error
        return self.mode.error


async def _dripping(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    for one in body:
        await asyncio.sleep(seconds)
        yield bytes([one])


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def changed_mode(mode: Mode, wish: Any) -> Mode:
    """Give the mode with the wished fields set. Raises `WishRefusedError` naming the field that cannot be."""
    if not isinstance(wish, dict):
        raise WishRefusedError("an object is wanted")
    kinds = {field.name: type(getattr(Mode(), field.name)) for field in fields(Mode)}
    for name, value in wish.items():
        if name not in kinds:
            raise WishRefusedError(f"unknown field {name}")
        wanted = (int, type(None)) if name == "error" else (kinds[name],)
        if type(value) not in wanted:
            raise WishRefusedError(f"{name} is of the wrong type")
    wished = replace(mode, **wish)
    if wished.mode not in MODES:
        raise WishRefusedError(f"mode must be one of {', '.join(MODES)}")
    return wished


def control_routes(control: Control, put: Replace, put_back: Callable[[], Awaitable[None]]) -> list[Route]:
    """Give the routes of the control channel; `put` takes new records, `put_back` those of the start."""

    async def state(request: Request) -> Response:
        if request.method == "POST":
            try:
                mode = changed_mode(control.mode, await request.json())
            except ValueError as error:
                return JSONResponse({"error": str(error)}, 400)
            await control.set(mode)
        return JSONResponse({**asdict(control.mode), "waiting": control.waiting, "most_inside": control.most_inside})

    async def calls(_request: Request) -> Response:
        return JSONResponse([asdict(call) for call in control.calls])

    async def records(request: Request) -> Response:
        try:
            await put(await request.json())
        except RecordsUnusableError as error:
            return JSONResponse({"error": str(error)}, 400)
        except ValueError:
            return JSONResponse({"error": "not JSON"}, 400)
        return JSONResponse({"replaced": True})

    async def reset(_request: Request) -> Response:
        await put_back()
        control.calls.clear()
        control.most_inside = control.inside
        await control.set(Mode())
        return JSONResponse({"reset": True})

    return [
        Route("/control", state, methods=["GET", "POST"]),
        Route("/control/calls", calls),
        Route("/control/records", records, methods=["POST"]),
        Route("/control/reset", reset, methods=["POST"]),
    ]
