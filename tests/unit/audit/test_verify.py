"""Tampering by the superuser: whatever is changed, `verify` says so and names it."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit import faults, postgres, verify, verify_command
from audit.__main__ import main
from audit.checkpoint import Checkpoint
from audit.commitment import body_commitment
from audit.entry import Leaf
from audit.export import export_log, verify_export
from audit.merkle import Frontier, leaf_hash
from audit.note import SigningKey
from audit.prove import prove
from audit.tiles import bundle, read_bundle
from audit.verify import Claim, LogCheck, Report, Row, SignedClaim
from audit.verify_postgres import stray_rows, verify_logs
from tests.signing import signing
from tests.unit.audit.sealed import ORIGIN, an_entry, new

KEY = SigningKey.generate(ORIGIN)


@pytest.fixture
async def signed(dsn: str, superuser: "asyncpg.Connection[Any]", tmp_path: Path) -> "asyncpg.Connection[Any]":
    """Fill a log with twenty entries, signed at 5, 12 and 20."""
    async with signing(dsn, KEY, tmp_path / "signer") as rounds:
        for start, stop in ((0, 5), (5, 12), (12, 20)):
            await postgres.append(superuser, [new(number) for number in range(start, stop)])
            await rounds._publisher.publish(await rounds._checkpointer.run_once(ORIGIN))
    return superuser


async def check(connection: "asyncpg.Connection[Any]", *, keys: bool = True) -> Report:
    """Verify the one log."""
    (report,) = await verify_logs(connection, origin=ORIGIN, keys=[KEY.verify_key] if keys else [])
    return report


async def test_an_untouched_log_is_intact(signed: "asyncpg.Connection[Any]") -> None:
    """Twenty entries and three checkpoints: no fault, with and without the key."""
    for keys in (True, False):
        report = await check(signed, keys=keys)
        assert report.faults == ()
        assert (report.size, report.signed_size, report.signatures_checked) == (20, 20, keys)


async def test_checkpoints_are_read_by_pages_and_each_is_compared(
    signed: "asyncpg.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pages of two, the check of a log signed at each size holds few at a time, and still misses none of them."""
    hashes = [leaf_hash(leaf) for leaf in await postgres.leaves(signed, 1, 0, 20)]
    for size in range(21):
        tree = Frontier().extend(hashes[:size])
        await signed.execute(
            "INSERT INTO log.checkpoint SELECT 1, $1::bigint, '0101', $2, $3, $4, now() ON CONFLICT DO NOTHING",
            size, tree.root(), tree.to_bytes(), Checkpoint(ORIGIN, size, tree.root()).signed_by(KEY),
        )  # fmt: skip
    most, signed_as_ever = [0], LogCheck.signed

    def counted(check: LogCheck, claimed: SignedClaim) -> None:
        signed_as_ever(check, claimed)
        most.append(sum(map(len, check._waiting.values())))

    monkeypatch.setattr(postgres, "PAGE", 2)
    monkeypatch.setattr(LogCheck, "signed", counted)
    assert [one.size async for one in postgres.checkpoints(signed, 1)] == list(range(21))
    assert (await check(signed)).faults == ()
    assert max(most) == 1
    for size in (0, 1, 7, 20):
        forged = Checkpoint(ORIGIN, size, b"f" * 32).signed_by(KEY)
        await signed.execute(
            "UPDATE log.checkpoint SET root = $2, note = $3 WHERE size = $1 AND log_id = 1", size, b"f" * 32, forged
        )
    assert [str(fault) for fault in (await check(signed)).faults] == [
        "checkpoint 0: is not the head of a log without entries",
        "checkpoint 1: entries 0 to 0 are not those that were signed",
        "checkpoint 7: entries 6 to 6 are not those that were signed",
        "checkpoint 20: entries 19 to 19 are not those that were signed",
    ]


