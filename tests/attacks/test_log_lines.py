"""Strings that would write lines or fields of their own into the operator's log."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import structlog

from broker import telemetry
from demo.postgres import PrivatePostgres
from tests.front import open_front

FORGED = [
    "x\nlevel=info", 'x\r\n{"event":"forged"}', '","event":"forged","x":"', "\x1b[2Jforged",
    "x\u2028forged", "x\u2029forged",
    "x\x85forged", "x\x00forged", "\u202eforged", "forged" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", FORGED, ids=range(len(FORGED)))
def test_one_event_is_one_line(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """In every field, also in those that are dropped and in what libraries say, a text stays inside its own string."""
    before = structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        telemetry.set_up("debug")
        structlog.get_logger().warning("dropped", source=text, kind=text, why=text, route=text, other=text)
        logging.getLogger("uvicorn.error").error("forged %s", text, exc_info=ValueError(text))
    finally:
        structlog.configure(**before)
        logging.root.handlers, logging.root.level = handlers, level
    told = capfd.readouterr().err

    lines = told.splitlines()
    assert len(lines) == 2
    own, library = (json.loads(line) for line in lines)
    assert (own["event"], own["source"], own["kind"], "other" in own) == ("dropped", text, text, False)
    assert (library["event"], library["names"], library["kind"]) == ("library", "uvicorn.error", "ValueError")
    assert "forged" not in lines[1]
    assert told.isascii()
    assert told.replace("\n", "").isprintable()


async def test_no_caller_is_repeated(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """No address, method or header of a caller comes back in an answer, and none is a fault of ours."""
    async with open_front(postgres, tmp_path) as front:
        for path in (
            "/forged%0a1",
            '/forged"} 1',
            "/v1/forged",
            "/static/forged",
            "/v1/consent-requests/forged",
            "//forged",
        ):
            for method in ("GET", "POST", "FORGED"):
                headers = {"traceparent": "forged", "user-agent": "forged", "x-forwarded-for": "forged"}
                answer = await front.http.request(method, path, headers=headers)
                assert answer.status_code < 500
                assert "forged" not in answer.text
