import type { Answer } from '#libs/contracts';
import { z } from 'zod';
import { request, sorted } from './answering';
import type { SortedAs } from './errors';
import type { OwnCall, Sdk } from './sdk';
import { families } from './versions';

/** A legacy public app, and the key of the developer account that it was made in. */
export interface WebhooksApp {
  appId: string;
  developerKey: string;
}

/** One kind of event that an app can be told of. */
export interface NewSubscription {
  eventType: string;
  propertyName?: string;
  objectTypeId?: string;
}

/** One kind of event that HubSpot sends an app, or would if it were active. */
export interface AppSubscription extends NewSubscription {
  id: string;
  active: boolean;
}

/** Where an app's webhooks go, and how many at once. */
export interface WebhookTarget {
  targetUrl: string;
  maxConcurrentRequests?: number;
}

/** Where an app's webhooks go, and which there are; without a target none go anywhere. */
export interface AppWebhooks extends Partial<WebhookTarget> {
  subscriptions: AppSubscription[];
}

/** The code where an app has no webhooks that could be asked for: only legacy public apps have. */
export const NO_APP_WEBHOOKS = 'no-app-webhooks';

const NO_TARGET = 'no-target';
const NONE = 404;

/** Reads where an app's webhooks go and what it is subscribed to. */
export async function appWebhooks(sdk: Sdk, app: WebhooksApp, signal: AbortSignal): Promise<Answer<AppWebhooks>> {
  const subscriptions = await ask(sdk, app, { method: 'GET', path: 'subscriptions' }, signal, list, {
    codes: [{ status: NONE, code: NO_APP_WEBHOOKS }],
  });
  if (subscriptions.outcome !== 'done') return subscriptions;
  const target = await ask(sdk, app, { method: 'GET', path: 'settings' }, signal, settings, {
    codes: [{ status: NONE, code: NO_TARGET }],
  });
  const isNone = target.outcome === 'stop' && target.code === NO_TARGET;
  if (target.outcome !== 'done' && !isNone) return target;
  const found = target.outcome === 'done' ? target.value : {};
  return { outcome: 'done', value: { ...found, subscriptions: subscriptions.value } };
}

/** Lets an app's webhooks go there. Said again, it changes nothing. */
export function setWebhookTarget(
  sdk: Sdk,
  app: WebhooksApp,
  { targetUrl, maxConcurrentRequests }: Required<WebhookTarget>,
  signal: AbortSignal,
): Promise<Answer<WebhookTarget>> {
  const body = { targetUrl, throttling: { maxConcurrentRequests } };
  return ask(sdk, app, { method: 'PUT', path: 'settings', body }, signal, settings);
}

/** Subscribes an app to a kind of event, at once. Where its answer is lost nobody knows whether it was: look before it is repeated. */
export function subscribe(
  sdk: Sdk,
  app: WebhooksApp,
  wanted: NewSubscription,
  signal: AbortSignal,
): Promise<Answer<AppSubscription>> {
  const body = { ...wanted, active: true };
  return ask(sdk, app, { method: 'POST', path: 'subscriptions', body }, signal, subscription);
}

/** Lets a subscription tell, or pauses it. Said again, it changes nothing. */
export function switchSubscription(
  sdk: Sdk,
  app: WebhooksApp,
  { id, active }: Pick<AppSubscription, 'id' | 'active'>,
  signal: AbortSignal,
): Promise<Answer<AppSubscription>> {
  const path = `subscriptions/${encodeURIComponent(id)}`;
  return ask(sdk, app, { method: 'PATCH', path, body: { active } }, signal, subscription);
}

/** The key stands in the query, as HubSpot wants it; whatever it says of the call is told without it. */
async function ask<T>(
  sdk: Sdk,
  { appId, developerKey }: WebhooksApp,
  { path, ...call }: OwnCall,
  signal: AbortSignal,
  shape: z.ZodType<T>,
  as: SortedAs = {},
): Promise<Answer<T>> {
  const root = `${families.appWebhooks.root}/${encodeURIComponent(appId)}`;
  const own = { ...call, path: `${root}/${path}`, qs: { hapikey: developerKey } };
  const answer = await sorted(signal, async () => shape.parse(await request(sdk, signal, own)), as);
  if (answer.outcome === 'done') return answer;
  return { ...answer, message: answer.message.replaceAll(developerKey, '(the developer key)') };
}

const text = z.string().nullish();
const subscription = z
  .looseObject({
    id: z.union([z.string(), z.number()]).transform(String),
    eventType: z.string(),
    propertyName: text,
    objectTypeId: text,
    active: z.boolean().default(false),
  })
  .transform(({ id, eventType, active, propertyName, objectTypeId }): AppSubscription => ({
    id,
    eventType,
    active,
    ...(propertyName ? { propertyName } : {}),
    ...(objectTypeId ? { objectTypeId } : {}),
  }));
const list = z.looseObject({ results: z.array(subscription) }).transform(({ results }) => results);
const settings = z
  .looseObject({
    targetUrl: z.string(),
    throttling: z.looseObject({ maxConcurrentRequests: z.number().nullish() }).nullish(),
  })
  .transform(({ targetUrl, throttling }): WebhookTarget => {
    const most = throttling?.maxConcurrentRequests;
    return { targetUrl, ...(typeof most === 'number' ? { maxConcurrentRequests: most } : {}) };
  });
