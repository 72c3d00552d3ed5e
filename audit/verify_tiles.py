"""Check a log from its files alone, wherever they come from: entries against tiles, entries against the signed root.

Rules kept here:
- Every entry is hashed. Tiles are compared with what the entries give, never believed.
- Where an earlier head was verified, the new head's tree is grown from that one's, entry by entry: what comes out at
  the signed root is an extension of it, by construction.
- Memory does not grow with the log: bundles come one after the other, and one tile a level is held.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from audit.checkpoint import Checkpoint, open_checkpoint, read_unverified
from audit.errors import LogError, Malformed, NotVerified
from audit.faults import Fault
from audit.growing import Growing, Made
from audit.kept_state import Kept
from audit.merkle import Frontier, leaf_hash
from audit.note import VerifyKey
from audit.sources import Missing, Source, read_ahead, read_wide
from audit.tiles import WIDTH, Tile, bundles_of, read_bundle, read_tile
from audit.verify import Report

Progress = Callable[[str, int, int], None]
Reached = Callable[[str, Frontier], None]
NOTED_EVERY = 256


@dataclass(frozen=True, slots=True)
class Checked:
    """What came out: the report, and what to remember where all was well."""

    report: Report
    kept: Kept | None = None
    note: str | None = None


def verify_tiles(
    source: Source,
    *,
    origin: str | None = None,
    keys: Sequence[VerifyKey] = (),
    known: Callable[[str], Kept] = lambda _: Kept(),
    progress: Progress | None = None,
    reached: Reached | None = None,
) -> Checked:
    """Check a log up to its checkpoint, from what is `known` of it on; name what is wrong.

    `progress` hears origin, entries done and entries in all; `reached` now and then how far the hashing has come, for
    a run that goes on later. Raises OSError, Missing or Unreachable where there is no checkpoint to read.
    """
    note = source.checkpoint()
    try:
        claimed = read_unverified(note)
    except Malformed as error:
        return Checked(Report(origin or "", 0, b"", None, bool(keys), (Fault("checkpoint", str(error)),)))
    faults = _check_note(note, origin or claimed.origin, keys)
    before = known(claimed.origin)
    faults += _check_past(claimed, before)
    walk = _Walk(source, claimed, _start(before, claimed.size))
    if not faults or claimed.size >= before.verified.size:
        walk.run(progress, reached)
    faults += walk.faults
    report = Report(
        claimed.origin, walk.size, walk.tree.root(), claimed.size, bool(keys), tuple(faults), checked_from=walk.since
    )
    return Checked(report, None if faults else Kept(walk.tree, note, walk.tree), note)


def _start(before: Kept, size: int) -> Frontier:
    """Choose where to go on: where a broken-off run had come to, else at the last verified head."""
    usable = [tree for tree in (before.reached, before.verified) if tree.size <= size]
    return max(usable, key=lambda tree: tree.size, default=Frontier())


def _check_note(note: str, origin: str, keys: Sequence[VerifyKey]) -> list[Fault]:
    try:
        if keys:
            open_checkpoint(note, origin, keys)
        elif read_unverified(note).origin != origin:
            raise NotVerified("the checkpoint is another log's")
    except LogError as error:
        return [Fault("checkpoint", str(error))]
    return []


def _check_past(claimed: Checkpoint, before: Kept) -> list[Fault]:
    """Hold a head against the one verified last: it is no smaller, and at the same size the same."""
    last = before.verified
    if claimed.size < last.size:
        return [Fault("checkpoint", f"{last.size} entries were verified before, it has {claimed.size}")]
    if claimed.size == last.size and claimed.root != last.root():
        return [Fault("checkpoint", f"another tree of {last.size} entries was verified before")]
    return []


@dataclass
class _Walk:
    """One pass over a log's bundles, from a verified tree on."""

    source: Source
    claimed: Checkpoint
    tree: Frontier
    faults: list[Fault] = field(default_factory=list)
    size: int = 0
    since: int = 0
    _whole: bool = True

    def __post_init__(self) -> None:
        """Begin at the bundle in which the known tree ends; its first entries are read again."""
        self.size = self.since = self.tree.size
        self._first = self.tree.size - self.tree.size % WIDTH
        self._growing = Growing(self._first)

    def run(self, progress: Progress | None, reached: Reached | None) -> None:
        """Read every bundle and tile, and compare the root."""
        total = self.claimed.size
        if self.tree.size < total:
            wanted = (tile for tile in bundles_of(total, self._first // WIDTH))
            for count, (tile, got) in enumerate(read_ahead(self.source, wanted), 1):
                self._take(tile, got)
                if progress:
                    progress(self.claimed.origin, tile.number * WIDTH + tile.width, total)
                if reached and count % NOTED_EVERY == 0 and not self.faults:
                    reached(self.claimed.origin, self.tree)
            for made in self._growing.rest():
                self._compare(made)
        if self._whole and self.tree.root() != self.claimed.root:
            self.faults.append(Fault("checkpoint", "the entries are not those that were signed"))

    def _take(self, tile: Tile, got: bytes | Missing | Malformed) -> None:
        first = tile.number * WIDTH
        where = f"entries {first} to {first + tile.width - 1}"
        leaves, problem = _entries(tile, got)
        if problem is not None:
            self.faults.append(Fault(where, problem, first))
            self._whole = False
        hashes: list[bytes | None] = [leaf_hash(leaf) for leaf in leaves] if problem is None else [None] * tile.width
        for value in hashes:
            for made in self._growing.add(value):
                self._compare(made)
        if self._whole:
            self._compare_known(hashes[: max(0, self.size - first)], first)
            self.tree = self.tree.extend(value for value in hashes[self.size - first :] if value is not None)
            self.size = self.tree.size

    def _compare_known(self, hashes: Sequence[bytes | None], first: int) -> None:
        """Hold entries that were verified before, and stand in a bundle read again, against the tree of then."""
        again = Frontier().extend(value for value in hashes if value is not None)
        if again.peaks and self.tree.peaks[-len(again.peaks) :] != again.peaks:
            where = f"entries {first} to {first + again.size - 1}"
            self.faults.append(Fault(where, "are not those that were verified before", first))

    def _compare(self, made: Made) -> None:
        """Compare a tile with what the entries give; at level 0 name the entries."""
        path, level = made.tile.path, made.tile.level or 0
        try:
            stored = read_tile(read_wide(self.source, made.tile))
        except (Missing, Malformed) as error:
            self.faults.append(Fault(path, "is missing" if isinstance(error, Missing) else str(error)))
            return
        if len(stored) != len(made.hashes):
            self.faults.append(Fault(path, f"holds {len(stored)} hashes"))
            return
        places = made.differing(stored)
        if level:
            self.faults += [Fault(path, "does not match the entries")] if places else []
            return
        first = made.tile.number * WIDTH
        self.faults += [Fault(f"entry {first + n}", f"does not match {path}", first + n) for n in places]


def _entries(tile: Tile, got: bytes | Missing | Malformed) -> tuple[list[bytes], str | None]:
    """Read a bundle's entries, or say what is wrong with it."""
    if isinstance(got, Missing):
        return [], str(got)
    try:
        if isinstance(got, Malformed):
            raise got
        leaves = read_bundle(got)
    except Malformed as error:
        return [], f"{tile.path}: {error}"
    if len(leaves) != tile.width:
        return [], f"{tile.path} holds {len(leaves)} entries"
    return leaves, None
