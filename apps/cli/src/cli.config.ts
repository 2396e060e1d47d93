import { hubspotSettings, logSettings, needsAccount, url } from '#libs/platform';
import { z } from 'zod';

/** Settings of the commands, each read only by the commands that need them. */
export const storeConfig = z.object({
  DATABASE_URL: url('postgres', 'postgresql').meta({ secret: true }).describe('The event store, always the primary'),
});

export const logConfig = z.object({
  ...logSettings,
  TOPIC_REPLICATION: z.coerce.number().int().min(1).optional().describe("Replicas of a topic; the broker's default"),
});

export const crmConfig = z.object(hubspotSettings).refine(...needsAccount);
