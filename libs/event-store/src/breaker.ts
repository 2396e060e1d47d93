import type { Pool } from 'pg';
import { run } from './query';

/** Calls of one tenant to one vendor since they were counted last. */
export interface CallCount {
  tenant: string;
  vendor: string;
  ok: number;
  failed: number;
}

/** When a breaker trips, and for how long; times in milliseconds. */
export const BREAKER = { windowMs: 30_000, atLeast: 10, share: 0.5, shutMs: 15_000 };

/**
 * Adds calls to the breakers' counts and lets each judge, in Postgres, so that all replicas agree. Closed → open when
 * the share of failed calls within the window is reached; open → half-open by time, when claims let one probe through;
 * the probe's end closes it or shuts it again. What ends while it is open tells nothing and is not counted.
 */
export async function countCalls(pool: Pool, calls: CallCount[]): Promise<void> {
  if (calls.length > 0) {
    const columns = [calls.map((c) => c.tenant), calls.map((c) => c.vendor), calls.map((c) => c.ok)];
    await run(pool, 'refrain-count-calls', COUNT, [...columns, calls.map((c) => c.failed), BREAKER.windowMs]);
    await run(pool, 'refrain-judge', JUDGE, [BREAKER.atLeast, BREAKER.share, BREAKER.shutMs, columns[0], columns[1]]);
  }
}

const COUNT = `
  insert into gate as g (tenant, vendor, ok, failed)
  select tenant, vendor, sum(ok), sum(failed)
  from unnest($1::text[], $2::text[], $3::int[], $4::int[]) as c (tenant, vendor, ok, failed)
  group by tenant, vendor order by tenant, vendor
  on conflict (tenant, vendor) do update set
    ok = excluded.ok + case when g.counted_since > refrain_now() - make_interval(secs => $5::float8 / 1000)
      then g.ok else 0 end,
    failed = excluded.failed + case when g.counted_since > refrain_now() - make_interval(secs => $5::float8 / 1000)
      then g.failed else 0 end,
    counted_since = case when g.counted_since > refrain_now() - make_interval(secs => $5::float8 / 1000)
      then g.counted_since else refrain_now() end
  where not (g.tripped and g.shut_until > refrain_now())`;

// Gates are locked in the order in which claims lock them.
const JUDGE = `
  with counted as (
    select tenant, vendor from gate where (tenant, vendor) in (select * from unnest($4::text[], $5::text[]))
    order by tenant, vendor for update
  )
  update gate g set tripped = not tripped or failed > 0, ok = 0, failed = 0, counted_since = refrain_now(),
    shut_until = case when not tripped or failed > 0
      then refrain_now() + make_interval(secs => $3::float8 / 1000) end
  from counted c where g.tenant = c.tenant and g.vendor = c.vendor and (
    (tripped and shut_until <= refrain_now() and ok + failed > 0)
    or (not tripped and ok + failed >= $1::int and failed >= (ok + failed) * $2::float8))`;
