"""What a thief of files, or a log that is shown, can bend without any database; each gives what those who look say."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from audit.checkpoint import Checkpoint, read_unverified
from audit.commitment import Party, check_actor, check_rows, check_subject, open_body
from audit.cosignature import Cosigner
from audit.entry import Leaf
from audit.errors import LogError
from audit.export import export_log, verify_export
from audit.heads_file import HeadsFile, KeptHead
from audit.merkle import Frontier, consistency_proof, leaf_hash
from audit.policy import Policy, parse
from audit.proof import Proof
from audit.prove import prove
from audit.tiles import bundle, read_bundle
from audit.witness import KnownLogs, Request, Witness
from demo.postgres import PrivatePostgres
from tests.bending import ENTRIES, KEY, SIGNED, STRANGER, entry
from tests.unit.audit.sealed import ACTOR, ORIGIN

ENTRIES_FILE, TILE_FILE = "tile/entries/000.p/20", "tile/0/000.p/20"
NOW = 1_790_000_000
WITNESSES = [Cosigner.generate(f"witness-{number}.example") for number in range(3)]
HASHES = [leaf_hash(one.sealed.leaf) for one in ENTRIES]
# A log that parted at fourteen entries.
FORKED = HASHES[:14] + [leaf_hash(entry(600 + number).sealed.leaf) for number in range(10)]


@dataclass(frozen=True)
class Files:
    """A folder for one case, an exported log of twenty entries in it, and the proof of the ninth."""

    folder: Path
    proof: Proof

    def read(self, name: str) -> bytes:
        """Read an exported file."""
        return (self.folder / "log" / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Replace an exported file."""
        (self.folder / "log" / name).write_bytes(content)

    def export(self, origin: str = ORIGIN) -> list[str]:
        """Check the export as it lies there."""
        return [str(fault) for fault in verify_export(self.folder / "log", origin=origin, keys=[KEY.verify_key]).faults]

    def leaves(self, changed: Callable[[list[bytes]], list[bytes]]) -> None:
        """Change the exported entries."""
        self.write(ENTRIES_FILE, bundle(changed(read_bundle(self.read(ENTRIES_FILE)))))


async def make_files(server: PrivatePostgres, database: str, folder: Path) -> Files:
    """Export the log of a database, and prove an entry of it."""
    connection = await asyncpg.connect(server.dsn(database))
    await export_log(connection, ORIGIN, folder / "log")
    proof = await prove(connection, ORIGIN, 9)
    await connection.close()
    return Files(folder, proof)


def copied(files: Files, folder: Path) -> Files:
    """Give a copy to bend."""
    shutil.copytree(files.folder / "log", folder / "log")
    return replace(files, folder=folder)


def _edited(leaves: list[bytes], place: int) -> list[bytes]:
    return [leaf[:-1] + bytes([leaf[-1] ^ 1]) if n == place else leaf for n, leaf in enumerate(leaves)]


def export_entry_edited(files: Files) -> list[str]:
    """Bend: an exported entry edited."""
    files.leaves(lambda leaves: _edited(leaves, 9))
    return files.export()


def export_entries_swapped(files: Files) -> list[str]:
    """Bend: two exported entries swapped."""
    files.leaves(lambda leaves: [*leaves[:3], leaves[4], leaves[3], *leaves[5:]])
    return files.export()


def export_entry_left_out(files: Files) -> list[str]:
    """Bend: an exported entry left out."""
    files.leaves(lambda leaves: leaves[:9] + leaves[10:])
    return files.export()


def export_bundle_cut(files: Files) -> list[str]:
    """Bend: a bundle of entries cut off."""
    files.write(ENTRIES_FILE, files.read(ENTRIES_FILE)[:-1])
    return files.export()


def export_bundle_gone(files: Files) -> list[str]:
    """Bend: a bundle of entries gone."""
    (files.folder / "log" / ENTRIES_FILE).unlink()
    return files.export()


