"""Consents that come in as signed records: what a good one opens, and everything that must not come in by that door."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.signed_records import keys_of, opened
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CITIZEN, PURPOSE, SOCIAL, STRANGER, a_caller
from tests.front import Front, open_front
from tests.records import DPV, ISSUER, a_datum, a_record, an_issuer

SIGNER, _, _ = an_issuer()
STRANGE_SIGNER, _, _ = an_issuer()
HOMES = frozenset({"korsbaek"})
ASK = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE, "sources": [SOCIAL], "categories": ["S01"]}
WANTED = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE, "to": "2020-03-03"}
LINES = [{"source": SOCIAL, "category": "S01"}]


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases; one issuer counts in Korsbæk."""
    async with open_front(postgres, tmp_path) as made:
        made.issuers = [(ISSUER, HOMES, SIGNER.public_jwks())]
        yield made


async def bring(front: Front, record: dict[str, Any] | None = None, signer: Any = SIGNER) -> Any:
    """Send a record as the caseworker whose citizen it is."""
    document = signer.signed(record or a_record()).decode()
    return await front.post("/v1/consents/import", {"document": document})


async def opens(front: Front) -> bool:
    """Tell whether an ask for the line now gives anything."""
    return bool((await front.post("/v1/exchange", ASK)).status_code == 200)


async def given(front: Front) -> list[Any]:
    """Give the consents as their citizen sees them."""
    return list((await front.get("/v1/me/consents")).json()["consents"])


async def test_a_yes_from_elsewhere_opens_what_it_names(front: Front) -> None:
    """It opens that line alone, is the citizen's to see and to stop, and its receipt says where it is from."""
    assert not await opens(front)
    answer = await bring(front)
    assert answer.status_code == 201, answer.text
    made = answer.json()["consent"]
    receipt = await front.get(f"/v1/me/consents/{made}/receipt")
    told = opened(receipt.content, keys_of(front.signer.public_jwks()))

    assert await opens(front)
    assert (await front.post("/v1/exchange", ASK | {"categories": ["S02"]})).status_code == 403
    assert told["events"][0]["channel"] == "import"
    assert (told["origin"]["issuer"], told["origin"]["record_id"]) == (ISSUER, "elsewhere-1")
    assert told["notice"]["text"] == a_record()["notice"]["text"]
    assert (await front.post(f"/v1/me/consents/{made}/withdraw", {})).status_code == 200
    assert not await opens(front)


async def test_a_record_sent_again_changes_nothing(front: Front) -> None:
    """Not while it holds, and never after the citizen took it back here: not the same bytes, not a newer version."""
    made = (await bring(front)).json()["consent"]
    again = await bring(front)
    assert (again.status_code, again.json()["what"]) == (409, "already_imported")
    await front.post(f"/v1/me/consents/{made}/withdraw", {})
    before = await given(front)
    for record in (a_record(), a_record(version=2, receipt_id="elsewhere-1-2")):
        assert (await bring(front, record)).status_code == 409

    assert await given(front) == before
    assert not await opens(front)


async def test_what_was_taken_back_elsewhere_is_taken_back_here(front: Front) -> None:
    """A newer version of the record with a line withdrawn closes that line; one that never came in is not found."""
    back = a_record(version=2, personal_data=[a_datum(state=DPV + "ConsentWithdrawn")], state=DPV + "ConsentWithdrawn")
    assert (await bring(front, back)).status_code == 404
    made = (await bring(front)).json()["consent"]
    answer = await bring(front, back)

    assert (answer.status_code, answer.json()["consent"]) == (200, made)
    assert not await opens(front)
    assert (await bring(front, back)).status_code == 409


async def test_it_never_wins_over_a_block(front: Front) -> None:
    """The caller is not told of the citizen's standing no, and nothing goes out past it."""
    await front.post("/v1/me/blocks", {"source": SOCIAL})
    assert (await bring(front)).status_code == 201
    assert not await opens(front)


@pytest.mark.parametrize("no", ["refused", "withdrawn", "paused"])
async def test_it_never_wins_over_a_no_given_here(front: Front, no: str) -> None:
    """A refusal of this unit in this case, and a stop or a rest of the same line since, keep the record out."""
    request = (await front.post("/v1/consent-requests", WANTED | {"lines": LINES})).json()["id"]
    if no == "refused":
        await front.post(f"/v1/me/consent-requests/{request}/refuse", {})
    else:
        consent = (await front.post(f"/v1/me/consent-requests/{request}/grant", {})).json()["consent"]
        await front.post(f"/v1/me/consents/{consent}/{'pause' if no == 'paused' else 'withdraw'}", {})
    before = await given(front)
    answer = await bring(front)

    assert (answer.status_code, answer.json()["what"]) == (409, "said_no_here")
    assert await given(front) == before
    assert not await opens(front)


def line(**bent: Any) -> dict[str, Any]:
    """Give the record with its one line bent."""
    return a_record(personal_data=[a_datum(**bent)])


