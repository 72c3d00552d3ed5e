"""Input that means harm: deep, huge, broken, odd. Each gets a clear problem that echoes nothing and does nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.web.login import own_path
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CITIZEN, PURPOSE, SOCIAL
from tests.front import MOST_BYTES, Front, open_front

CANARY = "CANARY-7102740022"
ASK: dict[str, Any] = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE}
WANTED = ASK | {"lines": [{"source": SOCIAL, "category": "S01"}], "to": "2020-03-03"}
JSON = {"content-type": "application/json"}


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases."""
    async with open_front(postgres, tmp_path) as made:
        yield made


def a_clear_problem(answer: Any, *statuses: int) -> bool:
    """Tell whether this is a problem document of ours that repeats nothing of what was sent."""
    echoed = CANARY in answer.text or CITIZEN.disclose() in answer.text
    kept = answer.headers["cache-control"] == "no-store" and "x-content-type-options" in answer.headers
    form = (
        answer.headers["content-type"] == "application/problem+json" and answer.json()["status"] == answer.status_code
    )
    return answer.status_code in (statuses or (400,)) and form and kept and not echoed


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": CANARY.encode(),
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "deep lists": b"[" * 20_000,
    "deep objects": b'{"a":' * 10_000,
    "deep in a field": b'{"citizen":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "invalid UTF-8": b'{"citizen":"\xff\xfe"}',
    "a lone surrogate": b'{"citizen":"7102740022","purpose":"\\ud800","case":"1"}',
    "a null byte": b'{"citizen":"7102740022","purpose":"p\\u0000","case":"1"}',
    "a number too long to read": b'{"citizen":' + b"9" * 10_000 + b"}",
    "not a number": b'{"citizen":NaN}',
    "a field of one's own": json.dumps(ASK | {CANARY: 1}).encode(),
    "a code of one's own": json.dumps(ASK | {"purpose": CANARY + " <script>"}).encode(),
    "a line break in a code": json.dumps(ASK | {"purpose": "plan\nlevel=info"}).encode(),
    "an invisible letter": json.dumps(ASK | {"purpose": "plan\u200b"}).encode(),
    "a Cyrillic letter": json.dumps(ASK | {"categories": ["Ѕ01"]}).encode(),
    "foreign digits": json.dumps(ASK | {"citizen": "٧١٠٢٧٤٠٠٢٢"}).encode(),
    "a line break after the number": json.dumps(ASK | {"citizen": "7102740022\n"}).encode(),
    "no such number": json.dumps(ASK | {"citizen": "9999999999"}).encode(),
    "a path as a case": json.dumps(ASK | {"case": "a\\..\\b"}).encode(),
    "a line break in a case": json.dumps(ASK | {"case": "JC-1\nJC-2"}).encode(),
    "many categories": json.dumps(ASK | {"categories": ["S01"] * 65}).encode(),
    "unknown categories": json.dumps(ASK | {"categories": [CANARY]}).encode(),
    "unknown sources": json.dumps(ASK | {"sources": [CANARY]}).encode(),
    "no categories": json.dumps(ASK | {"categories": []}).encode(),
    "no sources": json.dumps(ASK | {"sources": []}).encode(),
    "a week that is not": json.dumps(ASK | {"weeks": ["2019-W54"]}).encode(),
    "a week in foreign digits": json.dumps(ASK | {"weeks": ["٢٠١٩-W54"]}).encode(),
    "the first of weeks": json.dumps(ASK | {"weeks": ["0000-W01"]}).encode(),
    "the last of weeks": json.dumps(ASK | {"weeks": ["9999-W53"]}).encode(),
}


@pytest.mark.parametrize("what", BODIES)
async def test_a_bad_ask_is_refused_and_does_nothing(front: Front, what: str) -> None:
    """Nothing is echoed, nothing is read, and nothing is on the log as released."""
    answer = await front.http.post("/v1/views", content=BODIES[what], headers=JSON)

    assert a_clear_problem(answer), answer.text
    assert await front.databases.pool.fetchval("SELECT coalesce(sum(size), 0) FROM log.head") == 0
    assert all(not source.asked for source in _sources(front))


WISHES: dict[str, dict[str, Any]] = {
    "no such day": {"to": "2019-02-30"},
    "the last of days": {"to": "9999-12-31"},
    "the first of days": {"to": "0001-01-01", "from": "0001-01-01"},
    "days in foreign digits": {"to": "٢٠١٩-١٢-٣١"},
    "a week as a day": {"to": "2019-W10-1"},
    "a null byte in the words": {"why": "\u0000"},
    "a lone surrogate in the words": {"why": "\ud800"},
    "words without end": {"why": CANARY * 1000},
    "many lines": {"lines": [{"source": SOCIAL, "category": "S01"}] * 65},
    "a wildcard": {"lines": [{"source": "*", "category": "*"}]},
    "somebody as a subject": {"lines": [{"source": SOCIAL, "category": "S01", "subject": CANARY}]},
}


