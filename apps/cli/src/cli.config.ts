import { hubspotSettings, list, url } from '#libs/platform';
import { z } from 'zod';

/** Settings of the commands, each read only by the commands that need them. */
export const storeConfig = z.object({
  DATABASE_URL: url('postgres', 'postgresql').meta({ secret: true }).describe('The event store, always the primary'),
});

export const logConfig = z.object({
  KAFKA_BROKERS: list().describe('Kafka bootstrap brokers, host:port, separated by commas'),
  TOPIC_PREFIX: z.string().default('').describe('Stands before every topic and group name'),
  TOPIC_REPLICATION: z.coerce.number().int().min(1).optional().describe("Replicas of a topic; the broker's default"),
});

export const crmConfig = z.object(hubspotSettings);
