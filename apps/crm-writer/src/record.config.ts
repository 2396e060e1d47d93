import { hubspotSettings, needsAccount, recipeSettings, workerSettings } from '#libs/platform';
import { z } from 'zod';

/** Settings of crm-writer. */
export const recordConfig = z
  .object({
    ...workerSettings,
    ...hubspotSettings,
    ...recipeSettings,
  })
  .refine(...needsAccount);

export type RecordConfig = z.infer<typeof recordConfig>;
