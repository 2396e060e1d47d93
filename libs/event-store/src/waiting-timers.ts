import type { Pool } from 'pg';
import { run } from './query';

/**
 * When the timer of a name that a service waits for longest comes due; undefined where it waits for none. Timers of a name are those
 * that it begins.
 */
export async function earliestTimer(pool: Pool, service: string, name: string): Promise<Date | undefined> {
  const { rows } = await run<{ due: Date | null }>(pool, 'refrain-earliest-timer', EARLIEST, [service, name]);
  return rows[0]?.due ?? undefined;
}

const EARLIEST = `
  select min(due) as due from mailbox
  where service = $1 and kind = 'timer' and starts_with(body->>'name', $2)`;
