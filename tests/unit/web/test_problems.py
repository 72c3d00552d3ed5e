"""Errors at the edge: every one we named has a status, and nothing of what was sent comes back."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict

from broker.domain import errors
from broker.domain.directory import ReasonText
from broker.domain.errors import BrokerError, NotFound, Refused, TooManyAsks
from broker.web.app import build_app
from broker.web.problems import TABLE, problem_for

SECRET = "7102740022"
REASONS = {"NO_CONSENT": ReasonText("NO_CONSENT", 5, True, "RSL § 11 a", "Der mangler et samtykke.", "No consent.")}


class Body(BaseModel):
    """A body with one number."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    number: int


@pytest.fixture
async def client() -> Iterator[httpx2.AsyncClient]:
    """Serve one route that goes well and four that go wrong, in this process."""
    routes = APIRouter()

    @routes.post("/typed")
    async def typed(body: Body) -> None:
        """Take a body."""

    @routes.get("/well")
    async def well() -> dict[str, int]:
        return {"answer": 42}

    @routes.get("/refused")
    async def refused() -> None:
        raise Refused(("NO_CONSENT",), "test/log", 7)

    @routes.get("/unnamed")
    async def unnamed() -> None:
        raise RuntimeError(SECRET)

    @routes.get("/ceiling")
    async def ceiling() -> None:
        raise TooManyAsks(30)

    app = build_app([routes], REASONS, CollectorRegistry(), version="0", most_body_bytes=2048)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


def named() -> set[type[BrokerError]]:
    """Every error of the tree but its root."""
    found = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, BrokerError)}
    return found - {BrokerError}


def test_every_named_error_has_a_status() -> None:
    """The table of statuses names each error of the tree, and nothing else."""
    assert set(TABLE) == named()


@pytest.mark.parametrize(
    "content",
    [
        f'{{"number": "{SECRET}x"}}',
        f'{{"number": 1, "{SECRET}": 2}}',
        f'["{SECRET}"]',
        f'{{"number": {{"{SECRET}": 1}}}}',
        f'{{"number": {SECRET}',
        f'"{SECRET}"',
        "\xff\xfe",
        "",
    ],
)
async def test_bad_input_is_not_echoed(client: httpx2.AsyncClient, content: str) -> None:
    """A malformed body gets a 400 problem that repeats no value and no invented name."""
    answer = await client.post("/typed", content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text


async def test_an_unnamed_error_says_nothing(client: httpx2.AsyncClient) -> None:
    """What nobody named is a 500 without a word of what happened."""
    answer = await client.get("/unnamed")

    assert answer.status_code == 500
    assert SECRET not in answer.text
    assert answer.json()["type"].endswith(":internal")


async def test_a_refusal_names_reason_paragraph_and_log_entry(client: httpx2.AsyncClient) -> None:
    """A 403 carries reasons in two languages, the log entry, and the general line that always stands."""
    body = (await client.get("/refused")).json()

    assert body["reasons"] == [
        {"code": "NO_CONSENT", "paragraph": "RSL § 11 a", "da": "Der mangler et samtykke.", "en": "No consent."}
    ]
    assert body["entry"] == {"log": "test/log", "index": 7}
    assert body["notice"]["da"].startswith("Der kan findes oplysninger")


@pytest.mark.parametrize("kind", [kind for kind, row in TABLE.items() if row[0] == 503], ids=lambda kind: kind.__name__)
def test_a_no_for_now_says_when_to_come_back(kind: type[BrokerError]) -> None:
    """Every 503 carries Retry-After: what was in trouble comes back by itself."""
    answer = problem_for(kind(), {})
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)


async def test_a_ceiling_says_when_to_come_back(client: httpx2.AsyncClient) -> None:
    """429 carries Retry-After."""
    assert (await client.get("/ceiling")).headers["retry-after"] == "30"


async def test_a_body_over_the_limit_is_a_problem(client: httpx2.AsyncClient) -> None:
    """An oversized body is refused with 413, in whatever form it comes."""
    answer = await client.post("/typed", content="x" * 4096, headers={"Content-Type": "application/json"})

    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/well", "/refused", "/unnamed", "/nothing"])
async def test_every_answer_is_guarded_and_not_stored(client: httpx2.AsyncClient, path: str) -> None:
    """No answer may be kept, and a page could load nothing from elsewhere."""
    headers = (await client.get(path)).headers

    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_not_found_holds_no_words() -> None:
    """The root of all named errors carries no text of its own."""
    assert str(NotFound()) == ""
