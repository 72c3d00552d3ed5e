"""A kept connection that the other end has forgotten costs an ask nothing: the question is put again on a new one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from broker.adapters.register_line import RegisterLine
from broker.domain.errors import RegisterUnavailable, SourceFailed
from connectors.guard import Errand, Limits
from connectors.wire import JSON_TYPE, Wire
from tests.fakes.forgetful import ForgetfulServer, forgetful

TOLD = {"told": "yes"}
AT_ONCE = 6
Look = Callable[[], Awaitable[object]]


@pytest.fixture
async def server() -> AsyncIterator[ForgetfulServer]:
    """Give a server that remembers its connections, so far."""
    async with forgetful() as made:
        yield made


@pytest.fixture(params=["register", "source"])
async def look(request: pytest.FixtureRequest, server: ForgetfulServer) -> AsyncIterator[Look]:
    """Give a way to ask the server: as a register is asked, and as a source is."""
    if request.param == "register":
        async with RegisterLine("cases", {"base_url": server.address}, {}) as line:
            yield lambda: line.look_up("/sager/opslag", {"sagsnummer": "1"})
        return
    wire = Wire("school", {"base_url": server.address}, {}, frozenset({"/elev"}))
    await wire.open()
    yield lambda: wire.query(Errand("school", "7102740022", Limits()), "/elev", b"{}", JSON_TYPE, {})
    await wire.close()


@pytest.mark.parametrize("ends", ["closed", "reset"])
async def test_forgotten_connections_cost_no_answer(look: Look, server: ForgetfulServer, ends: str) -> None:
    """Many connections are kept and all of them forgotten, by a close or a reset: the next question is answered."""
    assert await asyncio.gather(*(look() for _ in range(AT_ONCE))) == [TOLD] * AT_ONCE
    server.ends = ends

    assert await look() == TOLD
    assert (server.answered, server.dropped) == (AT_ONCE + 1, 1)


@pytest.mark.parametrize("ends", ["closed", "reset"])
async def test_a_server_that_drops_every_question_gives_no_answer(
    look: Look, server: ForgetfulServer, ends: str
) -> None:
    """What ends a new connection too is no answer, and is asked twice at most."""
    assert await look() == TOLD
    server.ends, server.always = ends, True

    with pytest.raises((RegisterUnavailable, SourceFailed)):
        await look()
    assert server.dropped == 2
