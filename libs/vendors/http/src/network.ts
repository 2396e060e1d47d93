import type { Answer } from '#libs/contracts';

// The connection was never made, so the vendor cannot have seen the request.
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Sorts a failure of the network. Only where the connection was never made is it certain that nothing happened (and no
 * attempt is used up); a time-out or a lost connection leaves the outcome unknown.
 */
export function networkAnswer(error: unknown): Exclude<Answer, { outcome: 'done' }> {
  const code = codesOf(error).find((c) => neverSent.has(c));
  if (code !== undefined) return { outcome: 'retry', code: 'unreachable', message: code, refused: true };
  const timedOut = /abort|timeout/i.test(nameOf(error));
  return { outcome: 'unknown', code: timedOut ? 'deadline' : 'connection-lost', message: codesOf(error).join(' ') };
}

// A DOMException (time-out, abort) is not a native error, and an error of another realm is no instance of ours.
const isError = (error: unknown): error is Error => Error.isError(error) || error instanceof DOMException;

const nameOf = (error: unknown): string => (isError(error) ? error.name : '');

function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let e = error, depth = 0; isError(e) && depth < 5; e = e.cause, depth += 1) {
    codes.push('code' in e && typeof e.code === 'string' ? e.code : e.name);
    if (e instanceof AggregateError) codes.push(...e.errors.flatMap(codesOf));
  }
  return codes;
}

/** `Retry-After` in milliseconds, in either form: seconds, or an HTTP date; undefined where absent or unreadable. */
export function retryAfterMs(header: string | null | undefined, now = Date.now()): number | undefined {
  if (!header) return undefined;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
