"""Go's own sumdb code judges our notes, proofs and exported tiles: what we make it accepts, what is bent it refuses."""

import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.checkpoint import Checkpoint
from audit.evidence import Evidence
from audit.merkle import Frontier, consistency_proof, inclusion_proof, leaf_hash
from audit.note import SigningKey
from audit.tiles import bundle, bundles_of, derive
from tests import proof_cases
from tests.attacks.test_evidence import BENT, WHOLE
from tests.evidence_house import LOG_KEY
from tests.proof_pairs import pairs

GLUE = Path(__file__).parent / "gosumdb"
ROOT = Path(__file__).parents[2]
ORIGIN = "log.example/101-2026"
KEY = SigningKey.generate(ORIGIN)
SIZE = 40
LEAVES = [b"entry %d" % number for number in range(70_000)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
ROOTS = [Frontier().extend(HASHES[:size]).root() for size in range(SIZE + 1)]
Judge = Callable[..., dict[str, list[str]]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the judge once; skip in one line where Go or its module cannot be had."""
    if shutil.which("go") is None:
        pytest.skip("Go is not on PATH: the sumdb judge is not asked")
    fetched = subprocess.run(["go", "mod", "download"], cwd=GLUE, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip("golang.org/x/mod cannot be fetched: the sumdb judge is not asked")
    built = tmp_path_factory.mktemp("go") / "gosumdb"
    subprocess.run(["go", "build", "-o", str(built), "."], cwd=GLUE, check=True)
    return built


@pytest.fixture(scope="module")
def judge(program: Path) -> Judge:
    """Ask the judge about cases."""

    def ask(**cases: list[dict[str, Any]]) -> dict[str, list[str]]:
        told = subprocess.run([program], input=json.dumps(cases), capture_output=True, text=True, check=True)
        answer: dict[str, list[str]] = json.loads(told.stdout)
        return answer

    return ask


def text(value: bytes) -> str:
    """Write a hash as the judge reads it."""
    return b64encode(value).decode()


def inclusion(index: int, size: int, **bent: Any) -> dict[str, Any]:
    """Make an inclusion case, bent where the test says."""
    proof = [text(value) for value in inclusion_proof(HASHES[:size], index)]
    case = {"Index": index, "Size": size, "Root": text(ROOTS[size]), "Leaf": text(HASHES[index]), "Proof": proof}
    return case | bent


def consistency(old: int, new: int, **bent: Any) -> dict[str, Any]:
    """Make a consistency case, bent where the test says."""
    proof = [text(value) for value in consistency_proof(HASHES[:new], old)]
    case = {"Old": old, "New": new, "OldRoot": text(ROOTS[old]), "NewRoot": text(ROOTS[new]), "Proof": proof}
    return case | bent


def test_go_opens_our_checkpoint_and_no_forged_one(judge: Judge) -> None:
    """A checkpoint of ours, alone or with a witness's line, is opened; a changed size or another key is not."""
    witness = SigningKey.generate("witness.example")
    good = Checkpoint(ORIGIN, 40, ROOTS[40]).signed_by(KEY)
    cosigned = Checkpoint(ORIGIN, 40, ROOTS[40]).signed_by(witness, KEY)
    vkey, other = str(KEY.verify_key), str(SigningKey.generate(ORIGIN).verify_key)
    cases = [(vkey, good), (vkey, cosigned), (vkey, good.replace("\n40\n", "\n41\n")), (other, good)]
    told = judge(notes=[{"Vkey": key, "Note": note} for key, note in cases])["Notes"]
    assert [error == "" for error in told] == [True, True, False, False]


def test_go_accepts_every_proof_of_every_small_tree(judge: Judge) -> None:
    """All inclusion and all consistency proofs up to forty entries are accepted."""
    pairs = [(index, size) for size in range(1, SIZE + 1) for index in range(size)]
    told = judge(
        inclusion=[inclusion(index, size) for index, size in pairs],
        consistency=[consistency(index + 1, size) for index, size in pairs],
    )
    assert set(told["Inclusion"]) == set(told["Consistency"]) == {""}
    assert len(told["Inclusion"]) == len(told["Consistency"]) == len(pairs) == 820


def test_go_refuses_bent_proofs(judge: Judge) -> None:
    """With another index, root or leaf, or a hash less, the same judge refuses: it does look."""
    pairs = [(index, size) for size in range(2, SIZE + 1) for index in range(size)]
    wrong = text(leaf_hash(b"another"))
    shorter = [inclusion(i, n, Proof=inclusion(i, n)["Proof"][1:]) for i, n in pairs]
    told = judge(
        inclusion=shorter + [inclusion(i, n, **{end: wrong}) for i, n in pairs for end in ("Leaf", "Root")],
        consistency=[
            consistency(i, n, **{part: [] if part == "Proof" else wrong})
            for i, n in pairs
            if 0 < i < n
            for part in ("OldRoot", "NewRoot", "Proof")
        ],
    )
    assert "" not in told["Inclusion"]
    assert "" not in told["Consistency"]


def test_go_accepts_every_pair_and_none_with_a_bit_changed(program: Path) -> None:
    """All proofs of every entry in, and from every size to, all trees up to 64; up to 1,024 in `run.py soak`."""
    assert pairs(program, 64) == 64 * 65


def test_go_accepts_a_thousand_proofs_and_refuses_a_thousand_bent_ones(judge: Judge) -> None:
    """Every entry of a tree of 1,000 is accepted by its proof; each proof bent in one place is refused."""
    told = judge(
        inclusion=[
            {
                "Index": one.index, "Size": one.size, "Root": text(one.root), "Leaf": text(leaf_hash(one.leaf)),
                "Proof": [text(value) for value in one.proof],
            }
            for one in (*proof_cases.sound(), *proof_cases.bent())
        ]
    )["Inclusion"]  # fmt: skip
    assert set(told[:1000]) == {""}
    assert "" not in told[1000:]
    assert len(told) == 2000


@pytest.mark.parametrize("size", [1, 255, 256, 257, 70_000])
def test_go_reads_an_exported_log_and_every_entry_in_it(judge: Judge, tmp_path: Path, size: int) -> None:
    """Tiles of one, two and three levels are re-verified by Go; a changed entry, tile or root is refused."""
    files = {tile.path: packed for tile, packed in derive(HASHES[:size])}
    for tile in bundles_of(size):
        files[tile.path] = bundle(LEAVES[tile.number * 256 :][: tile.width])
    files["checkpoint"] = Checkpoint(ORIGIN, size, Frontier().extend(HASHES[:size]).root()).signed_by(KEY).encode()
    for name, packed in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(packed)

    def accepted() -> bool:
        return judge(exports=[{"Vkey": str(KEY.verify_key), "Folder": str(tmp_path)}])["Exports"] == [""]

    assert accepted()
    bent = [next(iter(files)), list(bundles_of(size))[-1].path, "checkpoint"]
    for name in bent:
        middle = len(files[name]) // 2
        changed = bytes([files[name][middle] ^ 1])
        (tmp_path / name).write_bytes(files[name][:middle] + changed + files[name][middle + 1 :])
        assert not accepted()
        (tmp_path / name).write_bytes(files[name])
    assert accepted()


# What Go's code refuses: everything but the policy and its witnesses, which it does not judge.
NOT_JUDGED = {
    "nobody's key", "another key", "one key more", "a witness less", "a policy of nobody", "a policy of one",
    "a policy of another log", "a policy with a remark", "no policy", "shown without a salt",
}  # fmt: skip


def judged(program: Path, evidence: Evidence, folder: Path) -> int:
    """Unpack a package and ask Go's code, with the key from elsewhere; give how it ended."""
    folder.mkdir()
    for name, content in evidence.files().items():
        (folder / name).write_bytes(content)
    words = [program, folder, str(LOG_KEY.verify_key)]
    return subprocess.run(words, capture_output=True, text=True, check=False).returncode


def test_the_evidence_of_one_entry_is_judged(program: Path, tmp_path: Path) -> None:
    """A package is believed by Go's code with the key from elsewhere, and each bent one that it judges is refused."""
    assert judged(program, WHOLE.evidence, tmp_path / "whole") == 0
    accepted = {
        what
        for number, (what, bend) in enumerate(BENT.items())
        if judged(program, bend(WHOLE.evidence), tmp_path / str(number)) == 0
    }
    assert accepted == NOT_JUDGED


def test_every_command_of_the_page_of_evidence_works(program: Path, tmp_path: Path) -> None:
    """As an inspector types them, ours and Go's, in a folder with the file and the key alone beside the sources."""
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not on PATH: the page's commands are not typed")
    page = (ROOT / "docs" / "evidence.md").read_text("utf-8")
    (tmp_path / "evidence.zip").write_bytes(WHOLE.evidence.pack())
    (tmp_path / "trusted").write_text(f"{LOG_KEY.verify_key}\n", "utf-8")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    for command in commands:
        told = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert told.returncode == 0, command + told.stderr
    assert len(commands) == 4
    assert program.exists()
