// The map of a log (audit/map.py): for each person's key how many entries are theirs, and a chain over them.
//
// Whoever has their own key and the map's root, which stands in the log, can see that the entries they were given are
// all. A subtree with nothing in it is 32 zero bytes.

import { Malformed, joined, same, sha256 } from "./bytes.mjs";
import { nodeHash } from "./merkle.mjs";

const HASH_SIZE = 32;
const BITS = 24;
const [LABEL, CHAIN, BUCKET] = [2, 3, 4].map((first) => Uint8Array.of(first));
export const NOTHING = new Uint8Array(HASH_SIZE);

/** Compute HMAC-SHA-256. */
export async function hmac(key, bytes) {
  if (key.length === 0) throw new Malformed("a key is not empty");
  const made = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, bytes));
}

/** A chain without entries. */
export const EMPTY_CHAIN = { count: 0, head: NOTHING };

/** Add an entry to a chain: the hash of its leaf, and the commitment to what of it is shown to its person. */
export async function extended(chain, leafHash, shown) {
  return { count: chain.count + 1, head: await sha256(joined(CHAIN, chain.head, leafHash, shown)) };
}

/** Compute the root of a map that holds this chain for this key; an empty chain means that it holds none. */
export async function rootOf({ siblings, neighbours }, key, chain) {
  if (siblings.length !== BITS || siblings.some((hash) => hash.length !== HASH_SIZE)) {
    throw new Malformed("a map proof has 24 hashes of 32 bytes");
  }
  const label = await sha256(joined(LABEL, key));
  checkNeighbours(neighbours, label);
  const mine = chain.count ? [[label, await hmac(key, joined(bigEndian(chain.count), chain.head))]] : [];
  let here = await bucketHash([...mine, ...neighbours]);
  let place = (label[0] << 16) | (label[1] << 8) | label[2];
  for (const sibling of siblings) {
    here = place & 1 ? await parent(sibling, here) : await parent(here, sibling);
    place >>= 1;
  }
  return here;
}

function checkNeighbours(neighbours, label) {
  for (const [place, [theirs, value]] of neighbours.entries()) {
    if (theirs.length !== HASH_SIZE || value.length !== HASH_SIZE) {
      throw new Malformed("a label and a value are 32 bytes each");
    }
    const stranger = !same(theirs.slice(0, 3), label.slice(0, 3));
    if (stranger || same(theirs, label) || neighbours.slice(0, place).some(([other]) => same(other, theirs))) {
      throw new Malformed("a neighbour that does not belong in this bucket");
    }
  }
}

async function bucketHash(slots) {
  if (slots.length === 0) return NOTHING;
  const sorted = [...slots].sort(([one], [other]) => compared(one, other));
  return sha256(joined(BUCKET, ...sorted.flat()));
}

function compared(one, other) {
  const place = one.findIndex((byte, at) => byte !== other[at]);
  return place < 0 ? 0 : one[place] - other[place];
}

const parent = async (left, right) => (same(left, NOTHING) && same(right, NOTHING) ? NOTHING : nodeHash(left, right));

function bigEndian(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}
