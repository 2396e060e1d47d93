const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const whitespace = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Cuts a JSON array into the exact bytes of its elements, without the whitespace around them. The bytes must have been
 * accepted by a JSON parser as an array: this only finds the borders. No byte of a multi-byte UTF-8 character can be
 * taken for one of JSON's own.
 */
export function splitJsonArray(bytes: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  let depth = 0;
  let inString = false;
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      depth += 1;
      if (depth === 1) start = at + 1;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      depth -= 1;
      if (depth === 0) pushTrimmed(elements, bytes, start, at);
    } else if (byte === COMMA && depth === 1) {
      pushTrimmed(elements, bytes, start, at);
      start = at + 1;
    }
  }
  return elements;
}

/** Between the brackets of an empty array there is nothing; everywhere else an element is never empty. */
function pushTrimmed(elements: Buffer[], bytes: Buffer, from: number, to: number): void {
  let start = from;
  let end = to;
  while (start < end && whitespace.has(bytes[start] ?? 0)) start += 1;
  while (end > start && whitespace.has(bytes[end - 1] ?? 0)) end -= 1;
  if (end > start) elements.push(bytes.subarray(start, end));
}
