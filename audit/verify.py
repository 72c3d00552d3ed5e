"""Check a log from its rows: every leaf hashed again, every commitment recomputed, every signed head compared.

Nothing recorded is believed: hashes are recomputed, and recorded ones serve only to say which part was changed.
What is wrong is named by entry. Pure: rows are handed in, in order of their index.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import rfc8785

from audit import note
from audit.checkpoint import Checkpoint, open_checkpoint, read_unverified
from audit.commitment import body_commitment, body_digest
from audit.deletion import MEMBER, Deleted, Ledger, Span
from audit.entry import Leaf
from audit.errors import Malformed, NotVerified
from audit.faults import MOST_KEPT, Fault, Faults
from audit.merkle import HASH_SIZE, Frontier, leaf_hash

NO_HASH = bytes(HASH_SIZE)


@dataclass(frozen=True, slots=True)
class Row:
    """All that is stored under one index of a log; a part that is not there is None."""

    index: int
    tenants: frozenset[str]
    eid: bytes | None
    leaf: bytes | None
    leaf_hash: bytes | None
    ciphertext: bytes | None
    body_salt: bytes | None
    index_bytes: str | None
    fields: str | None
    body_digest: bytes | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What the log's head row says."""

    origin: str
    tenant: str
    size: int
    root: bytes
    frontier: bytes