GOOD = a_record()
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "all relevant information": (line(category="alle relevante oplysninger"), 400, "not_named"),
    "every category": (line(category="*"), 400, "not_named"),
    "every category of a kind": (line(category="S*"), 400, "not_named"),
    "every source": (line(source="*"), 400, "not_named"),
    "all municipal authorities": (line(source="kommunens forvaltninger"), 400, "not_named"),
    "no source": (line(source=None), 400, "not_named"),
    "any unit": (a_record(recipient="*"), 400, "not_named"),
    "a source nobody knows": (line(source="nobody"), 400, "unknown_source"),
    "a category that is not held there": (line(category="F01"), 400, "not_held_there"),
    "what the purpose does not bear": (line(category="S05"), 400, "beyond the purpose"),
    "a purpose nobody knows": (a_record(purpose=GOOD["purpose"] | {"code": "everything"}), 400, "unknown_purpose"),
    "another unit": (a_record(recipient="social-centre"), 400, "not_yours"),
    "no case": ({k: v for k, v in GOOD.items() if k != "case"}, 400, "missing"),
    "a case of somebody else's": (a_record(case="JC-1"), 403, ""),
    "a year and a day": (line(to="2020-03-04"), 400, "a year at most"),
    "no end": (line(to=None), 400, "days"),
    "days that there are not": (line(to="2019-02-30"), 400, "no_such_day"),
    "days before it was given": (line(**{"from": "2019-03-03", "to": "2019-12-31"}), 400, "backdated"),
    "of the day before yesterday": (a_record(issued_at="2019-03-03T10:59:00Z"), 400, "not_fresh"),
    "of tomorrow": (a_record(issued_at="2019-03-05T10:59:00Z"), 400, "not_fresh"),
    "a moment that there is not": (a_record(issued_at="2019-02-30T10:59:00Z"), 400, "no_such_moment"),
    "for a child": (line(about="my_child", capacity="custody_holder"), 400, "not_theirs_alone"),
    "by an attorney": (line(capacity="attorney"), 400, "not_theirs_alone"),
    "a text that was not shown": (a_record(notice=GOOD["notice"] | {"text": "another"}), 400, "not_what_was_shown"),
    "no text": (a_record(notice=GOOD["notice"] | {"text": None}), 400, "not_what_was_shown"),
    "a no": (a_record(state=DPV + "ConsentRefused"), 400, "not_given"),
    "what has run out": (line(state=DPV + "ConsentExpired"), 400, "not_given"),
    "no number": (a_record(pii_principal=GOOD["pii_principal"] | {"id": "0000000000"}), 400, "not_a_cpr_number"),
    "a person with no case here": (
        a_record(pii_principal=GOOD["pii_principal"] | {"id": STRANGER.disclose()}),
        403,
        "",
    ),
    "in another's name": (a_record(issuer="https://other.example"), 400, "not_its_issuer"),
}


async def test_what_a_yes_here_could_not_be_does_not_come_in(front: Front) -> None:
    """The true issuer's signature opens no more than the citizen could give here; the reason is told, no value is."""
    told, echoed = {}, []
    for what, (record, _, _) in REFUSED.items():
        answer = await bring(front, record)
        told[what] = (answer.status_code, answer.json().get("what", ""))
        echoed += [what] * (record["pii_principal"]["id"] in answer.text)

    assert told == {what: (status, why) for what, (_, status, why) in REFUSED.items()}
    assert echoed == []
    assert await given(front) == []
    assert not await opens(front)


BENT: dict[str, Callable[[], bytes]] = {
    "by somebody who is not registered": lambda: bytes(STRANGE_SIGNER.signed(a_record())),
    "changed": lambda: bytes(SIGNER.signed(a_record())).replace(b'"S01"', b'"S02"', 1),
    "laid out anew": lambda: json.dumps(json.loads(SIGNER.signed(a_record())), indent=1).encode(),
    "no record": lambda: b"{}",
    "no JSON": lambda: b"()",
}


async def test_what_nobody_who_counts_signed_is_not_read(front: Front) -> None:
    """Nothing of it is echoed, nothing is kept."""
    answers = [await front.post("/v1/consents/import", {"document": bent().decode()}) for bent in BENT.values()]

    assert {(one.status_code, one.json()["pointer"]) for one in answers} == {(400, "/document")}
    assert not any(CITIZEN.disclose() in one.text for one in answers)
    assert await given(front) == []


async def test_an_issuer_counts_only_where_it_is_registered(front: Front) -> None:
    """A municipality that has not registered it takes none of its records, and with no issuer nobody takes any."""
    for issuers in ([], [(ISSUER, frozenset({"norrestrand"}), SIGNER.public_jwks())]):
        front.issuers = issuers
        assert (await bring(front)).status_code == 400
    front.issuers = [(ISSUER, HOMES, SIGNER.public_jwks())]
    front.caller = replace(a_caller(unit="social-centre"), system=a_caller().system)
    assert (await bring(front, a_record(recipient="social-centre"))).status_code == 403
    assert await given(front) == []


async def test_another_unit_does_not_take_it_back(front: Front) -> None:
    """Who did not bring it in, and is not the desk, cannot use a true withdrawal of it to learn or change anything."""
    assert (await bring(front)).status_code == 201
    front.caller = a_caller(unit="social-centre")
    back = a_record(personal_data=[a_datum(state=DPV + "ConsentWithdrawn")], state=DPV + "ConsentWithdrawn")

    assert (await bring(front, back)).status_code == 404
    front.caller = a_caller()
    assert await opens(front)
