"""An overseer who looks too far, and what an overseer or a citizen may read of the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import LogUnavailable, NotFound
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.oversight.search import Wanted, search
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CITIZEN, FAR, NOON, PURPOSE, SOCIAL, STRANGER
from tests.fakes.web import FakeCeilings
from tests.front import Front, open_front

ASK = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE}


@pytest.fixture
async def front(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Front]:
    """Open the faces, after one ask that was refused and one that read a source of the other municipality."""
    async with open_front(postgres, tmp_path) as made:
        assert (await made.post("/v1/exchange", ASK)).status_code == 403
        lines = [{"source": SOCIAL, "category": "S01"}, {"source": FAR, "category": "S01"}]
        asked = await made.post("/v1/consent-requests", ASK | {"lines": lines, "to": "2020-03-03"})
        await made.post(f"/v1/me/consent-requests/{asked.json()['id']}/grant", {})
        assert (await made.post("/v1/exchange", ASK)).status_code == 200
        yield made


def officer(role: str = "dpo", *municipalities: str) -> OfficerLogin:
    """Name an overseer of these municipalities."""
    return OfficerLogin(Personal("kim"), "https://idp", role, frozenset(municipalities), "Substantial", NOON)


async def entries(front: Front, **wanted: Any) -> list[dict[str, Any]]:
    """Search, and give what is shown."""
    answer = await front.post("/v1/accesses/search", wanted)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["entries"])


async def test_a_dpo_of_one_municipality_sees_none_of_another(front: Front) -> None:
    """Named by citizen, by source or not at all: only the entries of one's own municipality are shown."""
    front.officer = officer("dpo", "norrestrand")
    for wanted in ({}, {"citizen": CITIZEN.disclose()}, {"kind": "ask"}, {"source": SOCIAL}, {"unit": "jobcentre"}):
        found = await entries(front, **wanted)
        assert {row["municipality"] for row in found} <= {"norrestrand"}, wanted
    assert len(await entries(front, citizen=CITIZEN.disclose(), kind="outcome")) == 1

    front.officer = officer("dpo", "korsbaek")
    assert {row["municipality"] for row in await entries(front)} == {"korsbaek"}


async def test_an_entry_is_opened_for_its_own_readers(front: Front) -> None:
    """By its place alone nobody reads another municipality's entry, nor another citizen's."""
    (mine, other) = await front.databases.vault.citizens([CITIZEN, STRANGER])
    (log,) = [state.origin for state in await front.databases.reader.logs(["korsbaek"])]
    receipt, reader = Receipt(log, 0), front.databases.reader

    assert (await reader.entry(receipt, subject=mine)).body is not None
    for who in ({"subject": other}, {"municipalities": ("norrestrand",)}, {"municipalities": ()}, {"subject": ""}):
        with pytest.raises(NotFound):
            await reader.entry(receipt, **who)  # type: ignore[arg-type]  # one of two ways in


@pytest.mark.parametrize("role", ["teamleder", "styregruppe", "systemforvalter", "sagsbehandler", "DPO", ""])
async def test_only_those_who_oversee_read_the_log(front: Front, role: str) -> None:
    """A team leader, a steering group or an operator reads no log, and hears of no size."""
    front.officer = officer(role, "korsbaek")
    answers = [
        await front.get("/v1/accesses"),
        await front.post("/v1/accesses/search", {"citizen": CITIZEN.disclose()}),
        await front.get("/v1/logs"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


async def test_an_overseer_of_nothing_reads_nothing(front: Front) -> None:
    """No municipality is not every municipality."""
    front.officer = officer("dpo")

    assert (await front.get("/v1/logs")).status_code == 403
    assert (await front.get("/v1/accesses")).status_code == 403


async def test_with_the_log_down_an_overseer_sees_nothing(front: Front) -> None:
    """Whoever cannot be written down as a reader does not read (P2)."""

    class Down:
        async def append(self, *_: Any, **__: Any) -> Any:
            raise LogUnavailable

    ports, reader = replace(front.ports, log=Down()), front.databases.reader
    with pytest.raises(LogUnavailable):
        await search(Wanted(), officer("dpo", "korsbaek"), ports, reader, FakeCeilings().count_search)


async def test_the_citizen_sees_that_an_overseer_looked_for_them(front: Front) -> None:
    """A search by number stands on the log under the citizen's own key, before it was answered."""
    await entries(front, citizen=CITIZEN.disclose())

    mine = (await front.get("/v1/me/accesses")).json()["entries"]
    assert "log.searched" in {row["kind"] for row in mine}


async def test_no_search_tells_whether_a_number_is_somebodys(front: Front) -> None:
    """An empty answer is the same for a citizen never asked about and for a number nobody has."""
    nobody = "0101019999"
    first = await front.post("/v1/accesses/search", {"citizen": STRANGER.disclose(), "kind": "ask"})
    second = await front.post("/v1/accesses/search", {"citizen": nobody, "kind": "ask"})

    assert first.content == second.content


async def test_no_list_holds_a_number_a_name_or_a_case(front: Front) -> None:
    """What an overseer is shown, and what stands in the index rows, are codes and handles alone."""
    shown = (await front.get("/v1/accesses?limit=200")).text
    async with front.databases.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('borgerbro.municipalities', 'korsbaek,norrestrand', true)")
        rows = await connection.fetch("SELECT index_bytes FROM log.index")
    laid_open = shown + "".join(str(row["index_bytes"]) for row in rows)

    assert rows
    for word in (CITIZEN.disclose(), "710274-0022", CASE, "lene", "CANARY", "kim"):
        assert word not in laid_open


async def test_a_citizen_is_not_told_that_a_refused_ask_gave_something_out(front: Front) -> None:
    """Own data that the rules would have let go beside a refusal was never fetched, so it is not in the list."""
    mine = (await front.get("/v1/me/accesses?limit=200")).json()["entries"]
    refused = [row for row in mine if row.get("outcome") == "refused"]

    assert refused
    assert all("released" not in row and "basis" not in row for row in refused)


async def test_a_mark_of_another_reader_opens_nothing(front: Front) -> None:
    """The mark to go on from is a place in one's own list: it shows nobody anything of another's."""
    mine = (await front.get("/v1/me/accesses?limit=1")).json()["next"]
    mark = (await front.get("/v1/accesses?limit=1")).json()["next"]
    front.citizen = STRANGER
    front.officer = officer("dpo", "norrestrand")

    assert (await front.get(f"/v1/me/accesses?cursor={mine}")).json()["entries"] == []
    assert (await front.get(f"/v1/accesses?cursor={mine}")).status_code == 400
    far = (await front.get(f"/v1/accesses?cursor={mark}")).json()["entries"]
    assert {row["municipality"] for row in far} <= {"norrestrand"}
