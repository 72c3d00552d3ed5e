// Bytes and texts that have one spelling each: standard base64 (RFC 4648 section 4), UTF-8 without faults.

/** What is not what its format says. Nothing of the input is repeated in the message. */
export class Malformed extends Error {
  name = "Malformed";
}

/** What is well formed and does not hold. */
export class NotVerified extends Error {
  name = "NotVerified";
}

export const utf8 = (text) => new TextEncoder().encode(text);

/** Read standard base64; throw Malformed for any spelling that would not be written for the same bytes. */
export function fromBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new Malformed("not base64");
  }
  if (btoa(binary) !== text) throw new Malformed("not canonical base64");
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

export const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));

export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Compare two values that are no secrets. */
export const same = (one, other) => one.length === other.length && one.every((byte, place) => byte === other[place]);

export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** Read a decimal number of at most 63 bits, written in the one way there is. */
export function wholeNumber(text) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) throw new Malformed("not a plain decimal number");
  const number = BigInt(text);
  if (number >= 1n << 63n) throw new Malformed("a number has at most 63 bits");
  return number;
}
