import { provideInfra, type Infra } from '../infra/provide.mts';
import { Unavailable } from '../infra/unavailable.mts';
import { findStanding } from '../infra/standing.mts';

declare global {
  var refrainTestInfra: Infra | undefined;
}

/** Gives the whole run one broker and one database, by KAFKA_BROKERS and DATABASE_URL in every worker's environment. */
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
}
