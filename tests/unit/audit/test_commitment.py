"""Entries and what they commit to: nothing personal in public, nothing readable without the key."""

from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.commitment import (
    Party,
    SealedEntry,
    canonical,
    check_actor,
    check_rows,
    check_subject,
    open_body,
    seal,
)
from audit.entry import LEAF_SIZE, Leaf
from audit.errors import LogError, Malformed, NotVerified, Unreadable
from tests.unit.audit.sealed import ACTOR, CITIZEN, an_entry

EID = bytes(range(16))
STRANGER = Party(b"another-handle", b"s" * 32)


@given(kind=st.integers(0, 0xFFFF), body=st.binary(max_size=300), handle=st.binary(min_size=1, max_size=40))
def test_a_sealed_entry_opens_for_its_subject_alone(kind: int, body: bytes, handle: bytes) -> None:
    """Body, kind and id come back under the subject's key; another handle or key opens nothing."""
    subject = Party(handle, b"k" * 32)
    entry = seal(eid=EID, kind=kind, subject=subject, actor=ACTOR, body=body, index={"kind": kind})
    assert open_body(entry, subject) == body
    leaf = check_rows(entry)
    assert (leaf.kind, leaf.eid, len(entry.leaf)) == (kind, EID, LEAF_SIZE)
    check_actor(leaf, ACTOR)
    for wrong in (Party(handle + b"x", b"k" * 32), Party(handle, b"K" * 32)):
        with pytest.raises(NotVerified):
            open_body(entry, wrong)
        with pytest.raises(NotVerified):
            check_actor(leaf, wrong)


def test_the_leaf_has_the_documented_layout() -> None:
    """Version, kind, id and the three commitments stand at the offsets that the module names."""
    leaf = Leaf(kind=0x0102, eid=EID, subject=b"S" * 32, body=b"B" * 32, actor=b"A" * 32)
    assert leaf.to_bytes() == b"\x01\x01\x02" + EID + b"S" * 32 + b"B" * 32 + b"A" * 32
    assert Leaf.from_bytes(leaf.to_bytes()) == leaf
    assert leaf.to_bytes()[3:19] == EID


@pytest.mark.parametrize("leaf", [b"", b"\x01" * 114, b"\x01" * 116, b"\x02" + b"\x00" * 114])
def test_what_is_no_leaf_is_refused(leaf: bytes) -> None:
    """Other lengths and versions are Malformed."""
    with pytest.raises(Malformed):
        Leaf.from_bytes(leaf)


def test_two_entries_of_one_citizen_do_not_look_alike() -> None:
    """The public commitments of the same parties differ from entry to entry, and so do two sealings of one."""
    first, second = (Leaf.from_bytes(an_entry(number).leaf) for number in (1, 2))
    assert len({first.subject, second.subject, first.actor, second.actor, first.body, second.body}) == 6
    assert an_entry(1).ciphertext != an_entry(1).ciphertext


def test_nothing_of_the_content_is_public_or_printed() -> None:
    """Handle, body and index row do not stand in the leaf, nor any of them in a repr."""
    entry = an_entry(1, body=b"secret body", index={"unit": "secret unit"})
    assert CITIZEN.handle not in entry.leaf
    for shown in (repr(entry), repr(CITIZEN)):
        assert "secret" not in shown
        assert "handle-1" not in shown


CHANGES: list[tuple[str, bytes]] = [
    ("ciphertext", b"x" * 40),
    ("body_salt", b"s" * 32),
    ("index_bytes", b'{"kind":"out","n":1}'),
]


@pytest.mark.parametrize(("part", "value"), CHANGES)
def test_a_changed_row_is_seen_without_any_key(part: str, value: bytes) -> None:
    """Body, salt or index row changed: the commitment no longer holds, and the body is not opened."""
    changed: SealedEntry = replace(an_entry(1), **{part: value})
    with pytest.raises(NotVerified):
        check_rows(changed)
    with pytest.raises(NotVerified):
        open_body(changed, CITIZEN)


def test_a_body_moved_to_another_entry_does_not_open() -> None:
    """A body sealed for one entry id is not readable under another, though all is committed to anew."""
    first = an_entry(1)
    second = Leaf.from_bytes(an_entry(2).leaf)
    moved = replace(first, leaf=replace(second, body=Leaf.from_bytes(first.leaf).body).to_bytes())
    with pytest.raises(Unreadable):
        open_body(moved, CITIZEN)


@given(data=st.data())
def test_no_flipped_bit_goes_unnoticed(data: st.DataObject) -> None:
    """Any one bit of leaf, body, salt or index row flipped: the entry is refused for its subject or its actor."""
    entry = an_entry(1)
    part = data.draw(st.sampled_from(["leaf", "ciphertext", "body_salt", "index_bytes"]))
    value = getattr(entry, part)
    bit = data.draw(st.integers(0, 8 * len(value) - 1))
    flipped = bytearray(value)
    flipped[bit // 8] ^= 1 << bit % 8
    changed: SealedEntry = replace(entry, **{part: bytes(flipped)})
    if part == "leaf" and bit // 8 in {1, 2}:
        return  # The kind is the tree's to guard: no commitment covers it.
    with pytest.raises(LogError):
        _check_all(changed)


@pytest.mark.parametrize(
    "index",
    [
        {"a": 0.5},
        {"a": [1, {"b": 2.5}]},
        {"a": "nul \0"},
        {"a": 2**60},
        {"a": float("nan")},
        {"a": b"bytes"},
        {"a": object()},
        {1: "a"},
        {"a": "\ud800"},
        {"\ud800": "a"},
        {"å": "a"},
        {"a": {"å": "a"}},
        {"a": 1.0},
    ],
)
def test_an_index_row_that_could_be_read_in_two_ways_is_refused(index: dict[Any, Any]) -> None:
    """Fractions, NUL, numbers beyond 53 bits and what is no JSON are refused, without repeating them."""
    with pytest.raises(Malformed) as refused:
        canonical(index)
    assert "nul" not in str(refused.value).lower().replace("nul character", "")


def test_an_index_row_has_one_spelling() -> None:
    """Order and spacing of the caller do not matter; what is written is canonical."""
    assert canonical({"b": [1, True, None], "a": "æ"}) == '{"a":"æ","b":[1,true,null]}'.encode()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
    max_leaves=20,
)


@given(index=st.dictionaries(st.text(st.characters(max_codepoint=127)), PLAIN))
def test_an_index_row_is_written_as_rfc_8785_writes_it(index: dict[str, Any]) -> None:
    """Whatever is not refused has, byte for byte, the form that an independent writer gives it."""
    expected: bytes = rfc8785.dumps(index)
    if b"\\u0000" in expected:
        with pytest.raises(Malformed):
            canonical(index)
    else:
        assert canonical(index) == expected


def test_a_party_without_handle_or_with_a_short_key_is_refused() -> None:
    """A commitment under an empty handle or a short key cannot be made."""
    for handle, key in ((b"", b"k" * 32), (b"h", b"k" * 31)):
        with pytest.raises(ValueError, match="party"):
            Party(handle, key)
    with pytest.raises(Malformed):
        seal(eid=b"short", kind=1, subject=STRANGER, actor=ACTOR, body=b"", index={})


def _check_all(entry: SealedEntry) -> None:
    leaf = check_rows(entry)
    check_subject(leaf, CITIZEN)
    check_actor(leaf, ACTOR)
