import type { Answer } from '#libs/contracts';
import { z } from 'zod';
import { HeygenApi, type HeygenSettings } from './api';

/** A webhook endpoint that HeyGen calls; the secret is told once, when it is made or rotated. */
export interface WebhookEndpoint {
  id: string;
  url: string;
  /** Empty where all types are sent. */
  events: string[];
  secret?: string;
}

/** What HeyGen sent, or tried to send, to the endpoints of an account. */
export interface SentEvent {
  /** The same on every delivery of it. */
  id: string;
  type: string;
  data: unknown;
  at: Date;
}

/** A page of what was sent; `next` names the one behind it. */
export interface SentEvents {
  events: SentEvent[];
  next?: string;
}

/** The webhook endpoints of a HeyGen account. Never throws: every answer is sorted. */
export class HeygenEndpoints {
  private readonly api: HeygenApi;

  constructor(settings: HeygenSettings) {
    this.api = new HeygenApi(settings);
  }

  list(signal: AbortSignal): Promise<Answer<WebhookEndpoint[]>> {
    const answer = z.object({ data: z.array(endpoint) });
    return this.api.call({ path: ROOT, answer, read: ({ data }) => data.map(endpointOf) }, signal);
  }

  /** Registers an address; HeyGen asks it by OPTIONS at once, and gives it one second. */
  register(url: string, events: readonly string[], signal: AbortSignal): Promise<Answer<WebhookEndpoint>> {
    const body = { url, events };
    return this.api.call({ method: 'POST', path: ROOT, body, answer: one, read: read }, signal);
  }

  /** Makes a new secret. The old one is good no more from this moment on: HeyGen knows no overlap. */
  rotate(id: string, signal: AbortSignal): Promise<Answer<WebhookEndpoint>> {
    const path = `${ROOT}/${encodeURIComponent(id)}/rotate-secret`;
    return this.api.call({ method: 'POST', path, answer: one, read: read }, signal);
  }

  /** A page of what was sent, as far back as HeyGen keeps it; the first one without a token. */
  sent(token: string | undefined, signal: AbortSignal): Promise<Answer<SentEvents>> {
    const query = { limit: '100', ...(token === undefined ? {} : { token }) };
    return this.api.call({ path: '/v3/webhooks/events', query, answer: sent, read: sentEventsOf }, signal);
  }

  /** Sends other types of events to an endpoint from now on. */
  choose(id: string, events: readonly string[], signal: AbortSignal): Promise<Answer<WebhookEndpoint>> {
    const path = `${ROOT}/${encodeURIComponent(id)}`;
    return this.api.call({ method: 'PATCH', path, body: { events }, answer: one, read: read }, signal);
  }
}

const ROOT = '/v3/webhooks/endpoints';

const endpoint = z.looseObject({
  endpoint_id: z.string().optional(),
  id: z.string().optional(),
  url: z.string(),
  events: z.array(z.string()).nullish(),
  secret: z.string().min(1).nullish(),
});

// Seconds of the epoch, or RFC 3339.
const time = z.union([
  z.number().transform((seconds) => new Date(seconds * 1_000)),
  z.iso.datetime().pipe(z.coerce.date()),
]);

const sent = z.object({
  data: z.array(
    z.looseObject({ event_id: z.string().min(1), event_type: z.string(), event_data: z.unknown(), created_at: time }),
  ),
  has_more: z.boolean().nullish(),
  next_token: z.string().nullish(),
});

const sentEventsOf = ({ data, has_more: more, next_token: next }: z.infer<typeof sent>): SentEvents => ({
  events: data.map(({ event_id: id, event_type: type, event_data, created_at: at }) => ({
    ...{ id, type, data: event_data, at },
  })),
  ...(next && more !== false ? { next } : {}),
});

const one = z.object({ data: endpoint });

const read = ({ data }: z.infer<typeof one>): WebhookEndpoint => endpointOf(data);

const endpointOf = ({ endpoint_id, id, url, events, secret }: z.infer<typeof endpoint>): WebhookEndpoint => ({
  id: endpoint_id ?? id ?? '',
  url,
  events: events ?? [],
  ...(secret ? { secret } : {}),
});
