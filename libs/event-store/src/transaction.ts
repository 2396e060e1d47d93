import { crc32 } from 'node:zlib';
import type { Pool, PoolClient } from 'pg';
import { Conflict, sorted } from './errors';
import { type MailRow, mailOfRow } from './mailbox';
import { release, supersede } from './operations';
import { PARKED_MAIL } from './parking';
import { giveBack } from './query';
import { joinSharedCalls } from './shared-calls';
import type { EventMeta, Mail, Mark, NewEffect, NewEvent, NewMail } from './shapes';

// Buckets of input keys per service that a batch locks shared, and a parking or release exclusively (protocol 10, 11).
const BUCKETS = 256;

/** Shards of streams, each with its own relay. Stored with every event, so it is never changed lightly. */
export const SHARDS = 8;

const bucketOf = (inputKey: string): number => crc32(inputKey) % BUCKETS;
const shardOf = (streamId: string): number => crc32(streamId) % SHARDS;
const lockClass = (service: string): number => crc32(`refrain.input.${service}`) | 0;

/** What a batch must know before it decides. */
export interface Wanted {
  marks: { key: string; day: string }[];
  undated: { key: string }[];
  inputKeys: string[];
  streams: string[];
}

/** What the store holds of it: in one snapshot, taken after the locks. */
export interface Known {
  /** Keys of dated inputs that were decided already. */
  marked: Set<string>;
  /** Undated inputs: the reception that claimed them. */
  claimed: Map<string, Date>;
  parked: Set<string>;
  streams: Map<string, KnownEvent[]>;
}

/** An event of a stream that is about to be decided on. */
export interface KnownEvent {
  type: string;
  data: unknown;
  version: number;
  meta: EventMeta;
}

/** What a batch leaves behind, in one statement. */
export interface Outcome {
  marks: Mark[];
  events: NewEvent[];
  effects: NewEffect[];
  mail: NewMail[];
  /** Mail that this batch used up: each row must still be there, or someone else decided it. */
  taken: string[];
  /** Mail that must wait, because its key is parked. */
  parkedMail: string[];
  /** Owed effects that are wanted no longer; one that runs already runs on. */
  superseded?: { streamId: string; kind: string; purpose: string }[];
  /** Slots of long jobs that have ended. */
  released?: string[];
}

export const emptyOutcome = (): Outcome => ({
  marks: [],
  events: [],
  effects: [],
  mail: [],
  taken: [],
  parkedMail: [],
});

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
      values: [
        this.service,
        wanted.marks.map((m) => m.key),
        wanted.marks.map((m) => m.day),
        wanted.undated.map((m) => m.key),
        wanted.inputKeys,
        wanted.streams,
      ],
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
    const { marks, events, effects, mail } = outcome;
    const dated = marks.filter((m) => 'day' in m);
    const undated = marks.filter((m) => 'received' in m);
    const { rows } = await this.client.query<{ undated: number; taken: number }>({
      name: 'refrain-write',
      text: WRITE,
      values: [
        this.service,
        dated.map((m) => m.key),
        dated.map((m) => m.day),
        dated.map((m) => JSON.stringify(m.decided)),
        undated.map((m) => m.key),
        undated.map((m) => m.received),
        undated.map((m) => JSON.stringify(m.decided)),
        events.map((e) => e.streamId),
        events.map((e) => e.version),
        events.map((e) => shardOf(e.streamId)),
        events.map((e) => e.tenant),
        events.map((e) => e.subject),
        events.map((e) => e.type),
        events.map((e) => JSON.stringify(e.data)),
        events.map((e) => JSON.stringify(e.meta)),
        effects.map((e) => e.slot),
        effects.map((e) => e.generation),
        effects.map((e) => e.tenant),
        effects.map((e) => e.subject),
        effects.map((e) => e.streamId),
        effects.map((e) => e.kind),
        effects.map((e) => e.purpose),
        effects.map((e) => e.rootCause),
        effects.map((e) => e.orderKey ?? null),
        effects.map((e) => JSON.stringify(e.request)),
        effects.map((e) => e.requestHash),
        effects.map((e) => JSON.stringify(e.meta)),
        mail.map((m) => m.inputKey),
        mail.map((m) => m.kind),
        mail.map((m) => m.key),
        mail.map((m) => m.streamId ?? null),
        mail.map((m) => JSON.stringify(m.body)),
        mail.map((m) => m.parked),
        mail.map((m) => m.due?.toISOString() ?? null),
        outcome.taken,
        outcome.parkedMail,
        effects.map((e) => e.lane ?? 'live'),
        effects.map((e) => e.owedSince ?? null),
        effects.map((e) => e.shares ?? null),
      ],
    });
    const row = rows[0];
    if (row?.undated !== undated.length) throw new Conflict('an undated input was claimed meanwhile');
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