async def test_an_index_row_that_is_no_object_does_not_stop_the_check(signed: "asyncpg.Connection[Any]") -> None:
    """Whoever may append may append anything; what is committed to is no fault, and is no statement of deletion."""
    row, whole = b'[{"deleted":"all"}]', an_entry(99)
    leaf = replace(Leaf.from_bytes(whole.leaf), body=body_commitment(whole.body_salt, row, whole.ciphertext))
    entry = replace(whole, leaf=leaf.to_bytes(), index_bytes=row)
    await postgres.append(signed, [postgres.NewEntry(ORIGIN, entry)])
    assert (await check(signed)).faults == ()


FLIP = "set_byte({0}, {1}, get_byte({0}, {1}) # 1)"
SLIPPED_IN = (
    "ALTER TABLE log.entry DROP CONSTRAINT entry_check; INSERT INTO log.entry"
    " SELECT log_id, 20, tenant, 'e', overlay(leaf placing 'e'::bytea from 4 for 16), leaf_hash"
    " FROM log.entry WHERE idx = 3"
)
TAMPERING = [
    (
        "a body",
        "UPDATE log.body SET ciphertext = " + FLIP.format("ciphertext", 20) + " WHERE idx = 7",
        ["entry 7: body does not match its commitment"],
    ),
    (
        "a salt",
        "UPDATE log.body SET body_salt = " + FLIP.format("body_salt", 0) + " WHERE idx = 7",
        ["entry 7: body does not match its commitment"],
    ),
    (
        "an index row, both forms",
        'UPDATE log.index SET index_bytes = \'{"kind":"x"}\', fields = \'{"kind":"x"}\' WHERE idx = 7',
        ["entry 7: index row does not match its commitment"],
    ),
    (
        "what is searched",
        'UPDATE log.index SET fields = fields || \'{"kind":"x"}\' WHERE idx = 7',
        ["entry 7: index row does not match its commitment"],
    ),
    (
        "what is committed",
        "UPDATE log.index SET index_bytes = replace(index_bytes, 'ask', 'out') WHERE idx = 7",
        ["entry 7: index row does not match its commitment"],
    ),
    (
        "a body digest",
        "UPDATE log.index SET body_digest = ''::bytea WHERE idx = 7",
        ["entry 7: index row does not match its commitment"],
    ),
    (
        "a leaf",
        "UPDATE log.entry SET leaf = " + FLIP.format("leaf", 114) + " WHERE idx = 7",
        ["entry 7: leaf was changed"],
    ),
    (
        "a kind",
        "UPDATE log.entry SET leaf = " + FLIP.format("leaf", 2) + " WHERE idx = 0",
        ["entry 0: leaf was changed"],
    ),
    (
        "a leaf's hash",
        "UPDATE log.entry SET leaf_hash = " + FLIP.format("leaf_hash", 3) + " WHERE idx = 19",
        ["entry 19: recorded hash of the leaf was changed"],
    ),
    (
        "a leaf and its hash",
        "UPDATE log.entry SET leaf = x.leaf, leaf_hash = sha256('\\x00'::bytea || x.leaf) FROM"
        " (SELECT idx AS i, " + FLIP.format("leaf", 114) + " AS leaf FROM log.entry) x WHERE idx = 7 AND i = 7",
        [
            "head: root is not the root of the entries",
            "head: frontier is not the frontier of the entries",
            "checkpoint 12: entries 5 to 11 are not those that were signed",
            "checkpoint 20: entries 5 to 19 are not those that were signed",
        ],
    ),
    (
        "an id",
        "ALTER TABLE log.entry DROP CONSTRAINT entry_check; UPDATE log.entry SET eid = 'x' WHERE idx = 7",
        ["entry 7: id does not match its leaf"],
    ),
    (
        "a tenant",
        "UPDATE log.body SET tenant = '0999' WHERE idx = 7",
        ["entry 7: belongs to another tenant than its log"],
    ),
    (
        "a deleted entry",
        "DELETE FROM log.entry WHERE idx = 7",
        ["entry 7: row is missing, though its body or index row is there"],
    ),
    ("a deleted body", "DELETE FROM log.body WHERE idx = 7", ["entry 7: body row is missing"]),
    ("a deleted index row", "DELETE FROM log.index WHERE idx = 7", ["entry 7: index row is missing"]),
    (
        "a deleted row, all of it",
        "DELETE FROM log.entry WHERE idx = 7; DELETE FROM log.body WHERE idx = 7; DELETE FROM log.index WHERE idx = 7",
        ["entry 7: row is missing"],
    ),
    (
        "a cut tail",
        "; ".join(f"DELETE FROM log.{table} WHERE idx >= 17" for table in ("entry", "body", "index")),
        ["entries 17 to 19: rows are missing"],
    ),
    (
        "a head's size",
        "UPDATE log.head SET size = 19 WHERE origin LIKE '%101%'",
        [
            "entry 19: is not counted by the head",
            "head: root is not the root of the entries",
            "head: frontier is not the frontier of the entries",
        ],
    ),
    (
        "a head's larger size",
        "UPDATE log.head SET size = 22 WHERE origin LIKE '%101%'",
        ["entries 20 to 21: rows are missing"],
    ),
    ("a head's root", "UPDATE log.head SET root = sha256('x')", ["head: root is not the root of the entries"]),
    (
        "a head's frontier",
        "UPDATE log.head SET frontier = frontier || frontier",
        ["head: frontier is not the frontier of the entries"],
    ),
    (
        "an entry slipped in",
        SLIPPED_IN,
        [
            "entry 20: is not counted by the head",
            "entry 20: leaf is not an entry",
            "entry 20: leaf and its recorded hash differ",
            "entry 20: body and index row are missing",
        ],
    ),
    (
        "a checkpoint's root",
        "UPDATE log.checkpoint SET root = sha256('x') WHERE size = 12",
        ["checkpoint 12: says something else than its signed note"],
    ),
    (
        "a checkpoint's frontier",
        "UPDATE log.checkpoint SET frontier = frontier || frontier WHERE size = 12",
        ["checkpoint 12: frontier is not the frontier of the entries"],
    ),
    (
        "a checkpoint's note",
        "UPDATE log.checkpoint SET note = replace(note, E'\\n12\\n', E'\\n13\\n') WHERE size = 12",
        ["checkpoint 12: a signature by a known key does not hold"],
    ),
    ("all checkpoints", "DELETE FROM log.checkpoint", ["checkpoint: none on record that is signed"]),
]


