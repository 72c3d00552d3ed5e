"""The verifier that runs in a browser judges as the one in Python does: public vectors, and whatever is bent."""

import json
import os
import random
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from audit import note
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.errors import Malformed, NotVerified
from audit.merkle import inclusion_holds, inclusion_proof, leaf_hash, tree_head
from audit.note import SigningKey, VerifyKey
from audit.proof import Proof
from tests import proof_cases
from tests.unit.audit.vectors import VECTORS

JUDGE = Path(__file__).with_name("judge.mjs")
ORIGIN = "log.example/korsbæk/2026"
KEY, OTHER = SigningKey(ORIGIN, b"k" * 32), SigningKey("witness.example", b"w" * 32)
LEAVES = [f"entry {number}".encode() for number in range(11)]
ODDITIES = ("\n", "\n\n", "\0", "\t", "\u2028", "\ufeff", "\ud800", "+", " ", "=", "A", "é", "0", "— ", "9" * 20)


def judged(cases: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Let the JavaScript judge every case; skipped without node, which CI has."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("in CI the browser's verifier is judged, and node is missing")
        pytest.skip("no node on PATH")
    told = subprocess.run(
        [node, "--no-warnings", JUDGE], input=json.dumps(cases), capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    answers: list[Any] = json.loads(told.stdout)
    return answers


def test_every_public_case_is_judged_as_published() -> None:
    """All 518 cases of transparency-dev/merkle end as their files say, in JavaScript too."""
    folder = VECTORS / "transparency-dev-merkle"
    if not folder.is_dir():
        pytest.skip("public vectors not at hand: ../shared/vectors/transparency-dev-merkle")
    paths = sorted(folder.rglob("*.json"))
    cases = [(path.relative_to(folder).parts[0], json.loads(path.read_text("utf-8"))) for path in paths]

    answers = judged(cases)

    assert len(cases) == 518
    assert [
        path for path, (_, case), holds in zip(paths, cases, answers, strict=True) if holds == case["wantErr"]
    ] == []


def a_checkpoint(size: int = len(LEAVES)) -> str:
    """Sign the head of a small log with two keys."""
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    return Checkpoint(ORIGIN, size, tree_head(hashes)).signed_by(KEY, OTHER)


def a_proof(index: int) -> str:
    """Write the proof file of an entry."""
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    return Proof(index, tuple(inclusion_proof(hashes, index)), a_checkpoint()).to_text()


def bent(chance: random.Random, text: str) -> str:
    """Change a text in one place: a letter away, one more, lines swapped, an end cut off."""
    place = chance.randrange(len(text))
    lines = text.split("\n")
    chance.shuffle(lines)
    return chance.choice([
        text[:place] + text[place + 1 :],
        text[:place] + chance.choice(ODDITIES) + text[place:],
        text[:place] + chance.choice(ODDITIES) + text[place + 1 :],
        text[:place],
        text + chance.choice(ODDITIES),
        "\n".join(lines),
        text.swapcase(),
    ])  # fmt: skip


def in_python(kind: str, case: dict[str, Any]) -> str:
    """Judge a case as the auditor's command does."""
    try:
        if kind == "key":
            return VerifyKey.from_text(case["key"]).name
        keys = [VerifyKey.from_text(key) for key in case["keys"]]
        if kind == "note":
            return note.open_note(case["text"], keys)[0]
        if kind == "checkpoint":
            return str(open_checkpoint(case["text"], case["origin"], keys).size)
        proof = Proof.from_text(case["text"])
        proof.verify(LEAVES[case["place"]], case["origin"], keys)
        return str(proof.index)
    except (Malformed, NotVerified) as fault:
        return type(fault).__name__


def test_both_judge_alike_whatever_is_bent() -> None:
    """Keys, notes, checkpoints and proof files, sound and bent a little, have the same end in both languages."""
    chance = random.Random(6962)
    keys = [str(KEY.verify_key), str(OTHER.verify_key)]
    cases: list[tuple[str, dict[str, Any]]] = []
    for number in range(2_000):
        place = number % len(LEAVES)
        how = (lambda text: text) if number % 10 == 0 else (lambda text: bent(chance, text))
        leaf = b64encode(LEAVES[place]).decode()
        known = chance.choice([keys, keys[:1], keys[1:], []])
        cases += [
            ("key", {"key": how(chance.choice(keys))}),
            ("note", {"text": how(note.sign("hej\n\nverden\n", [KEY])), "keys": known}),
            (
                "checkpoint",
                {"text": how(a_checkpoint(place)), "origin": chance.choice([ORIGIN, "other"]), "keys": known},
            ),
            ("proof", {"text": how(a_proof(place)), "leaf": leaf, "place": place, "origin": ORIGIN, "keys": known}),
        ]
    # A lone half of a letter cannot be told to another process as UTF-8 text; JSON says it as an escape.
    answers = judged(cases)

    ours = [in_python(kind, case) for kind, case in cases]
    assert [(case, a, b) for case, a, b in zip(cases, ours, answers, strict=True) if a != b] == []
    assert {"Malformed", "NotVerified", "0", ORIGIN} <= set(ours)


def test_both_accept_a_thousand_proofs_and_refuse_a_thousand_bent_ones() -> None:
    """Every entry of a tree of 1,000 is accepted by its proof; each proof bent in one place is refused."""
    rows = [*proof_cases.sound(), *proof_cases.bent()]
    cases = [
        (
            "inclusion",
            {
                "leafIdx": one.index, "treeSize": one.size, "root": b64encode(one.root).decode(),
                "leafHash": b64encode(leaf_hash(one.leaf)).decode(),
                "proof": [b64encode(value).decode() for value in one.proof],
            },
        )
        for one in rows
    ]  # fmt: skip
    expected = [True] * 1000 + [False] * 1000
    assert judged(cases) == expected
    assert [inclusion_holds(one.index, one.size, leaf_hash(one.leaf), one.proof, one.root) for one in rows] == expected
