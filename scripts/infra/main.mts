// `npm run infra`: keeps a broker and a database running, for tests and services started by hand, until Ctrl-C.
import { untilToldToStop } from './until-told.mts';
import { provideInfra } from './provide.mts';
import { announceStanding, findStanding, withdrawStanding } from './standing.mts';
import { Unavailable } from './unavailable.mts';

const told = untilToldToStop();
try {
  const standing = await findStanding();
  if (standing) {
    console.error(`Process ${standing.pid} already keeps them running; see .refrain/infra.json`);
    process.exit(1);
  }
  console.log('Starting Kafka and Postgres …');
  const started = Date.now();
  const infra = await provideInfra();
  announceStanding({ kafkaBrokers: infra.kafkaBrokers, databaseUrl: infra.databaseUrl });
  console.log(`${infra.describe()} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  console.log('Their addresses are in .refrain/infra.json, where `npm test` finds them. Ctrl-C stops them.');
  await told;
  console.log('Stopping …');
  withdrawStanding();
  await infra.stop();
  process.exit(0);
} catch (error) {
  console.error(error instanceof Unavailable ? error.message : error);
  process.exit(1);
}
