import { isUtf8 } from 'node:buffer';
import { type LookupAddress, lookup } from 'node:dns';
import { type ClientRequest, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Answer } from '#libs/contracts';
import { networkAnswer, retryAfterMs } from '#libs/vendors/http';
import { mayAsk } from './addresses';

/** Another system, as the operator declared it. */
export interface System {
  /** Its address, without query; what is asked stands below it. */
  url: string;
  /** It may be in a private network, and be asked without TLS. */
  private: boolean;
  /** Largest body of an answer. */
  maxBytes: number;
  /** What proves who asks, as it is now; throws where a secret cannot be had. */
  headers(): Record<string, string>;
}

/** A question: path and query below the system's address, encoded. */
export interface FetchRequest {
  path: string;
}

/** What a system said: JSON, or null where it knows nothing (404) or says nothing (204). */
export interface FetchAnswer {
  status: number;
  body: unknown;
}

type Refusal = Exclude<Answer<FetchAnswer>, { outcome: 'done' }>;

/**
 * Asks a system once, by GET, and reads at most its `maxBytes`. The name is resolved here, every address that it has must
 * be one that may be asked, and the connection goes to what was checked. No redirect is followed. Never throws; no answer
 * repeats anything of a secret or a body. It may be asked again at will, so nothing ends as unknown.
 */
export async function fetchFrom(
  system: System,
  { path }: FetchRequest,
  signal: AbortSignal,
): Promise<Answer<FetchAnswer>> {
  const url = below(system.url, path);
  if (!url) return stop('forbidden-path', 'the path would leave the address of the system');
  let response: IncomingMessage | undefined;
  try {
    response = await asked(url, system, signal);
    return await sorted(response, system.maxBytes);
  } catch (error) {
    return failed(error);
  } finally {
    response?.destroy();
  }
}

/** The address of a path below a base; undefined where it would not be below it. */
export function below(base: string, path: string): URL | undefined {
  const root = base.replace(/\/+$/, '');
  const [bare = ''] = path.split('?');
  if (!path.startsWith('/') || /[\\#\s]/.test(path) || bare.includes('//') || !URL.canParse(root + path))
    return undefined;
  const url = new URL(root + path);
  const { origin, pathname } = new URL(root);
  // Whatever a parser makes of it, it must come out as it stands there: no dots, no other host.
  const same = url.origin === origin && url.pathname === `${pathname.replace(/\/+$/, '')}${bare}`;
  return same && url.username === '' && url.password === '' ? url : undefined;
}

class Forbidden extends Error {}
class NoHeaders extends Error {}
class TooLarge extends Error {}

function asked(url: URL, system: System, signal: AbortSignal): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // Of an address that stands there itself Node resolves nothing.
  if (isIP(host) !== 0 && !mayAsk(host, system.private)) throw new Forbidden();
  const options: RequestOptions = {
    headers: { accept: 'application/json', 'accept-encoding': 'identity', ...headersOf(system) },
    // A connection of its own: its address was checked for this very call.
    agent: false,
    lookup: checked(system.private),
    signal,
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    const call: ClientRequest = send(url, options, resolve);
    call.on('error', reject);
    call.end();
  });
}

function headersOf(system: System): Record<string, string> {
  try {
    const headers = system.headers();
    // Node's own error would name the header only, but that is its promise, not ours.
    if (Object.values(headers).every(isHeaderValue)) return headers;
  } catch {
    // Told below, without a word of what was there.
  }
  throw new NoHeaders();
}

/** Whether a text can be sent as it is. */
const isHeaderValue = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

const checked =
  (isPrivate: boolean): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[] | undefined = []) => {
      const [first] = found;
      if (error) callback(error, []);
      else if (!first) callback(new Forbidden(), []);
      else if (!found.every(({ address }) => mayAsk(address, isPrivate))) callback(new Forbidden(), []);
      else if (options.all) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };

async function sorted(response: IncomingMessage, maxBytes: number): Promise<Answer<FetchAnswer>> {
  const status = response.statusCode ?? 0;
  if (status === 404) return done(status, null);
  if (status < 200 || status >= 300) return refused(status, response.headers['retry-after']);
  const { 'content-encoding': encoding = 'identity' } = response.headers;
  if (encoding !== 'identity') return stop('not-json', 'the body is encoded, which was not asked for');
  const body = await bodyOf(response, maxBytes);
  return status === 204 && body.length === 0 ? done(status, null) : parsed(status, body);
}

function refused(status: number, retryAfter: string | undefined): Refusal {
  const code = `http-${String(status)}`;
  if (status >= 300 && status < 400) return stop('redirect', `${code}: redirects are not followed`);
  const wait = waitOf(retryAfter);
  // Without a time to come back, 503 is a fault like any other: it uses up an attempt and counts for the breaker.
  if (status === 429 || (status === 503 && wait)) {
    return { outcome: 'retry', code, message: '', refused: true, ...wait };
  }
  if (status >= 500 || status === 408) return { outcome: 'retry', code, message: '', refused: false };
  return stop(code, 'the system refused the question');
}

/** A wish beyond an hour is not granted: a slip of a system must not hold a chain for days. */
const LONGEST_WAIT_MS = 3_600_000;

function waitOf(header: string | undefined): { afterMs: number } | undefined {
  const ms = retryAfterMs(header);
  return ms === undefined ? undefined : { afterMs: Math.min(ms, LONGEST_WAIT_MS) };
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw new TooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Deeper than any system nests, shallow enough for every reader. */
const MAX_DEPTH = 64;

function parsed(status: number, body: Buffer): Answer<FetchAnswer> {
  if (!isUtf8(body)) return stop('not-json', 'the body is not UTF-8');
  try {
    const value: unknown = JSON.parse(body.toString());
    return isDeeper(value, MAX_DEPTH) ? stop('too-deep', 'the body is nested too deeply') : done(status, value);
  } catch {
    // The parser's own message repeats a piece of the body.
    return stop('not-json', 'the body is not JSON');
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  let row = [value];
  for (let depth = 0; row.length > 0; depth += 1) {
    if (depth > levels) return true;
    row = row.flatMap((one) => (typeof one === 'object' && one !== null ? (Object.values(one) as unknown[]) : []));
  }
  return false;
}

const done = (status: number, body: unknown): Answer<FetchAnswer> => ({
  outcome: 'done',
  value: { status, body },
  cost: { apiCalls: 1 },
});

const stop = (code: string, message: string): Refusal => ({ outcome: 'stop', code, message });

function failed(error: unknown): Refusal {
  if (causes(error).some((one) => one instanceof Forbidden))
    return stop('forbidden-address', 'the system is at an address that may not be asked');
  if (error instanceof TooLarge) return stop('too-large', 'the body is larger than was declared');
  if (error instanceof NoHeaders)
    return { outcome: 'retry', code: 'no-secret', message: 'its secret cannot be had', refused: true };
  const answer = networkAnswer(error);
  return answer.outcome === 'unknown' ? { ...answer, outcome: 'retry', refused: false } : answer;
}

const causes = (error: unknown): unknown[] =>
  error instanceof AggregateError ? [error, ...(error.errors as unknown[])] : [error];
