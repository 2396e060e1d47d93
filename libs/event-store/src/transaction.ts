import { crc32 } from 'node:zlib';
import type { Pool, PoolClient } from 'pg';
import { type Known, type Outcome, READ, type ReadRow, readValues, type Wanted } from './batch-statements';
import { settleSpend } from './spend';
import { correlate, keepUnmatched } from './correlation';
import { sorted } from './errors';
import { type MailRow, mailOfRow } from './mailbox';
import { forget, release, supersede } from './operations';
import { PARKED_MAIL } from './parking';
import { atomically, giveBack, type Queries, run } from './query';
import { joinSharedCalls } from './shared-calls';
import type { Mail } from './shapes';
import { type Entry, writingStatement } from './writing-statement';

// Buckets of input keys per service that a batch locks shared, and a parking or release exclusively (protocol 10, 11).
const BUCKETS = 256;

const bucketsOf = (inputKeys: string[]): number[] =>
  [...new Set(inputKeys.map((key) => crc32(key) % BUCKETS))].sort((a, b) => a - b);
const lockClass = (service: string): number => crc32(`refrain.input.${service}`) | 0;

/** Reads marks, parked keys and streams in one round trip and one snapshot. */
export async function readBatch(on: Queries, service: string, wanted: Wanted): Promise<Known> {
  const { rows } = await run<ReadRow>(on, 'refrain-read', READ, readValues(service, wanted));
  const known: Known = { marked: new Set(), claimed: new Map(), parked: new Set(), streams: new Map() };
  for (const row of rows) {
    if (row.what === 'mark') known.marked.add(row.key);
    else if (row.what === 'undated') known.claimed.set(row.key, row.at);
    else if (row.what === 'parked') known.parked.add(row.key);
    else {
      const events = known.streams.get(row.key) ?? [];
      events.push({ type: row.type, data: row.data, version: row.version, meta: row.meta });
      known.streams.set(row.key, events);
    }
  }
  return known;
}

/**
 * Writes what a batch decided on what {@link readBatch} gave it, all or nothing. No lock is held in between: the writing
 * makes sure that nothing it rests on has moved (decision 20). `open` are the input keys that were decided, `parked`
 * those behind which something was put. Throws {@link Conflict} where a version moved, a mark exists, mail was taken, or
 * a key was parked or freed meanwhile; {@link StoreUnavailable} where it may have been written or not.
 */
export async function writeBatch(
  pool: Pool,
  service: string,
  outcome: Outcome,
  keys: { open: string[]; parked: string[] },
): Promise<void> {
  const buckets = bucketsOf([...keys.open, ...keys.parked]);
  const entry = { lockClass: lockClass(service), buckets, ...keys };
  if (hasMore(outcome)) await atomically(pool, (tx) => writeAll(tx, service, outcome, entry));
  else await writeMain(pool, service, outcome, entry);
}

async function writeMain(on: Queries, service: string, outcome: Outcome, entry: Entry): Promise<void> {
  const { name, text, values } = writingStatement(service, outcome, entry);
  await run(on, name, text, values);
}

const hasMore = ({ effects, superseded, released, settledSpend, forgotten, correlated, unmatched }: Outcome): boolean =>
  effects.some((e) => e.shares !== undefined) ||
  [superseded, released, settledSpend, forgotten, correlated, unmatched].some(
    (rows) => rows !== undefined && rows.length > 0,
  );

// Shared calls before their owners: whoever settles a call locks in this order too.
async function writeAll(tx: Queries, service: string, outcome: Outcome, entry: Entry): Promise<void> {
  const { effects, superseded = [], released = [], forgotten = [], correlated = [], unmatched = [] } = outcome;
  const { settledSpend = [] } = outcome;
  await writeMain(tx, service, outcome, entry);
  const sharing = effects.filter((e) => e.shares !== undefined);
  if (sharing.length > 0) await joinSharedCalls(tx, sharing);
  if (superseded.length > 0) await supersede(tx, superseded);
  if (released.length > 0) await release(tx, released);
  if (forgotten.length > 0) await forget(tx, forgotten);
  // A callback and the answer that it waits for may be in one batch.
  if (unmatched.length > 0) await keepUnmatched(tx, service, unmatched);
  if (correlated.length > 0) await correlate(tx, service, correlated);
  // Last: many wait for the books.
  if (settledSpend.length > 0) await settleSpend(tx, settledSpend);
}

