"""Whoever would look oftener than a yes allows: at once, by another door, by a wider answer, or by a record of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.signed_records import keys_of, opened
from broker.domain.asks import Key
from broker.domain.items import Found, Silent
from demo.postgres import PrivatePostgres
from tests.attacks.test_told_to_stop import kept_back_until_april
from tests.builders import CASE, CITIZEN, NOON, PURPOSE, SOCIAL, STRANGER, an_item
from tests.evaluations import EVALUATION, an_evaluation
from tests.fakes.sources import FakeSource
from tests.front import Front, open_front
from tests.records import DPV, ISSUER, a_record, an_issuer

ONCE, TWICE = {"times": 1, "per": "consent"}, {"times": 2, "per": "month"}
ASK = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE, "sources": [SOCIAL], "categories": ["S01"]}
WANTED = {
    "citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE, "to": "2020-03-03",
    "lines": [{"source": SOCIAL, "category": "S01"}, {"source": SOCIAL, "category": "S02"}],
}  # fmt: skip


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases."""
    async with open_front(postgres, tmp_path) as made:
        yield made


async def asked(front: Front, **wish: Any) -> str:
    """Ask the citizen for consent; give the request's id."""
    answer = await front.post("/v1/consent-requests", WANTED | wish)
    assert answer.status_code == 201, answer.text
    assert answer.json().get("limit") == wish.get("limit")
    return str(answer.json()["id"])


async def say_yes(front: Front, request: str, **yes: Any) -> Any:
    """Let the citizen answer."""
    return await front.post(f"/v1/me/consent-requests/{request}/grant", yes)


async def look(front: Front, **changes: Any) -> int:
    """Ask for what the yes opens."""
    return (await front.post("/v1/exchange", ASK | changes)).status_code


async def mine(front: Front) -> dict[str, Any]:
    """Give the one consent as its citizen sees it."""
    (consent,) = (await front.get("/v1/me/consents")).json()["consents"]
    return dict(consent)


@pytest.mark.parametrize("way", ["the citizen's wish", "the unit's wish"])
async def test_once_is_once(front: Front, way: str) -> None:
    """One look, whichever of its lines it takes; then it is as if nobody had said yes. The citizen sees when."""
    if way == "the unit's wish":
        given = (await say_yes(front, await asked(front, limit=ONCE))).json()
    else:
        given = (await say_yes(front, await asked(front), limit=ONCE)).json()
    before = await mine(front)

    answers = [await look(front), await look(front, categories=["S02"]), await look(front)]
    after = await mine(front)

    assert answers == [200, 403, 403]
    assert (given["limit"], "De må kun kigge én gang" in given["text"]) == (ONCE, True)
    assert (before["left"], before["used_at"], before["live"]) == (1, [], True)
    assert (after["left"], after["used_at"], after["live"]) == (0, ["2019-03-04T11:00:00+00:00"], False)
    assert {line["state"] for line in after["lines"]} == {"used_up"}
    assert (await front.post(f"/v1/me/consents/{after['id']}/pause", {})).status_code == 409


async def test_what_is_used_up_is_told_as_no_yes(front: Front) -> None:
    """The refusal has the very bytes of one where nobody was ever asked, but for its receipt; no source is read."""
    source = front.ports.sources[SOCIAL]
    assert isinstance(source, FakeSource)

    async def refusal() -> dict[str, Any]:
        said = dict((await front.post("/v1/exchange", ASK)).json())
        return {name: value for name, value in said.items() if name not in {"receipt", "entry", "ask", "log"}}

    never = await refusal()
    await say_yes(front, await asked(front), limit=ONCE)
    assert await look(front) == 200
    assert source.asked == ["S01"]
    used_up = await refusal()

    assert used_up == never
    assert source.asked == ["S01"]
    assert never["reasons"][0]["code"] == "NO_CONSENT"


async def test_asks_at_once_do_not_share_a_use(front: Front) -> None:
    """Of five at once on a yes for once, one is answered; the others read the source, and hand out nothing."""
    await say_yes(front, await asked(front), limit=ONCE)

    answers = await asyncio.gather(*(look(front) for _ in range(5)))

    assert sorted(answers) == [200, 403, 403, 403, 403]
    assert len((await mine(front))["used_at"]) == 1


@pytest.mark.parametrize("limit", [ONCE, TWICE])
async def test_a_use_that_the_law_keeps_back_shows_nowhere(front: Front, limit: dict[str, Any]) -> None:
    """The citizen reads, is given and may change the same as had nobody looked, until it is kept back no more (P8)."""
    request = await asked(front, limit=limit)
    consent = (await say_yes(front, request)).json()["consent"]
    ends = await kept_back_until_april(front)

    unused = await mine(front)
    assert await look(front) == 200
    used = await mine(front)
    changed = [await front.post(f"/v1/me/consents/{consent}/{way}", {}) for way in ("pause", "resume")]
    again = await look(front)
    clock = front.ports.clock
    assert isinstance(clock, FixedClock)
    clock.at = ends
    after = await mine(front)

    assert used == unused
    assert [answer.status_code for answer in changed] == [200, 200]
    assert again == (403 if limit == ONCE else 200)
    assert len(after["used_at"]) == (1 if limit == ONCE else 2)


async def test_a_month_begins_anew_and_a_clock_set_back_does_not(front: Front) -> None:
    """Twice a month: the third look of March gets nothing, the first of April does, and March is not there again."""
    await say_yes(front, await asked(front), limit=TWICE)
    clock = front.ports.clock
    assert isinstance(clock, FixedClock)
    march = [await look(front) for _ in range(3)]
    clock.at = NOON.replace(month=4, day=1)
    april = [await look(front) for _ in range(3)]
    clock.at = NOON

    assert (march, april, await look(front)) == ([200, 200, 403], [200, 200, 403], 403)


