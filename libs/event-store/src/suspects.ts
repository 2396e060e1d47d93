import type { Pool } from 'pg';
import { run } from './query';

/** Notes, before it is handled, that an input is about to be; resolves to how often that was begun and not ended before. */
export async function suspect(pool: Pool, service: string, key: string): Promise<number> {
  const text = `insert into suspect as s (service, key, begun) values ($1, $2, 1)
                on conflict (service, key) do update set begun = s.begun + 1 returning begun - 1 as before`;
  const { rows } = await run<{ before: number }>(pool, 'refrain-suspect', text, [service, key]);
  return rows[0]?.before ?? 0;
}

/** Takes the note back: the handling ended, however it did. */
export async function clear(pool: Pool, service: string, key: string): Promise<void> {
  await run(pool, 'refrain-clear', 'delete from suspect where service = $1 and key = $2', [service, key]);
}
