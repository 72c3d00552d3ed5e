// What this device was asked to remember of the logs: the head of each that it last believed, and when.
//
// It tells that somebody checked here, so it is kept only where that is ticked, and goes when one leaves the page.

import { kept, readKept } from "/static/verifier/kept.mjs";

const PLACE = "bb-heads";

/** Give what is remembered, by origin: `{at, head}`; null where nothing is, or nothing that we wrote. */
export function remembered() {
  try {
    const rows = JSON.parse(localStorage.getItem(PLACE)).map(({ at, head }) => ({ at: new Date(at), head: readKept(head) }));
    return new Map(rows.map((row) => [row.head.origin, row]));
  } catch {
    return null;
  }
}

/** Remember these checkpoints as of now; those of other logs stay as they were. */
export function remember(checkpoints) {
  const rows = remembered() ?? new Map();
  for (const head of checkpoints) rows.set(head.origin, { at: new Date(), head });
  const texts = [...rows.values()].map(({ at, head }) => ({ at: at.toISOString(), head: kept(head) }));
  try {
    localStorage.setItem(PLACE, JSON.stringify(texts));
    return true;
  } catch {
    return false;
  }
}

/** Remember nothing any more. */
export function forget() {
  try {
    localStorage.removeItem(PLACE);
  } catch {
    // A browser that lets nothing be kept has kept nothing.
  }
}