@pytest.mark.parametrize(("statement", "expected"), [row[1:] for row in TAMPERING], ids=[row[0] for row in TAMPERING])
async def test_tampering_is_named(signed: "asyncpg.Connection[Any]", statement: str, expected: list[str]) -> None:
    """Each single change is found, and the entry or head it hit is named, with nothing else accused."""
    await signed.execute(statement)
    report = await check(signed)
    assert [str(fault) for fault in report.faults] == expected


async def test_two_entries_swapped_are_named(signed: "asyncpg.Connection[Any]") -> None:
    """Two whole entries that change places do not give the signed root, though each is well-formed."""
    for table in ("entry", "body", "index"):
        await signed.execute(f"UPDATE log.{table} SET idx = CASE idx WHEN 3 THEN -4 ELSE -3 END WHERE idx IN (3, 4)")
        await signed.execute(f"UPDATE log.{table} SET idx = -idx WHERE idx < 0")
    report = await check(signed)
    assert "checkpoint 5: entries 0 to 4 are not those that were signed" in map(str, report.faults)


async def test_a_log_rewritten_whole_does_not_match_what_was_signed(signed: "asyncpg.Connection[Any]") -> None:
    """An entry replaced with everything recomputed, head included, is still found by the signed checkpoints."""
    forged = an_entry(7, index={"kind": "nothing to see"})
    await signed.execute(
        "UPDATE log.entry SET leaf = $1, leaf_hash = $2 WHERE idx = 7", forged.leaf, leaf_hash(forged.leaf)
    )
    await signed.execute(
        "UPDATE log.body SET ciphertext = $1, body_salt = $2 WHERE idx = 7", forged.ciphertext, forged.body_salt
    )
    await signed.execute(
        "UPDATE log.index SET index_bytes = $1, fields = $1::text::jsonb,"
        " body_digest = sha256($2::bytea || $3::bytea) WHERE idx = 7",
        forged.index_bytes.decode(),
        forged.body_salt,
        forged.ciphertext,
    )
    report = await check(signed)
    await signed.execute("UPDATE log.head SET root = $1 WHERE origin = $2", report.root, ORIGIN)
    faults = [str(fault) for fault in (await check(signed)).faults]
    assert "checkpoint 12: entries 5 to 11 are not those that were signed" in faults
    assert not any("head: root" in fault for fault in faults)


