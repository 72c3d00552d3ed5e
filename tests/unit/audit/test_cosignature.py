"""Cosignatures: what a witness signs is what the C2SP texts say, and nothing else opens."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit import cosignature, note
from audit.checkpoint import Checkpoint
from audit.cosignature import ED25519, ML_DSA_44, Cosigner, CosignerKey
from audit.errors import LogError, Malformed
from audit.merkle import EMPTY_ROOT

TEXT = Checkpoint("log.example/101-2026", 7, EMPTY_ROOT).to_text()
AT = 1_679_315_147
# The example of C2SP tlog-cosignature: a checkpoint and the witness's line below it (the key itself is not given).
EXAMPLE = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 \
jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""
WITH_ML_DSA = pytest.mark.skipif(not cosignature.has_ml_dsa(), reason="the library here has no ML-DSA-44")
KINDS = [ED25519, pytest.param(ML_DSA_44, marks=WITH_ML_DSA)]


def _signature(line: str) -> bytes:
    return note.read(TEXT + "\n" + line).signatures[0].signature


def test_the_time_of_the_published_example_is_read() -> None:
    """The line in the specification says the time that its text names."""
    line = note.read(EXAMPLE).signatures[1]
    assert (line.name, cosignature.time_of(line.signature)) == ("witness.example.com/w1", AT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cosignature_opens_the_note_it_stands_below_and_no_other(kind: int) -> None:
    """Both kinds: the note opens with the witness's key; another text, name, time or byte does not."""
    witness = Cosigner("witness.example/w1", kind, b"w" * 32)
    line = witness.cosign(TEXT, AT)
    assert note.open_note(TEXT + "\n" + line, [witness.key]) == (TEXT, (witness.key,))
    signature = _signature(line)
    assert witness.key.verifies(TEXT.encode(), signature)
    assert not witness.key.verifies(TEXT.replace("\n7\n", "\n8\n").encode(), signature)
    assert not witness.key.verifies(TEXT.encode(), (AT + 1).to_bytes(8, "big") + signature[8:])
    assert not witness.key.verifies(TEXT.encode(), signature[:-1])
    assert not witness.key.verifies(TEXT.encode(), signature[:-1] + bytes((signature[-1] ^ 1,)))
    assert not witness.key.verifies(b"no checkpoint\n", signature)


def test_the_ed25519_message_is_the_one_the_specification_writes_out() -> None:
    """Two header lines, then the note's text: signed so that foreign code opens it."""
    witness = Cosigner("w", ED25519, b"w" * 32)
    signature = _signature(witness.cosign(TEXT, AT))
    message = b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    Ed25519PublicKey.from_public_bytes(witness.key.public).verify(signature[8:], message)


@WITH_ML_DSA
def test_the_ml_dsa_message_is_the_one_the_specification_writes_out() -> None:
    """Label, counted name, time, counted origin, start, end, root; extension lines are not in it."""
    witness = Cosigner("w", ML_DSA_44, b"w" * 32)
    message = b"subtree/v1\n\0" + b"\x01w" + AT.to_bytes(8, "big") + b"\x14log.example/101-2026"
    message += bytes(8) + (7).to_bytes(8, "big") + EMPTY_ROOT
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    signature = _signature(witness.cosign(TEXT, AT))
    MLDSA44PublicKey.from_public_bytes(witness.key.public).verify(signature[8:], message)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_are_read_back_and_show_no_secret(kind: int) -> None:
    """Both text forms are read back as they were; the repr shows nothing of the seed."""
    witness = Cosigner.generate("witness.example/w1", kind)
    assert Cosigner.from_text(witness.secret_text()) == witness
    assert CosignerKey.from_text(str(witness.key)) == witness.key
    assert witness.seed.hex() not in repr(witness)
    assert repr(witness.seed) not in repr(witness)


BAD_KEYS = [
    "",
    "w",
    "w+00000000+",
    "w+00000000+AA==",
    str(note.SigningKey("w", b"w" * 32).verify_key),
    str(Cosigner("w", ED25519, b"w" * 32).key).replace("w+", "v+", 1),
    str(Cosigner("w", ED25519, b"w" * 32).key)[:-4],
]


@pytest.mark.parametrize("text", BAD_KEYS)
def test_what_is_no_witness_s_key_is_refused(text: str) -> None:
    """A log's key, another's id, a key cut short: none is a witness's."""
    with pytest.raises(LogError):
        CosignerKey.from_text(text)
    with pytest.raises(LogError):
        Cosigner.from_text(text)


def test_a_private_key_under_another_name_is_refused() -> None:
    """The id of a private text belongs to its name, and no kind but the two is known."""
    secret = Cosigner("w", ED25519, b"w" * 32).secret_text()
    for wrong in (secret.replace("KEY+w", "KEY+v"), secret.removeprefix("P")):
        with pytest.raises(Malformed):
            Cosigner.from_text(wrong)
    with pytest.raises(Malformed):
        Cosigner("w", 1, b"w" * 32)


def test_a_time_beyond_63_bits_is_no_time() -> None:
    """Nothing is signed for such a time, and a line that claims one does not hold."""
    witness = Cosigner("w", ED25519, b"w" * 32)
    with pytest.raises(Malformed):
        witness.cosign(TEXT, 2**63)
    assert not witness.key.verifies(TEXT.encode(), (2**63).to_bytes(8, "big") + bytes(64))
