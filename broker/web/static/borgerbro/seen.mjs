// What this device was asked to remember: one text. It tells that somebody was here, so it is kept only where that is
// ticked, and goes when one leaves the page.

const PLACE = "bb-heads";

/** Give the text; null where nothing is remembered, or the browser lets nothing be. */
export function read() {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

/** Remember a text; tell whether the browser let it. */
export function write(text) {
  try {
    localStorage.setItem(PLACE, text);
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
