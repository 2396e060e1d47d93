import { hubspotSettings, recipeSettings, workerSettings } from '#libs/platform';
import { z } from 'zod';

/** Settings of crm-writer. */
export const recordConfig = z.object({
  ...workerSettings,
  ...hubspotSettings,
  HUBSPOT_APP_ID: z.string().min(1).describe('Our own app: changes that it made set off nothing'),
  ...recipeSettings,
});

export type RecordConfig = z.infer<typeof recordConfig>;
