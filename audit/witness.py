"""A witness (C2SP tlog-witness): cosigns what only grew, and remembers it before saying so.

Rules kept here:
- One request at a time is judged, kept and answered: two that race cannot take the log back.
- The head is on the disk before its cosignature exists; where that fails there is no cosignature.
- Only logs named in the configuration are looked at, and only under the keys named there; unknown signatures are
  ignored.
- A head that forks what was cosigned is refused, and kept as evidence: it is signed by the log itself. Once each,
  whatever proof came with it: anybody can make up proofs, and nobody may fill the folder with them.
- A witness whose clock went back does not cosign until it has caught up: its word is a moment in time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from audit import base64_strict
from audit.checkpoint import Checkpoint, open_checkpoint, read_size, read_unverified
from audit.cosignature import Cosigning
from audit.durable_file import replace_file
from audit.errors import Malformed, NotVerified, PolicyRefused, SignerUnavailable
from audit.heads_file import HeadsFile, KeptHead
from audit.merkle import EMPTY_ROOT, HASH_SIZE, consistency_holds
from audit.note import VerifyKey

MAX_HASHES = 63
MAX_EVIDENCE = 1000
# A key that stands for every origin below a name could name any number of them.
MAX_LOGS = 10_000
BELOW = "/*"
SIZE_TYPE = "text/x.tlog.size"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answers: status, text, its type, and what to tell the operator."""

    status: int
    text: str
    content_type: str = PLAIN
    told: str | None = None


@dataclass(frozen=True, slots=True)
class KnownLogs:
    """The logs that a witness watches: keys by origin, or by a name below which every origin is meant."""

    keys: Mapping[str, Sequence[VerifyKey]]

    @classmethod
    def from_text(cls, text: str) -> "KnownLogs":
        """Read lines of `log <vkey> [<origin>]`; raise PolicyRefused with the line that is wrong.

        Without an origin the key's name is it. `origin/*` means every log below; several lines may name one origin.
        """
        keys: dict[str, list[VerifyKey]] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] != "log" or len(words) not in (2, 3):
                raise PolicyRefused(f"line {number}: not `log <vkey> [<origin>]`")
            try:
                key = VerifyKey.from_text(words[1])
            except Malformed as fault:
                raise PolicyRefused(f"line {number}: {fault}") from None
            keys.setdefault(words[2] if len(words) == 3 else key.name, []).append(key)
        return cls(keys)

    def of(self, origin: str) -> Sequence[VerifyKey]:
        """Give the keys that may sign for an origin; none where it is not known."""
        found = list(self.keys.get(origin, ()))
        for name, keys in self.keys.items():
            if name.endswith(BELOW) and origin.startswith(name.removesuffix("*")):
                found += keys
        return found


@dataclass(frozen=True, slots=True)
class Request:
    """What is submitted: the size last cosigned, the proof from it, and the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: str

    @classmethod
    def from_bytes(cls, body: bytes) -> "Request":
        """Read a request's body; raise Malformed where a line is not what the protocol says."""
        try:
            above, separator, checkpoint = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise Malformed("the request is no UTF-8") from None
        first, *lines = above.split("\n")
        prefix, _, size = first.partition(" ")
        if not separator or prefix != "old" or len(lines) > MAX_HASHES:
            raise Malformed("a request is `old <size>`, at most 63 hashes, an empty line and a checkpoint")
        proof = tuple(base64_strict.decode(line) for line in lines)
        if any(len(value) != HASH_SIZE for value in proof):
            raise Malformed("a proof's hashes are 32 bytes each")
        return cls(read_size(size), proof, checkpoint)

    def to_bytes(self) -> bytes:
        """Write the request's body."""
        lines = (f"old {self.old}", *(base64_strict.encode(value) for value in self.proof))
        return ("\n".join(lines) + "\n\n" + self.checkpoint).encode()


