import type { Pool } from 'pg';
import { run } from './query';

/** What stands before a tenant's calls to a vendor, as an operator may see it. */
export interface Gate {
  tenant: string;
  vendor: string;
  breaker: 'closed' | 'open' | 'half-open';
  /** Until when an open breaker lets nothing through. */
  shutUntil: Date | undefined;
  limits: LimitState[];
  /** Owed effects by lane, shared calls counted once; without those that wait for a budget. */
  owed: Partial<Record<string, number>>;
}

/** A limit and what is left of it. */
export interface LimitState {
  name: string;
  most: number;
  /** The length of a rolling window; undefined for a day, and for jobs. */
  perMs: number | undefined;
  /** The next local midnight of a limit by day. */
  dayEnds: Date | undefined;
  free: number;
  pausedUntil: Date | undefined;
}

/** Lists all gates with their breakers, limits and queues, as of the database's clock now. */
export async function gates(pool: Pool): Promise<{ at: Date; gates: Gate[] }> {
  const { rows } = await run<GateRow>(pool, 'refrain-gates', GATES, []);
  const { rows: limits } = await run<LimitRow>(pool, 'refrain-limits', LIMITS, []);
  const stateOf = (l: LimitRow): LimitState => ({
    name: l.name,
    most: l.most,
    perMs: l.per_ms ?? undefined,
    dayEnds: l.day_ends ?? undefined,
    free: Math.max(0, l.free),
    pausedUntil: l.paused_until ?? undefined,
  });
  return {
    at: rows[0]?.at ?? new Date(),
    gates: rows.map(({ tenant, vendor, breaker, shut_until, owed }) => ({
      tenant,
      vendor,
      breaker,
      shutUntil: shut_until ?? undefined,
      limits: limits.filter((l) => l.tenant === tenant && l.vendor === vendor).map(stateOf),
      owed: owed ?? {},
    })),
  };
}

const DAY_MS = 86_400_000;

/**
 * When `calls` more calls will have been admitted by all of the limits at the earliest, each call taking one of each.
 * A limit of jobs says nothing about time and is left out; days are counted as 24 hours.
 */
export function doneBy(limits: LimitState[], calls: number, now: Date): Date {
  const ends = limits.map((limit) => {
    const from = Math.max(now.getTime(), limit.pausedUntil?.getTime() ?? 0);
    const later = Math.max(0, calls - limit.free);
    if (later === 0) return from;
    const windows = Math.ceil(later / limit.most);
    if (limit.dayEnds) return limit.dayEnds.getTime() + (windows - 1) * DAY_MS;
    return limit.perMs === undefined ? from : from + windows * limit.perMs;
  });
  return new Date(Math.max(now.getTime(), ...ends));
}

interface GateRow {
  tenant: string;
  vendor: string;
  breaker: Gate['breaker'];
  shut_until: Date | null;
  owed: Record<string, number> | null;
  at: Date;
}

interface LimitRow {
  tenant: string;
  vendor: string;
  name: string;
  most: number;
  per_ms: number | null;
  day_ends: Date | null;
  free: number;
  paused_until: Date | null;
}

const GATES = `
  select g.tenant, g.vendor, g.shut_until, refrain_now() as at,
    case when not g.tripped then 'closed' when g.shut_until > refrain_now() then 'open' else 'half-open' end as breaker,
    (select json_object_agg(lane, n) from (
      select e.lane, count(*)::int as n from effect e
      where e.state = 'owed' and e.shares is null and e.waits_for is null and e.tenant = g.tenant
        and e.kind in (select f.kind from gate_flow f where f.tenant = g.tenant and f.vendor = g.vendor)
      group by e.lane) o) as owed
  from gate g order by g.tenant, g.vendor`;

const LIMITS = `
  select tenant, vendor, name, most, per_ms, case when paused_until > refrain_now() then paused_until end as paused_until,
    (((refrain_now() at time zone zone)::date + 1)::timestamp at time zone zone) as day_ends,
    case when zone is not null and day = (refrain_now() at time zone zone)::date then most - used
      else most - held(tenant, vendor, name, refrain_now()) end as free
  from vendor_limit order by tenant, vendor, name`;