def export_tile_edited(files: Files) -> list[str]:
    """Bend: a tile edited."""
    packed = bytearray(files.read(TILE_FILE))
    packed[40] ^= 1
    files.write(TILE_FILE, bytes(packed))
    return files.export()


def export_tile_gone(files: Files) -> list[str]:
    """Bend: a tile gone."""
    (files.folder / "log" / TILE_FILE).unlink()
    return files.export()


def export_entry_and_tile(files: Files) -> list[str]:
    """Bend: an entry and its tile edited together."""
    files.leaves(lambda leaves: _edited(leaves, 9))
    files.write(TILE_FILE, b"".join(leaf_hash(leaf) for leaf in read_bundle(files.read(ENTRIES_FILE))))
    return files.export()


def export_all_edited(files: Files) -> list[str]:
    """Bend: an entry, its tile and the checkpoint's root edited together."""
    export_entry_and_tile(files)
    note = files.read("checkpoint").decode()
    root = Frontier().extend(leaf_hash(leaf) for leaf in read_bundle(files.read(ENTRIES_FILE))).root()
    text, _, signatures = note.partition("\n\n")
    forged = Checkpoint(ORIGIN, read_unverified(note).size, root).to_text()
    assert text != forged
    files.write("checkpoint", f"{forged}\n{signatures}".encode())
    return files.export()


def export_other_key(files: Files) -> list[str]:
    """Bend: an export signed by another key."""
    files.write("checkpoint", read_unverified(files.read("checkpoint").decode()).signed_by(STRANGER).encode())
    return files.export()


def export_other_log(files: Files) -> list[str]:
    """Bend: another log's export shown."""
    return files.export("log.example/147-2026")


def _proof(proof: Proof, *, leaf: bytes | None = None, origin: str = ORIGIN) -> list[str]:
    """Read a proof from its file, as its owner would, and check it."""
    try:
        read = Proof.from_text(proof.to_text())
        read.verify(leaf or ENTRIES[9].sealed.leaf, origin, [KEY.verify_key])
    except LogError as error:
        return [str(error)]
    return []


def proof_index_beyond(files: Files) -> list[str]:
    """Bend: a proof of an index beyond the log."""
    return _proof(replace(files.proof, index=SIGNED[-1] + 9))


def proof_other_index(files: Files) -> list[str]:
    """Bend: a proof of another index."""
    return _proof(replace(files.proof, index=8))


def proof_bit(files: Files) -> list[str]:
    """Bend: a bit of a proof's hash turned over."""
    first, *others = files.proof.hashes
    return _proof(replace(files.proof, hashes=(bytes([first[0] ^ 1]) + first[1:], *others)))


def proof_order(files: Files) -> list[str]:
    """Bend: a proof's hashes in another order."""
    return _proof(replace(files.proof, hashes=(*files.proof.hashes[1:], files.proof.hashes[0])))


def proof_shorter(files: Files) -> list[str]:
    """Bend: a proof with a hash less."""
    return _proof(replace(files.proof, hashes=files.proof.hashes[:-1]))


def proof_longer(files: Files) -> list[str]:
    """Bend: a proof with a hash more."""
    return _proof(replace(files.proof, hashes=(*files.proof.hashes, HASHES[0])))


def proof_other_entry(files: Files) -> list[str]:
    """Bend: a proof shown for another entry."""
    return _proof(files.proof, leaf=ENTRIES[8].sealed.leaf)


def proof_other_size(files: Files) -> list[str]:
    """Bend: a proof whose checkpoint says another size."""
    return _proof(replace(files.proof, checkpoint=files.proof.checkpoint.replace("\n20\n", "\n21\n")))


def proof_unsigned(files: Files) -> list[str]:
    """Bend: a proof without signature."""
    return _proof(replace(files.proof, checkpoint=files.proof.checkpoint.partition("\n\n")[0] + "\n\n"))


def proof_other_key(files: Files) -> list[str]:
    """Bend: a proof signed by another key of the same name."""
    return _proof(replace(files.proof, checkpoint=read_unverified(files.proof.checkpoint).signed_by(STRANGER)))


