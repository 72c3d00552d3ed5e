"""Reading the log: lists that stay put while it grows, bodies for those they concern, proofs that hold."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.checkpointer_command import ALL_WELL, WRONG, Rounds
from audit.note import SigningKey, VerifyKey
from audit.proof import Proof
from broker.adapters.audit_reader import LogReaderPostgres
from broker.adapters.audit_tiles import LogTilesPostgres
from broker.domain.entries import LogFilter, LogPage
from broker.domain.errors import BadAsk, NotFound
from broker.domain.kept import packed
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.databases import BASE, Databases, opened
from tests.log_events import NOON, an_ask, an_outcome
from tests.signing import signing

SIGNER = SigningKey.generate("test.example")
ORIGIN = f"{BASE}/korsbaek/2019"


@dataclass
class Archive:
    """A log with readers and somebody to read about."""

    databases: Databases
    reader: LogReaderPostgres
    signer: Rounds
    anna: str
    bo: str
    kim: str

    async def whole_list(self, limit: int) -> list[int]:
        """Read all of Anna's entries, page by page."""
        indices: list[int] = []
        cursor = None
        while True:
            page = await self.reader.of_subject(self.anna, cursor=cursor, limit=limit)
            indices += [entry.receipt.index for entry in page.entries]
            if (cursor := page.next) is None:
                return indices


@pytest.fixture
async def archive(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Archive]:
    """Give a log of five entries about Anna, one of them in another municipality, and one about Bo."""
    async with opened(postgres) as made:
        anna, bo, kim = await made.vault.citizens([Personal(f"{n:010d}") for n in range(3)])
        await made.log.append(
            [an_ask(anna, kim), an_outcome(anna, kim), an_ask(bo, kim), an_ask(anna, kim, purpose="flytning")]
        )
        refused = an_outcome(anna, kim, outcome="refused", verdicts=(), sources_read=(), unit="school")
        await made.log.append([refused, an_outcome(anna, kim, municipality="oestby")])
        reader = LogReaderPostgres(made.pool, made.vault, [str(SIGNER.verify_key)])
        async with signing(made.at.checkpointer, SIGNER, tmp_path / "signer") as rounds:
            yield Archive(made, reader, rounds, anna, bo, kim)


@pytest.fixture
async def superuser(archive: Archive) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Give the one who may do anything."""
    connection = await asyncpg.connect(archive.databases.admin)
    yield connection
    await connection.close()


async def test_a_citizen_reads_their_own(archive: Archive) -> None:
    """All entries about a citizen, of every municipality, newest first, opened; of nobody else."""
    page = await archive.reader.of_subject(archive.anna)

    assert page.next is None
    assert {(entry.municipality, entry.receipt.index) for entry in page.entries} == {
        ("korsbaek", 0), ("korsbaek", 1), ("korsbaek", 3), ("korsbaek", 4), ("oestby", 0),
    }  # fmt: skip
    assert {entry.state for entry in page.entries} == {"intact"}
    assert all(entry.body is not None and entry.body["subject"] == archive.anna for entry in page.entries)
    assert {entry.at for entry in page.entries} == {NOON}


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
async def test_pages_make_the_whole(archive: Archive, limit: int) -> None:
    """However long the pages, each entry comes once."""
    assert sorted(await archive.whole_list(limit)) == [0, 0, 1, 3, 4]


async def test_pages_stay_put_while_the_log_grows(archive: Archive) -> None:
    """New entries between two pages neither push an old one out nor show one twice."""
    first = await archive.reader.of_subject(archive.anna, limit=2)
    await archive.databases.log.append([an_ask(archive.anna, archive.kim) for _ in range(3)])
    rest = await archive.reader.of_subject(archive.anna, cursor=first.next, limit=50)

    seen = [(entry.municipality, entry.receipt.index) for entry in (*first.entries, *rest.entries)]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (LogFilter(), [0, 1, 2, 3, 4]),
        (LogFilter(kind="ask"), [0, 2, 3]),
        (LogFilter(kind="outcome", outcome="refused"), [4]),
        (LogFilter(purpose="flytning"), [3]),
        (LogFilter(unit="school"), [4]),
        (LogFilter(source="social"), [1]),
        (LogFilter(basis="consent"), [1]),
        (LogFilter(reason="NO_CONSENT"), []),
        (LogFilter(ask="ask-1"), [0, 1, 2, 3, 4]),
        (LogFilter(ask="ask-2"), []),
        (LogFilter(since=int(NOON.timestamp())), [0, 1, 2, 3, 4]),
        (LogFilter(until=int(NOON.timestamp())), []),
    ],
)
async def test_an_overseer_finds_what_is_theirs(archive: Archive, wanted: LogFilter, found: list[int]) -> None:
    """Each filter finds what it names, in the overseer's own municipality, and opens no body."""
    page = await archive.reader.search(["korsbaek"], wanted)

    assert sorted(entry.receipt.index for entry in page.entries) == found
    assert all(entry.body is None and entry.state == "intact" for entry in page.entries)


async def test_an_overseer_finds_a_citizen(archive: Archive) -> None:
    """Search by a citizen's handle stays inside the overseer's municipalities."""
    both = await archive.reader.search(["korsbaek", "oestby"], LogFilter(citizen=archive.anna))
    one = await archive.reader.search(["oestby"], LogFilter(citizen=archive.anna))
    none = await archive.reader.search([], LogFilter(citizen=archive.anna))

    assert [len(page.entries) for page in (both, one, none)] == [5, 1, 0]
    assert none == LogPage((), None)