class Witness:
    """Judges submissions, one at a time. `now` gives POSIX seconds; `evidence` is a folder for forks that were seen."""

    def __init__(
        self,
        heads: HeadsFile,
        cosigners: Sequence[Cosigning],
        logs: KnownLogs,
        *,
        now: Callable[[], int],
        evidence: Path | None = None,
    ) -> None:
        self._heads = heads
        self._cosigners = tuple(cosigners)
        self._logs = logs
        self._now = now
        self._evidence = evidence

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one submission; raise StateRefused where the head could not be kept."""
        try:
            request = Request.from_bytes(body)
            origin = read_unverified(request.checkpoint).origin
        except Malformed as fault:
            return Answer(400, f"{fault}\n")
        keys = self._logs.of(origin)
        if not keys:
            return Answer(404, "this witness does not know the log\n")
        try:
            checkpoint = open_checkpoint(request.checkpoint, origin, keys)
        except (Malformed, NotVerified):
            return Answer(403, "no key that this witness knows for the log has signed the checkpoint\n")
        if request.old > checkpoint.size or (request.old == 0 and request.proof):
            return Answer(400, "the old size is beyond the checkpoint, or a proof from nothing was given\n")
        return self._judge(request, checkpoint)

    def _judge(self, request: Request, checkpoint: Checkpoint) -> Answer:
        """Hold a checkpoint of the log's own against the head that was cosigned last (tlog-witness, add-checkpoint)."""
        heads = self._heads.heads()
        if checkpoint.origin not in heads and len(heads) >= MAX_LOGS:
            return Answer(503, "this witness keeps no more logs\n", told="too many logs")
        last = heads.get(checkpoint.origin) or KeptHead(0, EMPTY_ROOT)
        if request.old != last.size:
            return Answer(409, f"{last.size}\n", SIZE_TYPE)
        if not _extends(last, checkpoint, request.proof):
            return self._fork(request, checkpoint, last)
        at = self._now()
        if at < last.at:
            return Answer(503, "this witness's clock went back\n", told="the clock went back")
        self._heads.keep(checkpoint.origin, KeptHead(checkpoint.size, checkpoint.root, at=at))
        try:
            lines = [cosigner.cosign(checkpoint.to_text(), at) for cosigner in self._cosigners]
        except SignerUnavailable as error:
            return Answer(503, "this witness cannot reach its key\n", told=f"key: {error}")
        return Answer(200, "".join(lines))

    def _fork(self, request: Request, checkpoint: Checkpoint, last: KeptHead) -> Answer:
        """Refuse what does not extend the head that was cosigned."""
        if (checkpoint.size, checkpoint.root) == (last.size, last.root):
            return Answer(422, "a proof was given where nothing is to be proved\n")
        kept = self._keep_evidence(request, checkpoint)
        told = f"fork of {checkpoint.origin}: {checkpoint.size} entries do not extend {last.size}; {kept}"
        return Answer(422, "the checkpoint does not extend what this witness has cosigned\n", told=told)

    def _keep_evidence(self, request: Request, checkpoint: Checkpoint) -> str:
        """Keep what the log signed and should not have, up to a thousand of them; say whether that went well."""
        if self._evidence is None:
            return "no folder for evidence was given"
        file = self._evidence / f"{sha256(checkpoint.to_text().encode()).hexdigest()}.txt"
        try:
            self._evidence.mkdir(mode=0o700, exist_ok=True)
            if not file.exists() and sum(1 for _ in self._evidence.iterdir()) < MAX_EVIDENCE:
                replace_file(file, request.to_bytes())
        except OSError as error:
            return f"it could not be kept as evidence: {error.strerror}"
        return "kept as evidence" if file.exists() else "the folder of evidence is full"


def _extends(last: KeptHead, checkpoint: Checkpoint, proof: Sequence[bytes]) -> bool:
    if last.size == 0:
        return checkpoint.size > 0 or checkpoint.root == EMPTY_ROOT
    return consistency_holds(last.size, checkpoint.size, last.root, checkpoint.root, proof)
