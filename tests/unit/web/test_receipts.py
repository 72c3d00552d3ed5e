"""Receipts over the JSON face: what stands in a record, whose it is, and that it tells of that day and not of today."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.signed_records import RecordSigner, documents_of, keys_of, opened
from broker.consents.desk_answer import SaidNo, no_at_desk, read_at_desk
from broker.consents.receipts import Desk, consent_receipt, refusal_receipt
from broker.domain.identity import CitizenLogin, Role, System
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.web.record_wire import record_body
from demo.postgres import PrivatePostgres
from tests.actors import a_key
from tests.builders import CASE, CHILD, CITIZEN, FAMILY, NOON, PURPOSE, SOCIAL, STRANGER, a_caller
from tests.front import Front, open_front

LINES = [{"source": SOCIAL, "category": "S01"}, {"source": SOCIAL, "category": "S02"}]
WANTED = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE, "to": "2020-03-03"}
DPV = "https://w3id.org/dpv#"


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces over real databases."""
    async with open_front(postgres, tmp_path) as made:
        yield made


async def ask(front: Front, *lines: Mapping[str, Any]) -> str:
    """Ask the citizen for consent; give the request's id."""
    answer = await front.post("/v1/consent-requests", WANTED | {"lines": list(lines or LINES)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def say_yes(front: Front, *lines: Mapping[str, Any], **yes: Any) -> dict[str, Any]:
    """Let the citizen say yes; give what they are answered."""
    answer = await front.post(f"/v1/me/consent-requests/{await ask(front, *lines)}/grant", yes)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def record(front: Front, address: str) -> dict[str, Any]:
    """Fetch a receipt and open it with the keys that anybody may fetch."""
    keys = keys_of((await front.get("/.well-known/consent-receipt-keys")).json())
    answer = await front.get(address)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return opened(answer.content, keys)


async def test_a_receipt_says_all_that_the_standard_asks(front: Front) -> None:
    """Who gave what to whom, from where, for what, on which law, until when, with the text and its place on the log."""
    given = await say_yes(front, lines=[0])
    told = await record(front, f"/v1/me/consents/{given['consent']}/receipt")

    assert told["record_id"] == given["consent"]
    assert told["pii_principal"] == {"scheme": "urn:oid:1.2.208.176.1.2", "id": CITIZEN.disclose()}
    assert told["notice"]["text"] == given["text"]
    assert told["notice"]["sha256"] == given["text_sha256"] == hashlib.sha256(given["text"].encode()).hexdigest()
    assert (told["recipient"], told["purpose"]["code"]) == ("jobcentre", PURPOSE)
    (datum,) = told["personal_data"]
    assert (datum["source"], datum["category"], datum["about"]) == (SOCIAL, "S01", "me")
    assert (datum["from"], datum["to"], datum["state"]) == ("2019-03-04", "2020-03-03", DPV + "ConsentGiven")
    assert "§" in datum["lawful_basis"]["paragraph"]
    assert [party["id"] for party in told["parties"]] == ["jobcentre", SOCIAL]
    assert {party["controller"]["cvr"] for party in told["parties"]} == {"11111111"}
    (event,) = told["events"]
    assert event["log"] == [{"log": given["receipt"]["log"], "index": given["receipt"]["index"]}]
    assert (event["channel"], event["time"], told["state"]) == ("online", "2019-03-04T11:00:00Z", DPV + "ConsentGiven")
    assert (told["jurisdiction"], told["notice"]["language"]) == ("https://w3id.org/dpv/loc#DK", "da")


async def test_each_change_is_a_step_of_the_record(front: Front) -> None:
    """After a line was taken back the record has both steps; after all was, it says withdrawn."""
    given = await say_yes(front)
    address = f"/v1/me/consents/{given['consent']}/receipt"
    before = await record(front, address)
    first, second = (row["line"] for row in before["personal_data"])
    await front.post(f"/v1/me/consents/{given['consent']}/withdraw", {"lines": [first]})
    partly = await record(front, address)
    await front.post(f"/v1/me/consents/{given['consent']}/withdraw", {})
    whole = await record(front, address)

    assert [len(one["events"]) for one in (before, partly, whole)] == [1, 2, 3]
    assert [event["type"] for event in whole["events"]] == ["granted", "withdrawn", "withdrawn"]
    assert [event["lines"] for event in whole["events"][1:]] == [[first], [second]]
    assert [one["state"] for one in (partly, whole)] == [DPV + "ConsentGiven", DPV + "ConsentWithdrawn"]
    assert all(len(event["log"]) == 1 for event in whole["events"])
    assert len({one["receipt_id"] for one in (before, partly, whole)}) == 3


async def test_a_rest_is_told_as_one(front: Front) -> None:
    """A pause and its end are steps of their own; while it rests the record does not say that it holds."""
    given = await say_yes(front)
    address = f"/v1/me/consents/{given['consent']}"
    await front.post(f"{address}/pause", {})
    resting = await record(front, f"{address}/receipt")
    await front.post(f"{address}/resume", {})
    again = await record(front, f"{address}/receipt")

    assert [event["type"] for event in again["events"]] == ["granted", "paused", "resumed"]
    assert [one["state"] for one in (resting, again)] == [
        DPV + "ConsentStatusInvalidForProcessing",
        DPV + "ConsentGiven",
    ]
    assert all(len(event["log"]) == 1 for event in again["events"])


async def test_a_no_has_a_receipt(front: Front) -> None:
    """It names what was asked and refused, and its entry; nothing stands in it as if it were given."""
    request = await ask(front)
    refused = (await front.post(f"/v1/me/consent-requests/{request}/refuse", {})).json()
    told = await record(front, f"/v1/me/consent-requests/{request}/receipt")

    assert told["state"] == told["personal_data"][0]["state"] == DPV + "ConsentRefused"
    assert told["notice"]["language"] == "da"
    assert told["events"][0]["log"] == [{"log": refused["receipt"]["log"], "index": refused["receipt"]["index"]}]
    assert len(told["personal_data"]) == 2


@pytest.mark.parametrize("language", ["da", "en"])
async def test_a_no_carries_exactly_what_was_shown(front: Front, language: str) -> None:
    """The text that stood beside the question, byte for byte, with its SHA-256, on the log too; also in the export."""
    request = await ask(front)
    (asked,) = (await front.get("/v1/me/consent-requests")).json()["requests"]
    said = (await front.post(f"/v1/me/consent-requests/{request}/refuse?language={language}", {})).json()
    notice = (await record(front, f"/v1/me/consent-requests/{request}/receipt"))["notice"]
    exported = opened(
        documents_of((await front.get("/v1/me/consents/export")).content)[0], keys_of(front.signer.public_jwks())
    )
    place = Receipt(said["receipt"]["log"], said["receipt"]["index"])
    (handle,) = await front.ports.handles.citizens([CITIZEN])
    entry = await front.databases.reader.entry(place, subject=handle)

    assert notice["text"] == asked["text"][language]
    assert notice["language"] == language
    assert notice["sha256"] == hashlib.sha256(notice["text"].encode()).hexdigest()
    assert exported["notice"] == notice
    assert (entry.body or {})["text_digest"] == notice["sha256"]


async def test_the_text_of_a_no_is_that_days(front: Front) -> None:
    """A unit that is called something else today changes no word of what was said no to."""
    request = await ask(front)
    (asked,) = (await front.get("/v1/me/consent-requests")).json()["requests"]
    await front.post(f"/v1/me/consent-requests/{request}/refuse", {})
    unit = replace(front.ports.directory.units["jobcentre"], name_da="Et helt andet navn")
    directory = replace(front.ports.directory, units={**front.ports.directory.units, "jobcentre": unit})
    desk = Desk(replace(front.ports, directory=directory), front.databases.reader, "https://broker.example")
    told = record_body(await refusal_receipt(request, CitizenLogin(CITIZEN, "Substantial", NOON), desk))

    assert told["parties"][0]["name"]["da"] == "Et helt andet navn"
    assert told["notice"]["text"] == asked["text"]["da"]


async def test_a_no_at_the_desk_carries_what_was_read_there(front: Front) -> None:
    """On paper or by word of mouth: the text that the caseworker read, in its language."""
    request = await ask(front)
    roles = (Role("borgerservice", ("15.*",), 3, attested_on=20190101),)
    system = System("desk", "korsbaek", frozenset({"health-centre"}))
    caller = replace(a_caller(unit="health-centre", id=Personal("dan"), roles=roles), system=system)
    reading = await read_at_desk(request, None, "en", CITIZEN, caller, front.ports)
    await no_at_desk(request, SaidNo("oral", "en", None, reading.digest), CITIZEN, caller, front.ports)
    told = await record(front, f"/v1/me/consent-requests/{request}/receipt")

    assert told["notice"]["text"] == reading.text
    assert told["events"][0]["channel"] == "desk_oral"


async def test_a_yes_at_the_desk_has_the_same_receipt(front: Front) -> None:
    """Whoever has no computer gets the same record; the caseworker's name is not in it."""
    taken = {"form": "paper", "evidence": "Signed here, scan in the case", "identity_checked": True}
    body = WANTED | taken | {"lines": LINES[:1], "language": "da"}
    given = (await front.post("/v1/consents", body)).json()
    told = await record(front, f"/v1/me/consents/{given['consent']}/receipt")

    assert told["notice"]["text"] == given["text"]
    assert told["events"][0]["channel"] == "desk_paper"
    assert "lene" not in json.dumps(told)


async def test_what_was_shown_is_that_days_text(front: Front) -> None:
    """A unit that is called something else today changes no word of what was said yes to."""
    given = await say_yes(front)
    unit = replace(front.ports.directory.units["jobcentre"], name_da="Et helt andet navn")
    directory = replace(front.ports.directory, units={**front.ports.directory.units, "jobcentre": unit})
    desk = Desk(replace(front.ports, directory=directory), front.databases.reader, "https://broker.example")
    told = record_body(await consent_receipt(given["consent"], CitizenLogin(CITIZEN, "Substantial", NOON), desk))

    assert told["parties"][0]["name"]["da"] == "Et helt andet navn"
    assert told["notice"]["text"] == given["text"]
    assert "Et helt andet navn" not in told["notice"]["text"]


async def test_an_export_has_every_yes_and_no(front: Front) -> None:
    """One file, each record signed by itself; a stranger's has none of it."""
    given = await say_yes(front, LINES[0])
    request = await ask(front, {"source": FAMILY, "category": "F01", "subject": CHILD.disclose()})
    await front.post(f"/v1/me/consent-requests/{request}/refuse", {})
    answer = await front.get("/v1/me/consents/export")
    found = [opened(one, keys_of(front.signer.public_jwks())) for one in documents_of(answer.content)]

    assert [one["record_id"] for one in found] in ([given["consent"], request], [request, given["consent"]])
    assert {one["about"] for row in found for one in row["personal_data"]} == {"me", "my_child"}
    front.citizen = STRANGER
    assert (await front.get("/v1/me/consents/export")).json() == {"records": []}


async def test_another_persons_receipt_is_not_there(front: Front) -> None:
    """A stranger, and a child whose data it opens, are answered as for what never was: byte for byte."""
    line = {"source": FAMILY, "category": "F01", "subject": CHILD.disclose()}
    given = await say_yes(front, line)
    request = await ask(front, LINES[0])
    await front.post(f"/v1/me/consent-requests/{request}/refuse", {})
    nothing = str(uuid.uuid4())
    for who in (STRANGER, CHILD):
        front.citizen = who
        for kind, real in (("consents", given["consent"]), ("consent-requests", request)):
            answers = [await front.get(f"/v1/me/{kind}/{one}/receipt") for one in (real, nothing, "no-id")]
            assert {one.status_code for one in answers} == {404}
            assert len({one.content for one in answers}) == 1


async def test_what_was_not_refused_has_no_receipt_of_a_no(front: Front) -> None:
    """A request that waits, or was said yes to, is no refusal."""
    waiting = await ask(front)
    assert (await front.get(f"/v1/me/consent-requests/{waiting}/receipt")).status_code == 404
    await front.post(f"/v1/me/consent-requests/{waiting}/grant", {})
    assert (await front.get(f"/v1/me/consent-requests/{waiting}/receipt")).status_code == 404


async def test_old_receipts_hold_after_the_key_was_changed(front: Front) -> None:
    """The published keys keep the old public half, and no private one."""
    told = await record(front, f"/v1/me/consents/{(await say_yes(front))['consent']}/receipt")
    old, new = ({**a_key("Ed25519").as_dict(private=True), "kid": kid} for kid in ("old", "new"))
    before = RecordSigner([old])
    after = RecordSigner([new, {name: value for name, value in old.items() if name != "d"}])
    published = after.public_jwks()

    assert [opened(one.signed(told), keys_of(published)) for one in (before, after)] == [told, told]
    assert [key["kid"] for key in published["keys"]] == ["new", "old"]
    assert not any("d" in key for key in published["keys"])
