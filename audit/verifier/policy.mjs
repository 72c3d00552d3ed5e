// Policies of witnesses (C2SP tlog-policy): which logs, which witnesses, and how many of them make a quorum.
//
// Anything but what the format says is refused. A name is a member of one group at most and no key stands twice, so that
// no witness counts twice. A log's key stands for the origin it is named by, and for every origin below that name.

import { Malformed, NotVerified, toHex, utf8 } from "./bytes.mjs";
import { cosignedAt, openCheckpoint, readKey, readWitnessKey } from "./note.mjs";

const NONE = "none";
const MOST_BYTES = 1_000_000;
// A witness's clock may be this much ahead of ours.
const SECONDS_AHEAD = 60n;

/** Read a policy's text; throw Malformed where a line is not what the format says. */
export async function readPolicy(text) {
  if (utf8(text).length > MOST_BYTES || /[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) {
    throw new Malformed("a policy is text without control characters, of at most a million bytes");
  }
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: null, members: new Set(), keys: new Set() };
  for (const line of text.split("\n")) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    if (words.length > 0 && !words[0].startsWith("#")) await take(policy, words);
  }
  if (policy.quorum === null) throw new Malformed("the policy says no quorum");
  return policy;
}

async function take(policy, [kind, ...rest]) {
  if (kind === "log" && (rest.length === 1 || rest.length === 2)) {
    const key = await readKey(rest[0]);
    once(policy, `log ${toHex(key.bytes)}`);
    policy.logs.push(key);
  } else if (kind === "witness" && (rest.length === 2 || rest.length === 3)) {
    await takeWitness(policy, rest[0], rest[1]);
  } else if (kind === "group" && rest.length > 2) {
    takeGroup(policy, rest);
  } else if (kind === "quorum" && rest.length === 1) {
    if (policy.quorum !== null) throw new Malformed("a policy says one quorum");
    if (rest[0] !== NONE) defined(policy, rest[0]);
    policy.quorum = rest[0];
  } else {
    throw new Malformed("not a line of log, witness, group or quorum");
  }
}

async function takeWitness(policy, name, vkey) {
  fresh(policy, name);
  const key = await readWitnessKey(vkey);
  once(policy, `witness ${toHex(key.bytes)}`);
  policy.witnesses.set(name, key);
}

function takeGroup(policy, [name, least, ...members]) {
  fresh(policy, name);
  for (const member of members) {
    defined(policy, member);
    if (policy.members.has(member)) throw new Malformed("a name is a member of one group, once");
    policy.members.add(member);
  }
  const words = { any: 1, all: members.length };
  const count = Object.hasOwn(words, least) ? words[least] : /^[0-9]{1,6}$/.test(least) ? Number(least) : 0;
  if (count < 1 || count > members.length) throw new Malformed("a group needs any, all, or a number from 1 to its members");
  policy.groups.set(name, { least: count, members });
}

function fresh(policy, name) {
  if (name === NONE || policy.witnesses.has(name) || policy.groups.has(name)) throw new Malformed("the name is taken");
}

function defined(policy, name) {
  if (!policy.witnesses.has(name) && !policy.groups.has(name)) throw new Malformed("a name that no line before defines");
}

function once(policy, key) {
  if (policy.keys.has(key)) throw new Malformed("the key stands there already");
  policy.keys.add(key);
}

/** Tell whether these witnesses, by name, are enough. */
export function hasQuorum(policy, names) {
  const seen = new Set([...names].filter((name) => policy.witnesses.has(name)));
  for (const [name, { least, members }] of policy.groups) {
    if (members.filter((member) => seen.has(member)).length >= least) seen.add(name);
  }
  return policy.quorum === NONE || seen.has(policy.quorum);
}

/** Tell whether a browser can check enough of the witnesses to see a quorum at all. */
export const canBeSeen = (policy) =>
  hasQuorum(policy, [...policy.witnesses].filter(([, key]) => key.key !== null).map(([name]) => name));

/**
 * Read a checkpoint of an origin that one of the policy's logs signed and a quorum of witnesses cosigned; throw Malformed
 * or NotVerified. With `now` (POSIX seconds) cosignatures of the future do not count, and with `oldest` (seconds) those
 * that were made longer ago: so a checkpoint is fresh, or it is not believed.
 */
export async function openByPolicy(signed, origin, policy, { now = null, oldest = null } = {}) {
  const keys = policy.logs.filter((key) => origin === key.name || origin.startsWith(`${key.name}/`));
  const checkpoint = await openCheckpoint(signed, origin, keys);
  const seen = [];
  for (const [name, key] of policy.witnesses) {
    if ((await cosignedAt(signed, key, (at) => inTime(at, now, oldest))) !== null) seen.push(name);
  }
  if (!hasQuorum(policy, seen)) throw new NotVerified("the checkpoint has no quorum of witnesses");
  return { ...checkpoint, witnesses: seen };
}

function inTime(at, now, oldest) {
  if (now === null) return true;
  return at <= BigInt(now) + SECONDS_AHEAD && (oldest === null || at >= BigInt(now) - BigInt(oldest));
}
