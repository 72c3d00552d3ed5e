// The button of /mine/whole: fetch the list with its proof and check it here, with the verifier that stands beside this:
// the list, the log's signature, its witnesses', and that the log goes on from what this device saw before.
//
// The words are the page's own (data-…), so that this file speaks no language.

import { forget, read, write } from "/static/borgerbro/seen.mjs";
import { verifyBundle } from "/static/verifier/bundle.mjs";
import { NotVerified } from "/static/verifier/bytes.mjs";
import { checkContinues, kept, readKept } from "/static/verifier/kept.mjs";
import { readKey } from "/static/verifier/note.mjs";
import { canBeSeen, readPolicy } from "/static/verifier/policy.mjs";
import { consistencyProof } from "/static/verifier/tiles.mjs";

// As everywhere else on our pages, wherever the reader's machine is.
const DANISH_TIME = { dateStyle: "long", timeStyle: "medium", timeZone: "Europe/Copenhagen" };

const box = document.getElementById("bb-check");
const told = document.getElementById("bb-checked");
const words = box.dataset;
const tick = box.querySelector("input");
let running = false;

async function check() {
  // Two at once could finish in the wrong order. The button stays what it is: a keyboard's place would be lost with it.
  if (running) return;
  running = true;
  told.textContent = words.running;
  try {
    told.textContent = await verdict();
  } catch {
    told.textContent = words.missing;
  }
  running = false;
}

/** Say what the check found. Throws where something could not be fetched or read: then nothing is sure. */
async function verdict() {
  const text = await (await fetched("/v1/me/accesses/bundle", { credentials: "same-origin", cache: "no-store" })).text();
  const [keys, policy, now] = [await Promise.all(words.keys.split("\n").map(readKey)), await witnesses(), new Date()];
  let logs = await verifyBundle(text, keys, now, policy);
  if (logs.length === 0) return words.none;
  const alone = policy !== null && logs.some(isFaulty);
  // Without its witnesses a list is not believed; whether it is they that are missing is worth telling.
  if (alone) logs = await verifyBundle(text, keys, now);
  if (logs.some(isFaulty)) return words.missing;
  const since = [];
  try {
    for (const log of logs) since.push(...(await continued(log.checkpoint)));
  } catch (fault) {
    if (fault instanceof NotVerified) return words.changed;
    throw fault;
  }
  if (alone) return words.alone;
  const saved = tick.checked && remember(logs.map((log) => log.checkpoint));
  const sentences = [words.whole, until(words.until, Math.min(...logs.map((log) => log.wholeUntil.getTime())))];
  if (words.policy !== "") sentences.push(policy === null ? words.unseen : words.witnessed);
  if (since.length > 0) sentences.push(until(words.continues, Math.min(...since)));
  if (saved) sentences.push(words.saved);
  return sentences.join(" ");
}

const isFaulty = (log) => log.fault !== null;
const until = (sentence, at) => `${sentence} ${new Date(at).toLocaleString(document.documentElement.lang, DANISH_TIME)}.`;

/** Give the witnesses that the house names; null where it names none, or too few whose signatures a browser can check. */
async function witnesses() {
  if (words.policy === "") return null;
  const policy = await readPolicy(words.policy);
  return canBeSeen(policy) ? policy : null;
}

/** Hold a log against what this device saw of it: when that was, or nothing. Throws NotVerified where it is another. */
async function continued(checkpoint) {
  const before = remembered()?.get(checkpoint.origin);
  if (before === undefined) return [];
  if (!checkpoint.origin.startsWith(`${words.log}/`)) throw new Error("not published here");
  const grown = 0n < before.head.size && before.head.size < checkpoint.size;
  const files = `/log${checkpoint.origin.slice(words.log.length)}`;
  const tile = async (path) => new Uint8Array(await (await fetched(`${files}/${path}`)).arrayBuffer());
  const proof = grown ? await consistencyProof(before.head.size, checkpoint.size, tile) : [];
  await checkContinues(before.head, checkpoint, proof);
  return [before.at.getTime()];
}

/** Give each head that this device last believed, by its log: `{at, head}`; null where it has none that we wrote. */
function remembered() {
  try {
    const rows = JSON.parse(read()).map(({ at, head }) => ({ at: new Date(at), head: readKept(head) }));
    return new Map(rows.map((row) => [row.head.origin, row]));
  } catch {
    return null;
  }
}

/** Remember these checkpoints as of now; those of other logs stay as they were. */
function remember(checkpoints) {
  const rows = remembered() ?? new Map();
  for (const head of checkpoints) rows.set(head.origin, { at: new Date(), head });
  return write(JSON.stringify([...rows.values()].map(({ at, head }) => ({ at: at.toISOString(), head: kept(head) }))));
}

async function fetched(path, how = {}) {
  const answer = await fetch(path, how);
  if (!answer.ok) throw new Error("no answer");
  return answer;
}

// Old browsers cannot check these signatures; to them the page shows the download alone.
if (globalThis.crypto?.subtle) {
  box.hidden = false;
  tick.checked = remembered() !== null;
  tick.addEventListener("change", () => tick.checked || forget());
  box.querySelector("button").addEventListener("click", check);
}
