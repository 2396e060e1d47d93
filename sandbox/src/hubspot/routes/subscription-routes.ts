import type { FastifyInstance, FastifyRequest } from 'fastify';
import { objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { instant } from '../crm/object-types.ts';
import { invalid, missing, unauthorized } from '../errors.ts';
import type { Subscription } from '../webhooks/event-shapes.ts';
import type { WebhookEmitter } from '../webhooks/webhook-emitter.ts';

const ROOTS = ['/webhooks/v3', '/webhooks/2026-03', '/app-webhooks/2026-09'];
const MOST = 1_000;
const MADE = instant(Date.parse('2026-01-05T09:00:00Z'));

/** Whether a call is about an app's webhooks: those carry the developer's key and no token. */
export const isAppWebhooks = (url: string): boolean => ROOTS.some((root) => url.startsWith(`${root}/`));

const shown = ({ id, subscriptionType, propertyName, objectTypeId, active }: Subscription): JsonObject => ({
  id: String(id),
  eventType: subscriptionType,
  ...(propertyName === undefined ? {} : { propertyName }),
  ...(objectTypeId === undefined ? {} : { objectTypeId }),
  active,
  createdAt: MADE,
});

interface App {
  appId: number;
  developerKey?: string;
}

/** The webhooks of a legacy public app: its target, and what it is subscribed to. Other kinds of apps have no such key. */
export function addSubscriptionRoutes(
  app: FastifyInstance,
  emitter: WebhookEmitter,
  { appId, developerKey }: App,
): void {
  const admit = (request: FastifyRequest): void => {
    const key = textOf(objectOf(request.query)['hapikey']);
    if (developerKey === undefined || key !== developerKey) throw unauthorized();
    const { app: asked } = request.params as { app: string };
    if (asked !== String(appId)) throw missing(asked);
  };
  const find = (request: FastifyRequest): Subscription => {
    const { id } = request.params as { id: string };
    const found = emitter.subscriptions.find((one) => String(one.id) === id);
    if (!found) throw missing(id);
    return found;
  };
  const settings = (): JsonObject => {
    if (emitter.target === undefined) throw missing(String(appId));
    const throttling = { maxConcurrentRequests: 10 };
    return { targetUrl: emitter.target.url, throttling, createdAt: MADE, updatedAt: MADE };
  };
  for (const root of ROOTS) {
    const at = `${root}/:app`;
    app.get(`${at}/settings`, async (request) => {
      admit(request);
      return settings();
    });
    app.put(`${at}/settings`, async (request) => {
      admit(request);
      const { targetUrl = '', throttling } = objectOf(request.body);
      if (!String(targetUrl).startsWith('https://') || throttling === undefined)
        throw invalid('targetUrl (https) and throttling are required');
      emitter.target = { ...emitter.target, url: String(targetUrl) };
      return settings();
    });
    app.get(`${at}/subscriptions`, async (request) => {
      admit(request);
      return { results: emitter.subscriptions.map(shown) };
    });
    app.post(`${at}/subscriptions`, async (request, reply) => {
      admit(request);
      const made = subscriptionOf(objectOf(request.body), emitter.subscriptions);
      emitter.subscriptions.push(made);
      return reply.code(201).send(shown(made));
    });
    app.patch(`${at}/subscriptions/:id`, async (request) => {
      admit(request);
      const found = find(request);
      found.active = objectOf(request.body)['active'] === true;
      return shown(found);
    });
    app.delete(`${at}/subscriptions/:id`, async (request, reply) => {
      admit(request);
      const gone = find(request);
      emitter.subscriptions = emitter.subscriptions.filter((one) => one !== gone);
      return reply.code(204).send();
    });
  }
}

function subscriptionOf(body: JsonObject, others: readonly Subscription[]): Subscription {
  const subscriptionType = textOf(body['eventType']);
  if (subscriptionType === undefined || !/^\w+\.\w+$/.test(subscriptionType)) throw invalid('eventType is required');
  if (others.length >= MOST)
    throw invalid(
      `Couldn't create another subscription. You've reached the maximum number allowed per application (${MOST}).`,
    );
  return {
    id: Math.max(7_500_000, ...others.map(({ id }) => id)) + 1,
    subscriptionType,
    propertyName: textOf(body['propertyName']),
    objectTypeId: textOf(body['objectTypeId']),
    active: body['active'] === true,
  };
}
