import type { Pool } from 'pg';
import { run } from './query';
import type { EventMeta } from './shapes';

/** An event that is not yet on the log. */
export interface UnpublishedEvent {
  streamId: string;
  version: number;
  position: string;
  shard: number;
  service: string;
  tenant: string;
  subject: string;
  type: string;
  /** Its data as JSON, as it is stored. */
  json: string;
  meta: EventMeta;
  occurredAt: Date;
}

/** Reads a page of events that are not yet on the log, lowest position first, for a service's shards. */
export async function unpublishedPage(
  pool: Pool,
  service: string,
  shards: number[],
  limit: number,
): Promise<UnpublishedEvent[]> {
  return (await run<UnpublishedEvent>(pool, 'refrain-unpublished', PAGE, [service, shards, limit])).rows;
}

/** How many of a service's events are not yet on the log. */
export async function unpublishedCount(pool: Pool, service: string): Promise<number> {
  const text = 'select count(*)::int as n from unpublished where service = $1';
  return (await run<{ n: number }>(pool, 'refrain-unpublished-count', text, [service])).rows[0]?.n ?? 0;
}

/** Notes that the log has acknowledged these events. */
export async function markPublished(pool: Pool, service: string, events: UnpublishedEvent[]): Promise<void> {
  await run(pool, 'refrain-published', PUBLISHED, [service, events.map((e) => e.shard), events.map((e) => e.position)]);
}

// First the narrow rows, then each one's event: as a plain join the planner may walk through all events ever published.
const PAGE = `
  with page as materialized (
    select of_shard.shard, of_shard.position from unnest($2::smallint[]) as s (shard),
      lateral (select shard, position from unpublished
        where service = $1 and shard = s.shard order by position limit $3) as of_shard
    order by of_shard.position limit $3
  )
  select e.stream_id as "streamId", e.version, e.position, page.shard, e.service, e.tenant, e.subject, e.type,
    e.data::text as json, e.meta, e.occurred_at as "occurredAt"
  from page, lateral (select * from event where position = page.position limit 1) as e
  order by page.position`;

const PUBLISHED = `
  delete from unpublished u using unnest($2::smallint[], $3::bigint[]) as p (shard, position)
  where u.service = $1 and u.shard = p.shard and u.position = p.position`;
