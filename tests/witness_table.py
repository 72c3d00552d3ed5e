"""What a witness must answer, step by step (C2SP tlog-witness): asked of ours, and of one that is not ours."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from audit.checkpoint import Checkpoint
from audit.merkle import consistency_proof, leaf_hash, tree_head
from audit.note import SigningKey
from audit.witness import Request

ORIGIN = "log.example/101/2026"
KEY = SigningKey(ORIGIN, b"l" * 32)
STRANGER = SigningKey(ORIGIN, b"s" * 32)
LEAVES = [leaf_hash(bytes((number,))) for number in range(40)]
FORKED = [*LEAVES[:5], *(leaf_hash(b"forked") for _ in range(35))]


@dataclass(frozen=True)
class Step:
    """One submission and what must come back."""

    name: str
    body: bytes
    status: int
    text: str | None = None


def checkpoint(size: int, leaves: Sequence[bytes] = LEAVES, key: SigningKey = KEY, origin: str = ORIGIN) -> str:
    """Sign the head of the first leaves."""
    return Checkpoint(origin, size, tree_head(leaves[:size])).signed_by(key)


def submission(old: int, size: int, leaves: Sequence[bytes] = LEAVES, key: SigningKey = KEY) -> bytes:
    """Write a submission with an honest proof within these leaves."""
    proof = consistency_proof(leaves[:size], old) if 0 < old <= size else []
    return Request(old, tuple(proof), checkpoint(size, leaves, key)).to_bytes()


def steps() -> Iterator[Step]:
    """Go through a witness's life: growth, repeats, rollback, forks, strangers, and what is no request."""
    unknown = SigningKey("log.example/other", b"l" * 32)
    yield Step(
        "a log that is not known", Request(0, (), checkpoint(3, key=unknown, origin=unknown.name)).to_bytes(), 404
    )
    yield Step("signed by a stranger", submission(0, 3, key=STRANGER), 403)
    yield Step("an old size that was never cosigned", submission(2, 3), 409, "0\n")
    yield Step("the first checkpoint", submission(0, 3), 200)
    yield Step("the same again", submission(3, 3), 200)
    yield Step("growth", submission(3, 8), 200)
    yield Step("an old size that has passed", submission(3, 9), 409, "8\n")
    yield Step("from nothing, though something is known", submission(0, 9), 409, "8\n")
    yield Step(
        "rollback", submission(8, 8).replace(b"\n\n" + checkpoint(8).encode(), b"\n\n" + checkpoint(7).encode()), 400
    )
    yield Step("rollback that owns up to its size", submission(7, 7), 409, "8\n")
    yield Step("a fork of the same size", submission(8, 8, FORKED), 422)
    yield Step("a larger fork with its own proof", submission(8, 12, FORKED), 422)
    yield Step("a proof cut short", _proof(8, 12, lambda proof: proof[:-1]), 422)
    yield Step("a proof with a hash too many", _proof(8, 12, lambda proof: [*proof, LEAVES[0]]), 422)
    yield Step("no proof", _proof(8, 12, lambda proof: []), 422)
    for name, body in _no_requests():
        yield Step(name, body, 400)
    yield Step("growth after all that", submission(8, 39), 200)
    yield Step("a proof in another order", _proof(39, 40, lambda proof: proof[::-1]), 422)
    yield Step("the same proof in order", submission(39, 40), 200)


def _proof(old: int, size: int, bend: Callable[[list[bytes]], list[bytes]]) -> bytes:
    return Request(old, tuple(bend(consistency_proof(LEAVES[:size], old))), checkpoint(size)).to_bytes()


def _no_requests() -> Iterator[tuple[str, bytes]]:
    honest = submission(8, 12)
    yield "nothing", b""
    yield "no old size", honest.partition(b"\n")[2]
    yield "an old size with a leading zero", honest.replace(b"old 8", b"old 08", 1)
    yield "an old size with a sign", honest.replace(b"old 8", b"old +8", 1)
    yield "an old size beyond every number", honest.replace(b"old 8", b"old " + b"9" * 30, 1)
    yield "a hash that is not base64", honest.replace(b"\n\n", b"\n!!!!\n\n", 1)
    yield "a hash of 31 bytes", honest.replace(b"\n\n", b"\n" + b"A" * 42 + b"==\n\n", 1)
    yield "64 hashes", honest.replace(b"\n\n", (b"\n" + b"A" * 43 + b"=") * 64 + b"\n\n", 1)
    yield "no checkpoint", honest.partition(b"\n\n")[0] + b"\n\n"
    yield "half a checkpoint", honest[:-60]
