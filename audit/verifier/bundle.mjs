// Bundles (log-bundle@v1, audit/bundle.py): is the list of entries about one person whole, up to when, and what does it
// say? Nothing of a bundle is believed but what the checkpoint's signature, a proof or a commitment holds up.

import { Malformed, NotVerified, fromBase64, joined, same, sha256, utf8 } from "./bytes.mjs";
import { EMPTY_CHAIN, NOTHING, extended, hmac, rootOf } from "./map.mjs";
import { inclusionHolds, leafHash } from "./merkle.mjs";
import { openCheckpoint } from "./note.mjs";
import { openByPolicy } from "./policy.mjs";

const FORMAT = "log-bundle@v1";
const LEAF_SIZE = 115;
const MAP_ROOT = 0xff01;
const BUSY_SECONDS = 1200;
const IDLE_SECONDS = 7200;

/**
 * Check a bundle with the logs' keys (note.mjs, readKey). Gives one finding a log: origin, size, wholeUntil (a Date),
 * lists of {index, shown}, fault (a sentence, or null), and, without a fault, the checkpoint that says it. `now` is when
 * it is judged; the time it was made if left out. With a `policy` (policy.mjs, readPolicy) each checkpoint needs its
 * quorum of witnesses too. Throws Malformed where the text is no bundle.
 */
export async function verifyBundle(text, keys, now = null, policy = null) {
  const bundle = parsed(text);
  if (bundle?.format !== FORMAT) throw new Malformed(`not a ${FORMAT}`);
  const at = now ?? moment(given(bundle, "made_at", "string"));
  const found = [];
  for (const log of list(bundle, "logs")) found.push(await checked(log, keys, policy, at));
  return found;
}

async function checked(log, keys, policy, now) {
  const origin = given(log, "origin", "string");
  let size = 0n;
  try {
    const checkpoint = await head(given(log, "checkpoint", "string"), origin, keys, policy);
    size = checkpoint.size;
    if (log.root === null || log.root === undefined) throw new NotVerified("the bundle carries no proof that the list is whole");
    const root = await opened(log.root, checkpoint);
    const lists = [];
    for (const one of list(log, "lists")) lists.push(await whole(one, root, checkpoint));
    if (lists.length === 0) throw new NotVerified("the bundle carries no list of one's own");
    const rests = checkpoint.size === BigInt(root.index) + 1n;
    const age = (now - root.at) / 1000;
    // Clocks may differ, but not by more than is too old. A moment that is none has no age, which is not more either.
    if (!(age >= -BUSY_SECONDS)) throw new NotVerified("the newest proof that the list is whole is of the future");
    // The last root of a year that is over stays good; of which year a log is, its origin says too.
    const over = rests && root.at.getUTCFullYear() > root.year && origin.endsWith(`/${root.year}`);
    if (!over && age > (rests ? IDLE_SECONDS : BUSY_SECONDS)) {
      throw new NotVerified("the newest proof that the list is whole is too old");
    }
    return { origin, size, wholeUntil: root.at, lists, fault: null, checkpoint };
  } catch (fault) {
    if (!(fault instanceof Malformed || fault instanceof NotVerified)) throw fault;
    return { origin, size, wholeUntil: null, lists: [], fault: fault.message, checkpoint: null };
  }
}

/** Read the log's checkpoint under its key and, with a policy, under its witnesses. */
async function head(signed, origin, keys, policy) {
  if (policy !== null) await openByPolicy(signed, origin, policy);
  return openCheckpoint(signed, origin, keys);
}

