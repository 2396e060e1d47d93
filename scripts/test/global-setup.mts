import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { provideChromium } from '../infra/chromium.mts';
import { provideInfra, type Infra } from '../infra/provide.mts';
import { Unavailable } from '../infra/unavailable.mts';
import { findStanding } from '../infra/standing.mts';

declare global {
  var refrainTestInfra: Infra | undefined;
}

/**
 * Gives the whole run one broker, one database and one browser, by KAFKA_BROKERS, DATABASE_URL and CHROMIUM_PATH in
 * every worker's environment. Without a browser the tests that need one fail by what CHROMIUM_MISSING says.
 */
export default async function globalSetup(): Promise<void> {
  const standing = process.env.KAFKA_BROKERS && process.env.DATABASE_URL ? undefined : await findStanding();
  if (standing) {
    process.env.KAFKA_BROKERS ||= standing.kafkaBrokers;
    process.env.DATABASE_URL ||= standing.databaseUrl;
  }
  const infra = await provideInfra().catch((error: unknown) => {
    if (error instanceof Unavailable) error.stack = error.message; // what Jest prints: where it was thrown helps nobody
    throw error;
  });
  globalThis.refrainTestInfra = infra;
  process.env.KAFKA_BROKERS = infra.kafkaBrokers;
  process.env.DATABASE_URL = infra.databaseUrl;
  await coordinated(infra.kafkaBrokers.split(','));
  await provideChromium()
    .then((path) => (process.env.CHROMIUM_PATH = path))
    .catch((error: unknown) => {
      if (!(error instanceof Unavailable)) throw error;
      process.env.CHROMIUM_MISSING = error.message;
      delete process.env.CHROMIUM_PATH;
    });
}

/** Resolves when the broker takes consumer groups: a new one is still loading what they have committed. */
async function coordinated(brokers: string[]): Promise<void> {
  const admin = new Kafka({ brokers, clientId: 'test-setup', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    for (let left = 100; ; left -= 1) {
      try {
        await admin.fetchOffsets({ groupId: 'test-setup' });
        return;
      } catch (error) {
        if (left === 0) throw error;
        await pause(100);
      }
    }
  } finally {
    await admin.disconnect();
  }
}
