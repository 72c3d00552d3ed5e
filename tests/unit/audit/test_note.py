"""Signed notes, checkpoints and proof files: what is written is read back, what is bent is refused."""

import json
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import note
from audit.checkpoint import Checkpoint, open_checkpoint, read_unverified
from audit.errors import LogError, Malformed, NotVerified
from audit.merkle import EMPTY_ROOT, inclusion_proof, leaf_hash, tree_head
from audit.note import SigningKey, VerifyKey
from audit.proof import Proof
from tests.unit.audit.vectors import VECTORS

# The keys of golang.org/x/mod/sumdb/note's documentation (BSD).
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = TEXT + (
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ORIGIN = "log.example/101-2026"
KEY = SigningKey(ORIGIN, b"k" * 32)
OTHER = SigningKey("witness.example", b"w" * 32)


def _line(key: SigningKey, text: str) -> str:
    """Write a key's signature line over a text."""
    return note.signature_line(key.name, key.verify_key.key_id, key.sign(text.encode()))


def test_the_published_note_is_written_and_opened() -> None:
    """Go's documented key signs Go's documented note byte for byte, and its public half opens it."""
    key = SigningKey.from_text(SKEY)
    assert str(key.verify_key) == VKEY
    assert key.secret_text() == SKEY
    assert note.sign(TEXT, [key]) == SIGNED
    assert note.open_note(SIGNED, [VerifyKey.from_text(VKEY)]) == (TEXT, (key.verify_key,))


def test_a_signing_key_does_not_print_its_secret() -> None:
    """The repr of a signing key shows its name and nothing of the seed."""
    assert "k" * 32 not in repr(KEY)
    assert ORIGIN in repr(KEY)


def test_unknown_signatures_are_ignored_and_bad_known_ones_refuse_the_note() -> None:
    """A stranger's line does no harm; a known key's bad line rejects the note even beside a good one."""
    text = "hello\n"
    signed = note.sign(text, [KEY, OTHER])
    assert note.open_note(signed, [KEY.verify_key])[1] == (KEY.verify_key,)
    assert len(note.open_note(signed, [KEY.verify_key, OTHER.verify_key])[1]) == 2
    forged = signed.replace(_line(OTHER, text), _line(OTHER, "another\n"))
    assert note.open_note(forged, [KEY.verify_key])[0] == text
    with pytest.raises(NotVerified):
        note.open_note(forged, [KEY.verify_key, OTHER.verify_key])
    with pytest.raises(NotVerified):
        note.open_note(signed, [])
    twice = note.sign(text, [KEY]) + _line(KEY, "another\n")
    assert note.open_note(twice, [KEY.verify_key])[0] == text


@pytest.mark.parametrize(
    "signed",
    [
        "",
        "\n",
        "\n\n",
        "hello\n",
        "hello\n\n",
        "hello\n\n\n",
        "hello\n\n— name\n",
        SIGNED[:-1],
        SIGNED.replace("— ", "- "),
        SIGNED.replace("JnAM=", "JnAN="),
        SIGNED.replace("=\n", "\n"),
        SIGNED.replace("PeterNeumann x", "Peter+Neumann x"),
        SIGNED.replace("your", "yo\rur"),
        SIGNED.replace("— PeterNeumann", "—  PeterNeumann"),
        SIGNED + "more\n",
        SIGNED.replace("your", "\ud800"),
        "hello\n\n— name AAAAAA==\n",
        TEXT + "\n" + "— a AAAAAAAA\n" * 101,
        "x" * 1_000_001 + SIGNED,
    ],
)
def test_what_is_no_note_is_refused(signed: str) -> None:
    """Broken lines, spellings, control characters and sizes are Malformed."""
    with pytest.raises(Malformed):
        note.read(signed)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "name",
        "name+00000000",
        "name+zzzzzzzz+AAAA",
        VKEY.replace("c74f", "c74e"),
        VKEY.replace("ARpc", "AhpX"),
        VKEY[:-1],
        VKEY.replace("PeterNeumann", "Peter Neumann"),
        SKEY,
    ],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    """A key with another id, type, length or name is refused."""
    with pytest.raises(Malformed):
        VerifyKey.from_text(key)
    with pytest.raises(Malformed):
        SigningKey.from_text(key.replace("PRIVATE+KEY+", "x"))


def test_texts_that_no_note_can_hold_are_not_signed() -> None:
    """A text without a last newline or with control characters is not signed, nor is one without a key."""
    for text in ("", "\n", "hello", "a\tb\n"):
        with pytest.raises(Malformed):
            note.sign(text, [KEY])
    with pytest.raises(ValueError, match="signature"):
        note.sign("hello\n", [])


def test_the_server_judges_every_public_signature_edge_case_as_recorded() -> None:
    """The 914 Ed25519 cases of C2SP CCTV: 208 are accepted, the number all OpenSSL-based verifiers agree on."""
    path = VECTORS / "ed25519vectors.json"
    if not path.exists():
        pytest.skip("public vectors not at hand: ../shared/vectors/ed25519vectors.json")
    accepted = 0
    cases = json.loads(path.read_text(encoding="utf-8"))
    for case in cases:
        key = VerifyKey("name", bytes.fromhex(case["key"]))
        accepted += key.verifies(case["msg"].encode(), bytes.fromhex(case["sig"]))
    assert (len(cases), accepted) == (914, 208)


