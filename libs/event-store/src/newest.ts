import { type Queryable, rowsOf } from './query';

/** An event of a stream, and when it happened. */
export interface SeenEvent {
  streamId: string;
  data: unknown;
  at: Date;
}

/** The newest event of a type in each of some streams; a stream without one is absent. However long the streams are. */
export const newestIn = (db: Queryable, streams: string[], type: string): Promise<SeenEvent[]> =>
  rowsOf<SeenEvent>(
    db,
    `select e.stream_id as "streamId", e.data, e.occurred_at as at from unnest($1::text[]) as s (stream_id),
       lateral (select * from event e where e.stream_id = s.stream_id and e.type = $2 order by e.version desc limit 1) e`,
    [streams, type],
  );

/** The same in all streams of a context, such as `sweep`. */
export const newestOf = (db: Queryable, context: string, type: string): Promise<SeenEvent[]> =>
  rowsOf<SeenEvent>(
    db,
    `select distinct on (stream_id) stream_id as "streamId", data, occurred_at as at from event
     where starts_with(stream_id, $1 || '-') and type = $2 order by stream_id, version desc`,
    [context, type],
  );

/**
 * Of the events of a type in the streams whose ids begin so, those since a time from which something followed elsewhere:
 * each began a chain, which is named by its id. `where` is what the event's data must hold.
 */
export async function countFollowed(
  db: Queryable,
  { prefix, type, where, since }: { prefix: string; type: string; where: object; since: Date },
): Promise<number> {
  const [row] = await rowsOf<{ n: number }>(
    db,
    `select count(*)::int as n from event b
     where starts_with(b.stream_id, $1) and b.type = $2 and b.occurred_at >= $4 and b.data::jsonb @> $3::jsonb
       and exists (select from event f where f.tenant = b.tenant and f.subject = b.subject and f.stream_id <> b.stream_id
         and f.meta->>'rootCause' = b.stream_id || '@' || b.version)`,
    [prefix, type, JSON.stringify(where), since],
  );
  return row?.n ?? 0;
}

/** All events of a type since a time in the streams of a context, oldest first. */
export const eventsOf = (db: Queryable, context: string, type: string, since: Date): Promise<SeenEvent[]> =>
  rowsOf<SeenEvent>(
    db,
    `select stream_id as "streamId", data, occurred_at as at from event
     where starts_with(stream_id, $1 || '-') and type = $2 and occurred_at >= $3 order by position`,
    [context, type, since],
  );
