import type { PoolClient } from 'pg';
import type { Pool } from '../pool';
import { atomically, run } from '../query';

/** Days ahead of today that have their partition, should nobody keep house for that long. */
const AHEAD = 3;

// A day's partition is made and dropped under a lock on the whole inbox. Rather than let all batches queue behind one
// long reader, the lock is given up soon, and asked for again at the next turn.
const LOCK_LIMIT = `set local lock_timeout = '500ms'`;

/**
 * Makes the partitions of today and the next days. A day of which the default partition holds marks already stays there:
 * those age one by one.
 */
export async function addInboxDays(pool: Pool): Promise<void> {
  const { rows } = await run<{ day: string; after: string; name: string }>(pool, 'refrain-days-to-add', TO_ADD, [
    AHEAD,
  ]);
  for (const { day, after, name } of rows) {
    await atomically(pool, async (tx) => {
      await tx.query(LOCK_LIMIT);
      await tx.query(`create table ${name} partition of inbox for values from ('${day}') to ('${after}')`);
    });
  }
}

/**
 * Drops the partitions of days that are over and hold no mark younger than `days`. An input may come long after its own
 * day: such a mark keeps the day's partition until it is old enough itself.
 */
export async function dropInboxDays(pool: Pool, days: number): Promise<void> {
  const { rows } = await run<{ name: string }>(pool, 'refrain-days-to-drop', TO_DROP, [days]);
  for (const { name } of rows) {
    if (await holdsYoungMarks(pool, name, days)) continue;
    await atomically(pool, async (tx) => {
      await tx.query(LOCK_LIMIT);
      await tx.query(`alter table inbox detach partition ${name}`);
      // One may have come in before the lock: then nothing has happened, and the day has its partition still.
      await tx.query((await holdsYoungMarks(tx, name, days)) ? 'rollback' : `drop table ${name}`);
    });
  }
}

async function holdsYoungMarks(on: Pick<PoolClient, 'query'>, name: string, days: number): Promise<boolean> {
  const { rows } = await on.query(
    `select from ${name} where received_at >= refrain_now() - make_interval(days => $1::int) limit 1`,
    [days],
  );
  return rows.length > 0;
}

const TODAY = `(refrain_now() at time zone 'utc')::date`;

const TO_ADD = `
  select d.day::text as day, (d.day + 1)::text as after, d.name from (
    select day, 'inbox_' || to_char(day, 'YYYYMMDD') as name from (
      select ${TODAY} + ahead as day from generate_series(0, $1::int) ahead) a) d
  where to_regclass(d.name) is null and not exists (select from inbox_rest r where r.day = d.day)
  order by d.day`;

const TO_DROP = `
  select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'inbox'::regclass and c.relname ~ '^inbox_[0-9]{8}$'
    and to_date(right(c.relname, 8), 'YYYYMMDD') < ${TODAY} - $1::int
  order by 1`;
