// Signed notes (C2SP signed-note v1, Ed25519) and checkpoints (C2SP tlog-checkpoint).
//
// Signatures by unknown keys are ignored; one bad signature by a known key rejects the whole note; without a good
// signature by a known key there is no note.

import { Malformed, NotVerified, fromBase64, joined, same, sha256, toHex, utf8, wholeNumber } from "./bytes.mjs";

const ED25519 = 1;
const COSIGNATURE = 4;
const ML_DSA_44 = 6;
const ML_DSA_44_SIZE = 1312;
const KEY_SIZE = 32;
const TIME_SIZE = 8;
const SIGNATURE_SIZE = 64;
const MOST_BYTES = 1_000_000;
const MOST_SIGNATURES = 100;

// A note holds no control character but the newline, and no half of a letter.
const isPlain = (text) => !/[\u0000-\u0009\u000b-\u001f]/.test(text) && text.isWellFormed();
// What Unicode calls white space; the language's own \s and trim() count a byte order mark among it.
const SPACE = "[\\t-\\r\\u001c- \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const SPACE_OR_PLUS = new RegExp(`${SPACE}|[+]`);
const SPACE_AROUND = new RegExp(`^${SPACE}+|${SPACE}+$`, "g");
const isName = (name) => name !== "" && !SPACE_OR_PLUS.test(name) && isPlain(name);

/** Read a log's vkey `name+id+base64(0x01 || key)`; throw Malformed unless its id belongs to its name and key. */
export async function readKey(vkey) {
  const { kind, ...key } = await typedKey(vkey);
  if (kind !== ED25519 || key.bytes.length !== KEY_SIZE) throw new Malformed("not a log's Ed25519 key");
  return { ...key, key: await imported(key.bytes) };
}

/**
 * Read a witness's vkey (C2SP tlog-cosignature): Ed25519 (type 0x04), or ML-DSA-44 (type 0x06), which browsers cannot
 * check: such a key is known by name and never counts.
 */
export async function readWitnessKey(vkey) {
  const { kind, ...key } = await typedKey(vkey);
  if (kind === ML_DSA_44 && key.bytes.length === ML_DSA_44_SIZE) return { ...key, key: null };
  if (kind !== COSIGNATURE || key.bytes.length !== KEY_SIZE) throw new Malformed("not a witness's key");
  return { ...key, key: await imported(key.bytes) };
}

const imported = (bytes) => crypto.subtle.importKey("raw", bytes, { name: "Ed25519" }, false, ["verify"]);

async function typedKey(vkey) {
  const parts = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(vkey.replace(SPACE_AROUND, ""));
  if (parts === null || !isName(parts[1])) throw new Malformed("not a key");
  const typed = fromBase64(parts[3]);
  const id = (await sha256(joined(utf8(`${parts[1]}\n`), typed))).slice(0, 4);
  if (toHex(id) !== parts[2]) throw new Malformed("the key's id does not belong to its name and bytes");
  return { name: parts[1], id, kind: typed[0], bytes: typed.slice(1) };
}

/** Give the text of a note that at least one of these keys has signed; throw Malformed or NotVerified. */
export async function openNote(signed, keys) {
  const { text, signatures } = readNote(signed);
  const good = new Set();
  for (const line of signatures) {
    const known = keys.find((key) => key.name === line.name && same(key.id, line.id));
    if (known === undefined || good.has(known)) continue;
    if (!(await crypto.subtle.verify({ name: "Ed25519" }, known.key, line.signature, utf8(text)))) {
      throw new NotVerified("a signature by a known key does not hold");
    }
    good.add(known);
  }
  if (good.size === 0) throw new NotVerified("no known key has signed this note");
  return text;
}

/**
 * Give the time (POSIX seconds, BigInt) of the newest cosignature by this witness that holds and is in time, or null
 * (C2SP tlog-cosignature, cosignature/v1). One that does not hold counts for nothing and takes nobody else's with it.
 */
export async function cosignedAt(signed, witness, inTime = () => true) {
  const { text, signatures } = readNote(signed);
  let newest = null;
  if (witness.key === null) return newest;
  for (const line of signatures) {
    if (line.name !== witness.name || !same(line.id, witness.id)) continue;
    if (line.signature.length !== TIME_SIZE + SIGNATURE_SIZE) continue;
    const at = new DataView(line.signature.buffer, line.signature.byteOffset).getBigUint64(0);
    if (at >= 1n << 63n || !inTime(at)) continue;
    const message = utf8(`cosignature/v1\ntime ${at}\n${text}`);
    if (!(await crypto.subtle.verify({ name: "Ed25519" }, witness.key, line.signature.slice(TIME_SIZE), message))) continue;
    if (newest === null || at > newest) newest = at;
  }
  return newest;
}

function readNote(signed) {
  if (!isPlain(signed) || utf8(signed).length > MOST_BYTES) throw new Malformed("no note");
  const place = signed.lastIndexOf("\n\n");
  if (place <= 0 || !signed.endsWith("\n")) throw new Malformed("a note is a text, an empty line and signature lines");
  const lines = signed.slice(place + 2, -1).split("\n");
  if (lines.length > MOST_SIGNATURES) throw new Malformed("the note has too many signatures");
  return { text: signed.slice(0, place + 1), signatures: lines.map(readLine) };
}

function readLine(line) {
  const parts = /^— ([^ ]*) (.*)$/s.exec(line);
  if (parts === null || !isName(parts[1])) throw new Malformed("a signature line is a dash, a name and a signature");
  const value = fromBase64(parts[2]);
  if (value.length <= 4) throw new Malformed("a signature line without a signature");
  return { name: parts[1], id: value.slice(0, 4), signature: value.slice(4) };
}

/** Read a checkpoint of this origin that one of these keys has signed; throw Malformed or NotVerified. */
export async function openCheckpoint(signed, origin, keys) {
  const checkpoint = readCheckpoint(await openNote(signed, keys));
  if (checkpoint.origin !== origin) throw new NotVerified("the checkpoint is another log's");
  return checkpoint;
}

/** Read a note's text as a checkpoint; it is worth nothing unless the note was opened. */
export function readCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length < 4 || lines.pop() !== "" || lines.some((line) => line === "")) {
    throw new Malformed("a checkpoint has at least three lines, none of them empty");
  }
  const [origin, size, hash, ...extensions] = lines;
  const root = fromBase64(hash);
  if (root.length !== KEY_SIZE) throw new Malformed("a root is 32 bytes");
  return { origin, size: wholeNumber(size), root, extensions };
}
