import { hubspotSettings, workerSettings } from '#libs/platform';
import { z } from 'zod';

/** Settings of crm-writer. */
export const recordConfig = z.object({
  ...workerSettings,
  ...hubspotSettings,
  HUBSPOT_APP_ID: z.string().min(1).describe('Our own app: changes that it made set off nothing'),
  RECIPES_DIR: z.string().default('recipes').describe('Folder of the recipes'),
});

export type RecordConfig = z.infer<typeof recordConfig>;