@dataclass(frozen=True, slots=True)
class SignedClaim:
    """A checkpoint on record, or one kept elsewhere (then only its note is known)."""

    note: str
    size: int | None = None
    root: bytes | None = None
    frontier: bytes | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found out about one log.

    `deleted` names each entry that says what was lawfully deleted, and the entries that lost body and index row by it.
    """

    origin: str
    size: int
    root: bytes
    signed_size: int | None
    signatures_checked: bool
    faults: tuple[Fault, ...]
    deleted: tuple[Deleted, ...] = ()
    # Entries below this were verified before, and not read again.
    checked_from: int = 0
    # Faults beyond those that are named.
    unnamed: int = 0

    @property
    def intact(self) -> bool:
        """Tell whether nothing was wrong."""
        return not self.found

    @property
    def found(self) -> int:
        """Count what was wrong, named or not."""
        return len(self.faults) + self.unnamed


@dataclass(slots=True)
class _Compared:
    """Holds checkpoints, by rising size, against a tree that grows; keeps what is wrong, and how far they agreed."""

    faults: Faults = field(default_factory=Faults)
    _agreed: int = 0

    def compare(self, tree: Frontier, root: bytes, frontier: bytes | None) -> None:
        """Compare one checkpoint with the tree of its size."""
        where = f"checkpoint {tree.size}"
        if tree.root() != root:
            first = self._agreed if self._agreed < tree.size else 0
            what = f"entries {first} to {tree.size - 1} are not those that were signed"
            self.faults.add(Fault(where, what if tree.size else "is not the head of a log without entries"))
            return
        self._agreed = tree.size
        if frontier not in {None, tree.to_bytes()}:
            self.faults.add(Fault(where, "frontier is not the frontier of the entries"))


@dataclass(slots=True)
class LogCheck:
    """Walks one log's rows: `row` for each, in order, then `finish` once.

    Checkpoints on record are handed in with `signed`, by their size, each before the row that it ends with; those of
    `elsewhere` from the beginning. What has been compared is not kept.
    """

    claim: Claim
    elsewhere: Sequence[SignedClaim]
    keys: Sequence[note.VerifyKey]
    deletion_keys: Sequence[note.VerifyKey] = ()
    # What was verified before: rows are handed in from there on.
    since: Frontier = field(default_factory=Frontier)
    _ledger: Ledger = field(init=False)
    # Of entries one by one; of leaves that differ from their hash; of what was deleted; of the head and checkpoints.
    _entries: Faults = field(default_factory=Faults)
    _blamed: Faults = field(default_factory=Faults)
    _gone: Faults = field(default_factory=Faults)
    _heads: Faults = field(default_factory=Faults)
    _signed_size: int | None = None
    # Checkpoints that the walk has not come to, by size: root, and frontier where it is on record.
    _waiting: dict[int, list[tuple[bytes, bytes | None]]] = field(default_factory=dict)
    _past_keeping: int = 0
    _computed: _Compared = field(default_factory=_Compared)
    _recorded: _Compared = field(default_factory=_Compared)
    _frontiers: dict[int, Frontier] = field(default_factory=dict)
    _tree: Frontier = field(default_factory=Frontier)
    # The tree over the recorded leaf hashes: parts from the computed one at the first leaf that does not match its
    # hash. Where it still gives the head's root, heads are held against it, so that one change is named once.
    _recorded_tree: Frontier | None = None
    _recorded_frontiers: dict[int, Frontier] = field(default_factory=dict)
    _leaves_were_changed: bool = False
    # The first leaves that do not match their hash, and how many there are.
    _differing: list[int] = field(default_factory=list)
    _differ: int = 0
    _expected: int = 0
    _whole: bool = True

    def __post_init__(self) -> None:
        """Begin where the last check ended, with the checkpoints that were kept elsewhere."""
        self._ledger = Ledger(self.claim.origin, self.deletion_keys)
        self._frontiers = {0: Frontier(), self.claim.size: Frontier()}
        self._tree, self._expected = self.since, self.since.size
        self._frontiers[self.since.size] = self._recorded_frontiers[self.since.size] = self.since
        for claimed in self.elsewhere:
            self.signed(claimed)
        if self.claim.size < self.since.size:
            what = f"{self.since.size} entries were verified before, only {self.claim.size} are here"
            self._heads.add(Fault("head", what))

    def signed(self, claimed: SignedClaim) -> None:
        """Read a checkpoint, and compare it once the walk has come to its size; one below the start is only read."""
        checkpoint = self._read_checkpoint(claimed)
        if checkpoint is None:
            return
        size, known = checkpoint.size, (checkpoint.root, claimed.frontier)
        self._signed_size = max(size, self._signed_size or 0)
        if size in {0, self._tree.size}:
            trees = (Frontier(), Frontier()) if size == 0 else (self._tree, self._recorded_tree or self._tree)
            self._compare(*trees, [known])
        elif size > self._tree.size and (self._whole or size > self.claim.size):
            # Where rows are missing the tree grows no more; that has been said, and what they led to need not wait.
            self._wait(size, known)

    def row(self, row: Row) -> None:
        """Check one row's parts against one another, and add its leaf to the tree."""
        self._missing_until(row.index)
        if row.index < self._expected:
            self._fault(row.index, "is there more than once")
        self._expected = max(self._expected, row.index + 1)
        if not 0 <= row.index < self.claim.size:
            self._fault(row.index, "is not counted by the head")
        if row.leaf is None or row.leaf_hash is None:
            self._fault(row.index, "row is missing, though its body or index row is there")
            self._whole = False
            return
        computed, recorded = leaf_hash(row.leaf), row.leaf_hash
        if computed != recorded:
            self._hear_differing(row.index)
        self._grow(row.index, computed, recorded)
        self._check_parts(row, leaf_is_as_recorded=computed == recorded)

    def duplicate(self, first: int, last: int) -> None:
        """Hear that two entries, the first and the last of their kind, have the same id."""
        self._fault(last, f"has the id of entry {first}")

    def finish(self) -> Report:
        """Compare the tree with the head and every checkpoint; give the report."""
        self._missing_until(self.claim.size)
        self._blame_differing()
        deleted = self._check_deletions()
        self._check_head()
        signed = self._check_checkpoints()
        kinds = (self._entries, self._blamed, self._gone, self._heads, signed)
        named = (fault for kind in kinds for fault in kind.kept)
        faults = sorted(named, key=lambda fault: (fault.index is None, fault.index or 0))
        return Report(
            self.claim.origin,
            self._tree.size,
            self._tree.root(),
            self._signed_size,
            bool(self.keys),
            tuple(faults),
            deleted,
            self.since.size,
            sum(kind.unnamed for kind in kinds),
        )

    @property
    def tree(self) -> Frontier:
        """Give the tree over all entries so far."""
        return self._tree

    def _fault(self, index: int, what: str) -> None:
        self._entries.add(Fault(f"entry {index}", what, index))

    def _wait(self, size: int, known: tuple[bytes, bytes | None]) -> None:
        """Keep a checkpoint until the walk comes to its size; of those past the last entry there may be any number."""
        if size in self._waiting or len(self._waiting) < MOST_KEPT:
            self._waiting.setdefault(size, []).append(known)
        else:
            self._past_keeping += 1

    def _missing_until(self, index: int) -> None:
        first, last = self._expected, index - 1
        if first > last:
            return
        what = "row is missing" if first == last else "rows are missing"
        self._entries.add(Fault(_entries((first, last)), what, first))
        self._whole = False
        self._expected = index

    def _hear_differing(self, index: int) -> None:
        """Hear of a leaf that is not the one of its recorded hash; from here on there are two trees."""
        self._differ += 1
        if len(self._differing) < MOST_KEPT:
            self._differing.append(index)
        self._recorded_tree = self._recorded_tree or self._tree

    def _grow(self, index: int, computed: bytes, recorded: bytes) -> None:
        if not self._whole or index != self._tree.size:
            return
        self._tree = self._tree.extend((computed,))
        if self._recorded_tree is not None:
            # What is no hash at all stands for one that no head agrees with.
            self._recorded_tree = self._recorded_tree.extend((recorded if len(recorded) == HASH_SIZE else NO_HASH,))
        if self._tree.size in self._frontiers:
            self._frontiers[self._tree.size] = self._tree
            self._recorded_frontiers[self._tree.size] = self._recorded_tree or self._tree
        if due := self._waiting.pop(self._tree.size, None):
            self._compare(self._tree, self._recorded_tree or self._tree, due)

    def _compare(self, tree: Frontier, recorded: Frontier, due: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Hold checkpoints against the tree of their size; which of the two trees counts, the head tells at the end."""
        for root, frontier in due:
            self._computed.compare(tree, root, frontier)
            self._recorded.compare(recorded, root, frontier)

    def _check_parts(self, row: Row, *, leaf_is_as_recorded: bool) -> None:
        if row.tenants != {self.claim.tenant}:
            self._fault(row.index, "belongs to another tenant than its log")
        missing = [name for name, part in (("body", row.ciphertext), ("index", row.index_bytes)) if part is None]
        self._ledger.entry(row.index, absent=len(missing) == 2)
        if len(missing) == 1:
            self._fault(row.index, f"{missing[0]} row is missing")
        try:
            leaf = Leaf.from_bytes(row.leaf or b"")
        except Malformed:
            self._fault(row.index, "leaf is not an entry")
            return
        if row.eid != leaf.eid:
            self._fault(row.index, "id does not match its leaf")
        if leaf_is_as_recorded:
            self._check_commitment(row, leaf)

    def _check_commitment(self, row: Row, leaf: Leaf) -> None:
        if row.ciphertext is None or row.body_salt is None or row.index_bytes is None or row.fields is None:
            return
        expected = body_commitment(row.body_salt, row.index_bytes.encode(), row.ciphertext)
        body_as_remembered = body_digest(row.body_salt, row.ciphertext) == row.body_digest
        if not hmac.compare_digest(expected, leaf.body):
            part = "index row" if body_as_remembered else "body"
            self._fault(row.index, f"{part} does not match its commitment")
        elif not body_as_remembered or not _same(row.fields, row.index_bytes):
            self._fault(row.index, "index row does not match its commitment")
        elif f'"{MEMBER}":' in row.index_bytes:
            said = json.loads(row.index_bytes)
            self._hear_statement(row.index, said.get(MEMBER) if isinstance(said, dict) else None)

    def _hear_statement(self, index: int, signed: object) -> None:
        """Hear what an entry says was deleted; only now, that its index row is known to be the one that was logged."""
        if signed is None:
            return
        wrong = self._ledger.stated(index, signed) if isinstance(signed, str) else "its statement is no text"
        if wrong is not None:
            self._fault(index, wrong)

    def _check_deletions(self) -> tuple[Deleted, ...]:
        """Tell what was deleted on record from what is gone without one; give the entries that say so."""
        settled = self._ledger.settle()
        for spans, what in (
            (settled.unaccounted, "body and index row are missing"),
            (settled.back, "was deleted on record and is there again"),
        ):
            for span in spans:
                self._gone.add(Fault(_entries(span), what, span[0]))
        return settled.under

    def _blame_differing(self) -> None:
        """Say of leaf and recorded hash which was changed, by which of the two the head agrees with."""
        if not self._differing:
            return
        what = "leaf and its recorded hash differ"
        if self._whole and self._tree.size == self.claim.size:
            if self._recorded_tree is not None and self._recorded_tree.root() == self.claim.root:
                what = "leaf was changed"
                self._leaves_were_changed = True
            elif self._tree.root() == self.claim.root:
                what = "recorded hash of the leaf was changed"
        self._blamed = Faults([Fault(f"entry {index}", what, index) for index in self._differing], self._differ)

    def _check_head(self) -> None:
        frontier = self._at(self.claim.size)
        if frontier is None:
            return  # Rows are missing, which has been said; there is no root to compare with.
        if frontier.root() != self.claim.root:
            self._heads.add(Fault("head", "root is not the root of the entries"))
        if frontier.to_bytes() != self.claim.frontier:
            self._heads.add(Fault("head", "frontier is not the frontier of the entries"))

    def _at(self, size: int) -> Frontier | None:
        frontiers = self._recorded_frontiers if self._leaves_were_changed else self._frontiers
        frontier = frontiers.get(size)
        return frontier if frontier is not None and frontier.size == size else None

    def _read_checkpoint(self, claimed: SignedClaim) -> Checkpoint | None:
        where = "checkpoint" if claimed.size is None else f"checkpoint {claimed.size}"
        try:
            if self.keys:
                checkpoint = open_checkpoint(claimed.note, self.claim.origin, self.keys)
            else:
                checkpoint = read_unverified(claimed.note)
        except (Malformed, NotVerified) as error:
            self._heads.add(Fault(where, str(error)))
            return None
        if checkpoint.origin != self.claim.origin:
            self._heads.add(Fault(where, "is another log's"))
        elif claimed.size is not None and (claimed.size, claimed.root) != (checkpoint.size, checkpoint.root):
            self._heads.add(Fault(where, "says something else than its signed note"))
        else:
            return checkpoint
        return None

    def _check_checkpoints(self) -> Faults:
        """Say which checkpoints were never come to; give what was wrong with those that were."""
        if self.keys and self.claim.size and self._signed_size is None:
            self._heads.add(Fault("checkpoint", "none on record that is signed"))
        for size, due in sorted(self._waiting.items()):
            if size > max(self._expected, self.claim.size):
                what = f"{size} entries were signed, only {self._tree.size} are here"
                for _ in due:
                    self._heads.add(Fault(f"checkpoint {size}", what))
        self._heads.count += self._past_keeping
        return self._recorded.faults if self._leaves_were_changed else self._computed.faults


def _entries(span: Span) -> str:
    first, last = span
    return f"entry {first}" if first == last else f"entries {first} to {last}"


def _same(fields: str, index_bytes: str) -> bool:
    """Tell whether the searchable fields say what the committed bytes say."""
    try:
        said = json.loads(fields)
        # The plain writer is ten times faster and writes the same, save for keys beyond the first 65,536 characters.
        if json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")) == index_bytes:
            return True
        written: bytes = rfc8785.dumps(said)
    except (ValueError, TypeError):
        return False
    return written.decode() == index_bytes
