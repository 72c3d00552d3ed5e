"""The map: what it holds for a key can be proved, and nothing else can."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import Malformed
from audit.map import (
    BITS,
    NOTHING,
    Chain,
    Map,
    MapProof,
    Slot,
    bucket_hash,
    bucket_of,
    chain_of,
    label_of,
    pack,
    path_of,
    put,
    tiles_of,
    unpack,
)
from audit.merkle import node_hash


def a_key(number: int) -> bytes:
    """Make a map key from a number."""
    return sha256(b"key" + number.to_bytes(4, "big")).digest()


def a_hash(number: int) -> bytes:
    """Make a hash from a number."""
    return sha256(number.to_bytes(4, "big")).digest()


def a_map(*owners: int) -> Map:
    """Build a map whose n-th entry is the n-th owner's."""
    made = Map()
    for number, owner in enumerate(owners):
        made.add(a_key(owner), a_hash(number), a_hash(number + 1000))
    return made


def chain_for(owner: int, *owners: int) -> Chain:
    """Chain what a map of these owners holds for one of them."""
    return chain_of([(a_hash(n), a_hash(n + 1000)) for n, one in enumerate(owners) if one == owner])


@given(st.lists(st.integers(0, 30), max_size=60))
@settings(max_examples=40, deadline=None)
def test_what_a_map_holds_is_proved_for_everybody(owners: list[int]) -> None:
    """For whoever has entries, and for whoever has none, the proof gives the root; another count or chain does not."""
    made = a_map(*owners)
    root = made.root()
    for owner in range(31):
        chain, proof = chain_for(owner, *owners), made.prove(a_key(owner))
        assert proof.root(a_key(owner), chain) == root
        more = chain.then(a_hash(9), a_hash(9))
        assert proof.root(a_key(owner), more) != root
        if chain.count:
            assert proof.root(a_key(owner), Chain()) != root
            assert proof.root(a_key(owner), Chain(chain.count - 1, chain.head)) != root


def test_every_way_of_leaving_an_entry_out_is_seen() -> None:
    """The first, a middle one, the newest, all of them; two swapped; one of another's put in: none gives the root."""
    owners = (1, 2, 1, 1, 2, 1)
    made = a_map(*owners)
    root, proof = made.root(), made.prove(a_key(1))
    mine = [(a_hash(n), a_hash(n + 1000)) for n, owner in enumerate(owners) if owner == 1]
    lists = [
        mine[1:],
        mine[:1] + mine[2:],
        mine[:-1],
        [],
        [mine[1], mine[0], *mine[2:]],
        [*mine, (a_hash(1), a_hash(1001))],
    ]
    assert proof.root(a_key(1), chain_of(mine)) == root
    assert root not in {proof.root(a_key(1), chain_of(shown)) for shown in lists}


def test_what_is_shown_of_an_entry_is_part_of_the_chain() -> None:
    """An entry shown with other words than were committed to does not give the root."""
    made = a_map(1)
    assert made.prove(a_key(1)).root(a_key(1), chain_of([(a_hash(0), a_hash(5))])) != made.root()


def test_adding_step_by_step_gives_the_root_of_all_at_once() -> None:
    """A map that is asked for its root after every entry ends at the same root as one asked once."""
    slow, owners = Map(), [n * n % 37 for n in range(200)]
    roots = []
    for number, owner in enumerate(owners):
        slow.add(a_key(owner), a_hash(number), a_hash(number + 1000))
        roots.append(slow.root())
    assert roots[-1] == a_map(*owners).root()
    assert len(set(roots)) == len(roots)


def test_the_tree_is_the_plain_binary_one() -> None:
    """Tiles or not, the root is that of 24 levels of two, folded by hand."""
    buckets = {place: a_hash(place) for place in (0, 1, 255, 256, 70_000, 2**24 - 1)}
    level = dict(buckets)
    for _ in range(BITS):
        above = {place >> 1 for place in level}
        level = {place: node_hash(level.get(2 * place, NOTHING), level.get(2 * place + 1, NOTHING)) for place in above}
    assert put({}, buckets) == level[0]
    assert put({}, {}) == NOTHING == Map().root()


def test_two_in_one_bucket_are_proved_apart_and_one_who_is_absent_too() -> None:
    """Where labels share their bucket, each is proved beside the other, and a third proves to be in neither's place."""
    key, chain = a_key(0), Chain(1, a_hash(1))
    other = Slot(label_of(key)[:3] + bytes(29), a_hash(2))
    tiles: dict[tuple[int, int], dict[int, bytes]] = {}
    bucket = bucket_of(label_of(key))
    root = put(tiles, {bucket: bucket_hash([Slot(label_of(key), chain.value(key)), other])})
    way = path_of(bucket, tiles)
    assert MapProof(way, (other,)).root(key, chain) == root
    assert MapProof(way).root(key, chain) != root
    assert MapProof(way, (other,)).root(key, Chain()) != root
    with pytest.raises(Malformed):
        MapProof(way, (other, Slot(label_of(key), chain.value(key)))).root(key, Chain())
    with pytest.raises(Malformed):
        MapProof(way, (Slot(bytes(32), a_hash(2)),)).root(key, chain)
    with pytest.raises(Malformed):
        MapProof(way, (other, other))
    with pytest.raises(Malformed):
        MapProof(way[:-1])
    with pytest.raises(Malformed):
        Slot(b"short", a_hash(2))


def test_a_neighbour_learns_neither_key_nor_entries() -> None:
    """What others see of a party holds neither the key nor anything that the public entries alone would give."""
    made = a_map(1)
    slot = Slot(label_of(a_key(1)), made.chains[a_key(1)].value(a_key(1)))
    public = chain_of([(a_hash(0), a_hash(1000))])
    assert a_key(1) not in (slot.label, slot.value)
    assert slot.value not in {public.head, public.value(slot.label), public.value(bytes(32))}


def test_a_tile_is_read_as_it_was_written_or_not_at_all() -> None:
    """Packing and unpacking are each other's; hashes too many, too few or cut are refused."""
    tile = {0: a_hash(0), 7: a_hash(7), 255: a_hash(255)}
    packed = pack(tile)
    assert unpack(packed) == tile
    assert unpack(pack({3: NOTHING})) == {}
    for bad in (packed[:-1], packed + bytes(32), packed[:-32], b"", bytes(31)):
        with pytest.raises(Malformed):
            unpack(bad)


def test_a_bucket_has_its_three_tiles() -> None:
    """The tiles above a bucket are named from the lowest to the top."""
    assert tiles_of(0x010203) == [(2, 0x0102), (1, 0x01), (0, 0)]
