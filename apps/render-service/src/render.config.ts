import { count, hubspotSettings, needsAccount, recipeSettings, secret, url, workerSettings } from '#libs/platform';
import { z } from 'zod';

/** Settings of render-service. */
export const renderConfig = z
  .object({
    ...workerSettings,
    ...hubspotSettings,
    ...recipeSettings,
    HEYGEN_BASE_URL: url().default('https://api.heygen.com').describe('HeyGen, where it is not api.heygen.com'),
    HEYGEN_API_KEY: secret().describe("HeyGen's API key"),
    HEYGEN_CALLBACK_URL: url()
      .meta({ secret: true })
      .optional()
      .describe(
        'Address for the callback of each single video, with the token of its connection; where no endpoint is registered at HeyGen',
      ),
    HEYGEN_JOBS: count()
      .prefault('10')
      .describe('Videos in the making at once: 10 for Pay-As-You-Go, 20 for Enterprise'),
  })
  .refine(...needsAccount);

export type RenderConfig = z.infer<typeof renderConfig>;
