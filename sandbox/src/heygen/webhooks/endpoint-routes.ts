import type { FastifyInstance } from 'fastify';
import { sendOnce } from '../../courier.ts';
import { listOf, numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import type { Random } from '../../frame/seeded-random.ts';
import { failed, invalid } from '../errors.ts';
import type { CallbackSender, Endpoint } from './callback-sender.ts';

const EVENT_TYPES = [
  'avatar_video',
  'avatar_video_gif',
  'avatar_video_caption',
  'video_agent',
  'video_translate',
].flatMap((thing) => [`${thing}.success`, `${thing}.fail`]);

const shown = ({ endpointId, url, events, createdAt }: Endpoint): JsonObject => ({
  endpoint_id: endpointId,
  url,
  events,
  status: 'enabled',
  created_at: createdAt,
});

export function addEndpointRoutes(app: FastifyInstance, sender: CallbackSender, random: Random): void {
  const root = '/v3/webhooks/endpoints';
  const find = (params: unknown): Endpoint => {
    const found = sender.endpoints.get(textOf(objectOf(params)['id']) ?? '');
    if (found === undefined) throw failed('webhook_not_found', 'Webhook endpoint not found');
    return found;
  };
  const newSecret = (): string => `whsec_${random.hex(32)}`;
  app.post(root, async (request) => {
    const body = objectOf(request.body);
    const url = textOf(body['url']) ?? '';
    await probe(url);
    const endpoint: Endpoint = {
      endpointId: random.hex(32),
      url,
      secret: newSecret(),
      events: eventsOf(body['events']),
      createdAt: new Date().toISOString(),
    };
    sender.endpoints.set(endpoint.endpointId, endpoint);
    return { data: { ...shown(endpoint), secret: endpoint.secret } };
  });
  app.get(root, async () => ({ data: [...sender.endpoints.values()].map(shown), has_more: false, next_token: null }));
  app.patch(`${root}/:id`, async (request) => {
    const endpoint = find(request.params);
    const body = objectOf(request.body);
    const url = textOf(body['url']);
    if (url !== undefined) {
      await probe(url);
      endpoint.url = url;
      delete endpoint.deliverTo;
    }
    if (body['events'] !== undefined) endpoint.events = eventsOf(body['events']);
    return { data: shown(endpoint) };
  });
  app.delete(`${root}/:id`, async (request) => {
    const { endpointId } = find(request.params);
    sender.endpoints.delete(endpointId);
    return { data: { endpoint_id: endpointId } };
  });
  app.post(`${root}/:id/rotate-secret`, async (request) => {
    const endpoint = find(request.params);
    endpoint.secret = newSecret();
    return { data: { ...shown(endpoint), secret: endpoint.secret } };
  });
  app.get('/v3/webhooks/event-types', async () => ({ data: EVENT_TYPES }));
  app.get('/v3/webhooks/events', async (request) => {
    const query = objectOf(request.query);
    const rows = sender.history.filter(
      ({ event_type, event_data }) =>
        (query['event_type'] === undefined || query['event_type'] === event_type) &&
        (query['entity_id'] === undefined || query['entity_id'] === event_data['video_id']),
    );
    return pageOf(rows, query);
  });
}

function eventsOf(input: unknown): string[] {
  const events = listOf(input).map(String);
  const unknown = events.find((name) => !EVENT_TYPES.includes(name));
  if (unknown !== undefined) throw invalid(`Unknown event type: ${unknown}`, 'events');
  return events;
}

/** Asks the new address with OPTIONS; it has one second to say anything but a server error. */
async function probe(url: string): Promise<void> {
  if (!URL.canParse(url)) throw invalid('url must be an absolute URL', 'url');
  const { status } = await sendOnce('OPTIONS', { url }, { body: '', headers: {} }, 1000);
  if (status === null || status >= 500) throw invalid('The endpoint did not answer the OPTIONS probe', 'url');
}

/** Cuts one page; the token is the place where the next one begins. */
export function pageOf<T>(rows: T[], query: Record<string, unknown>): JsonObject {
  const limit = Math.min(numberOf(query['limit']) ?? 10, 100);
  const start = numberOf(query['token']) ?? 0;
  const more = start + limit < rows.length;
  return { data: rows.slice(start, start + limit), has_more: more, next_token: more ? String(start + limit) : null };
}
