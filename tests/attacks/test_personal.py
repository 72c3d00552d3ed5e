"""Ways a personal value could slip out: printing, copying, errors, logging, tracebacks. None of them tells it."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path

import orjson
import pytest
import structlog
from fastapi import APIRouter
from prometheus_client import CollectorRegistry, generate_latest
from starlette.testclient import TestClient

from broker import telemetry
from broker.domain.errors import BadAsk, RegisterUnavailable, SourceFailed
from broker.domain.identity import CitizenLogin
from broker.domain.items import Found, ItemPerson, LawRef, Visit
from broker.domain.personal import Personal
from broker.exchange import exchange
from broker.web.app import build_app
from tests.builders import CITIZEN, NOON, SOCIAL, a_caller, a_house, an_ask, an_item

SECRET = "CANARY-0102030405"
VALUE = Personal(SECRET)
HELPER = ItemPerson("helper", VALUE, VALUE)
ITEM = an_item(SOCIAL, "S01", "h", text=VALUE, people=(HELPER,), decision=VALUE)
LOGIN = CitizenLogin(VALUE, "High", NOON)

PRINTED: dict[str, Callable[[], object]] = {
    "repr": lambda: repr(VALUE),
    "str": lambda: str(VALUE),
    "format": lambda: f"{VALUE} {VALUE!r} {VALUE!s:>40}",
    "percent": lambda: "%s %r" % (VALUE, VALUE),  # noqa: UP031
    "pprint": lambda: pprint.pformat({"a": [VALUE], "b": LOGIN}),
    "in a dataclass": lambda: (
        repr(LOGIN) + repr(an_ask(citizen=VALUE)) + repr(a_caller(id=VALUE, cpr=VALUE, name=VALUE))
    ),
    "in an item": lambda: repr(ITEM) + repr([ITEM]) + repr({"x": ITEM}),
    "in an error": lambda: repr(ValueError(VALUE)) + str(KeyError(VALUE)),
    "in a set": lambda: repr({VALUE}) + repr(frozenset({VALUE})),
    "vars": lambda: repr(getattr(VALUE, "__dict__", None)),
}


@pytest.mark.parametrize("way", PRINTED)
def test_printing_tells_nothing(way: str) -> None:
    """However it is printed, alone or inside something, the value does not show."""
    assert SECRET not in str(PRINTED[way]())


def test_an_item_shows_no_time_and_no_code() -> None:
    """What stands open in an item, its codes, days and visits, tells of a person too: no repr has it (P4)."""
    telling = an_item(
        SOCIAL, "S01", "h", from_day=20190417, need="misbrug", limits=("d415",), demands=("staaende",), topic="angst",
        law=(LawRef("SEL", "§ 101"),), visits=(Visit(451, 483, weekday=3),), kle="27.36.08", next_follow_up=20190501,
    )  # fmt: skip
    found = Found((telling,), (), 0)

    printed = "".join(f"{value!r} {value} {[value]!r}" for value in (telling, found, *telling.visits))

    told = ("20190417", "misbrug", "d415", "staaende", "angst", "101", "451", "483", "27.36.08", "20190501")
    assert [word for word in told if word in printed] == []


COPIED: dict[str, Callable[[], object]] = {
    "pickle": lambda: pickle.dumps(VALUE),
    "copy": lambda: copy.copy(VALUE),
    "deepcopy": lambda: copy.deepcopy([LOGIN]),
    "asdict": lambda: dataclasses.asdict(LOGIN),
    "json": lambda: json.dumps(VALUE),
    "orjson": lambda: orjson.dumps({"a": VALUE}),
    "orjson of a dataclass": lambda: orjson.dumps(LOGIN),
}


@pytest.mark.parametrize("way", COPIED)
def test_laying_bare_by_accident_fails(way: str) -> None:
    """What would write the value out without asking for it by name is refused, and the refusal is mute too."""
    with pytest.raises(TypeError) as caught:
        COPIED[way]()

    assert SECRET not in "".join(traceback.format_exception(caught.value))


def crashing(error: Exception) -> APIRouter:
    """Build a route that crashes, with the value in the error, in its cause and in its local names."""
    routes = APIRouter()

    @routes.get("/crash/{number}")
    async def crash(number: str) -> None:
        held = SECRET
        try:
            int(held + number)
        except ValueError as cause:
            raise error from cause

    return routes


@pytest.fixture
def last_words() -> Iterator[None]:
    """Give the interpreter its own last words back, and the warnings."""
    before = sys.excepthook, sys.unraisablehook, threading.excepthook
    yield
    sys.excepthook, sys.unraisablehook, threading.excepthook = before
    logging.captureWarnings(capture=False)
    logging.getLogger().handlers.clear()


@pytest.mark.usefixtures("last_words")
@pytest.mark.parametrize(
    "error",
    [RuntimeError(SECRET), KeyError(SECRET), BadAsk("/x", "y"), SourceFailed("s", "timeout"), RegisterUnavailable("r"),
     UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET), ExceptionGroup(SECRET, [ValueError(SECRET)])],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_crash_tells_nothing(error: Exception) -> None:
    """A crashing handler, with debug logging on: answer, log lines and metrics hold neither the value nor the path."""
    heard, registry = io.StringIO(), CollectorRegistry()
    with redirect_stderr(heard):
        telemetry.set_up("debug")
        app = build_app([crashing(error)], {}, registry, version="1", most_body_bytes=1000)
        answer = TestClient(app, raise_server_exceptions=False).get(f"/crash/{SECRET}?cpr={SECRET}")
        try:
            raise error  # what a library does
        except type(error):
            logging.getLogger("library").exception("it said %s", SECRET)
            structlog.get_logger().exception("ours", words=SECRET, item=VALUE)

    told = answer.text + str(answer.headers) + heard.getvalue() + generate_latest(registry).decode()
    assert answer.status_code >= 400
    assert heard.getvalue()
    assert SECRET not in told


@pytest.mark.usefixtures("last_words")
def test_a_log_line_cannot_be_forged() -> None:
    """A line break in a value stays inside its line, and a field nobody named is dropped."""
    heard = io.StringIO()
    with redirect_stderr(heard):
        telemetry.set_up("debug")
        structlog.get_logger().warning("x", kind='a\n{"event":"forged"}', cpr=SECRET, route="\x1b[31m\u2028")

    (line,) = heard.getvalue().splitlines()
    assert json.loads(line)["event"] == "x"
    assert SECRET not in line


def test_a_whole_ask_says_nothing_on_the_way(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """From the ask to the outcome: what stands in a repr of any value on the road, and on the log, is no person's."""
    house = asyncio.run(a_house(tmp_path))
    house.consents.standing.append(house.consented(SOCIAL, "S01"))
    answer = asyncio.run(exchange(an_ask(), a_caller(), house.ports))
    seen = (
        repr(answer)
        + "".join(repr(event) for event in house.log.events)
        + "".join(json.dumps(event.index()) for event in house.log.events)
    )
    out, err = capfd.readouterr()

    for word in (CITIZEN.disclose(), "CANARY", "JC-2019-0417", "lene"):
        assert word not in seen + out + err
