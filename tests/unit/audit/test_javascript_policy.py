"""What a citizen's browser checks beside signatures: witnesses, quorum, freshness, the log it saw before, tiles.

Each is judged in JavaScript and in Python, sound and bent, and the two agree.
"""

import json
import random
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit import policy
from audit.checkpoint import Checkpoint
from audit.cosignature import ML_DSA_44, Cosigner, CosignerKey, has_ml_dsa
from audit.errors import Malformed, NotVerified, PolicyRefused
from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_holds,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    tree_head,
)
from audit.note import SigningKey
from audit.tiles import derive
from tests.unit.audit.test_javascript_verifier import bent, judged

BASE, ORIGIN = "log.example", "log.example/korsbæk/2026"
KEY, STRANGER = SigningKey(BASE, b"k" * 32), SigningKey("evil.example", b"e" * 32)
COSIGNERS = [Cosigner(f"w{n}.example", 4, bytes([n]) * 32) for n in range(1, 5)]
NOW = 1_780_000_000
NAMES = ["one", "two", "three", "four"]
HASHES = [leaf_hash(b"entry %d" % number) for number in range(66_000)]
# The published edge cases of Ed25519 (the first edition of C2SP/CCTV ed25519), as a Go module.
VECTORS = "filippo.io/mostly-harmless/ed25519vectors"


def text(value: bytes) -> str:
    """Write bytes as a judge reads them."""
    return b64encode(value).decode()


def a_policy(quorum: str, *, witnesses: list[Cosigner] | None = None) -> str:
    """Write a policy of four witnesses in two groups."""
    given = COSIGNERS if witnesses is None else witnesses
    rows = [f"witness {name} {cosigner.key} https://w/" for name, cosigner in zip(NAMES, given, strict=True)]
    groups = ["group pair 1 one two", "group others all three four", "group both 2 pair others"]
    return "\n".join(["# whom we trust", f"log {KEY.verify_key}", "", *rows, *groups, f"\tquorum  {quorum}", ""])


def a_note(chance: random.Random, key: SigningKey = KEY) -> str:
    """Sign a checkpoint and let some witnesses cosign it, now, long ago, or in the future."""
    note = Checkpoint(ORIGIN, 7, tree_head(HASHES[:7])).signed_by(key)
    body = note.partition("\n\n")[0] + "\n"
    for cosigner in chance.sample(COSIGNERS, chance.randrange(5)):
        for _ in range(chance.choice([1, 1, 2])):
            at = NOW + chance.choice([0, -30, -4000, 59, 61, 90_000])
            note += cosigner.cosign(chance.choice([body, body, body, body + "x\n"]), at)
    return note


def in_python(kind: str, case: dict[str, Any]) -> Any:
    """Judge a case as the auditor's command does."""
    try:
        if kind == "witness":
            return CosignerKey.from_text(case["key"]).name
        read = policy.parse(case["text" if kind in {"policy", "quorum"} else "policy"].encode())
        if kind == "policy":
            return read.quorum
        if kind == "quorum":
            return read.has_quorum(set(case["names"]) & set(read.witnesses))
        found = read.open(case["text"], case["origin"], now=case["now"], oldest=case["oldest"])
        return [str(found.size), sorted(read.cosigned(case["text"], now=case["now"], oldest=case["oldest"]))]
    except (Malformed, PolicyRefused):
        return "Malformed"
    except NotVerified:
        return "NotVerified"


def test_both_judge_witnesses_and_quorums_alike() -> None:
    """Keys, policies, quorums and cosigned notes, sound and bent, end alike in both languages."""
    chance = random.Random(4)
    quorums = ["both", "pair", "others", "one", "none"]
    cases: list[tuple[str, dict[str, Any]]] = []
    for number in range(600):
        how = (lambda one: one) if number % 3 == 0 else (lambda one: bent(chance, one))
        written = a_policy(chance.choice(quorums))
        names = chance.sample([*NAMES, "pair", "nobody"], chance.randrange(6))
        when = {"now": chance.choice([None, NOW]), "oldest": chance.choice([None, 3600])}
        note = a_note(chance, chance.choice([KEY, KEY, KEY, STRANGER]))
        cases += [
            ("witness", {"key": how(str(chance.choice(COSIGNERS).key))}),
            ("policy", {"text": how(written)}),
            ("quorum", {"text": written, "names": names}),
            ("opened", {"text": how(note), "policy": written, "origin": chance.choice([ORIGIN, BASE, "x"]), **when}),
            ("opened", {"text": note, "policy": written, "origin": ORIGIN, **when}),
        ]
    cases = [(kind, case) for kind, case in cases if "\ud800" not in str(case.get("text")) or kind != "policy"]
    answers = judged(cases)
    ours = [in_python(kind, case) for kind, case in cases]
    assert [(case, a, b) for case, a, b in zip(cases, ours, answers, strict=True) if a != b] == []
    assert {"Malformed", "NotVerified", "both", "none"} <= {one for one in ours if isinstance(one, str)}
    assert {True, False} <= {one for one in ours if isinstance(one, bool)}
    assert any(isinstance(one, list) and len(one[1]) == 4 for one in ours)


