import { type Outcome, sendOnce } from '../../courier.ts';
import type { Target } from '../../frame/control.ts';
import { isObject, numberOf, type JsonObject } from '../../frame/json.ts';
import { signatureHeaders } from '../webhooks/signatures.ts';

export interface ProxyOptions {
  clientSecret: string;
  appId: number;
  portalId: number;
  user: { id: number; email: string };
  /** The app's gateway: webhooks go to its target, and its origin is the one of `permittedUrls.fetch`. */
  target(): Target | undefined;
}

export interface Answer {
  status: number;
  body: string;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];
const DEADLINE_MS = 15_000;
const MAX_BYTES = 1024 * 1024;
const AT_ONCE = 20;

/** `hubspot.fetch` of cards: checks and signs a call as HubSpot does, makes it, and holds it to HubSpot's limits. */
export class FetchProxy {
  readonly #options: ProxyOptions;
  #underWay = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  async fetch(asked: JsonObject): Promise<Answer> {
    if (this.#underWay >= AT_ONCE) return failed(429, 'RATE_LIMITS', 'Too many concurrent requests');
    this.#underWay += 1;
    try {
      return await this.#fetch(asked);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #fetch({ url, method = 'GET', body, headers = {}, timeout }: JsonObject): Promise<Answer> {
    const verb = String(method).toUpperCase();
    const target = this.#options.target();
    const given = isObject(headers) ? headers : {};
    if (!METHODS.includes(verb)) return invalid('Unknown method');
    if (Object.keys(given).some((name) => name.toLowerCase() !== 'authorization'))
      return invalid("Invalid Request Headers provided. Only 'Authorization' header is allowed from hubspot.fetch()");
    if (target === undefined || !isPermitted(String(url), target.url))
      return invalid(`${String(url)} is not in permittedUrls.fetch of the app`);
    const text = verb === 'GET' || body === undefined || body === null ? '' : JSON.stringify(body);
    if (Buffer.byteLength(text) > MAX_BYTES) return invalid('The request is larger than 1 MB');
    const authorization = Object.values(given).map(String)[0];
    const call = { verb, uri: this.#named(String(url)), deliverTo: target.deliverTo, text, authorization };
    return answerOf(await this.#twice(call, Math.min(numberOf(timeout) ?? DEADLINE_MS, DEADLINE_MS)));
  }

  /** Once more where the connection was lost or the app answered 5xx, if there is time left. */
  async #twice(call: Call, withinMs: number): Promise<Outcome> {
    const first = await this.#once(call, withinMs);
    const left = withinMs - first.durationMs;
    const isToRepeat = first.error !== 'deadline' && (first.status === null || first.status >= 500);
    return isToRepeat && left > 0 ? this.#once(call, left) : first;
  }

  #once({ verb, uri, deliverTo, text, authorization }: Call, withinMs: number): Promise<Outcome> {
    const { clientSecret } = this.#options;
    const headers = {
      ...signatureHeaders('v2+v3', clientSecret, uri, text, Date.now(), verb),
      ...(text !== '' && { 'Content-Type': 'application/json' }),
      ...(authorization !== undefined && { Authorization: authorization }),
    };
    return sendOnce(verb, { url: uri, deliverTo }, { body: text, headers }, withinMs, MAX_BYTES + 1);
  }

  /** The address with who asks: it is what is called, and what is signed. */
  #named(url: string): string {
    const { user, portalId, appId } = this.#options;
    const named = new URL(url);
    const who = { userId: user.id, userEmail: user.email, portalId, appId };
    for (const [name, value] of Object.entries(who)) named.searchParams.set(name, String(value));
    return named.href;
  }
}

interface Call {
  verb: string;
  uri: string;
  deliverTo?: string;
  text: string;
  authorization?: string;
}

/** https, as HubSpot asks for, or whatever a hub on this machine listens on. */
function isPermitted(url: string, target: string): boolean {
  if (!URL.canParse(url)) return false;
  const { origin, protocol, hostname } = new URL(url);
  const isSafe = protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  return isSafe && origin === new URL(target).origin;
}

function answerOf({ status, error, responseBody = '' }: Outcome): Answer {
  if (error === 'deadline') return failed(504, 'GATEWAY_TIMEOUT', 'Gateway took too long to respond');
  if (status === null) return failed(500, 'INTERNAL_SERVER_ERROR', 'Network error');
  if (Buffer.byteLength(responseBody) > MAX_BYTES) return invalid('The response is larger than 1 MB');
  return { status, body: responseBody };
}

const invalid = (message: string): Answer => failed(400, 'VALIDATION_ERROR', message);

const failed = (status: number, category: string, message: string): Answer => ({
  status,
  body: JSON.stringify({ status: 'error', category, message }),
});
