// The way through the log: what a consumer brings to the store, what the relay brings back, and how long after a commit
// its event can be read. `--records N` prefills fewer, at least some thousands: then rounds end when nothing is left.
import { randomBytes } from 'node:crypto';
import { openPool } from '#libs/event-store';
import { applyTopics, withAdmin } from '#libs/log';
import { freshDatabase } from './support/database.mts';
import { remove } from './support/topics.mts';
import type { Figure } from '../scripts/bench/main.mts';
import { consumption } from './log/consume.mts';
import { readable } from './log/readable.mts';
import { relaying } from './log/relay.mts';
import { heard, words } from './log/service.mts';

const RECORDS = 300_000;
const EVENTS = 200_000;
const COMMITS = 200;

/** Measures on topics, groups and a database of its own, which are removed at the end. */
export async function suite(
  infra: { kafkaBrokers: string; databaseUrl: string },
  figure: (f: Figure) => void,
  { records = RECORDS }: { records?: number } = {},
): Promise<void> {
  const topicPrefix = `bench-${randomBytes(4).toString('hex')}.`;
  const connection = { brokers: infra.kafkaBrokers.split(','), clientId: 'bench', topicPrefix };
  const { url, drop } = await freshDatabase(infra.databaseUrl);
  const pool = openPool(url, 'bench');
  const place = { connection, pool, url };
  try {
    await withAdmin(connection, (admin) => applyTopics(admin, [words, heard], { prefix: topicPrefix }));
    figure(await consumption(place, records));
    // Before the relay's: its reader begins where the topic does.
    for (const f of await readable(place, Math.min(COMMITS, Math.ceil(records / 100)))) figure(f);
    figure(await relaying(place, Math.min(EVENTS, records)));
  } finally {
    await pool.end();
    await Promise.all([drop(), withAdmin(connection, (admin) => remove(admin, topicPrefix))]);
  }
}
