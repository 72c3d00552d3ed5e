// Judges what it is given with the verifier that browsers run: a list of cases on standard input, a list of answers out.

import { fromBase64, toBase64 } from "../../../audit/verifier/bytes.mjs";
import { verifyBundle } from "../../../audit/verifier/bundle.mjs";
import * as merkle from "../../../audit/verifier/merkle.mjs";
import { checkContinues, kept, readKept } from "../../../audit/verifier/kept.mjs";
import { cosignedAt, openCheckpoint, openNote, readKey, readWitnessKey } from "../../../audit/verifier/note.mjs";
import { canBeSeen, hasQuorum, openByPolicy, readPolicy } from "../../../audit/verifier/policy.mjs";
import { verifyProof } from "../../../audit/verifier/proof.mjs";
import { consistencyProof, inclusionProof } from "../../../audit/verifier/tiles.mjs";

const judges = {
  inclusion: (c) => merkle.inclusionHolds(big(c.leafIdx), big(c.treeSize), bytes(c.leafHash), proof(c), bytes(c.root)),
  consistency: (c) => merkle.consistencyHolds(big(c.size1), big(c.size2), bytes(c.root1), bytes(c.root2), proof(c)),
  subtreeinclusion: (c) =>
    merkle.subtreeInclusionHolds(big(c.leafIdx), big(c.start), big(c.end), bytes(c.leafHash), proof(c), bytes(c.root)),
  subtreeconsistency: (c) =>
    merkle.subtreeConsistencyHolds(big(c.start), big(c.end), big(c.size), bytes(c.root1), bytes(c.root2), proof(c)),
  key: async (c) => (await readKey(c.key)).name,
  note: async (c) => openNote(c.text, await keys(c)),
  checkpoint: async (c) => String((await openCheckpoint(c.text, c.origin, await keys(c))).size),
  proof: async (c) => String((await verifyProof(c.text, bytes(c.leaf), c.origin, await keys(c))).index),
  witness: async (c) => (await readWitnessKey(c.key)).name,
  cosigned: async (c) => told_time(await cosignedAt(c.text, await readWitnessKey(c.key))),
  policy: async (c) => (await readPolicy(c.text)).quorum,
  quorum: async (c) => hasQuorum(await readPolicy(c.text), c.names),
  canbeseen: async (c) => canBeSeen(await readPolicy(c.policy)),
  opened: async (c) => {
    const found = await openByPolicy(c.text, c.origin, await readPolicy(c.policy), { now: c.now, oldest: c.oldest });
    return [String(found.size), [...found.witnesses].sort()];
  },
  continues: async (c) => {
    const [before, after] = [c.before, c.after].map(([origin, size, root]) => ({ origin, size: big(size), root: bytes(root) }));
    await checkContinues(readKept(kept(before)), after, proof(c));
    return true;
  },
  kept: async (c) => String(readKept(c.text).size),
  tiles: async (c) => {
    const fetched = (path) => bytes(c.tiles[path]);
    const hashes = await (c.old ? consistencyProof(big(c.old), big(c.size), fetched) : inclusionProof(big(c.index), big(c.size), fetched));
    return hashes.map(toBase64);
  },
  ed25519: async (c) => {
    const key = await crypto.subtle.importKey("raw", hex(c.key), { name: "Ed25519" }, false, ["verify"]).catch(() => null);
    return key !== null && crypto.subtle.verify({ name: "Ed25519" }, key, hex(c.signature), new TextEncoder().encode(c.message));
  },
  bundle: async (c) => {
    const policy = c.policy === undefined ? null : await readPolicy(c.policy);
    return (await verifyBundle(c.text, await keys(c), null, policy)).map(told_of);
  },
};

const told_of = ({ origin, size, wholeUntil, lists, fault }) =>
  [origin, Number(size), wholeUntil && wholeUntil.getTime() / 1000, lists.map((list) => list.map((e) => [e.index, e.shown])), fault !== null];
const told_time = (at) => (at === null ? null : String(at));
const hex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const big = BigInt;
const bytes = (text) => fromBase64(text ?? "");
const proof = (c) => (c.proof ?? []).map(bytes);
const keys = (c) => Promise.all(c.keys.map(readKey));

async function judged([kind, one]) {
  try {
    return await judges[kind](one);
  } catch (fault) {
    if (!["Malformed", "NotVerified"].includes(fault.name)) throw fault;
    return fault.name;
  }
}

let told = "";
for await (const chunk of process.stdin) told += chunk;
const answers = [];
for (const one of JSON.parse(told)) answers.push(await judged(one));
process.stdout.write(JSON.stringify(answers));
