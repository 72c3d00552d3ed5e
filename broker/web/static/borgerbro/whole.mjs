// The button of /mine/whole: fetch the list with its proof and check it here, with the verifier that stands beside this.
//
// The words are the page's own (data-…), so that this file speaks no language.

import { verifyBundle } from "/static/verifier/bundle.mjs";
import { readKey } from "/static/verifier/note.mjs";

// As everywhere else on our pages, wherever the reader's machine is.
const DANISH_TIME = { dateStyle: "long", timeStyle: "medium", timeZone: "Europe/Copenhagen" };

const box = document.getElementById("bb-check");
const told = document.getElementById("bb-checked");

async function check() {
  told.textContent = box.dataset.running;
  try {
    const answer = await fetch("/v1/me/accesses/bundle", { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error("no answer");
    const keys = await Promise.all(box.dataset.keys.split("\n").map(readKey));
    told.textContent = verdict(await verifyBundle(await answer.text(), keys, new Date()));
  } catch {
    told.textContent = box.dataset.missing;
  }
}

function verdict(logs) {
  if (logs.length === 0) return box.dataset.none;
  if (logs.some((log) => log.fault !== null)) return box.dataset.missing;
  const until = new Date(Math.min(...logs.map((log) => log.wholeUntil.getTime())));
  return `${box.dataset.whole} ${box.dataset.until} ${until.toLocaleString(document.documentElement.lang, DANISH_TIME)}.`;
}

// Old browsers cannot check these signatures; to them the page shows the download alone.
if (globalThis.crypto?.subtle) {
  box.hidden = false;
  box.querySelector("button").addEventListener("click", check);
}
