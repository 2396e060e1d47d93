import type { Pool } from 'pg';
import { sorted } from './errors';
import type { EventMeta } from './shapes';

/** One event of a story. */
export interface StoryEvent {
  streamId: string;
  version: number;
  service: string;
  type: string;
  data: unknown;
  meta: EventMeta;
  at: Date;
}

/** One effect of a story, with what was asked and what came of it. */
export interface StoryEffect {
  slot: string;
  generation: number;
  service: string;
  kind: string;
  state: string;
  attempts: number;
  refusals: number;
  repeats: number;
  request: unknown;
  answer: unknown;
  code: string | null;
  cost: unknown;
  rootCause: string;
  /** The recipes that wanted it, each with its version. */
  recipes: string[];
  owedAt: Date;
  settledAt: Date | null;
}

/** Everything that the store knows of some streams, in the order in which it happened. */
export interface Story {
  events: StoryEvent[];
  effects: StoryEffect[];
  /** The log records by which the story came in, as topic/partition/offset, in the order of their first event. */
  records: string[];
  parked: { service: string; inputKey: string; reason: string; since: Date }[];
}

/**
 * Finds the streams that an id speaks of: a record's id (`541935488729` or `contact:541935488729`), a vendor's id such as
 * a video's, a trace id, a root cause, or a webhook's event id. Empty where nothing is known of it.
 */
export async function streamsAbout(pool: Pool, id: string): Promise<string[]> {
  for (const text of FINDERS) {
    const rows = await query<{ stream_id: string }>(pool, text, [id]);
    if (rows.length > 0) return [...new Set(rows.map((row) => row.stream_id))];
  }
  return [];
}

/** Reads the story of some streams; `rootCauses` narrows it to those chains. */
export async function storyOf(pool: Pool, streams: string[], rootCauses?: string[]): Promise<Story> {
  const events = await query<EventRow>(
    pool,
    `select stream_id, version, service, type, data, meta, occurred_at from event
     where stream_id = any ($1::text[]) and ($2::text[] is null or meta->>'rootCause' = any ($2::text[]))
     order by position`,
    [streams, rootCauses ?? null],
  );
  const effects = await query<EffectRow>(
    pool,
    `select slot, generation, service, kind, state, attempts, refusals, repeats, request, answer, code, cost, root_cause,
       owed_at, settled_at, coalesce(meta->'recipes', '[]') as recipes
     from effect where stream_id = any ($1::text[]) and ($2::text[] is null or root_cause = any ($2::text[]))
     order by seq`,
    [streams, rootCauses ?? null],
  );
  const parked = await query<{ service: string; input_key: string; reason: string; since: Date }>(
    pool,
    `select service, input_key, reason, since from parked_key where input_key in (
       select tenant || ':' || subject from event where stream_id = any ($1::text[]))`,
    [streams],
  );
  return {
    records: [...new Set(events.flatMap(({ meta }) => meta.record ?? []))],
    events: events.map((row) => ({ ...row, streamId: row.stream_id, at: row.occurred_at })),
    effects: effects.map((row) => ({
      ...row,
      rootCause: row.root_cause,
      owedAt: row.owed_at,
      settledAt: row.settled_at,
    })),
    parked: parked.map((row) => ({ ...row, inputKey: row.input_key })),
  };
}

// From the cheapest to the dearest: the last ones read the whole table, which an operator may wait for.
const FINDERS = [
  `select distinct stream_id from event where subject = $1
     or subject = any (select t || ':' || $1 from unnest('{contact,company,deal,ticket}'::text[]) t)`,
  `select stream_id from correlation where external_id = $1 and stream_id is not null`,
  `select distinct stream_id from effect where root_cause = $1`,
  `select distinct d->>'stream' as stream_id from inbox, json_array_elements(decided) d where key like '%|' || $1 || '|%'`,
  `select distinct d->>'stream' as stream_id from inbox_undated, json_array_elements(decided) d where key like '%|' || $1`,
  `select distinct stream_id from event where meta->>'traceparent' like '00-' || $1 || '-%'`,
];

interface EventRow extends Omit<StoryEvent, 'streamId' | 'at'> {
  stream_id: string;
  occurred_at: Date;
}

interface EffectRow extends Omit<StoryEffect, 'rootCause' | 'owedAt' | 'settledAt'> {
  root_cause: string;
  owed_at: Date;
  settled_at: Date | null;
}

async function query<R extends object>(pool: Pool, text: string, values: unknown[]): Promise<R[]> {
  try {
    return (await pool.query<R>(text, values)).rows;
  } catch (error) {
    throw sorted(error);
  }
}
