// Proofs out of a log's tiles (C2SP tlog-tiles), for whoever fetches these themselves: `fetchTile(path)` gives bytes.

import { Malformed } from "./bytes.mjs";
import { nodeHash } from "./merkle.mjs";

const WIDTH = 256n;
const BITS = 8n;
const HASH_SIZE = 32;

/** Write the path of a tile below a log's address, such as `tile/0/x001/234.p/7`. */
export function tilePath(level, number, width = WIDTH) {
  let digits = String(number);
  digits = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = digits.match(/.{3}/g);
  const place = [...groups.slice(0, -1).map((group) => `x${group}`), groups.at(-1)].join("/");
  return `tile/${level}/${place}${width === WIDTH ? "" : `.p/${width}`}`;
}

/** Fetch what proves the tree of one size to continue that of another; 0 < old <= size. Nothing of it is believed. */
export const consistencyProof = (old, size, fetchTile) => roots(consistencyRanges(old, size), size, fetchTile);

/** Fetch what proves the entry at an index of the tree of a size. Nothing of it is believed. */
export const inclusionProof = (index, size, fetchTile) => roots(inclusionRanges(index, size), size, fetchTile);

// PATH and PROOF of RFC 6962 2.1, as the subtrees [start, end) whose roots they are made of.

function inclusionRanges(index, size) {
  if (index < 0n || index >= size) throw new Malformed("the index lies outside the tree");
  const ranges = [];
  let [start, end] = [0n, size];
  while (end - start > 1n) {
    const middle = start + split(end - start);
    if (index < middle) [ranges[ranges.length], end] = [[middle, end], middle];
    else [ranges[ranges.length], start] = [[start, middle], middle];
  }
  return ranges.reverse();
}

function consistencyRanges(old, size) {
  if (old <= 0n || old > size) throw new Malformed("a consistency proof needs 0 < old size <= new size");
  const ranges = [];
  let [start, end, whole] = [0n, size, true];
  while (old !== end) {
    const middle = start + split(end - start);
    if (old <= middle) [ranges[ranges.length], end] = [[middle, end], middle];
    else [ranges[ranges.length], start, whole] = [[start, middle], middle, false];
  }
  if (!whole) ranges.push([start, end]);
  return ranges.reverse();
}

const length = (number) => BigInt(number.toString(2).length);
const split = (width) => 1n << (length(width - 1n) - 1n);

async function roots(ranges, size, fetchTile) {
  const tiles = new Map();
  const hashesOf = async (level, number) => {
    const width = (size >> (BITS * level)) - number * WIDTH;
    const path = tilePath(level, number, width < WIDTH ? width : WIDTH);
    if (!tiles.has(path)) tiles.set(path, await fetchTile(path));
    return tiles.get(path);
  };
  const found = [];
  for (const [start, end] of ranges) found.push(await rootOf(start, end, hashesOf));
  return found;
}

async function rootOf(start, end, hashesOf) {
  const peaks = [];
  for (let at = start; at < end; ) {
    const power = length(end - at) - 1n;
    const [level, count] = [power / BITS, Number(1n << (power % BITS))];
    const first = at >> (BITS * level);
    const tile = await hashesOf(level, first / WIDTH);
    const offset = Number(first % WIDTH) * HASH_SIZE;
    const hashes = tile.slice(offset, offset + count * HASH_SIZE);
    if (hashes.length !== count * HASH_SIZE) throw new Malformed("a tile that the proof needs is too short");
    peaks.push(await folded(hashes));
    at += 1n << power;
  }
  let root = peaks.pop();
  while (peaks.length > 0) root = await nodeHash(peaks.pop(), root);
  return root;
}

async function folded(hashes) {
  let row = [];
  for (let at = 0; at < hashes.length; at += HASH_SIZE) row.push(hashes.slice(at, at + HASH_SIZE));
  while (row.length > 1) {
    const above = [];
    for (let at = 0; at < row.length; at += 2) above.push(await nodeHash(row[at], row[at + 1]));
    row = above;
  }
  return row[0];
}