type ReadRow =
  | { what: 'mark'; key: string }
  | { what: 'parked'; key: string }
  | { what: 'undated'; key: string; at: Date }
  | { what: 'event'; key: string; version: number; type: string; data: unknown; meta: EventMeta };

// One look into the index of one day for each mark: as a plain join the planner may read every day's marks instead.
const READ = `
  select 'mark' as what, m.key, null::int as version, null as type, null::json as data, null::json as meta, null::timestamptz as at
    from unnest($2::text[], $3::date[]) as m (key, day),
      lateral (select from inbox i where i.service = $1 and i.key = m.key and i.day = m.day limit 1) as i
  union all
  select 'undated', key, null, null, null, null, received from inbox_undated where service = $1 and key = any ($4::text[])
  union all
  select 'parked', input_key, null, null, null, null, null from parked_key where service = $1 and input_key = any ($5::text[])
  union all
  select * from (select 'event', stream_id, version, type, data, meta, null::timestamptz from event
    where stream_id = any ($6::text[]) order by stream_id, version) as events`;

const WRITE = `
  with dated as (
    insert into inbox (service, key, day, decided)
    select $1, k, d, j::json from unnest($2::text[], $3::date[], $4::text[]) as m (k, d, j)
  ), undated as (
    insert into inbox_undated as i (service, key, received, decided)
    select $1, k, r, j::json from unnest($5::text[], $6::timestamptz[], $7::text[]) as m (k, r, j)
    on conflict (service, key) do update set received = excluded.received, decided = excluded.decided
      where i.received < excluded.received - interval '24 hours'
    returning 1
  ), appended as (
    insert into event (position, service, stream_id, version, shard, tenant, subject, type, data, meta)
    select nextval('event_position'), $1, e.*
    from (select stream, version, shard, tenant, subject, type, data::json, meta::json
          from unnest($8::text[], $9::int[], $10::smallint[], $11::text[], $12::text[], $13::text[], $14::text[],
            $15::text[]) with ordinality as u (stream, version, shard, tenant, subject, type, data, meta, ord)
          order by ord) as e
    returning position, shard
  ), unsent as (
    insert into unpublished (service, shard, position) select $1, shard, position from appended
  ), owed as (
    insert into effect (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, order_key,
      request, request_hash, meta, lane, due, owed_at, shares)
    select $1, slot, generation, tenant, subject, stream, kind, purpose, cause, ord_key, request::json, hash, meta::json,
      lane, coalesce(since, refrain_now()), coalesce(since, refrain_now()), shares
    from unnest($16::text[], $17::int[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[],
      $24::text[], $25::text[], $26::text[], $27::text[], $37::text[], $38::timestamptz[], $39::text[])
      as u (slot, generation, tenant, subject, stream, kind, purpose, cause, ord_key, request, hash, meta, lane, since,
        shares)
    order by slot
    on conflict (slot, generation) do nothing
  ), mailed as (
    insert into mailbox (service, input_key, kind, key, stream_id, body, parked, due)
    select $1, input_key, kind, key, stream, body::json, parked, coalesce(due, refrain_now())
    from (select * from unnest($28::text[], $29::text[], $30::text[], $31::text[], $32::text[], $33::boolean[],
      $34::timestamptz[]) with ordinality as u (input_key, kind, key, stream, body, parked, due, ord)
      order by ord) as m
  ), taken as (
    delete from mailbox where id = any ($35::bigint[]) returning 1
  ), waiting as (
    update mailbox set parked = true where id = any ($36::bigint[])
  )
  select (select count(*) from undated)::int as undated, (select count(*) from taken)::int as taken`;
