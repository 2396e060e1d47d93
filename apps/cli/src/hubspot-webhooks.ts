import { objectTypeIdOf } from '#libs/contracts';
import type { SubscriptionNeed } from '#libs/recipes';
import type { AppSubscription, AppWebhooks, NewSubscription, WebhookTarget } from '#libs/vendors/hubspot';
import { eventOf, nameOf, tells } from './subscriptions';

/** What an app's webhooks should be. */
export interface WebhookWishes {
  needs: readonly SubscriptionNeed[];
  targetUrl: string;
  /** As it is, or HubSpot's own, unless said. */
  maxConcurrentRequests?: number;
  pauseUnneeded: boolean;
}

/** One call that an app's webhooks need to become what they should be. */
export type WebhookChange =
  | { change: 'target'; target: Required<WebhookTarget>; was?: string }
  | { change: 'subscribe'; event: string; for: string[]; subscription: NewSubscription }
  | { change: 'activate' | 'pause'; event: string; for: string[]; id: string };

/** What there is to do about an app's webhooks. */
export interface WebhookPlan {
  /** In the order in which they are made. */
  changes: WebhookChange[];
  /** What is active and nobody needs. */
  unneeded: string[];
  /** What nobody can subscribe to, and why. */
  impossible: { event: string; for: string[]; fate: boolean; why: string }[];
}

/** The most subscriptions that HubSpot lets an app have. */
export const MOST_SUBSCRIPTIONS = 1_000;
const AT_ONCE = 10;

/**
 * Compares an app's webhooks with what they should be: what is there and paused is activated rather than made once more,
 * and nothing is taken away. Pure.
 */
export function webhookPlan(webhooks: AppWebhooks, wishes: WebhookWishes): WebhookPlan {
  const { subscriptions } = webhooks;
  const unmet = wishes.needs.filter((need) => !subscriptions.some((one) => one.active && tells(one, need)));
  const unneeded = subscriptions.filter((one) => one.active && !wishes.needs.some((need) => tells(one, need)));
  const [changes, impossible]: [WebhookChange[], WebhookPlan['impossible']] = [[], []];
  for (const need of unmet) {
    const [event, paused, subscription] = [eventOf(need), pausedFor(need, subscriptions), subscriptionFor(need)];
    if (paused) changes.push({ change: 'activate', event, for: need.for, id: paused.id });
    else if (typeof subscription === 'string')
      impossible.push({ event, for: need.for, fate: need.fate, why: subscription });
    else changes.push({ change: 'subscribe', event, for: need.for, subscription });
  }
  if (wishes.pauseUnneeded)
    for (const one of unneeded) changes.push({ change: 'pause', event: nameOf(one), for: [], id: one.id });
  return { changes: [...targetChange(webhooks, wishes), ...changes], unneeded: unneeded.map(nameOf), impossible };
}

function targetChange(webhooks: AppWebhooks, wishes: WebhookWishes): WebhookChange[] {
  const { targetUrl, maxConcurrentRequests: most } = webhooks;
  const { maxConcurrentRequests = most ?? AT_ONCE } = wishes;
  if (targetUrl === wishes.targetUrl && (most ?? maxConcurrentRequests) === maxConcurrentRequests) return [];
  const was = targetUrl === undefined || targetUrl === wishes.targetUrl ? {} : { was: targetUrl };
  return [{ change: 'target', target: { targetUrl: wishes.targetUrl, maxConcurrentRequests }, ...was }];
}

// One that tells of more, were it active, is left paused: somebody wanted it so.
const pausedFor = (need: SubscriptionNeed, all: readonly AppSubscription[]): AppSubscription | undefined =>
  all.find((one) => tells(one, need) && one.propertyName === need.property);

const CLASSIC = ['contact', 'company', 'deal', 'ticket', 'line_item', 'product'];

/** The subscription to what is needed, in the form that legacy apps have where there is one; or why there is none. */
function subscriptionFor({ object, change, property }: SubscriptionNeed): NewSubscription | string {
  if (change === 'propertyChange' && property === undefined)
    return 'HubSpot tells of one property each: name it in the trigger';
  const named = property === undefined ? {} : { propertyName: property };
  if (CLASSIC.includes(object) || object === 'conversation') return { eventType: `${object}.${change}`, ...named };
  const objectTypeId = objectTypeIdOf(object);
  if (objectTypeId === undefined) return `HubSpot's id of ${object} records is not known here`;
  return { eventType: `object.${change}`, objectTypeId, ...named };
}

/** Why an app cannot have that many subscriptions; undefined where it can. */
export function tooMany(webhooks: AppWebhooks, { changes }: WebhookPlan): string | undefined {
  const all = webhooks.subscriptions.length + changes.filter(({ change }) => change === 'subscribe').length;
  if (all <= MOST_SUBSCRIPTIONS) return undefined;
  return `the app would have ${String(all)} subscriptions, and HubSpot allows ${String(MOST_SUBSCRIPTIONS)}, paused ones too: delete some of those in HubSpot that nobody needs`;
}