def proof_other_log(files: Files) -> list[str]:
    """Bend: a proof of another log."""
    return _proof(files.proof, origin="log.example/147-2026")


def _refused(check: Callable[[], Any]) -> list[str]:
    try:
        check()
    except LogError as error:
        return [str(error)]
    return []


def _citizen(number: int) -> Party:
    return Party(f"citizen-{number:03}".encode(), bytes([number]) * 32)


def party_other_citizen(files: Files) -> list[str]:
    """Bend: an entry opened as another citizen's."""
    assert open_body(ENTRIES[9].sealed, _citizen(9))
    return _refused(lambda: check_subject(Leaf.from_bytes(ENTRIES[9].sealed.leaf), _citizen(8)))


def party_other_actor(files: Files) -> list[str]:
    """Bend: an entry shown as another caseworker's."""
    leaf = Leaf.from_bytes(ENTRIES[9].sealed.leaf)
    check_actor(leaf, ACTOR)
    return _refused(lambda: check_actor(leaf, Party(ACTOR.handle, b"b" * 32)))


def party_other_salt(files: Files) -> list[str]:
    """Bend: a commitment opened with another salt."""
    return _refused(lambda: check_rows(replace(ENTRIES[9].sealed, body_salt=ENTRIES[8].sealed.body_salt)))


def party_other_index(files: Files) -> list[str]:
    """Bend: a body shown with another entry's index row."""
    return _refused(lambda: check_rows(replace(ENTRIES[9].sealed, index_bytes=ENTRIES[8].sealed.index_bytes)))


def party_other_body(files: Files) -> list[str]:
    """Bend: another entry's body of the same citizen."""
    given, other = ENTRIES[9].sealed, ENTRIES[8].sealed
    bent = replace(given, ciphertext=other.ciphertext, body_salt=other.body_salt)
    return _refused(lambda: open_body(bent, _citizen(9)))


def _checkpoint(hashes: list[bytes], size: int, key: Any = KEY, origin: str = ORIGIN) -> str:
    return Checkpoint(origin, size, Frontier().extend(hashes[:size]).root()).signed_by(key)


class Clock:
    """The witness's clock."""

    now = NOW

    def __call__(self) -> int:
        return self.now


@contextmanager
def _a_witness(files: Files) -> Iterator[tuple[Witness, Clock]]:
    """Give a witness that has cosigned sixteen entries of the log."""
    clock = Clock()
    logs = KnownLogs({ORIGIN: [KEY.verify_key]})
    with HeadsFile(files.folder / "heads", "witness", new=True) as heads:
        witness = Witness(heads, WITNESSES[:1], logs, now=clock, evidence=files.folder / "forks")
        assert witness.add_checkpoint(Request(0, (), _checkpoint(HASHES, 16)).to_bytes()).status == 200
        yield witness, clock


def _submitted(files: Files, old: int, hashes: list[bytes], size: int, **named: Any) -> list[str]:
    with _a_witness(files) as (witness, clock):
        clock.now += named.pop("later", 0)
        proof = consistency_proof(hashes[:size], old) if 0 < old < size else []
        answer = witness.add_checkpoint(Request(old, tuple(proof), _checkpoint(hashes, size, **named)).to_bytes())
    return [] if answer.status == 200 else [str(answer.status)]


def witness_same_size(files: Files) -> list[str]:
    """Bend: a fork of the same size, signed with the stolen key."""
    return _submitted(files, 16, FORKED, 16)


def witness_larger_fork(files: Files) -> list[str]:
    """Bend: a larger fork, signed with the stolen key."""
    return _submitted(files, 16, FORKED, 24)


def witness_set_back(files: Files) -> list[str]:
    """Bend: a log set back and signed with the stolen key."""
    return _submitted(files, 14, HASHES, 14)


def witness_lied_to(files: Files) -> list[str]:
    """Bend: a log set back, and the old size claimed to be smaller."""
    return _submitted(files, 14, FORKED, 24)


def witness_stranger(files: Files) -> list[str]:
    """Bend: a checkpoint signed by a stranger."""
    return _submitted(files, 16, HASHES, 20, key=STRANGER)