@pytest.mark.skipif(not has_ml_dsa(), reason="the cryptography library here has no ML-DSA-44")
def test_a_witness_that_no_browser_can_check_never_counts() -> None:
    """A policy that names an ML-DSA key is read; its cosignature makes no quorum in a browser, and fails closed."""
    stronger = Cosigner("w1.example", ML_DSA_44, b"m" * 32)
    written = a_policy("one", witnesses=[stronger, *COSIGNERS[1:]])
    note = Checkpoint(ORIGIN, 7, tree_head(HASHES[:7])).signed_by(KEY)
    cosigned = note + stronger.cosign(note.partition("\n\n")[0] + "\n", NOW)
    case = {"text": cosigned, "policy": written, "origin": ORIGIN, "now": NOW, "oldest": None}
    assert judged([("policy", {"text": written}), ("opened", case)]) == ["one", "NotVerified"]
    quorums = ["one", "pair", "others", "both", "none"]
    seen = [("canbeseen", {"policy": a_policy(quorum, witnesses=[stronger, *COSIGNERS[1:]])}) for quorum in quorums]
    assert judged(seen) == [quorum != "one" for quorum in quorums]
    assert policy.parse(written.encode()).open(cosigned, ORIGIN, now=NOW).size == 7


def test_a_stale_checkpoint_is_not_fresh() -> None:
    """A cosignature of an hour ago, or of the future, makes no quorum where a younger one is asked for."""
    note = Checkpoint(ORIGIN, 7, tree_head(HASHES[:7])).signed_by(KEY)
    body = note.partition("\n\n")[0] + "\n"
    told = judged([
        ("opened", {"text": note + COSIGNERS[0].cosign(body, NOW + at), "policy": a_policy("one"), "origin": ORIGIN,
                    "now": NOW, "oldest": 600})
        for at in (0, -600, -601, 60, 61, 10**9)
    ])  # fmt: skip
    assert [one == "NotVerified" for one in told] == [False, False, True, False, True, True]


def test_a_browser_sees_that_its_log_was_changed_or_taken_back() -> None:
    """Of every pair of small trees the newer is believed by its proof alone; a bent proof, root or size is not."""
    roots = [EMPTY_ROOT, *(tree_head(HASHES[:size]) for size in range(1, 20))]

    def case(old: int, new: int, **changed: Any) -> tuple[str, dict[str, Any]]:
        proof = consistency_proof(HASHES[:new], old) if 0 < old <= new else []
        sound = {"before": [ORIGIN, old, text(roots[old])], "after": [ORIGIN, new, text(roots[new])]}
        return "continues", sound | {"proof": [text(one) for one in proof]} | changed

    pairs = [(old, new) for new in range(20) for old in range(new + 1)]
    assert set(map(str, judged([case(*pair) for pair in pairs]))) == {"True"}
    wrong = [case(new, old) for old, new in pairs if old < new]
    wrong += [case(*pair, before=["other", pair[0], text(roots[pair[0]])]) for pair in pairs]
    wrong += [
        case(old, new, after=[ORIGIN, new, text(HASHES[0])]) for old, new in pairs if old and (old, new) != (1, 1)
    ]
    wrong += [case(old, new, proof=[text(HASHES[5])]) for old, new in pairs]
    assert set(judged(wrong)) == {"NotVerified"}
    assert all(consistency_holds(o, n, roots[o], roots[n], consistency_proof(HASHES[:n], o)) for o, n in pairs if o)
    garbage = ["", "{}", "[]", '{"origin":"x","size":"01","root":""}', '{"origin":"x","size":"1","root":"AA=="}']
    assert judged([("kept", {"text": one}) for one in garbage]) == ["Malformed"] * 5


@pytest.mark.parametrize("size", [1, 2, 255, 257, 700, 66_000])
def test_a_browser_makes_its_proofs_from_tiles(size: int) -> None:
    """From the tiles of a tree the same proofs come out, hash by hash, as from the whole of it."""
    tiles = {tile.path: text(packed) for tile, packed in derive(HASHES[:size])}
    places = sorted({0, size // 3, size // 2, size - 1})
    cases = [("tiles", {"index": str(index), "size": str(size), "tiles": tiles}) for index in places]
    cases += [("tiles", {"old": str(index + 1), "size": str(size), "tiles": tiles}) for index in places]
    expected = [inclusion_proof(HASHES[:size], index) for index in places]
    expected += [consistency_proof(HASHES[:size], index + 1) for index in places]
    assert judged(cases) == [[text(one) for one in proof] for proof in expected]
    assert Frontier().extend(HASHES[:size]).root()


def vectors() -> list[dict[str, Any]]:
    """Give the published edge cases of Ed25519, fetched by the lock of their module; skipped where they are not."""
    module = Path(__file__).parents[2] / "peers" / "gosumdb"
    command = ["go", "mod", "download", "-json", VECTORS]
    try:
        fetched = subprocess.run(command, cwd=module, capture_output=True, text=True, check=False)
    except OSError:
        pytest.skip("Go is not on PATH: the published Ed25519 cases are not at hand")
    if fetched.returncode:
        pytest.skip("the published Ed25519 cases cannot be fetched")
    found: list[dict[str, Any]] = json.loads(
        (Path(json.loads(fetched.stdout)["Dir"]) / "ed25519vectors.json").read_text()
    )
    return found


def test_server_and_browser_take_the_same_signatures() -> None:
    """On every published edge case of Ed25519 Python and WebCrypto agree; some are taken and some are not."""
    rows = vectors()

    def accepted(row: dict[str, Any]) -> bool:
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(row["A"]))
            key.verify(bytes.fromhex(row["R"] + row["S"]), row["M"].encode())
        except InvalidSignature:
            return False
        return True

    cases = [("ed25519", {"key": row["A"], "signature": row["R"] + row["S"], "message": row["M"]}) for row in rows]
    ours = [accepted(row) for row in rows]
    assert judged(cases) == ours
    assert len(rows) == 768
    assert set(ours) == {True, False}