@pytest.mark.parametrize("what", WISHES)
async def test_a_bad_wish_for_consent_is_refused(front: Front, what: str) -> None:
    """A day, a text or a line that cannot be is a clear problem, and nobody is asked for it."""
    sent = json.dumps(WANTED | WISHES[what]).encode("utf-8", "surrogatepass")
    answer = await front.http.post("/v1/consent-requests", content=sent, headers=JSON)
    if what == "a null byte in the words":
        # Sealed as they are, the words of a person may hold any letter.
        assert answer.status_code == 201
        return

    assert a_clear_problem(answer), answer.text
    assert (await front.get("/v1/me/consent-requests")).json()["requests"] == []


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "in pieces"])
async def test_a_body_without_end_is_cut(front: Front, told: bool) -> None:
    """Over the limit a body is refused while it comes, whether its length was told or not."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MOST_BYTES // 1024 + 2):
            yield b" " * 1024

    content: Any = b" " * (MOST_BYTES + 1) if told else pieces()
    answer = await front.http.post("/v1/exchange", content=content, headers=JSON)

    assert answer.status_code == 413
    assert answer.headers["cache-control"] == "no-store"
    assert a_clear_problem(answer, 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "\x00"])
async def test_another_kind_of_body_is_no_ask(front: Front, kind: str) -> None:
    """What a form of another site can send is not read as JSON."""
    answer = await front.http.post("/v1/exchange", content=json.dumps(ASK), headers={"content-type": kind})

    assert a_clear_problem(answer, 400, 415), answer.text


PLACES = [
    "/v1/consent-requests/%00", "/v1/consent-requests/..%2f..%2fetc", "/v1/consent-requests/" + "a" * 3000,
    "/v1/accesses?cursor=x", "/v1/accesses?cursor=1.2", "/v1/accesses?cursor=9.9." + "9" * 60, "/v1/accesses?limit=0",
    "/v1/accesses?limit=201", "/v1/accesses?kind=%00", "/v1/accesses?kind=a%0ab", "/v1/accesses?kind='%20OR%201=1--",
    "/v1/accesses?cursor=%D9%A1.-1.0", "/v1/me/accesses?limit=-1", "/v1/me/accesses?cursor=%00",
    "/v1/log/proofs/korsbaek/2019/-1", "/v1/log/proofs/korsbaek/2019/99999999999999999999",
    "/v1/log/proofs/korsbaek/99999999999999999999/0", "/v1/log/proofs/%00/2019/0",
    "/v1/log/proofs/x/2019/" + "9" * 5000,
    "/log/%00/2019/checkpoint", "/log/" + CANARY + "/2019/checkpoint", "/log/korsbaek/x/checkpoint", "/" + CANARY,
    "/static/..%2f..%2fwire.py", "/static/%2e%2e/wire.py", "//etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[:40])
async def test_a_bad_address_is_a_clear_problem(front: Front, place: str) -> None:
    """An address is never more than a name that is not there, or a filter that cannot be; it reaches no error."""
    answer = await front.get(place)

    assert a_clear_problem(answer, 400, 404), (answer.status_code, answer.text)


SEARCHES: dict[str, dict[str, Any]] = {
    "a moment without a zone": {"since": "2019-03-04T10:00:00"},
    "the first of moments": {"since": "0001-01-01T00:00:00"},
    "a moment before all": {"until": "0000-01-01T00:00:00Z"},
    "a moment as a number without end": {"since": 1e300},
    "no number": {"citizen": CANARY},
    "a field of one's own": {CANARY: 1},
    "a municipality of one's own": {"municipality": "norrestrand"},
}


@pytest.mark.parametrize("what", SEARCHES)
async def test_a_bad_search_is_a_clear_problem(front: Front, what: str) -> None:
    """A search that cannot be is refused before it is written down."""
    assert a_clear_problem(await front.post("/v1/accesses/search", SEARCHES[what]))


@pytest.mark.parametrize("key", ["", " ", "a b", "æ", "x" * 256])
async def test_a_bad_idempotency_key_is_refused(front: Front, key: str) -> None:
    """A key is short and plain; two of them are none."""
    sent = [("idempotency-key", key.encode())]
    for headers in (sent, [("idempotency-key", b"a"), ("idempotency-key", b"b")]):
        answer = await front.http.post("/v1/consent-requests", json=WANTED, headers=headers)  # type: ignore[arg-type]  # bytes as they come
        assert a_clear_problem(answer), answer.text
    assert (await front.get("/v1/me/consent-requests")).json()["requests"] == []


async def test_headers_name_nobody_else(front: Front) -> None:
    """No header that a proxy might add says who asks, how, or where to."""
    smuggled = {
        "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil.example", "Forwarded": "for=127.0.0.1",
        "X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/v1/accesses", "X-User": "dpo", "X-Municipality": "x",
        "traceparent": "00-" + "g" * 32 + "-" + "0" * 16 + "-01",
    }  # fmt: skip
    plain, told = await front.post("/v1/exchange", ASK), await front.post("/v1/exchange", ASK, **smuggled)

    assert plain.status_code == told.status_code == 403
    assert "evil" not in told.text + str(told.headers)
    reasons = plain.json()["reasons"], told.json()["reasons"]
    assert reasons[0] == reasons[1]


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", "/\n", "//[", "/[::1",
     "javascript:alert(1)", "", "evil", "/" * 3000, "///", "/%0d%0aSet-Cookie:x\r\n"],
)  # fmt: skip
def test_no_way_leads_elsewhere(path: str) -> None:
    """Wherever a link says to go on to after the log-in, it is a path of ours, and no path breaks the log-in."""
    led = own_path(path)

    assert led.startswith("/")
    assert not led.startswith("//")
    assert led.isprintable()


def _sources(front: Front) -> list[Any]:
    return list(front.ports.sources.values())
