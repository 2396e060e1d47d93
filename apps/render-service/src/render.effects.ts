import { accountsOf, accountWatch, type Environment, type Logger } from '#libs/platform';
import type { EffectKind } from '#libs/process';
import { HeygenClient, type TemplateVideo } from '#libs/vendors/heygen';
import { HubspotAccounts, type ReadRequest } from '#libs/vendors/hubspot';
import type { RenderConfig } from './render.config';

// Its status is asked for once where no callback comes, and once where one says of a failure no code. What unsigned
// callbacks make it asked for besides is bounded by the gateway's cap, not here.
const ASKED = { apiCalls: 2 };
const VIDEO = { credits: 1, apiCalls: 1 };

// A video of which nothing was heard for so long is no longer in the making.
const JOB_MS = 2 * 3_600_000;

/** The HubSpot accounts that the settings declare. */
export const hubspotOf = (config: RenderConfig, env: Environment, lines: Logger): HubspotAccounts =>
  new HubspotAccounts(accountsOf(config, env), accountWatch(lines));

/**
 * render-service's calls. A lost answer of `heygen.generate` is settled by the same order under the same
 * `Idempotency-Key`, which HeyGen honours for 24 hours: it is never billed twice.
 */
export function renderEffects(config: RenderConfig, hubspot: HubspotAccounts): Record<string, EffectKind> {
  const heygen = new HeygenClient({
    baseUrl: config.HEYGEN_BASE_URL,
    apiKey: config.HEYGEN_API_KEY,
    callbackUrl: config.HEYGEN_CALLBACK_URL,
  });
  return {
    'hubspot.read': {
      is: 'query',
      deadlineMs: 8_000,
      maxAttempts: 8,
      maxRepeats: 0,
      limits: hubspot.limits(),
      plan: {
        cost: () => ({ apiCalls: 1 }),
        follows: () => ({ credits: VIDEO.credits, apiCalls: VIDEO.apiCalls + ASKED.apiCalls }),
      },
      perform: (request: ReadRequest, call) => hubspot.of(call.tenant).read(request, call.signal),
    },
    'heygen.generate': {
      is: 'command',
      deadlineMs: 10_000,
      maxAttempts: 5,
      maxRepeats: 10,
      limits: [
        { name: 'jobs', most: config.HEYGEN_JOBS, jobMs: JOB_MS, pausedBy: ['rate_limit_exceeded', 'http-429'] },
      ],
      plan: { answer: () => ({ videoId: 'planned' }), cost: () => VIDEO, follows: () => ASKED },
      perform: (order: TemplateVideo, call) =>
        heygen.generate(named(order, call.generation), call.idempotencyKey, call.signal),
    },
    'heygen.status': {
      is: 'query',
      deadlineMs: 8_000,
      maxAttempts: 5,
      maxRepeats: 0,
      plan: { cost: () => ({ apiCalls: 1 }), follows: () => ({}) },
      perform: ({ videoId }: { videoId: string }, call) => heygen.status(videoId, call.signal),
    },
  };
}

// The title finds a video whose answer was lost when its key has expired: HeyGen cannot be searched by callback id.
function named(order: TemplateVideo, generation: number): TemplateVideo {
  const callbackId = `${order.callbackId}/${String(generation)}`;
  return { ...order, callbackId, title: `${order.title} [${callbackId}]` };
}
