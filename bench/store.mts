// One input a transaction, and a hundred: mark, event and owed effect, appended as a service does it, against
// emmett-postgresql appending one event, and against pgbench running the same statement. Also with the reading that comes
// before each decision, which neither peer does.
import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { emptyOutcome, openPool, type Pool, readBatch, writeBatch } from '#libs/event-store';
import { freshDatabase } from './support/database.mts';
import type { Figure } from '../scripts/bench/main.mts';
import { peer } from '../scripts/bench/peers.mts';
import { pgbench, type Sent } from '../scripts/bench/pgbench.mts';
import { median, ratioOf, rounds, throughput } from '../scripts/bench/rounds.mts';

const CONNECTIONS = 16;
const BATCH = 100;
const BATCH_CONNECTIONS = 4;
/** What openPool sets for its sessions. */
const SESSION = '-c jit=off -c enable_seqscan=off -c plan_cache_mode=force_generic_plan';
const data = {
  word: 'an event of a usual size, with a name, a state and some numbers',
  n: 17,
  at: '2026-01-01T00:00:00Z',
};

interface Emmett {
  getPostgreSQLEventStore(
    url: string,
    options: unknown,
  ): {
    appendToStream(stream: string, events: { type: string; data: unknown }[]): Promise<unknown>;
    schema: { migrate(): Promise<unknown> };
    close(): Promise<void>;
  };
}

export async function suite(infra: { databaseUrl: string }, figure: (f: Figure) => void): Promise<void> {
  const ours = await freshDatabase(infra.databaseUrl);
  const theirs = await freshDatabase(infra.databaseUrl, false);
  const pool = openPool(ours.url, 'bench', CONNECTIONS);
  const emmettPool = new pg.Pool({ connectionString: theirs.url, max: CONNECTIONS });
  const emmett = peer<Emmett>('@event-driven-io/emmett-postgresql').getPostgreSQLEventStore(theirs.url, {
    connectionOptions: { pool: emmettPool },
    schema: { autoMigration: 'None' },
  });
  try {
    await emmett.schema.migrate();
    const sent = await writingStatement(ours.url);
    const measured = await rounds({
      single: (ms) => throughput(CONNECTIONS, ms, () => append(pool, [randomUUID()])),
      emmett: (ms) => throughput(CONNECTIONS, ms, () => emmett.appendToStream(randomUUID(), [{ type: 'heard', data }])),
      pgbench: (ms) => pgbench(ours.url, sent, CONNECTIONS, ms, SESSION),
      batch: async (ms) => BATCH * (await throughput(BATCH_CONNECTIONS, ms, () => append(pool, newIds()))),
      readSingle: (ms) => throughput(CONNECTIONS, ms, () => append(pool, [randomUUID()], true)),
      readBatch: async (ms) => BATCH * (await throughput(BATCH_CONNECTIONS, ms, () => append(pool, newIds(), true))),
    });
    const line = (name: string, who: number[], other: 'emmett' | 'pgbench', floor?: number, aim?: number): Figure => {
      const { ratio, spread } = ratioOf(who, measured[other]);
      const peers = { emmett: 'emmett-postgresql 0.42.0, one event', pgbench: 'pgbench, the same statement' };
      return {
        suite: 'store',
        name,
        value: Math.round(median(who)),
        unit: 'inputs/s',
        against: `${peers[other]}: ${String(Math.round(median(measured[other])))}/s; ratios ${spread}${aim ? `, aim ${String(aim)}` : ''}`,
        ratio,
        target: floor === undefined ? 'none: for comparison' : `>= ${String(floor)}`,
        ok: floor === undefined || ratio >= floor,
      };
    };
    const one = `one input a transaction, ${String(CONNECTIONS)} connections`;
    const many = `${String(BATCH)} inputs a transaction, ${String(BATCH_CONNECTIONS)} connections`;
    figure(line(one, measured.single, 'emmett', 2.5, 3));
    figure(line(one, measured.single, 'pgbench', 0.65, 0.8));
    figure(line(many, measured.batch, 'emmett', 9, 12));
    figure(line(`${one}, read first`, measured.readSingle, 'emmett'));
    figure(line(`${many}, read first`, measured.readBatch, 'emmett'));
  } finally {
    await pool.end();
    await emmett.close();
    if (!emmettPool.ended) await emmettPool.end();
    await Promise.all([ours.drop(), theirs.drop()]);
  }
}

const newIds = () => Array.from({ length: BATCH }, () => randomUUID());

/** Brings inputs through one transaction, each about a stream of its own. */
async function append(pool: Pool, ids: string[], reads = false): Promise<void> {
  const keys = ids.map((id) => `default:contact:${id}`);
  const streams = ids.map((id) => `bench-default:contact:${id}`);
  const marks = ids.map((id) => ({ key: `record-${id}`, day: '2026-01-01' }));
  if (reads) await readBatch(pool, 'bench', { marks, undated: [], inputKeys: keys, streams });
  const about = (i: number) => ({
    tenant: 'default',
    subject: `contact:${ids[i] ?? ''}`,
    streamId: streams[i] ?? '',
    meta: { rootCause: `cause-${ids[i] ?? ''}`, causedBy: 'record' },
  });
  const outcome = {
    ...emptyOutcome(),
    marks: marks.map((mark, i) => ({ ...mark, decided: [{ stream: streams[i] ?? '', version: 0 }] })),
    events: ids.map((_, i) => ({ ...about(i), version: 1, type: 'refrain.word.heard.v1', data })),
    effects: ids.map((id, i) => ({
      ...about(i),
      slot: `default|bench.call|${id}`,
      generation: 1,
      kind: 'bench.call',
      purpose: 'call',
      rootCause: `cause-${id}`,
      orderKey: undefined,
      request: data,
      requestHash: randomBytes(32).toString('hex'),
    })),
  };
  await writeBatch(pool, 'bench', outcome, { open: keys, parked: [] });
}

/** The writing statement of one input, as it goes over the wire. */
async function writingStatement(url: string): Promise<Sent> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const seen: { text: string; values: unknown[] }[] = [];
  const spy = {
    query(sent: { text: string; values: unknown[] }) {
      seen.push(sent);
      return client.query(sent);
    },
  };
  const unique = randomUUID();
  await append(spy as unknown as Pool, [unique]);
  await client.end();
  const written = seen.find(({ text }) => text.includes('insert into inbox'));
  if (!written) throw new Error('no statement wrote the inbox');
  return { ...written, unique };
}