/** A transaction that holds input keys exclusively: for parking, release, and applying a replay's item. */
export class BatchTransaction {
  constructor(
    private readonly client: PoolClient,
    private readonly service: string,
  ) {}

  /** The transaction's connection, for the store's own reading functions. */
  get db(): PoolClient {
    return this.client;
  }

  /** See {@link readBatch}. */
  read(wanted: Wanted): Promise<Known> {
    return readBatch(this.client, this.service, wanted);
  }

  /** Writes as {@link writeBatch} does, in this transaction; nobody else can park or free its keys. */
  write(outcome: Outcome): Promise<void> {
    return writeAll(this.client, this.service, outcome, { lockClass: 0, buckets: [], open: [], parked: [] });
  }

  /** Notes that an input key is parked; the caller holds its bucket exclusively. */
  async park(inputKey: string, code: string, reason: string): Promise<void> {
    await this.client.query(
      `insert into parked_key (service, input_key, code, reason) values ($1, $2, $3, $4) on conflict do nothing`,
      [this.service, inputKey, code, reason],
    );
  }

  /** The oldest mail that waits behind a parked key; the caller holds its bucket exclusively. */
  async parkedMail(inputKey: string, limit: number): Promise<Mail[]> {
    const { rows } = await this.client.query<MailRow>(PARKED_MAIL, [this.service, inputKey, limit]);
    return rows.map(mailOfRow);
  }

  /** Takes back the marks that were set when these inputs were parked, so that they can be decided after all. */
  async unmark(keys: string[]): Promise<void> {
    await this.client.query(
      `with dated as (delete from inbox where service = $1 and key = any ($2::text[]))
       delete from inbox_undated where service = $1 and key = any ($2::text[])`,
      [this.service, keys],
    );
  }

  /** Drops mail without deciding it. */
  async discardMail(ids: string[]): Promise<void> {
    await this.client.query(`delete from mailbox where service = $1 and id = any ($2::bigint[])`, [this.service, ids]);
  }

  /**
   * Ends the parking of a key behind which nothing waits any more; the caller holds its bucket exclusively. Resolves to
   * who asked for its release.
   */
  async unpark(inputKey: string): Promise<string> {
    const { rows } = await this.client.query<{ released_by: string | null }>(
      `delete from parked_key where service = $1 and input_key = $2 returning released_by`,
      [this.service, inputKey],
    );
    return rows[0]?.released_by ?? '';
  }

  /** Notes that a release failed again: the key stays parked, with the newest reason. */
  async stopRelease(inputKey: string, code: string, reason: string): Promise<void> {
    await this.client.query(
      `update parked_key set released_by = null, code = $3, reason = $4 where service = $1 and input_key = $2`,
      [this.service, inputKey, code, reason],
    );
  }
}

/**
 * Runs `work` in one transaction that holds the input keys exclusively: no batch writes for them meanwhile. Commits when
 * it resolves; throws {@link Conflict}, {@link StoreUnavailable}, or what `work` threw.
 */
export async function transact<T>(
  pool: Pool,
  service: string,
  inputKeys: string[],
  work: (tx: BatchTransaction) => Promise<T>,
): Promise<T> {
  let client: PoolClient | undefined;
  try {
    client = await pool.connect();
    await client.query(`begin; ${lockBuckets(service, inputKeys)}`);
    const result = await work(new BatchTransaction(client, service));
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    if (client) await giveBack(client);
    throw sorted(error);
  }
}

// In one simple statement with `begin`: integers only, so nothing needs quoting. Sorted, so two never deadlock.
function lockBuckets(service: string, inputKeys: string[]): string {
  const buckets = bucketsOf(inputKeys).join(',');
  return `select count(pg_advisory_xact_lock(${String(lockClass(service))}, b)) from unnest('{${buckets}}'::int[]) b`;
}
