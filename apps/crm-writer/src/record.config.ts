import { hubspotSettings, workerSettings } from '#libs/platform';
import { z } from 'zod';

/** Settings of crm-writer. */
export const recordConfig = z.object({ ...workerSettings, ...hubspotSettings });

export type RecordConfig = z.infer<typeof recordConfig>;
