import { count, hubspotSettings, recipeSettings, secret, url, workerSettings } from '#libs/platform';
import { z } from 'zod';

/** Settings of render-service. */
export const renderConfig = z.object({
  ...workerSettings,
  ...hubspotSettings,
  ...recipeSettings,
  HUBSPOT_APP_ID: z.string().min(1).describe('Our own app: changes that it made set off nothing'),
  HEYGEN_BASE_URL: url().default('https://api.heygen.com').describe('HeyGen, where it is not api.heygen.com'),
  HEYGEN_API_KEY: secret().describe("HeyGen's API key"),
  HEYGEN_CALLBACK_URL: url()
    .meta({ secret: true })
    .optional()
    .describe(
      'Address for the callback of each single video, with the token of its connection; where no endpoint is registered at HeyGen',
    ),
  HEYGEN_JOBS: count().prefault('10').describe('Videos in the making at once: 10 for Pay-As-You-Go, 20 for Enterprise'),
});

export type RenderConfig = z.infer<typeof renderConfig>;
