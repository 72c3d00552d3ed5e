// The proofs of RFC 6962's tree, checked by the steps of RFC 9162 2.1.3.2 and 2.1.4.2 and of
// draft-ietf-plants-merkle-tree-certs 4. Sizes and indexes are BigInt, for a log may hold more than 2^53 entries.
//
// Whatever is hashed in a check is 32 bytes long; a proof from an empty tree proves nothing and is refused.

import { joined, same, sha256 } from "./bytes.mjs";

const HASH_SIZE = 32;

/** Hash one entry's bytes as a leaf (RFC 6962 2.1). */
export const leafHash = (leaf) => sha256(joined(Uint8Array.of(0), leaf));

/** Hash two subtrees into their parent (RFC 6962 2.1). */
export const nodeHash = (left, right) => sha256(joined(Uint8Array.of(1), left, right));

const areHashes = (...values) => values.every((value) => value.length === HASH_SIZE);
const bitLength = (number) => (number === 0n ? 0n : BigInt(number.toString(2).length));
const trailingZeros = (number) => (number === 0n ? 0n : bitLength(number & -number) - 1n);

/** Tell whether a leaf hash stands at an index of the tree with this size and root. */
export const inclusionHolds = (index, size, leaf, proof, root) => subtreeInclusionHolds(index, 0n, size, leaf, proof, root);

/** Tell whether a leaf hash stands at an index of the subtree [start, end) with this root. */
export async function subtreeInclusionHolds(index, start, end, leaf, proof, root) {
  if (!isSubtree(start, end) || index < start || index >= end || !areHashes(leaf, root, ...proof)) return false;
  let [position, last, computed] = [index - start, end - start - 1n, leaf];
  for (const sibling of proof) {
    if (last === 0n) return false;
    if (position & 1n || position === last) {
      computed = await nodeHash(sibling, computed);
      while (position && !(position & 1n)) [position, last] = [position >> 1n, last >> 1n];
    } else {
      computed = await nodeHash(computed, sibling);
    }
    [position, last] = [position >> 1n, last >> 1n];
  }
  return last === 0n && same(computed, root);
}

/** Tell whether the old tree is a prefix of the new one. */
export async function consistencyHolds(oldSize, newSize, oldRoot, newRoot, proof) {
  if (oldSize <= 0n || oldSize > newSize) return false;
  if (oldSize === newSize) return proof.length === 0 && same(oldRoot, newRoot);
  return subtreeConsistencyHolds(0n, oldSize, newSize, oldRoot, newRoot, proof);
}

/** Tell whether [start, end) with its root is a subtree of the tree with this size and root. */
export async function subtreeConsistencyHolds(start, end, size, subtreeRoot, root, proof) {
  if (!isSubtree(start, end) || end > size) return false;
  if (start === end) return proof.length === 0 && same(subtreeRoot, await sha256(new Uint8Array()));
  if (start === 0n && end === size) return proof.length === 0 && same(subtreeRoot, root);
  if (!areHashes(subtreeRoot, root, ...proof)) return false;
  return walk(start, end, size, subtreeRoot, root, proof);
}

async function walk(start, end, size, subtreeRoot, root, proof) {
  let [first, last, top] = [start, end - 1n, size - 1n];
  const up = (steps) => ([first, last, top] = [first >> steps, last >> steps, top >> steps]);
  // Climb to the largest complete subtree that ends where [start, end) ends.
  const apart = bitLength(first ^ last);
  const complete = trailingZeros(last + 1n);
  up(last === top || apart < complete ? apart : complete);
  // A subtree that is whole in the tree starts its own path; any other's first hash comes with the proof.
  const [begin, ...path] = first === last ? [subtreeRoot, ...proof] : proof;
  if (begin === undefined) return false;
  let [subtree, tree] = [begin, begin];
  for (const sibling of path) {
    if (top === 0n) return false;
    let steps = 1n;
    if (last & 1n || last === top) {
      if (first < last) subtree = await nodeHash(sibling, subtree);
      tree = await nodeHash(sibling, tree);
      steps += trailingZeros(last);
    } else {
      tree = await nodeHash(tree, sibling);
    }
    up(steps);
  }
  return top === 0n && same(subtree, subtreeRoot) && same(tree, root);
}

/** Tell whether [start, end) is a subtree: its start is a multiple of its width, rounded up to a power of two. */
export function isSubtree(start, end) {
  if (start < 0n || start > end) return false;
  const width = end - start;
  return start === 0n || width <= 1n || start % (1n << bitLength(width - 1n)) === 0n;
}
