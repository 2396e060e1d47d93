import { crc32 } from 'node:zlib';
import type { EventMeta, Mark, NewEffect, NewEvent, NewMail } from './shapes';

/** Shards of streams, each with its own relay. Stored with every event, so it is never changed lightly. */
export const SHARDS = 8;

const shardOf = (streamId: string): number => crc32(streamId) % SHARDS;

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

/** The marks without a day of their own. */
export const undatedOf = ({ marks }: Outcome) => marks.filter((m) => 'received' in m);

/** The values of {@link READ}. */
export const readValues = (service: string, wanted: Wanted): unknown[] => [
  service,
  wanted.marks.map((m) => m.key),
  wanted.marks.map((m) => m.day),
  wanted.undated.map((m) => m.key),
  wanted.inputKeys,
  wanted.streams,
];

/** The values of {@link WRITE}. */
export function writeValues(service: string, outcome: Outcome): unknown[] {
  const { marks, events, effects, mail } = outcome;
  const dated = marks.filter((m) => 'day' in m);
  const undated = undatedOf(outcome);
  return [
    service,
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
  ];
}

/** A row of {@link READ}. */
export type ReadRow =
  | { what: 'mark'; key: string }
  | { what: 'parked'; key: string }
  | { what: 'undated'; key: string; at: Date }
  | { what: 'event'; key: string; version: number; type: string; data: unknown; meta: EventMeta };

/**
 * Reads what a batch must know, in one snapshot. For each mark it looks once into the index of its day: as a plain join
 * the planner may read every day's marks instead (decision 17).
 */
export const READ = `
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

/** Writes all that a batch leaves behind, all or nothing. */
export const WRITE = `
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