async def test_one_entry_for_those_it_concerns(archive: Archive) -> None:
    """An entry opens for its subject and its municipality's overseer; for others it is not there."""
    receipt = (await archive.reader.of_subject(archive.bo)).entries[0].receipt

    for reads in ({"subject": archive.bo}, {"municipalities": ["korsbaek"]}):
        assert (await archive.reader.entry(receipt, **reads)).body is not None
    for stranger in ({"subject": archive.anna}, {"municipalities": ["oestby"]}, {}):
        with pytest.raises(NotFound):
            await archive.reader.entry(receipt, **stranger)


@pytest.mark.parametrize("cursor", ["", "x", "1.2", "1.2.3.4", "-1.0.0", "1.2.99999999999999999999"])
async def test_a_mark_we_never_gave_is_refused(archive: Archive, cursor: str) -> None:
    """A made-up mark, and a page of no sane length, are refused by field."""
    with pytest.raises(BadAsk):
        await archive.reader.of_subject(archive.anna, cursor=cursor)
    for limit in (0, -1, 100_000):
        with pytest.raises(BadAsk):
            await archive.reader.of_subject(archive.anna, limit=limit)


async def test_a_destroyed_key_leaves_an_erased_entry(archive: Archive) -> None:
    """Without the subject's key the entry stays in its place, says erased, and no new key is made by reading."""
    owner = await asyncpg.connect(archive.databases.at.vault_owner)
    await owner.execute("DELETE FROM vault.subject_key WHERE handle = $1", archive.bo)

    (entry,) = (await archive.reader.of_subject(archive.bo)).entries
    keys = await owner.fetchval("SELECT count(*) FROM vault.subject_key WHERE handle = $1", archive.bo)
    await owner.close()

    assert (entry.state, entry.body, keys) == ("erased", None, 0)


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE log.body SET ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1)",
        "DELETE FROM log.body",
        "UPDATE log.index SET index_bytes = replace(index_bytes, 'korsbaek-job', 'korsbaek-tax')",
        "UPDATE log.body SET ciphertext = ciphertext || '\\x00'",
    ],
)
async def test_what_was_changed_says_so(archive: Archive, superuser: "asyncpg.Connection[Any]", tamper: str) -> None:
    """A changed, missing or swapped row is shown as changed and never opened."""
    await superuser.execute(tamper)

    page = await archive.reader.of_subject(archive.bo)
    searched = await archive.reader.search(["korsbaek"], LogFilter(citizen=archive.bo))

    for entry in (*page.entries, *searched.entries):
        assert (entry.state, entry.body) == ("changed", None)


async def test_a_signed_log_proves_its_entries(archive: Archive) -> None:
    """Once signed, every entry has a proof that holds with the public key alone."""
    with pytest.raises(NotFound):
        await LogTilesPostgres(archive.databases.pool).checkpoint(ORIGIN)
    entries = (await archive.reader.of_subject(archive.anna)).entries
    with pytest.raises(NotFound):
        await archive.reader.proof(entries[0].receipt)

    assert await archive.signer.once() == ALL_WELL

    key = VerifyKey.from_text(str(SIGNER.verify_key))
    assert ORIGIN in await LogTilesPostgres(archive.databases.pool).checkpoint(ORIGIN)
    for entry in entries:
        proof = Proof.from_text(await archive.reader.proof(entry.receipt))
        assert proof.extra is not None
        proof.verify(proof.extra, entry.receipt.log, [key])


async def test_the_state_of_the_logs(archive: Archive) -> None:
    """Each log tells how long it is and how much of it is signed."""
    await archive.signer.once()
    await archive.databases.log.append([an_ask(archive.anna, archive.kim)])

    (state,) = await archive.reader.logs(["korsbaek"])

    assert (state.origin, state.municipality, state.year, state.size, state.signed_size) == (
        ORIGIN, "korsbaek", 2019, 6, 5,
    )  # fmt: skip
    assert len(await archive.reader.logs()) == 2


async def test_a_log_that_was_changed_is_not_signed(archive: Archive, superuser: "asyncpg.Connection[Any]") -> None:
    """A log whose rows no longer make its head stays unsigned and is named; the other is signed all the same."""
    flipped = "set_byte(leaf, 30, get_byte(leaf, 30) # 1)"
    await superuser.execute(f"UPDATE log.entry SET leaf = {flipped} WHERE tenant = 'korsbaek' AND idx = 2")

    assert await archive.signer.once() == WRONG
    assert set(archive.signer.wrong) == {f"log {ORIGIN}"}

    signed = {state.municipality: state.signed_size for state in await archive.reader.logs()}
    assert signed == {"korsbaek": 0, "oestby": 1}


async def test_no_reader_is_given_the_question_kept_for_replay(archive: Archive) -> None:
    """It tells of others than the entry's subject: neither they nor an overseer are given it, by any way of reading."""
    kept = an_outcome(archive.anna, archive.kim, question_packed=packed(b'{"giver":"h-bo"}'))
    (receipt,) = await archive.databases.log.append([kept])
    reader = archive.reader
    read = [
        *(await reader.of_subject(archive.anna)).entries,
        *(await reader.search(["korsbaek"], LogFilter(citizen=archive.anna))).entries,
        await reader.entry(receipt, municipalities=["korsbaek"]),
        await reader.entry(receipt, subject=archive.anna),
    ]

    assert {entry.state for entry in read} == {"intact"}
    assert sum(entry.receipt == receipt and entry.body is not None for entry in read) == 3
    assert all("question_packed" not in (entry.body or {}) and "question_packed" not in entry.index for entry in read)