@given(size=st.integers(0, 2**63 - 1), root=st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was_written(size: int, root: bytes) -> None:
    """Whatever size and root are signed come back, for the right origin and key only."""
    signed = Checkpoint(ORIGIN, size, root).signed_by(KEY)
    assert open_checkpoint(signed, ORIGIN, [KEY.verify_key]) == Checkpoint(ORIGIN, size, root)
    assert read_unverified(signed).size == size
    with pytest.raises(NotVerified):
        open_checkpoint(signed, "log.example/other", [KEY.verify_key])


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n01\n{}\n",
        "o\n-1\n{}\n",
        "o\n+1\n{}\n",
        "o\n1.0\n{}\n",
        "\n1\n{}\n",
        "o\n{}\n1\n",
        "o\n١\n{}\n",
        "o\n1\nAAAA\n",
        "o\n1\n{}\n\nx\n",
        "o\n9223372036854775808\n{}\n",
        "o\n99999999999999999999\n{}\n",
        "o\n1\n{}",
    ],
)
def test_a_checkpoint_has_one_spelling(text: str) -> None:
    """Leading zeroes, signs, foreign digits, short roots, empty lines and sizes over 63 bits are refused."""
    with pytest.raises(Malformed):
        Checkpoint.from_text(text.replace("{}", b64encode(EMPTY_ROOT).decode()))


def test_extension_lines_of_others_are_kept() -> None:
    """A checkpoint with extension lines is read and written unchanged."""
    text = f"o\n1\n{b64encode(EMPTY_ROOT).decode()}\nextra one\nextra two\n"
    assert Checkpoint.from_text(text).to_text() == text


# --- proof files -------------------------------------------------------------------------------

LEAVES = [bytes([n]) * 115 for n in range(11)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
CHECKPOINT = Checkpoint(ORIGIN, 11, tree_head(HASHES)).signed_by(KEY)


def a_proof(index: int, extra: bytes | None = None) -> Proof:
    """Prove one of eleven leaves."""
    return Proof(index, tuple(inclusion_proof(HASHES, index)), CHECKPOINT, extra)


@pytest.mark.parametrize("index", range(11))
@pytest.mark.parametrize("extra", [None, b"", b"extra information"])
def test_a_proof_file_is_read_as_written_and_holds(index: int, extra: bytes | None) -> None:
    """Each leaf's proof survives the file and convinces, for its own leaf only."""
    proof = Proof.from_text(a_proof(index, extra).to_text())
    assert proof == a_proof(index, extra)
    assert proof.verify(LEAVES[index], ORIGIN, [KEY.verify_key]).size == 11
    with pytest.raises(NotVerified):
        proof.verify(LEAVES[index - 1], ORIGIN, [KEY.verify_key])
    with pytest.raises(NotVerified):
        proof.verify(LEAVES[index], ORIGIN, [OTHER.verify_key])


# The tables of transparency-dev/formats, proof/tlog_proof_test.go.
HASH = b64encode(b"h" * 32).decode()


def test_the_file_has_the_published_form() -> None:
    """Header, optional extra line, index, hashes, an empty line and the checkpoint, as the format says."""
    proof = Proof(10, (b"h" * 32,), "checkpoint data\n", b"extra information")
    assert proof.to_text() == (
        f"c2sp.org/tlog-proof@v1\nextra {b64encode(b'extra information').decode()}\n"
        f"index 10\n{HASH}\n\ncheckpoint data\n"
    )
    assert Proof(0, (), "checkpoint\n").to_text() == "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"


@pytest.mark.parametrize(
    "text",
    [
        "wrong-header\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra !!notbase64!!\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex notanumber\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex -5\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 05\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n!!notbase64!!\n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{b64encode(bytes(64)).decode()}\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + "a" * 65 * 1024 + "\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + f"{HASH}\n" * 64 + "\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\n",
    ],
)
def test_what_is_no_proof_file_is_refused(text: str) -> None:
    """Wrong headers, encodings, indices, lengths and missing parts are Malformed."""
    with pytest.raises(Malformed):
        Proof.from_text(text)


@given(data=st.data())
def test_one_changed_character_never_convinces(data: st.DataObject) -> None:
    """Any single character of a proof file changed, cut or doubled: it is refused or says what it said before."""
    index = data.draw(st.integers(0, 10))
    text = a_proof(index).to_text()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([chr(ord(text[at]) ^ 1), "", text[at] * 2, "A", "\n", "0"]))
    bent = text[:at] + other + text[at + 1 :]
    try:
        proof = Proof.from_text(bent)
        proof.verify(LEAVES[index], ORIGIN, [KEY.verify_key])
    except LogError:
        return
    assert proof.index == index
    assert b64decode(proof.checkpoint.split("\n")[2]) == tree_head(HASHES)