async def test_a_clock_that_is_set_back_again_and_again_gives_nothing(front: Front) -> None:
    """Twice a month, used once in April: back in March there is one use left, and then none, in March or in April."""
    await say_yes(front, await asked(front), limit=TWICE)
    clock = front.ports.clock
    assert isinstance(clock, FixedClock)
    clock.at = NOON.replace(month=4, day=1)
    april = await look(front)
    clock.at = NOON
    march = [await look(front) for _ in range(4)]
    clock.at = NOON.replace(month=4, day=2)

    assert (april, march, await look(front)) == (200, [200, 403, 403, 403], 403)
    assert (await mine(front))["left"] == 0


@pytest.mark.parametrize("wider", [None, {"times": 3, "per": "month"}])
async def test_nobody_gives_more_than_was_asked(front: Front, wider: Any) -> None:
    """A yes without the bound that was asked for takes that bound; one that names a wider bound is none at all."""
    request = await asked(front, limit=TWICE)
    answer = await say_yes(front, request, **({"limit": wider} if wider else {}))

    assert answer.status_code == (400 if wider else 200)
    assert wider or answer.json()["limit"] == TWICE


@pytest.mark.parametrize(
    "limit",
    [{"times": 2, "per": "consent"}, {"times": 0, "per": "month"}, {"times": 32, "per": "month"}, {"times": 1},
     {"times": 1, "per": "day"}, {"times": "1", "per": "month"}, {"times": True, "per": "consent"}, "once", []],
)  # fmt: skip
async def test_a_limit_that_is_none_gives_nothing(front: Front, limit: Any) -> None:
    """It is refused by name; nothing is given, and least of all a yes without a bound."""
    request = await asked(front)
    answers = [
        await say_yes(front, request, limit=limit),
        await front.post("/v1/consent-requests", WANTED | {"limit": limit}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert (await front.get("/v1/me/consents")).json()["consents"] == []


async def test_what_hands_nothing_out_uses_nothing(front: Front) -> None:
    """To hear whether one may, and an ask whose source stays silent, take nothing from a yes for once."""
    await say_yes(front, await asked(front), limit=ONCE)
    told = (await front.post(EVALUATION, an_evaluation(f"{SOCIAL}/S01"))).json()
    source: Any = front.ports.sources[SOCIAL]
    source.fails = "timeout"
    silent = (await front.post("/v1/exchange", ASK)).json()
    source.fails = None
    left = (await mine(front))["left"]

    assert (told["decision"], left, bool(silent.get("items"))) == (True, 1, False)
    assert await look(front) == 200


def test_what_went_out_is_a_use_though_the_source_was_silent_about_another() -> None:
    """Of a source that told of a parent and fell silent about the child, the parent's part counts."""
    parent, child = (Key(SOCIAL, "S01", handle) for handle in ("parent", "child"))
    silent = (Silent(SOCIAL, "timeout"),)

    assert Found((an_item(SOCIAL, "S01", "parent"),), silent).answered((parent, child)) == {parent}
    assert Found((), silent).answered((parent, child)) == frozenset()
    assert Found(()).answered((parent, child)) == {parent, child}


async def test_each_use_is_on_the_log(front: Front) -> None:
    """The citizen's entry of the ask that used it names the consent; one that used nothing names none."""
    consent = (await say_yes(front, await asked(front), limit=ONCE)).json()["consent"]
    await look(front)
    await look(front)
    (citizen,) = await front.databases.vault.citizens([CITIZEN])
    entries = (await front.databases.reader.of_subject(citizen)).entries
    outcomes = [entry.body for entry in entries if entry.kind == "outcome" and entry.body]
    (granted,) = [entry.body for entry in entries if entry.kind == "consent.granted" and entry.body]

    assert [body["counted"] for body in outcomes] == [[], [consent]]
    assert granted["limit"] == "once"


async def test_nobody_else_sees_how_often(front: Front) -> None:
    """Another citizen finds neither the consent nor its uses, nor its receipt."""
    consent = (await say_yes(front, await asked(front), limit=ONCE)).json()["consent"]
    await look(front)
    front.citizen = STRANGER

    assert (await front.get("/v1/me/consents")).json()["consents"] == []
    assert (await front.get(f"/v1/me/consents/{consent}/receipt")).status_code == 404


async def test_a_receipt_tells_the_limit_and_brings_it_nowhere(front: Front) -> None:
    """It stands in the record, and a record with one is not brought in here: it would be counted anew."""
    consent = (await say_yes(front, await asked(front), limit=TWICE)).json()["consent"]
    receipt = await front.get(f"/v1/me/consents/{consent}/receipt")
    record = opened(receipt.content, keys_of(front.signer.public_jwks()))
    signer, _, _ = an_issuer()
    front.issuers = [(ISSUER, frozenset({"korsbaek"}), signer.public_jwks())]
    document = signer.signed(a_record(limit={"term": DPV + "Frequency", "times": 1, "per": "consent"})).decode()
    answer = await front.post("/v1/consents/import", {"document": document})

    assert record["limit"] == {"term": DPV + "Frequency", "times": 2, "per": "month"}
    assert (answer.status_code, answer.json().get("what")) == (400, "counted_elsewhere")
    assert len((await front.get("/v1/me/consents")).json()["consents"]) == 1
