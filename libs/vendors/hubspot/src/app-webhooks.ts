import type { Answer } from '#libs/contracts';
import { z } from 'zod';
import { request, sorted } from './answering';
import type { Sdk } from './sdk';
import { families } from './versions';

/** A legacy public app, and the key of the developer account that it was made in. */
export interface WebhooksApp {
  appId: string;
  developerKey: string;
}

/** One kind of event that HubSpot sends an app, or would if it were active. */
export interface AppSubscription {
  eventType: string;
  propertyName?: string;
  objectTypeId?: string;
  active: boolean;
}

/** Where an app's webhooks go, and which there are; without a target none go anywhere. */
export interface AppWebhooks {
  targetUrl?: string;
  subscriptions: AppSubscription[];
}

/** Reads where an app's webhooks go and what it is subscribed to. */
export async function appWebhooks(
  sdk: Sdk,
  { appId, developerKey }: WebhooksApp,
  signal: AbortSignal,
): Promise<Answer<AppWebhooks>> {
  const get = (what: string) =>
    request(sdk, signal, {
      method: 'GET',
      path: `${families.appWebhooks.root}/${encodeURIComponent(appId)}/${what}`,
      qs: { hapikey: developerKey },
    });
  const listed = await sorted(signal, async () => list.parse(await get('subscriptions')).results);
  if (listed.outcome !== 'done') return listed;
  const set = await sorted(signal, async () => settings.parse(await get('settings')).targetUrl);
  if (set.outcome !== 'done' && set.outcome !== 'stop') return set;
  const target = set.outcome === 'done' ? { targetUrl: set.value } : {};
  return { outcome: 'done', value: { ...target, subscriptions: listed.value.map(subscriptionOf) } };
}

const text = z.string().nullish();
const list = z.looseObject({
  results: z.array(
    z.looseObject({
      eventType: z.string(),
      propertyName: text,
      objectTypeId: text,
      active: z.boolean().default(false),
    }),
  ),
});
const settings = z.looseObject({ targetUrl: z.string() });

const subscriptionOf = ({
  eventType,
  propertyName,
  objectTypeId,
  active,
}: z.infer<typeof list>['results'][number]): AppSubscription => ({
  eventType,
  active,
  ...(propertyName ? { propertyName } : {}),
  ...(objectTypeId ? { objectTypeId } : {}),
});