/** Check that the map's root stands in the log, and open what it says of itself. */
async function opened(root, checkpoint) {
  const [leaf, row, index] = [bytes(root, "leaf"), given(root, "row", "string"), whereabouts(root)];
  if (leaf.length !== LEAF_SIZE || leaf[0] !== 1 || ((leaf[1] << 8) | leaf[2]) !== MAP_ROOT) {
    throw new Malformed("the entry is no root of a map");
  }
  const covered = new DataView(leaf.buffer, leaf.byteOffset).getBigUint64(83);
  if (leaf.slice(91).some((byte) => byte !== 0)) throw new Malformed("the entry is no root of a map");
  await checkPlace(index, leaf, root, checkpoint);
  const said = joined(await sha256(utf8(row)), await sha256(new Uint8Array()));
  if (!same(await hmac(bytes(root, "salt"), said), leaf.slice(51, 83))) {
    throw new NotVerified("what the map's root says of itself is not what it committed to");
  }
  const facts = parsed(row);
  if (facts === null || typeof facts !== "object" || BigInt(number(facts, "covered")) !== covered) {
    throw new NotVerified("what the map's root says of itself is not about this map");
  }
  return { index, root: leaf.slice(19, 51), covered, at: new Date(number(facts, "at") * 1000), year: number(facts, "year") };
}

async function whole(one, root, checkpoint) {
  let [chain, before] = [EMPTY_CHAIN, -1];
  const shown = [];
  for (const entry of list(one, "entries")) {
    const [index, leaf] = [whereabouts(entry), bytes(entry, "leaf")];
    if (index <= before || BigInt(index) >= root.covered) {
      throw new NotVerified("the entries are not in order, or beyond what the map covers");
    }
    before = index;
    await checkPlace(index, leaf, entry, checkpoint);
    const text = "committed" in entry ? null : given(entry, "shown", "string");
    const committed = text === null ? bytes(entry, "committed") : await hmac(bytes(entry, "salt"), utf8(text));
    if (committed.length !== NOTHING.length) throw new Malformed("a commitment is 32 bytes");
    chain = await extended(chain, await leafHash(leaf), committed);
    shown.push({ index, shown: text });
  }
  const siblings = list(one, "siblings").map((hash) => (hash === "" ? NOTHING : fromBase64(hash)));
  const neighbours = list(one, "neighbours").map(slot);
  if (!same(await rootOf({ siblings, neighbours }, bytes(one, "key"), chain), root.root)) {
    throw new NotVerified("the list is not whole: it is not the one that the map counts");
  }
  return shown;
}

async function checkPlace(index, leaf, given, checkpoint) {
  const hashes = list(given, "hashes").map(fromBase64);
  if (!(await inclusionHolds(BigInt(index), checkpoint.size, await leafHash(leaf), hashes, checkpoint.root))) {
    throw new NotVerified("an entry is not in the log at its place");
  }
}

function slot(pair) {
  if (!Array.isArray(pair) || pair.length !== 2) throw new Malformed("a neighbour is a label and a value");
  return pair.map(fromBase64);
}

/** Read JSON; throw Malformed where a number is written in another way than in at most 16 plain decimal digits. */
function parsed(text) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Malformed("no JSON");
  }
  // JSON.parse does not tell 1.0 from 1; outside of its texts a JSON text shows it.
  const bare = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '""');
  if (/-0|[0-9][.eE]|[0-9]{17}/.test(bare)) throw new Malformed("not a plain decimal number");
  return read;
}

function given(from, name, kind) {
  const value = from?.[name];
  if (typeof value !== kind) throw new Malformed(`the bundle has no ${name} where one belongs`);
  return value;
}

function list(from, name) {
  const value = from?.[name];
  if (!Array.isArray(value)) throw new Malformed(`the bundle has no ${name} where one belongs`);
  return value;
}

function number(from, name) {
  const value = given(from, name, "number");
  if (!Number.isSafeInteger(value)) throw new Malformed(`the bundle has no ${name} where one belongs`);
  return value;
}

const whereabouts = (from) => number(from, "index");
const bytes = (from, name) => fromBase64(given(from, name, "string"));

function moment(text) {
  const at = new Date(text);
  if (!/(Z|[+-][0-9]{2}:[0-9]{2})$/.test(text) || Number.isNaN(at.getTime())) {
    throw new Malformed("the bundle does not say when it was made");
  }
  return at;
}
