import { type Answer, type Cost, heygenCodes, heygenFailureOf } from '#libs/contracts';
import { type AlertLines, Gauge, type Standstill, type VendorWatch, vendorWatch } from '#libs/platform';
import type { EffectKind } from '#libs/process';
import { openHeygen, type TemplateVideo, type VideoVendor } from '#libs/vendors/heygen';
import type { HubspotAccounts, ReadRequest } from '#libs/vendors/hubspot';
import { copyEffects } from './copy.effects';
import { afterOrder, COPY, VIDEO } from './costs';
import type { VideoPrices } from './prices';
import type { RenderConfig } from './render.config';

// A video of which nothing was heard for so long is no longer in the making.
const JOB_MS = 2 * 3_600_000;

const missing = new Gauge(
  'heygen_credit_missing',
  '1 where HeyGen takes no order of a tenant for want of credit, else 0',
  ['tenant'],
);

const isUnpaid = (answer: Answer): answer is Exclude<Answer, { outcome: 'done' }> =>
  answer.outcome !== 'done' && heygenFailureOf(answer.code) === 'unpaid';

/** What ends all orders of a tenant. */
const heygenCredit: Standstill<'unpaid'> = {
  stoppedBy: (answer) => (isUnpaid(answer) ? 'unpaid' : undefined),
  stops: { unpaid: 'HeyGen has no credit left: videos wait until there is some' },
  goesOn: 'HeyGen takes orders again: the videos that waited are made',
  measure: (value, _reason, tenant) => missing.set(value, tenant),
};

/**
 * render-service's calls. A lost answer of `heygen.generate` is settled by looking for its video, and by the same order
 * under the same `Idempotency-Key`, which HeyGen honours for 24 hours: it is never billed twice.
 */
export function renderEffects(
  config: RenderConfig,
  hubspot: HubspotAccounts,
  lines: AlertLines,
  prices: VideoPrices,
): Record<string, EffectKind> {
  const after = afterOrder(config.VIDEO_STORE_BUCKET !== undefined);
  const heygen = openHeygen(config.HEYGEN_API, {
    baseUrl: config.HEYGEN_BASE_URL,
    apiKey: config.HEYGEN_API_KEY,
    callbackUrl: config.HEYGEN_CALLBACK_URL,
    testRenders: config.HEYGEN_TEST_RENDERS,
  });
  return {
    ...copyEffects(config, heygen),
    'hubspot.read': {
      is: 'query',
      deadlineMs: 8_000,
      maxAttempts: 8,
      maxRepeats: 0,
      limits: hubspot.limits(),
      plan: {
        cost: () => ({ apiCalls: 1 }),
        follows: () => ({
          credits: VIDEO.credits,
          apiCalls: VIDEO.apiCalls + after.apiCalls,
          ...inDollars(prices.unknown),
        }),
      },
      perform: (request: ReadRequest, call) => hubspot.of(call.tenant).read(request, call.signal),
    },
    'heygen.generate': ordering(config, heygen, vendorWatch(heygenCredit, lines), prices, after),
    'heygen.status': {
      is: 'query',
      deadlineMs: 8_000,
      maxAttempts: 5,
      maxRepeats: 0,
      plan: { cost: () => ({ apiCalls: 1 }), follows: () => (config.VIDEO_STORE_BUCKET === undefined ? {} : COPY) },
      perform: ({ videoId }: { videoId: string }, call) => heygen.status(videoId, call.signal),
    },
  };
}

/** The order of a video. */
const ordering = (
  config: RenderConfig,
  heygen: VideoVendor,
  credit: VendorWatch,
  prices: VideoPrices,
  after: Cost,
): EffectKind => ({
  is: 'command',
  deadlineMs: 10_000,
  maxAttempts: 5,
  maxRepeats: 10,
  limits: [
    {
      name: 'jobs',
      most: config.HEYGEN_JOBS,
      jobMs: JOB_MS,
      pausedBy: ['rate_limit_exceeded', 'http-429'],
      stoppedBy: [...heygenCodes('unpaid')],
    },
  ],
  spend: prices,
  plan: {
    answer: () => ({ videoId: 'planned' }),
    cost: (order: TemplateVideo) => ({ ...VIDEO, ...inDollars(prices.estimate(order)?.usd) }),
    follows: () => after,
  },
  async perform(order: TemplateVideo, { tenant, generation, attempt, idempotencyKey, signal }) {
    const call = { idempotencyKey, isRepeat: attempt > 1 };
    const answer = await heygen.submit(named(order, generation), call, signal);
    credit.answered(answer, tenant);
    return answer.outcome === 'retry' && isUnpaid(answer) ? { ...answer, afterMs: config.HEYGEN_RETRY_AFTER } : answer;
  },
});

const inDollars = (usd: number | undefined): Cost => (usd === undefined ? {} : { usd });

// The title finds a video whose answer was lost when its key has expired: HeyGen cannot be searched by callback id.
function named(order: TemplateVideo, generation: number): TemplateVideo {
  const callbackId = `${order.callbackId}/${String(generation)}`;
  return { ...order, callbackId, title: `${order.title} [${callbackId}]` };
}
