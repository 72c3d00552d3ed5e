"""A yes is renewed by a new one that was asked for; whoever tries to renew anything else learns nothing by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.signed_records import keys_of, opened
from demo.postgres import PrivatePostgres
from tests.attacks.test_limited import WANTED, asked, look, say_yes
from tests.builders import NOON, STRANGER
from tests.front import Front, open_front

NOBODYS = "0f6a9d0a-2a54-4c3e-8b8e-0d4f6a1c7e21"
SHORT = {"to": "2019-03-20"}
LATER = {"from": "2019-03-21", "to": "2019-09-20"}


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases."""
    async with open_front(postgres, tmp_path) as made:
        yield made


def move(front: Front, to: datetime) -> None:
    """Let it be another day."""
    assert isinstance(front.ports.clock, FixedClock)
    front.ports.clock.at = to


async def renew(front: Front, request: str, **changes: Any) -> Any:
    """Ask anew, and say what it renews."""
    return await front.post("/v1/consent-requests", WANTED | LATER | {"renews": request} | changes)


async def test_a_new_yes_follows_the_old_one(front: Front) -> None:
    """It is a consent of its own that begins when the other is over; its record names that one."""
    first = await asked(front, **SHORT)
    old = (await say_yes(front, first)).json()["consent"]
    again = await renew(front, first)
    new = (await say_yes(front, again.json()["id"])).json()["consent"]
    receipt = await front.get(f"/v1/me/consents/{new}/receipt")
    record = opened(receipt.content, keys_of(front.signer.public_jwks()))
    known = {row["id"]: row for row in (await front.get("/v1/me/consents")).json()["consents"]}

    assert (again.status_code, again.json()["renews"]) == (201, first)
    assert (record["renews"], known[new]["renews"], "renews" in known[old]) == (old, old, False)
    assert (known[old]["live"], known[new]["live"]) == (True, False)
    assert await look(front) == 200
    await front.post(f"/v1/me/consents/{old}/withdraw", {})
    assert await look(front) == 403
    move(front, NOON + timedelta(days=17))
    assert await look(front) == 200


async def test_what_renews_nothing_is_refused_in_the_same_words(front: Front) -> None:
    """Too early, unanswered, overlapping, over, of nobody, no id: one answer, and the citizen is asked nothing."""
    long, first = await asked(front), await asked(front, **SHORT)
    await say_yes(front, long)
    unanswered = await renew(front, first)
    await say_yes(front, first)
    tries = [
        unanswered,
        await renew(front, long, **{"from": "2020-03-04", "to": "2020-09-03"}),
        await renew(front, first, **{"from": "2019-03-20"}),
        await renew(front, NOBODYS),
        await renew(front, "../" + first),
        await renew(front, first + "\0"),
        await renew(front, NOBODYS.upper()),
    ]
    move(front, NOON + timedelta(days=17))
    tries.append(await renew(front, first))

    assert {(row.status_code, row.json().get("what")) for row in tries} <= {(400, "nothing_to_renew")}
    assert len((await front.get("/v1/me/consent-requests")).json()["requests"]) == 2


async def test_more_than_was_asked_before_renews_nothing(front: Front) -> None:
    """More days of data, or looking oftener, is no renewal: the citizen would read that they said yes to it before."""
    (line, *others) = WANTED["lines"]
    bounded = [line | {"data_from": "2019-01-01", "data_to": "2019-03-20"}, *others]
    first = await asked(front, **SHORT, lines=bounded, limit={"times": 2, "per": "month"})
    await say_yes(front, first)
    twice: dict[str, Any] = {"lines": bounded, "limit": {"times": 2, "per": "month"}}
    tries = [
        await renew(front, first, **twice | {"limit": {"times": 3, "per": "month"}}),
        await renew(front, first, lines=bounded),
        await renew(front, first, **twice | {"lines": WANTED["lines"]}),
        await renew(front, first, **twice | {"lines": [bounded[0] | {"data_from": "2018-12-31"}]}),
        await renew(front, first, **twice | {"lines": [bounded[0] | {"data_to": "2019-03-21"}]}),
    ]
    less = await renew(front, first, lines=bounded[:1], limit={"times": 1, "per": "month"})

    assert [(row.status_code, row.json().get("what")) for row in tries] == [(400, "nothing_to_renew")] * len(tries)
    assert less.status_code == 201


async def test_a_request_that_was_refused_is_not_renewed_around_the_thirty_days(front: Front) -> None:
    """After a no, saying that one renews an earlier yes is asking again as any other: with a reason or not at all."""
    first = await asked(front, **SHORT)
    await say_yes(front, first)
    second = (await renew(front, first)).json()["id"]
    await front.post(f"/v1/me/consent-requests/{second}/refuse", {})

    assert (await renew(front, first)).status_code == 409


async def test_what_was_taken_back_shows_in_no_renewal(front: Front) -> None:
    """The unit is answered as if the yes stood; the new yes then names no old one."""
    first = await asked(front, **SHORT)
    old = (await say_yes(front, first)).json()["consent"]
    await front.post(f"/v1/me/consents/{old}/withdraw", {})
    again = await renew(front, first)
    new = (await say_yes(front, again.json()["id"])).json()["consent"]
    known = {row["id"]: row for row in (await front.get("/v1/me/consents")).json()["consents"]}
    front.citizen = STRANGER

    assert (again.status_code, again.json()["renews"]) == (201, first)
    assert "renews" not in known[new]
    assert (await front.get("/v1/me/consents")).json()["consents"] == []
