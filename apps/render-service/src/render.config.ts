import { heygenApiVersions } from '#libs/contracts';
import {
  budgetSettings,
  count,
  dollars,
  duration,
  flag,
  hubspotSettings,
  needsAccount,
  needsStoreKeys,
  recipeSettings,
  secret,
  url,
  videoStoreSettings,
  workerSettings,
} from '#libs/platform';
import { z } from 'zod';

/** Settings of render-service. */
export const renderConfig = z
  .object({
    ...workerSettings,
    ...hubspotSettings,
    ...recipeSettings,
    ...videoStoreSettings,
    ...budgetSettings,
    HEYGEN_BASE_URL: url().default('https://api.heygen.com').describe('HeyGen, where it is not api.heygen.com'),
    HEYGEN_API: z
      .enum(heygenApiVersions)
      .default('v3')
      .describe('Version of its template API; v2 for templates that v3 does not take: it knows no idempotency key'),
    HEYGEN_API_KEY: secret().describe("HeyGen's API key"),
    HEYGEN_CALLBACK_URL: url()
      .meta({ secret: true })
      .optional()
      .describe(
        'Address for the callback of each single video, with the token of its connection; where no endpoint is registered at HeyGen',
      ),
    VIDEO_LINK_KEY: z
      .string()
      .min(32, 'must have 32 characters at least')
      .meta({ secret: true })
      .optional()
      .describe(
        "Key of stable links, 32 characters at least: with it the CRM is given an address of the gateway (/v/), which leads to the video for good; without it HeyGen's own, for 7 days",
      ),
    PUBLIC_URL: url().optional().describe('Address of the gateway, which stable links begin with'),
    HEYGEN_JOBS: count()
      .prefault('10')
      .describe('Videos in the making at once: 10 for Pay-As-You-Go, 20 for Enterprise'),
    HEYGEN_USD_PER_SECOND: dollars()
      .prefault('0.1')
      .describe(
        'What HeyGen charges for a second of video, in US dollars, for budgets; its public prices of 2026 are 0.05 to 0.10 (developers.heygen.com/docs/pricing), and they move',
      ),
    HEYGEN_VIDEO_SECONDS: count()
      .prefault('30')
      .describe(
        'How long a video is without its texts, in seconds, for budgets; only until videos of its template were made',
      ),
    HEYGEN_TEST_RENDERS: flag()
      .prefault('false')
      .describe(
        'Whether videos are only tests, for environments that are not production: they cost nothing and bear a watermark, and are ordered by version 2',
      ),
    HEYGEN_RETRY_AFTER: duration()
      .prefault('5m')
      .describe(
        'How long an order waits that HeyGen failed at, or that nothing pays for, until it is placed once more',
      ),
  })
  .refine(...needsAccount)
  .refine(({ VIDEO_LINK_KEY, PUBLIC_URL }) => VIDEO_LINK_KEY === undefined || PUBLIC_URL !== undefined, {
    path: ['PUBLIC_URL'],
  })
  .refine(...needsStoreKeys)
  .refine(
    ({ VIDEO_STORE_BUCKET, VIDEO_LINK_KEY }) => VIDEO_STORE_BUCKET === undefined || VIDEO_LINK_KEY !== undefined,
    {
      path: ['VIDEO_STORE_BUCKET'],
      message: 'needs VIDEO_LINK_KEY: what leads to a copy is a stable link',
    },
  );

export type RenderConfig = z.infer<typeof renderConfig>;
