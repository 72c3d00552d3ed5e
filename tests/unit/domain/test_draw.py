"""The draw of a random sample: the same every time, fair to each access, and each unit for itself."""

import hashlib
import hmac
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.draw import Head, commitment_of, draw, head_for, key_of, rank_of

LOG = "test.example/log/korsbaek/2019"
ACCESSES = st.lists(st.tuples(st.sampled_from(["job", "social", "school"]), st.integers(0, 10**6)),
                    unique_by=lambda row: row[1], max_size=60)  # fmt: skip
KEYS = st.binary(min_size=32, max_size=32)


@given(KEYS, ACCESSES, st.integers(0, 8), st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_draw(
    key: bytes, accesses: list[tuple[str, int]], size: int, mix: Random
) -> None:
    """However the accesses come, the draw is the same, of the size asked for, and of the unit's own accesses."""
    first = draw(key, LOG, accesses, size)
    mixed = list(accesses)
    mix.shuffle(mixed)
    assert draw(key, LOG, mixed, size) == first
    for unit, count in first.accesses.items():
        mine = {entry for one, entry in accesses if one == unit}
        assert len(first.drawn[unit]) == len(set(first.drawn[unit])) == min(size, count)
        assert set(first.drawn[unit]) <= mine


@given(KEYS, ACCESSES, st.integers(1, 8), st.integers(10**6 + 1, 10**7))
def test_another_units_access_changes_nothing(key: bytes, accesses: list[tuple[str, int]], size: int, new: int) -> None:
    """One more access of another unit leaves what is drawn of this one as it was."""
    before, after = draw(key, LOG, accesses, size), draw(key, LOG, [*accesses, ("fire", new)], size)
    assert {unit: after.drawn[unit] for unit in before.drawn} == before.drawn


@given(KEYS, ACCESSES, st.integers(1, 8))
def test_the_smallest_are_drawn(key: bytes, accesses: list[tuple[str, int]], size: int) -> None:
    """What is drawn is what HMAC-SHA256 puts first, written out here by hand."""
    for unit, drawn in draw(key, LOG, accesses, size).drawn.items():
        mine = [entry for one, entry in accesses if one == unit]
        mine.sort(key=lambda entry: hmac.new(key, f"{LOG} {entry}".encode(), hashlib.sha256).digest())
        assert list(drawn) == mine[:size]


def test_each_access_is_drawn_as_often() -> None:
    """Over 2000 fixed seeds, of 20 accesses 5 are drawn: chi-square stays below its 99.9 % bound for 19 degrees."""
    seen: Counter[int] = Counter()
    for number in range(2000):
        key = key_of(number.to_bytes(32, "big"), b"root")
        seen.update(draw(key, LOG, [("job", entry) for entry in range(20)], 5).drawn["job"])
    expected = 2000 * 5 / 20
    # Drawing without laying back varies less than the distribution allows for; the bound errs to the strict side.
    assert sum((seen[entry] - expected) ** 2 / expected for entry in range(20)) < 43.8


def test_key_and_place_hang_on_every_part() -> None:
    """Another seed, root, log or entry gives another key or place; a seed of another length is refused."""
    seed, root = b"s" * 32, b"r" * 32
    key = key_of(seed, root)
    assert len({key, key_of(b"t" * 32, root), key_of(seed, b"q" * 32)}) == 3
    assert len({rank_of(key, LOG, 1), rank_of(key, LOG, 2), rank_of(key, LOG + "9", 1)}) == 3
    assert commitment_of(seed) == hashlib.sha256(seed).hexdigest()
    with pytest.raises(ValueError, match="32 bytes"):
        commitment_of(b"short")


def test_the_first_head_that_covers_both() -> None:
    """Neither an earlier head, nor one that covers only the seed or only the period, nor a later one serves."""
    heads = [Head(30, b"c"), Head(10, b"a"), Head(20, b"b")]
    assert head_for(heads, seeded=10, last=4) == Head(20, b"b")
    assert head_for(heads, seeded=4, last=20) == Head(30, b"c")
    assert head_for(heads, seeded=9, last=9) == Head(10, b"a")
    assert head_for(heads, seeded=30, last=0) is None
