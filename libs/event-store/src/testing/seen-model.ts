import type { Pool } from 'pg';
import type { ReadModel } from '../read-models/read-model';

/** A read model that notes every event it is given, in the order in which it is given them. */
export const seenModel = (version = 1): ReadModel => ({
  name: 'seen',
  version,
  says: 'what was seen',
  tables: [
    `create table event_seen (n bigint generated always as identity, stream text, position bigint, by_version int)`,
  ],
  apply: (events) => [
    {
      text: `insert into event_seen (stream, position, by_version)
             select s, p, $3 from unnest($1::text[], $2::bigint[]) with ordinality as u (s, p, o) order by o`,
      values: [events.map((e) => `${e.streamId}@${String(e.version)}`), events.map((e) => e.position), version],
    },
  ],
});

/** What the live tables hold, in order; undefined where there are none yet. */
export async function seen(pool: Pool): Promise<{ stream: string; position: string; by: number }[] | undefined> {
  try {
    const { rows } = await pool.query<{ stream: string; position: string; by: number }>(
      'select stream, position, by_version as by from seen.event_seen order by n',
    );
    return rows;
  } catch (error) {
    if ((error as { code?: string }).code === '42P01') return undefined;
    throw error;
  }
}
