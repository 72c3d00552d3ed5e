"""A log to bend: made once, copied for each case; what villains do to it, and who notices.

The log of ORIGIN holds entries 0 to 19, signed at 6, 14 and 20, and 20 to 23, which have just come; OTHER's lies beside
it. The checkpointer has run since entry 6 and remembers.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from ruamel.yaml import YAML

from audit import postgres
from audit.checkpoint import Checkpoint
from audit.checkpointer import Checkpointer
from audit.commitment import Party, check_rows
from audit.deletion import MEMBER, Deletion
from audit.errors import LogError
from audit.map_committer import MapCommitter
from audit.merkle import Frontier, leaf_hash
from audit.note import SigningKey
from audit.postgres import NewEntry
from audit.prove import prove
from audit.verify_map import verify_maps
from audit.verify_postgres import stray_rows, verify_logs
from demo.postgres import PrivatePostgres
from tests.signing import own_checkpointer, sign_and_publish
from tests.unit.audit.sealed import ORIGIN, OTHER, an_entry, laid, mapped

CASES = YAML(typ="safe").load(Path(__file__).with_name("bent_log.yaml"))
KEY, STRANGER = SigningKey.generate(ORIGIN), SigningKey.generate(ORIGIN)
KEY_OF_OTHER = SigningKey.generate(OTHER)
ERASER = SigningKey.generate("log.example/deletions")
SIGNED, SIZE = (6, 14, 20), 24
# What a superuser keeps at hand: a bit turned over, whole entries gone or moved.
TOOLS = """
CREATE FUNCTION public.flip(bytea, integer) RETURNS bytea LANGUAGE sql AS
    $$ SELECT set_byte($1, $2, get_byte($1, $2) # 1) $$;
CREATE FUNCTION public.drop_entries(low bigint, high bigint) RETURNS void LANGUAGE sql AS $$
    DELETE FROM log.entry WHERE log_id = 1 AND idx BETWEEN low AND high;
    DELETE FROM log.body WHERE log_id = 1 AND idx BETWEEN low AND high;
    DELETE FROM log.index WHERE log_id = 1 AND idx BETWEEN low AND high $$;
CREATE FUNCTION public.swap_entries(one bigint, two bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['entry', 'body', 'index'] LOOP
        EXECUTE format('UPDATE log.%I SET idx = -2 - (one_ + two_ - idx) FROM (SELECT $1 AS one_, $2 AS two_) AS x'
            ' WHERE log_id = 1 AND idx IN (one_, two_)', name) USING one, two;
        EXECUTE format('UPDATE log.%I SET idx = -2 - idx WHERE log_id = 1 AND idx < -1', name);
    END LOOP;
END $$;
"""


def entry(number: int, origin: str = ORIGIN) -> NewEntry:
    """Make an entry about a citizen of its own."""
    about = Party(f"citizen-{number:03}".encode(), bytes([number % 251]) * 32)
    return NewEntry(origin, an_entry(number, subject=about, body=f"body {origin} {number}".encode()))


# Sealed once: copies of the log that run on apart begin with the same entries.
ENTRIES = [entry(number) for number in range(SIZE)]
OTHERS = [entry(1000 + number, OTHER) for number in range(5)]


@dataclass
class Bent:
    """One copy of the log, the checkpointer that signs it, and the superuser."""

    server: PrivatePostgres
    database: str
    pool: asyncpg.Pool[Any]
    superuser: asyncpg.Connection[Any]
    checkpointer: Checkpointer
    kept: str = ""
    said: list[str] = field(default_factory=list)

    async def noticed_by(self) -> set[str]:
        """Let everybody look, and name who notices; what they say is in `said`."""
        self.said.clear()
        layers: dict[str, Callable[[], Awaitable[list[str]]]] = {
            "checkpointer": self._sign,
            "reader": self._read,
            "keeper": self._compare,
            "verify": self._verify,
        }
        found = set()
        # The checkpointer last: it may write.
        for name in ("reader", "keeper", "verify", "checkpointer"):
            if said := await layers[name]():
                found.add(name)
                self.said += said
        return found

    async def _sign(self) -> list[str]:
        try:
            await sign_and_publish(self.checkpointer, ORIGIN)
        except LogError as error:
            return [str(error)]
        return []

    async def _read(self) -> list[str]:
        """Read every entry there is a receipt of, with its proof where it is signed, as citizens and overseers do."""
        said = []
        for number in range(SIZE):
            try:
                head = await postgres.head(self.superuser, ORIGIN)
                stored = await postgres.entry(self.superuser, head.log_id, number)
                if stored is None or (whole := stored.sealed()) is None:
                    said.append(f"entry {number} cannot be read")
                    continue
                check_rows(whole)
                if number < SIGNED[-1]:
                    proof = await prove(self.superuser, ORIGIN, number)
                    proof.verify(whole.leaf, ORIGIN, [KEY.verify_key])
            except (LogError, ValueError) as error:
                said.append(str(error))
        return said

    async def _compare(self) -> list[str]:
        """Compare with the checkpoint of 20 entries that somebody kept."""
        try:
            keys = [KEY.verify_key]
            (without,) = await verify_logs(self.superuser, origin=ORIGIN, keys=keys)
            (report,) = await verify_logs(self.superuser, origin=ORIGIN, keys=keys, kept_elsewhere=[self.kept])
        except LogError as error:
            return [str(error)]
        return list((Counter(map(str, report.faults)) - Counter(map(str, without.faults))).elements())

    async def _verify(self) -> list[str]:
        """Check all that lies in the database, its fences too."""
        said = [f"{table}: rows of a log that has no head" for table in await stray_rows(self.superuser)]
        keys = {ORIGIN: KEY.verify_key, OTHER: KEY_OF_OTHER.verify_key}
        reports = await verify_logs(self.superuser, keys=[*keys.values()], deletion_keys=[ERASER.verify_key])
        if not any(report.origin == ORIGIN for report in reports):
            said.append("there is no log of that origin")
        return said + [str(fault) for report in reports if report.origin == ORIGIN for fault in report.faults]


# What a house searches its log by, which lawful deferral needs.
COLUMNS = (
    "ALTER TABLE log.index ADD COLUMN at bigint GENERATED ALWAYS AS ((fields ->> 'at')::bigint) STORED",
    *(
        f"ALTER TABLE log.index ADD COLUMN {name} text GENERATED ALWAYS AS (fields ->> '{name}') STORED"
        for name in ("kind", "citizen", "unit")
    ),
)


async def make_mapped(server: PrivatePostgres) -> str:
    """Make a database with a log of three epochs of a map, about two people; give its name."""
    name = f"mapped_{secrets.token_hex(4)}"
    dsn = server.create_database(name)
    connection = await asyncpg.connect(dsn)
    for statement in (*laid(), *COLUMNS, *postgres.schema_statements(script="deferral.sql")):
        await connection.execute(statement)
    await postgres.open_log(connection, ORIGIN, "0101", 2026)
    anna, bo = Party(b"anna", b"a" * 32), Party(b"bo", b"b" * 32)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        for first in (0, 10, 20):
            owners = (anna, bo, anna)
            await postgres.append(connection, [mapped(first + n, owner) for n, owner in enumerate(owners)])
            await postgres.append(connection, [NewEntry(ORIGIN, an_entry(first + 5))])
            await MapCommitter(pool, epoch_seconds=0).run_once(ORIGIN)
    await connection.close()
    return name


async def make_noded(server: PrivatePostgres) -> str:
    """Make a database with a signed log of more than two tiles, whose subtrees have their roots kept; give its name."""
    name = f"noded_{secrets.token_hex(4)}"
    dsn = server.create_database(name)
    connection = await asyncpg.connect(dsn)
    for statement in laid():
        await connection.execute(statement)
    await postgres.open_log(connection, ORIGIN, "0101", 2026)
    await postgres.append(connection, [NewEntry(ORIGIN, an_entry(number)) for number in range(600)])
    await connection.close()
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        await sign_and_publish(own_checkpointer(pool, KEY), ORIGIN)
    return name


async def noticed_of_nodes(dsn: str, statement: str) -> tuple[set[str], list[str]]:
    """Do something to such a log as its superuser; give who notices, and what they say."""
    connection = await asyncpg.connect(dsn)
    said: dict[str, list[str]] = {"reader": []}
    try:
        await connection.execute(statement)
        (report,) = await verify_logs(connection, origin=ORIGIN, keys=[KEY.verify_key])
        said["verify"] = [str(fault) for fault in report.faults]
        # One that is proved by the roots of both other tiles, and one by that of the first.
        for number in (300, 599):
            try:
                proof = await prove(connection, ORIGIN, number)
                proof.verify(proof.extra or b"", ORIGIN, [KEY.verify_key])
            except LogError as error:
                said["reader"].append(str(error))
    finally:
        await connection.close()
    return {name for name, faults in said.items() if faults}, [fault for faults in said.values() for fault in faults]


async def noticed_of_a_map(dsn: str, statement: str) -> tuple[set[str], list[str]]:
    """Do something to a mapped log as its superuser; give who notices, and what they say."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
        (report,) = await verify_logs(connection, origin=ORIGIN)
        said = {
            "verify": [str(fault) for fault in report.faults],
            "map": [str(fault) for fault in (await verify_maps(connection, ORIGIN))[ORIGIN]],
        }
    finally:
        await connection.close()
    return {name for name, faults in said.items() if faults}, [fault for faults in said.values() for fault in faults]


async def _append(connection: postgres.Connection, low: int, high: int) -> None:
    await postgres.append(connection, ENTRIES[low:high])


async def make_template(server: PrivatePostgres) -> dict[int, str]:
    """Make a database at each state the log has been in, by its size; 20 is the one to bend."""
    database = f"bent_{secrets.token_hex(4)}"
    made = {0: database}
    dsn = server.create_database(database)
    connection = await asyncpg.connect(dsn)
    for statement in laid():
        await connection.execute(statement)
    await connection.execute(TOOLS)
    await postgres.open_log(connection, ORIGIN, "0101", 2026)
    await postgres.open_log(connection, OTHER, "0147", 2026)
    await postgres.append(connection, OTHERS)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        await sign_and_publish(own_checkpointer(pool, KEY_OF_OTHER), OTHER)
    await connection.close()
    low = 0
    for size in (*SIGNED[:-1], SIGNED[-1] - 1, SIGNED[-1]):
        made[size] = f"{database}_{size}"
        server.query(f'CREATE DATABASE "{made[size]}" TEMPLATE "{made[low]}"')
        async with asyncpg.create_pool(server.dsn(made[size]), min_size=1, max_size=1) as pool:
            async with pool.acquire() as connection_:
                await _append(connection_, low, size)
            await sign_and_publish(own_checkpointer(pool, KEY), ORIGIN)
        low = size
    return made


@asynccontextmanager
async def copy_of(server: PrivatePostgres, template: str) -> AsyncIterator[str]:
    """Give the name of a copy of a database, for a while."""
    name = f"copy_{secrets.token_hex(6)}"
    server.query(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield name
    finally:
        server.query(f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def a_log_to_bend(server: PrivatePostgres, made: dict[int, str]) -> AsyncIterator[Bent]:
    """Give a log as it stands while the house runs: signed at 20, four entries newer."""
    async with copy_of(server, made[SIGNED[-1]]) as name:
        pool = await asyncpg.create_pool(server.dsn(name), min_size=1, max_size=2)
        superuser = await asyncpg.connect(server.dsn(name))
        bent = Bent(server, name, pool, superuser, own_checkpointer(pool, KEY))
        bent.kept = await sign_and_publish(bent.checkpointer, ORIGIN)
        await _append(superuser, SIGNED[-1], SIZE)
        try:
            yield bent
        finally:
            pool.terminate()
            await bent.superuser.close()


# What villains do that takes more than a line of SQL.


async def slip_in(bent: Bent, made: dict[int, str]) -> None:
    """Put a whole entry behind the last one, past the append."""
    await _place(bent.superuser, SIZE, entry(500))


async def slip_in_between(bent: Bent, made: dict[int, str]) -> None:
    """Put a whole entry before the tenth, move the others, and make the head anew."""
    for table in ("entry", "body", "index"):
        await bent.superuser.execute(f"UPDATE log.{table} SET idx = -idx - 2 WHERE log_id = 1 AND idx >= 9")
        await bent.superuser.execute(f"UPDATE log.{table} SET idx = -idx - 1 WHERE log_id = 1 AND idx < 0")
    await _place(bent.superuser, 9, entry(500))
    await _make_head_anew(bent, SIZE + 1)


async def rewrite(bent: Bent, made: dict[int, str]) -> None:
    """Replace an entry whole, and make the head anew."""
    await bent.superuser.execute("SELECT drop_entries(9, 9)")
    await _place(bent.superuser, 9, entry(500))
    await _make_head_anew(bent, SIZE)


async def rewrite_without_record(bent: Bent, made: dict[int, str]) -> None:
    """The same, and nothing left of what was signed."""
    await rewrite(bent, made)
    await bent.superuser.execute("DELETE FROM log.checkpoint WHERE log_id = 1")


async def rewrite_and_sign(bent: Bent, made: dict[int, str]) -> None:
    """The same, and every checkpoint signed anew with the log's own key."""
    await rewrite(bent, made)
    await _sign_anew(bent)


async def cut_back(bent: Bent, made: dict[int, str]) -> None:
    """Cut the log back to fourteen entries, head and record with it."""
    await bent.superuser.execute("SELECT drop_entries(14, 23)")
    await bent.superuser.execute("DELETE FROM log.checkpoint WHERE log_id = 1 AND size > 14")
    await _make_head_anew(bent, 14)


async def strip_signature(bent: Bent, made: dict[int, str]) -> None:
    """Leave the checkpoint's text, and nothing under it."""
    text = bent.kept.partition("\n\n")[0]
    await _replace_note(bent, text + "\n\n")


async def sign_with_another_key(bent: Bent, made: dict[int, str]) -> None:
    """Sign the same checkpoint with a key of the same name that is not the log's."""
    text = bent.kept.partition("\n\n")[0] + "\n"
    await _replace_note(bent, Checkpoint.from_text(text).signed_by(STRANGER))


async def restore_a_little(bent: Bent, made: dict[int, str]) -> None:
    """Put the database back to when it had one signed entry less."""
    await _show_instead(bent, made[SIGNED[-1] - 1])


async def restore_more(bent: Bent, made: dict[int, str]) -> None:
    """Put the database back to its first checkpoint."""
    await _show_instead(bent, made[SIGNED[0]])


async def restore_all(bent: Bent, made: dict[int, str]) -> None:
    """Put the database back to when the log had been opened."""
    await _show_instead(bent, made[0])


async def fork(bent: Bent, made: dict[int, str]) -> None:
    """Show a copy that parted at fourteen entries, grew otherwise, and was signed with the log's own key."""
    await _show_instead(bent, made[14])
    await postgres.append(bent.superuser, [entry(600 + number) for number in range(10)])
    async with asyncpg.create_pool(bent.server.dsn(bent.database), min_size=1, max_size=1) as pool:
        await sign_and_publish(own_checkpointer(pool, KEY), ORIGIN)


async def delete_unsigned(bent: Bent, made: dict[int, str]) -> None:
    """Delete an entry's content, and say on the log that this was lawful, signed by nobody."""
    await _say_deleted(bent, Deletion(ORIGIN, ((9, 9),)).signed_by(ERASER).partition("\n\n")[0] + "\n\n")


async def delete_by_a_stranger(bent: Bent, made: dict[int, str]) -> None:
    """The same, signed by a key that nobody knows."""
    await _say_deleted(bent, Deletion(ORIGIN, ((9, 9),)).signed_by(STRANGER))


async def delete_by_another_word(bent: Bent, made: dict[int, str]) -> None:
    """The same, with a word rightly signed for the entry before."""
    await _say_deleted(bent, Deletion(ORIGIN, ((8, 8),)).signed_by(ERASER))


async def delete_and_slip_in_a_word(bent: Bent, made: dict[int, str]) -> None:
    """The same by a stranger's word that never went through the append, with the head made anew."""
    word = Deletion(ORIGIN, ((9, 9),)).signed_by(STRANGER)
    await _place(bent.superuser, SIZE, NewEntry(ORIGIN, an_entry(700, index={"kind": "gone", MEMBER: word})))
    await _make_head_anew(bent, SIZE + 1)
    await bent.superuser.execute("DELETE FROM log.body WHERE idx = 9; DELETE FROM log.index WHERE idx = 9")


async def delete_by_the_function(bent: Bent, made: dict[int, str]) -> None:
    """Let the log's own function delete what a word names that was appended by whoever rules the database."""
    word = Deletion(ORIGIN, ((9, 9),)).signed_by(STRANGER)
    said = NewEntry(ORIGIN, an_entry(700, index={"kind": "gone", MEMBER: word}))
    await postgres.append(bent.superuser, [said])
    assert await postgres.delete(bent.superuser, said.sealed.eid) == 1


async def _say_deleted(bent: Bent, word: str) -> None:
    said = NewEntry(ORIGIN, an_entry(700, index={"kind": "gone", MEMBER: word}))
    await postgres.append(bent.superuser, [said])
    for table in ("body", "index"):
        await bent.superuser.execute(f"DELETE FROM log.{table} WHERE log_id = 1 AND idx = 9")


async def _place(connection: asyncpg.Connection[Any], index: int, given: NewEntry) -> None:
    """Write an entry's rows under an index, past the append."""
    one = given.sealed
    await connection.execute(
        "INSERT INTO log.entry (log_id, idx, tenant, eid, leaf, leaf_hash) VALUES (1, $1, '0101', $2, $3, $4)",
        index, one.eid, one.leaf, leaf_hash(one.leaf),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO log.body (log_id, idx, tenant, ciphertext, body_salt) VALUES (1, $1, '0101', $2, $3)",
        index, one.ciphertext, one.body_salt,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO log.index (log_id, idx, tenant, index_bytes, fields, body_digest)"
        " VALUES (1, $1, '0101', $2, $2::text::jsonb, sha256($3::bytea || $4::bytea))",
        index, one.index_bytes.decode(), one.body_salt, one.ciphertext,
    )  # fmt: skip


async def _tree(bent: Bent, size: int) -> Frontier:
    return Frontier().extend(leaf_hash(leaf) for leaf in await postgres.leaves(bent.superuser, 1, 0, size))


async def _make_head_anew(bent: Bent, size: int) -> None:
    tree = await _tree(bent, size)
    statement = "UPDATE log.head SET size = $1, root = $2, frontier = $3 WHERE id = 1"
    await bent.superuser.execute(statement, size, tree.root(), tree.to_bytes())


async def _sign_anew(bent: Bent) -> None:
    for row in await bent.superuser.fetch("SELECT size FROM log.checkpoint WHERE log_id = 1"):
        size = row["size"]
        tree = await _tree(bent, size)
        note = Checkpoint(ORIGIN, size, tree.root()).signed_by(KEY)
        statement = "UPDATE log.checkpoint SET root = $2, frontier = $3, note = $4 WHERE log_id = 1 AND size = $1"
        await bent.superuser.execute(statement, size, tree.root(), tree.to_bytes(), note)


async def _replace_note(bent: Bent, note: str) -> None:
    await bent.superuser.execute("UPDATE log.checkpoint SET note = $1 WHERE log_id = 1 AND size = 20", note)


async def _show_instead(bent: Bent, template: str) -> None:
    """Put another database in this one's place, as a restored backup stands where the lost one stood."""
    await bent.superuser.close()
    bent.server.query(f'DROP DATABASE "{bent.database}" WITH (FORCE)')
    bent.server.query(f'CREATE DATABASE "{bent.database}" TEMPLATE "{template}"')
    bent.superuser = await asyncpg.connect(bent.server.dsn(bent.database))
    await bent.pool.expire_connections()
