// What a browser keeps of a log: the last checkpoint it believed. The next one must continue it.

import { Malformed, NotVerified, fromBase64, same, toBase64, wholeNumber } from "./bytes.mjs";
import { consistencyHolds } from "./merkle.mjs";

/** Write what is to be kept of a checkpoint that was opened, as text for `localStorage`. */
export const kept = ({ origin, size, root }) => JSON.stringify({ origin, size: String(size), root: toBase64(root) });

/** Read what was kept; throw Malformed where it is something else. */
export function readKept(text) {
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    throw new Malformed("not a kept checkpoint");
  }
  if (typeof told?.origin !== "string" || typeof told.size !== "string" || typeof told.root !== "string") {
    throw new Malformed("not a kept checkpoint");
  }
  const root = fromBase64(told.root);
  if (root.length !== 32) throw new Malformed("a root is 32 bytes");
  return { origin: told.origin, size: wholeNumber(told.size), root };
}

/**
 * Hold a newer checkpoint against the one that was kept, with a consistency proof (a list of 32-byte hashes; empty where
 * both have the same size). Throws NotVerified where the log was taken back, changed, or is another one.
 */
export async function checkContinues(before, after, proof) {
  if (before.origin !== after.origin) throw new NotVerified("the checkpoint is another log's");
  if (after.size < before.size) throw new NotVerified("the log is shorter than what was seen before");
  // Everything continues an empty log, so of that nothing is proved and nothing needs to be.
  if (before.size === 0n && proof.length === 0) return;
  if (before.size === after.size && !same(before.root, after.root)) {
    throw new NotVerified("the log of this size is another than what was seen before");
  }
  if (!(await consistencyHolds(before.size, after.size, before.root, after.root, proof))) {
    throw new NotVerified("the log does not continue what was seen before");
  }
}