async def test_a_log_cut_back_is_found_by_a_checkpoint_kept_elsewhere(signed: "asyncpg.Connection[Any]") -> None:
    """Rows, head and checkpoints taken back together fool the database, but not who kept a checkpoint."""
    note = await signed.fetchval("SELECT note FROM log.checkpoint WHERE size = 20")
    (twelve,) = await signed.fetch("SELECT root, frontier FROM log.checkpoint WHERE size = 12")
    for table in ("entry", "body", "index"):
        await signed.execute(f"DELETE FROM log.{table} WHERE idx >= 12")
    await signed.execute("DELETE FROM log.checkpoint WHERE size = 20")
    await signed.execute(
        "UPDATE log.head SET size = 12, root = $1, frontier = $2 WHERE origin = $3",
        twelve["root"],
        twelve["frontier"],
        ORIGIN,
    )
    assert (await check(signed)).intact
    (report,) = await verify_logs(signed, origin=ORIGIN, keys=[KEY.verify_key], kept_elsewhere=[note])
    assert [str(fault) for fault in report.faults] == ["checkpoint 20: 20 entries were signed, only 12 are here"]


def bent(size: int) -> LogCheck:
    """Walk a log of which every entry is bent: no leaf is that of its hash, none is an entry, every second is empty."""
    check = LogCheck(Claim(ORIGIN, "korsbaek", size, b"x", b"x"), [], [KEY.verify_key])
    for number in range(size):
        body = (b"c", b"s", "{}", "{}", b"d") if number % 2 else (None, None, None, None, None)
        check.signed(SignedClaim(Checkpoint(ORIGIN, number + 1, b"r" * 32).signed_by(KEY), number + 1, b"r" * 32, b"f"))
        check.row(Row(number, frozenset({"korsbaek"}), b"e", b"leaf %d" % number, b"h", *body))
    return check


def test_a_log_bent_throughout_takes_no_more_to_tell_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault is counted, of each kind the first are named, and the brief report is as long for one as for many."""
    monkeypatch.setattr(faults, "MOST_KEPT", 3)
    monkeypatch.setattr(verify, "MOST_KEPT", 3)
    report = bent(400).finish()
    # Each entry: no leaf, another hash, not what was signed; every second: emptied by nobody; and the head's two.
    assert (report.found, report.intact) == (400 + 400 + 400 + 200 + 2, False)
    assert len(report.faults) == 3 + 3 + 3 + 3 + 2
    named = [str(fault) for fault in report.faults]
    assert "entry 0: leaf is not an entry" in named
    assert "entry 4: body and index row are missing" in named
    assert "head: root is not the root of the entries" in named


def test_heads_that_the_walk_never_comes_to_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log put back to nothing, of which any number of heads were signed: the first wait to be named, no more do."""
    monkeypatch.setattr(verify, "MOST_KEPT", 3)
    check = LogCheck(Claim(ORIGIN, "korsbaek", 0, Frontier().root(), b""), [], [KEY.verify_key])
    for size in range(1, 101):
        check.signed(SignedClaim(Checkpoint(ORIGIN, size, b"r" * 32).signed_by(KEY)))
    report = check.finish()
    assert (report.found, len(report.faults)) == (100, 3)


