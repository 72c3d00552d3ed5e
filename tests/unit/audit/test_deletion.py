"""Deletion on record: what an entry says was deleted may be gone, and nothing else; proofs hold all the same."""

from __future__ import annotations

from typing import Any, TypeAlias

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import note, postgres
from audit.deletion import MEMBER, Deleted, Deletion, open_deletion, read_text, spans_of, without
from audit.errors import Malformed, NotVerified
from audit.note import SigningKey
from audit.prove import prove
from audit.verify import Report
from audit.verify_postgres import verify_logs
from tests.signing import own_checkpointer, sign_and_publish
from tests.unit.audit.sealed import ORIGIN, OTHER, an_entry, new

LOG_KEY = SigningKey.generate(ORIGIN)
KEY, STOLEN = (SigningKey.generate("log.example/deletions") for _ in range(2))
Superuser: TypeAlias = "asyncpg.Connection[Any]"

WIDENED = (
    "UPDATE log.index SET fields = replace(fields::text, '9-9', '7-9')::jsonb,"
    " index_bytes = replace(index_bytes, '9-9', '7-9') WHERE idx = 12;"
    " DELETE FROM log.body WHERE idx = 7; DELETE FROM log.index WHERE idx = 7"
)
places = st.sets(st.integers(0, 60))


@pytest.fixture
async def filled(dsn: str, superuser: Superuser) -> Superuser:
    """Fill a log with twelve entries and sign it."""
    await postgres.append(superuser, [new(number) for number in range(12)])
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        await sign_and_publish(own_checkpointer(pool, LOG_KEY), ORIGIN)
    return superuser


async def state(
    connection: Superuser, *spans: tuple[int, int], number: int = 100, origin: str = ORIGIN, key: SigningKey = KEY
) -> bytes:
    """Append an entry that says what is deleted; give its id."""
    signed = Deletion(origin, spans).signed_by(key)
    sealed = an_entry(number, index={"kind": "gone", MEMBER: signed})
    await postgres.append(connection, [postgres.NewEntry(ORIGIN, sealed)])
    return sealed.eid


async def check(connection: Superuser) -> Report:
    """Verify the log with both keys."""
    (report,) = await verify_logs(connection, origin=ORIGIN, keys=[LOG_KEY.verify_key], deletion_keys=[KEY.verify_key])
    return report


async def test_what_is_deleted_on_record_is_no_fault(filled: Superuser) -> None:
    """Bodies and index rows go, leaves stay; the log is intact, says under which entry, and every proof still holds."""
    head = await postgres.head(filled, ORIGIN)
    gone = await postgres.delete(filled, await state(filled, (2, 4), (9, 9)))

    report = await check(filled)
    assert (gone, report.faults, report.deleted) == (4, (), (Deleted(12, ((2, 4), (9, 9))),))
    assert str(report.deleted[0]) == "4 lawfully deleted under entry 12 (2 to 4, 9)"
    for index in range(12):
        proof = await prove(filled, ORIGIN, index)
        stored = await postgres.entry(filled, head.log_id, index)
        assert stored is not None
        assert proof.verify(stored.leaf, ORIGIN, [LOG_KEY.verify_key]).root == head.root
        assert (stored.sealed() is None) == (index in (2, 3, 4, 9))


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("DELETE FROM log.body WHERE idx = 7", ["entry 7: body row is missing"]),
        ("DELETE FROM log.index WHERE idx = 7", ["entry 7: index row is missing"]),
        (
            "DELETE FROM log.body WHERE idx IN (6, 7); DELETE FROM log.index WHERE idx IN (6, 7)",
            ["entries 6 to 7: body and index row are missing"],
        ),
        (
            "DELETE FROM log.body WHERE idx = 12; DELETE FROM log.index WHERE idx = 12",
            [
                "entries 2 to 4: body and index row are missing",
                "entry 9: body and index row are missing",
                "entry 12: body and index row are missing",
            ],
        ),
        (
            WIDENED,
            [
                "entries 2 to 4: body and index row are missing",
                "entry 7: body and index row are missing",
                "entry 9: body and index row are missing",
                "entry 12: index row does not match its commitment",
            ],
        ),
    ],
    ids=["a body", "an index row", "two entries", "the record itself", "the record widened"],
)
async def test_what_goes_beside_the_record_is_named(filled: Superuser, statement: str, faults: list[str]) -> None:
    """Lawful deletion is no cover: what else is gone is named, and a record that was touched accounts for nothing."""
    await postgres.delete(filled, await state(filled, (2, 4), (9, 9)))
    await filled.execute(statement)

    assert [str(fault) for fault in (await check(filled)).faults] == faults


async def test_an_entry_that_nobody_signed_accounts_for_nothing(filled: Superuser) -> None:
    """Whoever may write everything to the database, but has no key, does not pass a deletion off as a lawful one."""
    await postgres.delete(filled, await state(filled, (2, 4), key=STOLEN))

    assert [str(fault) for fault in (await check(filled)).faults] == [
        "entries 2 to 4: body and index row are missing",
        "entry 12: its statement of deletion does not count: no known key has signed this note",
    ]


