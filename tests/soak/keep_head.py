"""Keep one more head of a log, as a checkpointer does before it signs: `python tests/soak/keep_head.py FILE SIZE`.

With a third argument, `witness`, the head comes as a submission to a witness. It says what it says to others: "signed"
once the head is kept, or the cosignature.
"""

import sys
from pathlib import Path

from audit.heads_file import HeadsFile, KeptHead
from audit.merkle import Frontier

OWNER, ORIGIN = "owner", "log.example/101-2026"


def tree(size: int) -> Frontier:
    """Make the tree of a log whose entries nobody needs."""
    return Frontier().extend(bytes([number % 256]) * 32 for number in range(size))


def main() -> None:
    """Keep, then say so."""
    path, size = Path(sys.argv[1]), int(sys.argv[2])
    with HeadsFile(path, OWNER) as heads:
        if sys.argv[3:] == ["witness"]:
            sys.stdout.write(_submitted(heads, size) + "\n")
        else:
            heads.keep(ORIGIN, KeptHead(size, tree(size).root()))
            sys.stdout.write("signed\n")
        sys.stdout.flush()


def _submitted(heads: HeadsFile, size: int) -> str:
    # Imported for those who ask: it takes longer than all the rest.
    from audit.checkpoint import Checkpoint
    from audit.cosignature import Cosigner
    from audit.merkle import consistency_proof
    from audit.note import SigningKey
    from audit.witness import KnownLogs, Request, Witness

    key = SigningKey(ORIGIN, b"k" * 32)
    witness = Witness(heads, [Cosigner.generate("w")], KnownLogs({ORIGIN: [key.verify_key]}), now=lambda: 1)
    leaves = [bytes([number % 256]) * 32 for number in range(size)]
    note = Checkpoint(ORIGIN, size, tree(size).root()).signed_by(key)
    proof = consistency_proof(leaves, size - 1) if size > 1 else []
    answer = witness.add_checkpoint(Request(size - 1, tuple(proof), note).to_bytes())
    return "signed" if answer.status == 200 else str(answer.status)


if __name__ == "__main__":
    main()