def witness_unknown_log(files: Files) -> list[str]:
    """Bend: a log that nobody told the witness of."""
    return _submitted(files, 0, HASHES, 20, origin="log.example/999-2026")


def witness_clock(files: Files) -> list[str]:
    """Bend: the witness's clock set back."""
    assert _submitted(replace(files, folder=files.folder / "log"), 16, HASHES, 20) == []
    return _submitted(files, 16, HASHES, 20, later=-1)


def _policy() -> Policy:
    lines = [f"log {KEY.verify_key}", *(f"witness w{n} {one.key}" for n, one in enumerate(WITNESSES[:2]))]
    return parse("\n".join([*lines, "group both all w0 w1", "quorum both", ""]).encode())


def _believed(hashes: list[bytes], *cosignatures: tuple[Cosigner, int, list[bytes]]) -> list[str]:
    """Show a checkpoint of twenty entries with cosignatures, each by whom, when, and over which log."""
    note = _checkpoint(hashes, 20)
    for cosigner, at, over in cosignatures:
        note += cosigner.cosign(Checkpoint(ORIGIN, 20, Frontier().extend(over[:20]).root()).to_text(), at)
    return _refused(lambda: _policy().open(note, ORIGIN, now=NOW, oldest=3600))


def _both(at: int = NOW, over: list[bytes] = HASHES) -> list[tuple[Cosigner, int, list[bytes]]]:
    return [(one, at, over) for one in WITNESSES[:2]]


def quorum_short(files: Files) -> list[str]:
    """Bend: a fork without a quorum shown."""
    assert _believed(HASHES, *_both()) == []
    return _believed(FORKED, (WITNESSES[0], NOW, FORKED))


def quorum_unknown(files: Files) -> list[str]:
    """Bend: a cosignature by an unknown witness."""
    return _believed(FORKED, (WITNESSES[0], NOW, FORKED), (WITNESSES[2], NOW, FORKED))


def quorum_moved(files: Files) -> list[str]:
    """Bend: a cosignature moved from another checkpoint."""
    return _believed(FORKED, *_both(over=HASHES))


def quorum_future(files: Files) -> list[str]:
    """Bend: a cosignature of the future."""
    return _believed(HASHES, *_both(NOW + 3600))


def quorum_old(files: Files) -> list[str]:
    """Bend: an old checkpoint shown as new."""
    return _believed(HASHES, *_both(NOW - 7200))


def quorum_twice(files: Files) -> list[str]:
    """Bend: one witness's cosignature counted twice."""
    return _believed(HASHES, *[(WITNESSES[0], NOW + n, HASHES) for n in range(2)])


@contextmanager
def _heads(files: Files) -> Iterator[HeadsFile]:
    with HeadsFile(files.folder / "heads", "checkpointer", new=True) as heads:
        heads.keep(ORIGIN, KeptHead(16, Frontier().extend(HASHES[:16]).root()))
        yield heads


def _opened(files: Files, owner: str = "checkpointer") -> list[str]:
    return _refused(lambda: HeadsFile(files.folder / "heads", owner).close())


def state_edited(files: Files) -> list[str]:
    """Bend: the file of signed heads edited."""
    with _heads(files):
        pass
    assert _opened(files) == []
    path = files.folder / "heads"
    path.write_text(path.read_text("utf-8").replace('"size": 16', '"size": 14'), "utf-8")
    return _opened(files)


def state_gone(files: Files) -> list[str]:
    """Bend: the file of signed heads deleted."""
    with _heads(files):
        pass
    (files.folder / "heads").unlink()
    return _opened(files)


def state_other_key(files: Files) -> list[str]:
    """Bend: another key's file put in its place."""
    with _heads(files):
        pass
    return _opened(files, "another")


def state_set_back(files: Files) -> list[str]:
    """Bend: a head in the file set back."""
    with _heads(files) as heads:
        return _refused(lambda: heads.keep(ORIGIN, KeptHead(14, Frontier().extend(HASHES[:14]).root())))
