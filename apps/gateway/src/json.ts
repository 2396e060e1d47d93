import { isUtf8 } from 'node:buffer';
import { Problem } from '#libs/platform';

/** Deeper than any sender nests, shallow enough for every reader. */
const MAX_DEPTH = 64;

/**
 * Parses a body as JSON, or throws the problem `not-json`; bytes that are not UTF-8, and a byte order mark, are none.
 * Throws `too-deep` before it parses where arrays and objects stand in each other more than `maxDepth` deep.
 */
export function parseJson(body: Buffer, { maxDepth = MAX_DEPTH } = {}): unknown {
  if (isDeeper(body, maxDepth)) {
    throw new Problem('too-deep', { detail: `At most ${maxDepth} levels are taken` });
  }
  // The parser's own message repeats a piece of the body, so it is not passed on.
  const notJson = () => new Problem('not-json', { detail: body.length === 0 ? 'The body is empty' : undefined });
  if (!isUtf8(body)) throw notJson();
  try {
    return JSON.parse(body.toString());
  } catch {
    throw notJson();
  }
}

const [quote, backslash, array, arrayEnd, object, objectEnd] = Buffer.from('"\\[]{}');

function isDeeper(body: Buffer, maxDepth: number): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (inText) {
      if (byte === backslash) i++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === array || byte === object) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === arrayEnd || byte === objectEnd) depth -= 1;
  }
  return false;
}
