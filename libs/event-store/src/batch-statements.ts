import { crc32 } from 'node:zlib';
import type { EventMeta, Mark, NewEffect, NewEvent, NewMail, SpendSettled } from './shapes';

/** Shards of streams, each with its own relay. Stored with every event, so it is never changed lightly. */
export const SHARDS = 8;

/** The shard of a stream. */
export const shardOf = (streamId: string): number => crc32(streamId) % SHARDS;

/** What a batch must know before it decides. */
export interface Wanted {
  marks: { key: string; day: string }[];
  undated: { key: string }[];
  inputKeys: string[];
  streams: string[];
}

/** What the store holds of it, in one snapshot. */
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

/** What a batch leaves behind. */
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
  /** What calls cost that had reserved it of their budgets. */
  settledSpend?: SpendSettled[];
  /** Slots of done queries whose answers nobody needs any more. */
  forgotten?: string[];
  /** Vendors' ids that belong to a stream from now on (protocol 9). */
  correlated?: Correlation[];
  /** Callbacks that name an id of which no stream is known yet. */
  unmatched?: Unmatched[];
}

/** A vendor's id for something of a stream. */
export interface Correlation {
  tenant: string;
  vendor: string;
  externalId: string;
  streamId: string;
  /** Under which a callback that was waiting for it is decided. */
  inputKey: string;
}

/** A callback whose stream is not known yet, as it waits. */
export interface Unmatched {
  tenant: string;
  vendor: string;
  externalId: string;
  waiting: unknown;
}

export const emptyOutcome = (): Outcome => ({
  marks: [],
  events: [],
  effects: [],
  mail: [],
  taken: [],
  parkedMail: [],
});

/** The values of {@link READ}. */
export const readValues = (service: string, wanted: Wanted): unknown[] => [
  service,
  wanted.marks.map((m) => m.key),
  wanted.marks.map((m) => m.day),
  wanted.undated.map((m) => m.key),
  wanted.inputKeys,
  wanted.streams,
];

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
