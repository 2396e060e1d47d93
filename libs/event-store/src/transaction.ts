import { crc32 } from 'node:zlib';
import type { Pool, PoolClient } from 'pg';
import {
  type Known,
  type Outcome,
  READ,
  type ReadRow,
  readValues,
  undatedOf,
  type Wanted,
  WRITE,
  writeValues,
} from './batch-statements';
import { Conflict, sorted } from './errors';
import { type MailRow, mailOfRow } from './mailbox';
import { release, supersede } from './operations';
import { PARKED_MAIL } from './parking';
import { giveBack } from './query';
import { joinSharedCalls } from './shared-calls';
import type { Mail } from './shapes';

// Buckets of input keys per service that a batch locks shared, and a parking or release exclusively (protocol 10, 11).
const BUCKETS = 256;

const bucketOf = (inputKey: string): number => crc32(inputKey) % BUCKETS;
const lockClass = (service: string): number => crc32(`refrain.input.${service}`) | 0;

/** One transaction over a batch of inputs: locked, read once, written once. */
export class BatchTransaction {
  constructor(
    private readonly client: PoolClient,
    private readonly service: string,
  ) {}

  /** The transaction's connection, for the store's own reading functions. */
  get db(): PoolClient {
    return this.client;
  }

  /** Reads marks, parked keys and streams in one round trip. */
  async read(wanted: Wanted): Promise<Known> {
    const { rows } = await this.client.query<ReadRow>({
      name: 'refrain-read',
      text: READ,
      values: readValues(this.service, wanted),
    });
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
   * Writes marks, events, effects and mail, all or nothing; throws {@link Conflict} where a version moved, a mark
   * exists, or mail was taken by someone else.
   */
  async write(outcome: Outcome): Promise<void> {
    const { rows } = await this.client.query<{ undated: number; taken: number }>({
      name: 'refrain-write',
      text: WRITE,
      values: writeValues(this.service, outcome),
    });
    const row = rows[0];
    if (row?.undated !== undatedOf(outcome).length) throw new Conflict('an undated input was claimed meanwhile');
    if (row.taken !== outcome.taken.length) throw new Conflict('mail was taken meanwhile');
    await this.followUp(outcome);
  }

  // Shared calls before their owners: whoever settles a call locks in this order too.
  private async followUp({ effects, superseded = [], released = [] }: Outcome): Promise<void> {
    const sharing = effects.filter((e) => e.shares !== undefined);
    if (sharing.length > 0) await joinSharedCalls(this.client, sharing);
    if (superseded.length > 0) await supersede(this.client, superseded);
    if (released.length > 0) await release(this.client, released);
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

  /**
   * Ties a vendor's id to a stream (protocol 9). Returns the callback that was waiting for it, if one came first.
   */
  async correlate(tenant: string, vendor: string, externalId: string, streamId: string): Promise<unknown> {
    const { rows } = await this.client.query<{ waiting: unknown }>(
      `insert into correlation as c (service, tenant, vendor, external_id, stream_id) values ($1, $2, $3, $4, $5)
       on conflict (service, tenant, vendor, external_id) do update set stream_id = excluded.stream_id
       returning c.waiting`,
      [this.service, tenant, vendor, externalId, streamId],
    );
    return rows[0]?.waiting ?? undefined;
  }

  /**
   * Looks up the stream that a vendor's id belongs to; where none is known yet, the callback waits and is visible as
   * unmatched (protocol 9).
   */
  async resolve(tenant: string, vendor: string, externalId: string, waiting: unknown): Promise<string | undefined> {
    const { rows } = await this.client.query<{ stream_id: string | null }>(
      `insert into correlation as c (service, tenant, vendor, external_id, waiting) values ($1, $2, $3, $4, $5)
       on conflict (service, tenant, vendor, external_id) do update
         set waiting = case when c.stream_id is null then coalesce(c.waiting, excluded.waiting) end
       returning stream_id`,
      [this.service, tenant, vendor, externalId, JSON.stringify(waiting)],
    );
    return rows[0]?.stream_id ?? undefined;
  }
}

/**
 * Runs `work` in one transaction that holds the buckets of the input keys: shared for a batch, exclusively for parking
 * and release. Commits when it resolves; throws {@link Conflict}, {@link StoreUnavailable}, or what `work` threw.
 */
export async function transact<T>(
  pool: Pool,
  service: string,
  inputKeys: string[],
  lock: 'shared' | 'exclusive',
  work: (tx: BatchTransaction) => Promise<T>,
): Promise<T> {
  let client: PoolClient | undefined;
  try {
    client = await pool.connect();
    await client.query(`begin; ${lockBuckets(service, inputKeys, lock)}`);
    const result = await work(new BatchTransaction(client, service));
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    if (client) await giveBack(client);
    throw sorted(error);
  }
}

// In one simple statement with `begin`: integers only, so nothing needs quoting. Sorted, so two batches never deadlock.
function lockBuckets(service: string, inputKeys: string[], lock: 'shared' | 'exclusive'): string {
  const buckets = [...new Set(inputKeys.map(bucketOf))].sort((a, b) => a - b);
  if (buckets.length === 0) return '';
  const take = lock === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  return `select count(${take}(${lockClass(service)}, b)) from unnest('{${buckets.join(',')}}'::int[]) b`;
}
