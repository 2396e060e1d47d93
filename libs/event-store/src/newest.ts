import { type Queryable, rowsOf } from './query';

/** The newest event of a type in one stream. */
export interface NewestEvent {
  streamId: string;
  data: unknown;
  at: Date;
}

/** The newest event of a type in each of some streams; a stream without one is absent. However long the streams are. */
export const newestIn = (db: Queryable, streams: string[], type: string): Promise<NewestEvent[]> =>
  rowsOf<NewestEvent>(
    db,
    `select e.stream_id as "streamId", e.data, e.occurred_at as at from unnest($1::text[]) as s (stream_id),
       lateral (select * from event e where e.stream_id = s.stream_id and e.type = $2 order by e.version desc limit 1) e`,
    [streams, type],
  );

/** The same in all streams of a context, such as `sweep`. */
export const newestOf = (db: Queryable, context: string, type: string): Promise<NewestEvent[]> =>
  rowsOf<NewestEvent>(
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
