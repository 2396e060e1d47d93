import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listOf, numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { instant } from '../crm/object-types.ts';
import { invalid, missing, unauthorized } from '../errors.ts';
import type { Subscription } from '../webhooks/event-shapes.ts';
import { NEVER_TOLD, SUBSCRIPTION_TYPES } from '../webhooks/subscription-types.ts';
import type { WebhookEmitter } from '../webhooks/webhook-emitter.ts';

const ROOTS = ['/webhooks/v3', '/webhooks/2026-03', '/app-webhooks/2026-09'];
const MOST = 1_000;
const FEWEST_AT_ONCE = 6;
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
  let maxConcurrentRequests = 10;
  const find = (request: FastifyRequest): Subscription => findById((request.params as { id: string }).id);
  const findById = (id: string): Subscription => {
    const found = emitter.subscriptions.find((one) => String(one.id) === id);
    if (!found) throw missing(id);
    return found;
  };
  const settings = (): JsonObject => {
    if (emitter.target === undefined) throw missing(String(appId));
    return { targetUrl: emitter.target.url, throttling: { maxConcurrentRequests }, createdAt: MADE, updatedAt: MADE };
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
      const most = numberOf(objectOf(throttling)['maxConcurrentRequests']);
      if (!String(targetUrl).startsWith('https://') || most === undefined)
        throw invalid('targetUrl (https) and throttling are required');
      if (most < FEWEST_AT_ONCE) throw invalid('maxConcurrentRequests must be greater than 5');
      maxConcurrentRequests = most;
      emitter.target = { ...emitter.target, url: String(targetUrl) };
      return settings();
    });
    app.delete(`${at}/settings`, async (request, reply) => {
      admit(request);
      emitter.target = undefined;
      return reply.code(204).send();
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
    app.post(`${at}/subscriptions/batch/update`, async (request) => {
      admit(request);
      const inputs = listOf(objectOf(request.body)['inputs']).map(objectOf);
      const results = inputs.map((input) => shown(switched(findById(textOf(input['id']) ?? ''), input)));
      return { status: 'COMPLETE', results, startedAt: MADE, completedAt: MADE };
    });
    app.get(`${at}/subscriptions/:id`, async (request) => {
      admit(request);
      return shown(find(request));
    });
    app.patch(`${at}/subscriptions/:id`, async (request) => {
      admit(request);
      return shown(switched(find(request), objectOf(request.body)));
    });
    app.delete(`${at}/subscriptions/:id`, async (request, reply) => {
      admit(request);
      const gone = find(request);
      emitter.subscriptions = emitter.subscriptions.filter((one) => one !== gone);
      return reply.code(204).send();
    });
  }
}

function switched(subscription: Subscription, { active }: JsonObject): Subscription {
  if (typeof active !== 'boolean') throw invalid('active is required');
  subscription.active = active;
  return subscription;
}

function subscriptionOf(body: JsonObject, others: readonly Subscription[]): Subscription {
  const subscriptionType = textOf(body['eventType']);
  const [propertyName, objectTypeId] = [textOf(body['propertyName']), textOf(body['objectTypeId'])];
  if (subscriptionType === undefined) throw invalid('eventType is required');
  if (!SUBSCRIPTION_TYPES.has(subscriptionType)) throw invalid(`Unknown eventType ${subscriptionType}`);
  if (subscriptionType.startsWith('object.') && objectTypeId === undefined)
    throw invalid(`objectTypeId is required for ${subscriptionType}`);
  if (subscriptionType.endsWith('.propertyChange') && propertyName === undefined)
    throw invalid(`propertyName is required for ${subscriptionType}`);
  if (NEVER_TOLD.has(propertyName ?? '')) throw invalid(`Property ${String(propertyName)} cannot be subscribed to`);
  if (others.length >= MOST)
    throw invalid(
      `Couldn't create another subscription. You've reached the maximum number allowed per application (${MOST}).`,
    );
  return {
    id: Math.max(7_500_000, ...others.map(({ id }) => id)) + 1,
    subscriptionType,
    propertyName,
    objectTypeId,
    active: body['active'] === true,
  };
}