async def test_a_statement_of_another_log_accounts_for_nothing(filled: Superuser) -> None:
    """A statement that was signed for one municipality's log deletes nothing in another's, and covers nothing there."""
    borrowed = await state(filled, (2, 4), origin=OTHER)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await postgres.delete(filled, borrowed)
    await filled.execute("DELETE FROM log.body WHERE idx = 3; DELETE FROM log.index WHERE idx = 3")

    assert refused.value.sqlstate == "LG005"
    assert [str(fault) for fault in (await check(filled)).faults] == [
        "entry 3: body and index row are missing",
        "entry 12: its statement of deletion does not count: the statement is about another log",
    ]


async def test_a_statement_reaches_only_what_was_there_before_it(filled: Superuser) -> None:
    """Nobody keeps a licence for what will be written later."""
    await postgres.delete(filled, await state(filled, (2, 12)))

    report = await check(filled)
    assert "entry 12: its statement of deletion reaches beyond itself" in map(str, report.faults)


async def test_an_entry_that_says_what_is_deleted_is_never_deleted(filled: Superuser) -> None:
    """A later statement over an earlier one leaves the earlier one, and what it accounts for, as they are."""
    await postgres.delete(filled, await state(filled, (2, 4)))
    await postgres.delete(filled, await state(filled, (0, 12), number=101))

    report = await check(filled)
    assert (report.faults, report.deleted) == ((), (Deleted(12, ((2, 4),)), Deleted(13, ((0, 11),))))


async def test_what_comes_back_from_an_old_backup_is_named(filled: Superuser) -> None:
    """Deleted content that is there again is no lawful state: it is told, by entry."""
    await filled.execute("CREATE TABLE kept AS SELECT * FROM log.body WHERE idx = 3")
    await postgres.delete(filled, await state(filled, (2, 4)))
    await filled.execute("INSERT INTO log.body SELECT * FROM kept")

    assert [str(fault) for fault in (await check(filled)).faults] == [
        "entry 3: index row is missing",
        "entry 3: was deleted on record and is there again",
    ]


async def test_nobody_deletes_without_a_record(dsn: str, filled: Superuser) -> None:
    """The application may not delete at all; the eraser only by an entry that says so, and never by hand."""
    eid = await state(filled, (2, 4))
    for role, id_, refused in (
        (postgres.APPLICATION_ROLE, eid, asyncpg.InsufficientPrivilegeError),
        (postgres.CHECKPOINTER_ROLE, eid, asyncpg.InsufficientPrivilegeError),
        (postgres.ERASER_ROLE, an_entry(5).eid, asyncpg.PostgresError),
        (postgres.ERASER_ROLE, b"nobody's entry id", asyncpg.PostgresError),
    ):
        await filled.execute(f"SET ROLE {role}")
        with pytest.raises(refused):
            await postgres.delete(filled, id_)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await filled.execute("DELETE FROM log.body")
        await filled.execute("RESET ROLE")
    await filled.execute(f"SET ROLE {postgres.ERASER_ROLE}")
    assert await postgres.delete(filled, eid) == 3
    assert await postgres.delete(filled, eid) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\ndeleted\n",
        "log\n1\n0-1\n",
        "log\ndeleted\n1-0\n",
        "log\ndeleted\n0-1\n2-3\n",
        "log\ndeleted\n4-5\n0-1\n",
        "log\ndeleted\n01-1\n",
        "log\ndeleted\n-1-1\n",
        "log\ndeleted\n1\n",
        "log\ndeleted\n0-1",
        "log\ndeleted\n0-99999999999999999999\n",
        "log\ndeleted\n0-" + str(2**53) + "\n",
        "log\ndeleted\n" + "".join(f"{n}-{n}\n" for n in range(0, 5000, 2)),
    ],
)
def test_a_statement_is_written_in_one_way(text: str) -> None:
    """What is not exactly what we write is no statement."""
    with pytest.raises(Malformed):
        read_text(text)


def test_a_statement_comes_back_as_it_was_signed() -> None:
    """The places of a statement survive the note; another key's signature and a checkpoint's text do not pass."""
    deletion = Deletion.of(ORIGIN, [9, 2, 3, 4, 3])

    assert (deletion.spans, deletion.count) == (((2, 4), (9, 9)), 4)
    assert open_deletion(deletion.signed_by(KEY), ORIGIN, [KEY.verify_key]) == deletion
    with pytest.raises(NotVerified):
        open_deletion(deletion.signed_by(STOLEN), ORIGIN, [KEY.verify_key])
    with pytest.raises(Malformed):
        open_deletion(note.sign(f"{ORIGIN}\n12\nroot\n", [KEY]), ORIGIN, [KEY.verify_key])


@given(places, places)
def test_taking_places_away_is_taking_sets_away(some: set[int], taken: set[int]) -> None:
    """Rows of entries are subtracted as the sets of their places are."""
    assert without(spans_of(some), spans_of(taken)) == spans_of(some - taken)
