import type { FastifyInstance } from 'fastify';
import { listOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { conflict, forbidden, invalid } from '../errors.ts';

/** Events that apps write to timelines; apps need leave for it, and declare their types first. */
export class AppEvents {
  allowed = true;
  readonly types = new Set(['video_ready']);
  readonly #events = new Map<string, JsonObject>();

  send(body: JsonObject): JsonObject {
    const [type = '', id = ''] = [textOf(body['eventTypeName']), textOf(body['id'])];
    if (!this.allowed) throw forbidden('timeline');
    if (!this.types.has(type)) throw invalid(`Event type ${type} does not exist`);
    const about = ['objectId', 'email', 'utk', 'domain'].some((name) => textOf(body[name]) !== undefined);
    if (!about) throw invalid('One of objectId, email, utk, domain is required');
    if (id !== '' && this.#events.has(id)) throw conflict(`Event ${id} already exists`);
    this.#events.set(id, body);
    return { id, eventTypeName: type, objectId: body['objectId'], createdAt: new Date().toISOString() };
  }

  list(): JsonObject[] {
    return [...this.#events.values()];
  }
}

export function addEventRoutes(app: FastifyInstance, events: AppEvents): void {
  for (const version of ['v4', '2026-03'])
    app.post(`/integrators/timeline/${version}/events`, async (request, reply) =>
      reply.code(201).send(events.send(objectOf(request.body))),
    );
  app.get('/_sandbox/app-events', async () => ({ events: events.list() }));
  app.put('/_sandbox/app-events', async (request) => {
    const body = objectOf(request.body);
    if (typeof body['allowed'] === 'boolean') events.allowed = body['allowed'];
    for (const type of listOf(body['types'])) events.types.add(String(type));
    return { allowed: events.allowed, types: [...events.types] };
  });
}
