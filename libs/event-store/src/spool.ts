import type { Envelope } from '#libs/contracts';
import type { Pool } from 'pg';
import { atomically, run, rowsOf } from './query';

/** A record that waits for the log: the same bytes, envelope and headers. */
export interface SpooledRecord {
  topic: string;
  key: string;
  value: Buffer;
  envelope: Envelope;
  headers?: Record<string, string>;
}

/** How much waits in the spool, and since when its oldest record does. */
export interface SpoolState {
  records: number;
  oldest: Date | undefined;
}

/** Thrown where the spool holds as much as it may: nothing was kept. */
export class SpoolFull extends Error {
  constructor() {
    super('the spool is full');
    this.name = 'SpoolFull';
  }
}

/**
 * Keeps records for the log, durable when it resolves, all or none. Throws {@link SpoolFull} where the spool takes more
 * than `mostBytes` on the disk, {@link StoreUnavailable} where the database is away too.
 */
export async function spool(pool: Pool, records: SpooledRecord[], mostBytes: number): Promise<void> {
  const { rowCount } = await run(pool, 'refrain-spool', SPOOL, [
    records.map((r) => r.topic),
    records.map((r) => r.key),
    records.map((r) => r.value),
    records.map((r) => JSON.stringify(r.envelope)),
    records.map((r) => JSON.stringify(r.headers ?? {})),
    mostBytes,
  ]);
  if (rowCount !== records.length) throw new SpoolFull();
}

/**
 * Takes the oldest records out of the spool once `publish` has resolved; where it rejects, or the process ends before the
 * records are gone, they are published again. One replica drains at a time, and in the order in which they were kept.
 * Resolves to how many it took, or to undefined while another replica drains.
 */
export async function drainSpool(
  pool: Pool,
  most: number,
  publish: (records: SpooledRecord[]) => Promise<void>,
): Promise<number | undefined> {
  return atomically(pool, async (tx) => {
    const { rows: locks } = await run<{ mine: boolean }>(tx, 'refrain-spool-lock', LOCK, [SPOOL_LOCK]);
    if (locks[0]?.mine !== true) return undefined;
    const { rows } = await run<SpooledRecord & { id: string }>(tx, 'refrain-spool-oldest', OLDEST, [most]);
    if (rows.length === 0) return 0;
    await publish(rows.map(({ id: _, ...record }) => record));
    await run(tx, 'refrain-spool-done', 'delete from spool where id = any ($1::bigint[])', [rows.map(({ id }) => id)]);
    return rows.length;
  });
}

/** What the spool holds now. */
export async function spoolState(pool: Pool): Promise<SpoolState> {
  const text = 'select count(*)::int as records, min(spooled_at) as oldest from spool';
  const [row] = await rowsOf<{ records: number; oldest: Date | null }>(pool, text, []);
  return { records: row?.records ?? 0, oldest: row?.oldest ?? undefined };
}

// Any constant does, as long as every gateway takes the same one.
const SPOOL_LOCK = 7_266_742;

const LOCK = 'select pg_try_advisory_xact_lock($1) as mine';

const SPOOL = `
  insert into spool (topic, key, value, envelope, headers)
  select topic, key, value, envelope, headers
  from unnest($1::text[], $2::text[], $3::bytea[], $4::json[], $5::json[]) with ordinality
    as r (topic, key, value, envelope, headers, ord)
  where pg_total_relation_size('spool') < $6
  order by ord`;

const OLDEST = 'select id, topic, key, value, envelope, headers from spool order by id limit $1';
