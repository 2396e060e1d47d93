import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from '#libs/contracts';
import { type HubspotClient, NO_APP_WEBHOOKS, type WebhooksApp } from '#libs/vendors/hubspot';
import type { WebhookChange } from './hubspot-webhooks';

/** How long one call to HubSpot may take. */
export const CALL_LIMIT_MS = 10_000;
const MOST_TRIES = 4;
const LONGEST_WAIT_MS = 10_000;

/** Where the webhooks of other kinds of apps stand. */
export const OTHER_KINDS =
  'Only legacy public apps have a developer API key, and webhooks that can be managed by it: those of a project app stand ' +
  'in its project (refrain init hubspot-app), those of a private app in its settings in HubSpot';

/** A change, and what came of it. */
export type Result = WebhookChange & { state: 'planned' | 'done' | 'failed' | 'left'; why?: string };

/** A change that is only shown. */
export const planned = (change: WebhookChange): Result => ({ ...change, state: 'planned' });

/** Makes the changes one by one. What HubSpot refuses is told, and the others are made; after any other failure none is. */
export async function carryOut(
  client: HubspotClient,
  app: WebhooksApp,
  changes: readonly WebhookChange[],
): Promise<Result[]> {
  const results: Result[] = [];
  let ended = false;
  for (const change of changes) {
    if (ended) {
      results.push({ ...change, state: 'left' });
      continue;
    }
    const answer = await patiently((signal) => perform(client, app, change, signal));
    if (answer.outcome === 'done') results.push({ ...change, state: 'done' });
    else results.push({ ...change, state: 'failed', why: whyOf(answer, app) });
    // Elsewhere nobody waits for what would be activated.
    ended = answer.outcome !== 'done' && (answer.outcome !== 'stop' || change.change === 'target');
  }
  return results;
}

function perform(
  client: HubspotClient,
  app: WebhooksApp,
  change: WebhookChange,
  signal: AbortSignal,
): Promise<Answer<unknown>> {
  switch (change.change) {
    case 'target':
      return client.setWebhookTarget(app, change.target, signal);
    case 'subscribe':
      return client.subscribe(app, change.subscription, signal);
    case 'activate':
    case 'pause':
      return client.switchSubscription(app, { id: change.id, active: change.change === 'activate' }, signal);
  }
}

/** A call that a limit turned away is made again, where that is soon. */
export async function patiently<T>(call: (signal: AbortSignal) => Promise<Answer<T>>): Promise<Answer<T>> {
  for (let tries = 1; ; tries += 1) {
    const answer = await call(AbortSignal.timeout(CALL_LIMIT_MS));
    const waitMs = answer.outcome === 'retry' && answer.refused ? answer.afterMs : undefined;
    if (waitMs === undefined || waitMs > LONGEST_WAIT_MS || tries >= MOST_TRIES) return answer;
    await pause(waitMs);
  }
}

const whyOf = (refusal: Refusal, app: WebhooksApp): string =>
  refusal.outcome === 'unknown'
    ? `${sentence(refusal, app)}: it may have been done; run this again, it looks first`
    : sentence(refusal, app);

type Refusal = Exclude<Answer, { outcome: 'done' }>;

/** The answer's value. Throws the sentence of a refusal, without the key. */
export function told<T>(answer: Answer<T>, app: WebhooksApp): T {
  if (answer.outcome === 'done') return answer.value;
  throw new Error(sentence(answer, app));
}

const NO_KEY = ['INVALID_AUTHENTICATION', 'MISSING_AUTHENTICATION', 'http-401'];

function sentence({ outcome, code, message }: Refusal, { appId }: WebhooksApp): string {
  if (NO_KEY.includes(code))
    return `HubSpot does not take the developer key for app ${appId}: it must be of the developer account that the app was made in`;
  if (code === NO_APP_WEBHOOKS) return `HubSpot has no webhooks of app ${appId} that could be managed. ${OTHER_KINDS}`;
  if (outcome === 'unknown') return `HubSpot gave no answer (${code})`;
  return `HubSpot said ${code}: ${message}`;
}