async def test_a_brief_report_has_an_end(
    signed: "asyncpg.Connection[Any]", dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It counts everything and names the first; a report for people says how many it does not name."""
    monkeypatch.setattr(verify_command, "MOST_IN_BRIEF", 4)
    monkeypatch.setattr(verify_command, "LONGEST_IN_BRIEF", 20)
    await signed.execute("UPDATE log.body SET ciphertext = 'x'")
    vkey = str(KEY.verify_key)
    wanted = ("verify", "--database", dsn, "--origin", ORIGIN, "--vkey", vkey)
    code, text = await asyncio.to_thread(run, capsys, *wanted, "--json", "--brief")
    (told,) = json.loads(text)["logs"]
    assert (code, told["intact"], told["found"], told["deleted"]) == (1, False, 20, 0)
    assert told["faults"] == [f"entry {n}: body does n" for n in range(4)]
    monkeypatch.setattr(faults, "MOST_KEPT", 2)
    code, text = await asyncio.to_thread(run, capsys, *wanted)
    assert (code, text.count("body does not match"), f"{ORIGIN}: and 18 faults more\n" in text) == (1, 2, True)


async def test_a_row_that_is_there_twice_is_named(signed: "asyncpg.Connection[Any]") -> None:
    """With the keys of the table dropped, a doubled entry is found by its id and its place."""
    await signed.execute("ALTER TABLE log.entry DROP CONSTRAINT entry_pkey, DROP CONSTRAINT entry_eid_key")
    await signed.execute("INSERT INTO log.entry SELECT * FROM log.entry WHERE idx = 3")
    faults = [str(fault) for fault in (await check(signed)).faults]
    assert faults == ["entry 3: is there more than once", "entry 3: has the id of entry 3"]


async def test_rows_of_a_log_without_head_are_named(signed: "asyncpg.Connection[Any]") -> None:
    """A deleted head leaves rows behind, and they are pointed out."""
    assert await stray_rows(signed) == []
    await signed.execute("DELETE FROM log.head WHERE origin = $1", ORIGIN)
    assert await stray_rows(signed) == ["entry", "body", "index", "checkpoint"]


async def test_an_export_is_checked_without_the_database(signed: "asyncpg.Connection[Any]", tmp_path: Path) -> None:
    """The exported folder is intact, and each changed, cut or missing file is named."""
    assert await export_log(signed, ORIGIN, tmp_path) == 20
    keys = [KEY.verify_key]
    assert verify_export(tmp_path, origin=ORIGIN, keys=keys).intact
    assert not verify_export(tmp_path, origin="another", keys=keys).intact
    assert not verify_export(tmp_path, keys=[SigningKey.generate(ORIGIN).verify_key]).intact
    entries, tile = tmp_path / "tile/entries/000.p/20", tmp_path / "tile/0/000.p/20"
    leaves, hashes = entries.read_bytes(), tile.read_bytes()

    tile.write_bytes(hashes[:40] + bytes([hashes[40] ^ 1]) + hashes[41:])
    assert [str(f) for f in verify_export(tmp_path, keys=keys).faults] == ["entry 1: does not match tile/0/000.p/20"]
    tile.write_bytes(hashes)
    changed = read_bundle(leaves)
    changed[6] = changed[6][:-1] + bytes([changed[6][-1] ^ 1])
    entries.write_bytes(bundle(changed))
    faults = [str(fault) for fault in verify_export(tmp_path, keys=keys).faults]
    assert faults == [
        "entry 6: does not match tile/0/000.p/20",
        "checkpoint: the entries are not those that were signed",
    ]
    entries.write_bytes(leaves[:-1])
    assert not verify_export(tmp_path, keys=keys).intact
    entries.write_bytes(bundle(read_bundle(leaves)[:-1]))
    assert not verify_export(tmp_path, keys=keys).intact
    entries.unlink()
    assert not verify_export(tmp_path, keys=keys).intact


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run the command and give its exit code and everything it wrote."""
    code = main(arguments)
    out = capsys.readouterr()
    return code, out.out + out.err


async def test_the_command_tells_intact_from_changed(
    signed: "asyncpg.Connection[Any]", dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`verify` ends with 0 and one line a log, or with 1 and the entry by number; export and proof likewise."""
    vkey = str(KEY.verify_key)
    (tmp_path / "key").write_text(vkey + "\n")
    await signed.execute("DELETE FROM log.head WHERE origin <> $1", ORIGIN)
    code, text = await asyncio.to_thread(run, capsys, "verify", "--database", dsn, "--vkey", vkey)
    assert code == 0
    assert text.startswith(f"{ORIGIN}: intact: 20 entries, root ")
    assert "signature checked" in text
    (tmp_path / "address").write_text(dsn)
    code, text = await asyncio.to_thread(run, capsys, "verify", "--database", f"@{tmp_path / 'address'}")
    assert (code, "signature not checked" in text) == (0, True)

    out = str(tmp_path / "log")
    code, text = await asyncio.to_thread(run, capsys, "export", "--database", dsn, "--origin", ORIGIN, out)
    assert (code, "20 entries written" in text) == (0, True)
    code, _ = run(capsys, "verify", "--export", out, "--vkey-file", str(tmp_path / "key"))
    assert code == 0

    code, text = await asyncio.to_thread(run, capsys, "prove", "--database", dsn, "--origin", ORIGIN, "7")
    assert code == 0
    (tmp_path / "seven.tlog-proof").write_text(text)
    proof = ("verify", "--proof", str(tmp_path / "seven.tlog-proof"), "--origin", ORIGIN)
    assert run(capsys, *proof, "--vkey", vkey) == (0, f"{ORIGIN}: entry 7 of 20 is on the log\n")
    assert run(capsys, *proof)[0] == 2
    assert run(capsys, *proof, "--vkey", str(SigningKey.generate(ORIGIN).verify_key))[0] == 1

    await signed.execute("UPDATE log.index SET fields = '{}' WHERE idx = 17")
    code, text = await asyncio.to_thread(run, capsys, "verify", "--database", dsn, "--json", "--vkey", vkey)
    (log,) = json.loads(text)["logs"]
    assert code == 1
    assert log["intact"] is False
    assert log["faults"] == [{"where": "entry 17", "what": "index row does not match its commitment", "index": 17}]
    code, text = await asyncio.to_thread(run, capsys, "verify", "--database", dsn)
    assert f"{ORIGIN}: entry 17: index row does not match its commitment" in text


async def test_what_cannot_be_checked_is_said_without_the_password(capsys: pytest.CaptureFixture[str]) -> None:
    """A database out of reach ends with 2 and one line that does not repeat its address."""
    address = "postgresql://someone:secret@127.0.0.1:1/none"
    code, text = await asyncio.to_thread(run, capsys, "verify", "--database", address)
    assert code == 2
    assert "secret" not in text
    assert text.count("\n") == 1


async def test_nothing_is_proved_that_is_not_signed(signed: "asyncpg.Connection[Any]") -> None:
    """An entry after the last checkpoint has no proof yet, nor has one that does not exist."""
    from audit.errors import NotVerified

    await postgres.append(signed, [new(100)])
    for index in (20, 21):
        with pytest.raises(NotVerified):
            await prove(signed, ORIGIN, index)
