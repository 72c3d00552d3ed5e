"""Every inclusion and every consistency proof of all trees up to a size, handed to Go's sumdb code as one stream."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from audit.merkle import consistency_ranges, inclusion_ranges, leaf_hash, node_hash

GLUE = Path(__file__).parent / "peers" / "gosumdb"


def build(folder: Path) -> Path:
    """Build the judge; raise OSError or CalledProcessError where Go or its module cannot be had."""
    program = folder / "gosumdb"
    subprocess.run(["go", "build", "-o", program, "."], cwd=GLUE, check=True, capture_output=True)
    return program


def pairs(program: Path, most: int) -> int:
    """Let the judge see every pair up to a size; give how many proofs it took.

    Each is taken, and refused with one bit changed. Raises AssertionError where one is not.
    """
    with subprocess.Popen(
        [program, str(most)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as judge:
        assert judge.stdin is not None
        assert judge.stdout is not None
        assert judge.stderr is not None
        roots: dict[tuple[int, int], bytes] = {}
        for size in range(1, most + 1):
            judge.stdin.write(_proofs(size, roots))
        judge.stdin.close()
        told, why = judge.stdout.read(), judge.stderr.read()
        assert judge.wait() == 0, why.decode()
    return int(told)


def _proofs(size: int, roots: dict[tuple[int, int], bytes]) -> bytes:
    ranges = [inclusion_ranges(index, 0, size) for index in range(size)]
    ranges += [consistency_ranges(old, size) for old in range(1, size + 1)]
    return b"".join(_written((_root(start, end, roots) for start, end in path), len(path)) for path in ranges)


def _written(hashes: Iterable[bytes], count: int) -> bytes:
    return bytes((count,)) + b"".join(hashes)


def _root(start: int, end: int, roots: dict[tuple[int, int], bytes]) -> bytes:
    """Compute the root over the entries [start, end), each subtree once."""
    found = roots.get((start, end))
    if found is None:
        if end - start == 1:
            found = leaf_hash(b"entry %d" % start)
        else:
            middle = start + (1 << ((end - start - 1).bit_length() - 1))
            found = node_hash(_root(start, middle, roots), _root(middle, end, roots))
        roots[start, end] = found
    return found
