import type { KnownEvent } from './batch-statements';
import type { Queryable } from './query';
import { sorted } from './errors';

/** Reads whole streams, oldest event first; a stream without events is absent. */
export async function readStreams(db: Queryable, streams: string[]): Promise<Map<string, KnownEvent[]>> {
  try {
    const { rows } = await db.query<KnownEvent & { stream_id: string }>({
      name: 'refrain-streams',
      text: `select stream_id, version, type, data, meta from event where stream_id = any ($1::text[])
             order by stream_id, version`,
      values: [streams],
    });
    return Map.groupBy(rows, (row) => row.stream_id);
  } catch (error) {
    throw sorted(error);
  }
}
