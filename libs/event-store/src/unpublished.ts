import type { Pool } from 'pg';
import { sorted } from './errors';
import { EVENT_COLUMNS, eventOfRow, type EventRow } from './event-row';
import type { StoredEvent } from './shapes';

/** An event that is not yet on the log. */
export interface UnpublishedEvent extends StoredEvent {
  shard: number;
}

/** Reads a page of events that are not yet on the log, lowest position first, for a service's shards. */
export async function unpublishedPage(
  pool: Pool,
  service: string,
  shards: number[],
  limit: number,
): Promise<UnpublishedEvent[]> {
  try {
    const { rows } = await pool.query<EventRow & { shard: number }>({
      name: 'refrain-unpublished',
      text: `select e.shard, ${EVENT_COLUMNS}
             from unpublished u join event e on e.position = u.position
             where u.service = $1 and u.shard = any ($2::smallint[]) order by u.position limit $3`,
      values: [service, shards, limit],
    });
    return rows.map((row) => ({ ...eventOfRow(row), shard: row.shard }));
  } catch (error) {
    throw sorted(error);
  }
}

/** Notes that the log has acknowledged these events. */
export async function markPublished(pool: Pool, service: string, events: UnpublishedEvent[]): Promise<void> {
  try {
    await pool.query({
      name: 'refrain-published',
      text: `delete from unpublished u using unnest($2::smallint[], $3::bigint[]) as p (shard, position)
             where u.service = $1 and u.shard = p.shard and u.position = p.position`,
      values: [service, events.map((e) => e.shard), events.map((e) => e.position)],
    });
  } catch (error) {
    throw sorted(error);
  }
}
