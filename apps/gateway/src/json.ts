import { Problem } from '#libs/platform';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses a body as JSON, or throws the problem `not-json`; bytes that are not UTF-8, and a byte order mark, are none. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    // The parser's own message repeats a piece of the body, so it is not passed on.
    throw new Problem('not-json', { detail: body.length === 0 ? 'The body is empty' : undefined });
  }
}
