// Proof files (c2sp.org/tlog-proof@v1): an entry's index, its inclusion proof and a signed checkpoint in one text.

import { Malformed, NotVerified, fromBase64, wholeNumber } from "./bytes.mjs";
import { inclusionHolds, leafHash } from "./merkle.mjs";
import { openCheckpoint } from "./note.mjs";

const HEADER = "c2sp.org/tlog-proof@v1";
const MOST_HASHES = 63;
const MOST_LETTERS = 1_000_000;

/** Read a proof file; throw Malformed where a line is not what the format says. */
export function readProof(text) {
  const place = text.indexOf("\n\n");
  if (text.length > MOST_LETTERS || place < 0 || place + 2 >= text.length) {
    throw new Malformed("a proof is a head, an empty line and a checkpoint");
  }
  const [header, ...lines] = text.slice(0, place).split("\n");
  if (header !== HEADER) throw new Malformed("not a tlog-proof@v1");
  const extra = lines[0]?.startsWith("extra ") ? fromBase64(lines.shift().slice("extra ".length)) : null;
  if (!lines[0]?.startsWith("index ")) throw new Malformed("the proof names no index");
  const index = wholeNumber(lines.shift().slice("index ".length));
  const hashes = lines.map(fromBase64);
  if (hashes.length > MOST_HASHES || hashes.some((hash) => hash.length !== 32)) {
    throw new Malformed("a proof holds at most 63 hashes of 32 bytes");
  }
  return { index, hashes, extra, checkpoint: text.slice(place + 2) };
}

/** Check that an entry's bytes stand in the log; give the index and the checkpoint. Throws Malformed or NotVerified. */
export async function verifyProof(text, leaf, origin, keys) {
  const proof = readProof(text);
  const checkpoint = await openCheckpoint(proof.checkpoint, origin, keys);
  if (!(await inclusionHolds(proof.index, checkpoint.size, await leafHash(leaf), proof.hashes, checkpoint.root))) {
    throw new NotVerified("the entry is not in the log at this index");
  }
  return { index: proof.index, checkpoint };
}
