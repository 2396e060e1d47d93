import {
  count,
  duration,
  hubspotSettings,
  needsAccount,
  recipeSettings,
  secret,
  url,
  workerSettings,
} from '#libs/platform';
import { z } from 'zod';

/** Settings of enrichment-service. */
export const enrichmentConfig = z
  .object({
    ...workerSettings,
    ...hubspotSettings,
    ...recipeSettings,
    OPENAI_BASE_URL: url().optional().describe('OpenAI or a compatible service, with its /v1'),
    OPENAI_API_KEY: secret().describe("OpenAI's API key"),
    OPENAI_DEADLINE: duration().prefault('15s').describe('Longest time for an answer; a cut call is asked once more'),
    OPENAI_PER_MINUTE: count().prefault('500').describe('Requests a minute that the account allows for the model'),
    SYSTEMS_FILE: z
      .string()
      .optional()
      .describe('YAML list of the systems that recipes may ask, read again when it changes; without it there are none'),
    CONTENT_KEY: secret()
      .optional()
      .describe('Names receipts of answers; without it the store keeps one of its own, enough for development'),
  })
  .refine(...needsAccount);

export type EnrichmentConfig = z.infer<typeof enrichmentConfig>;
