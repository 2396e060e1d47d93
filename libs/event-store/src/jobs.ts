import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { type Queries, run } from './query';
import type { ClaimedEffect, EventMeta } from './shapes';
import { type Budgets, budgetsJson } from './spend';

// What waits for company, and what is carried by a job, is out of the claim's sight (`waits_for`), as what waits for a budget
// is. Books of budgets begin with a tenant's name, which has no such character.
export const GATHERING = '#gather|';
const CARRIED = '#job|';

/** The company in which effects of a tenant wait for a job of a kind: `alike` is what they must have in common. */
export const gathering = (jobKind: string, tenant: string, alike: string): string =>
  `${GATHERING}${jobKind}|${tenant}|${alike}`;

/** When effects that wait for a job of a kind become one. */
export interface GatherSpec {
  kind: string;
  /** Effects in one job at most, and what their requests may come to, in bytes. */
  most: number;
  mostBytes: number;
  /** How long, in milliseconds, the first of them waits for company where there are fewer. */
  afterMs: number;
  /** The part that an effect costs in a job of what it costs by itself; it reserves that of its budgets. */
  rate: number;
}

/**
 * Makes jobs of what waits for company: each is an effect of its own, and whom it carries is noted with it, before anything
 * is sent. Two replicas never take the same effect. What costs money is taken only where its budgets have room, and has
 * reserved then; the rest waits for them.
 */
export async function gatherJobs(
  pool: Pool,
  service: string,
  specs: readonly GatherSpec[],
  budgets?: () => Budgets,
): Promise<number> {
  let made = 0;
  for (const { kind, most, mostBytes, afterMs, rate } of specs) {
    const groups = await run<{ company: string; tenant: string }>(pool, 'refrain-companies', COMPANIES, [
      service,
      `${GATHERING}${kind}|`,
      most,
      afterMs,
    ]);
    for (const { company, tenant } of groups.rows) {
      const slot = [tenant, kind, randomUUID()].join('|');
      const { rows } = await run<{ carried: number }>(pool, 'refrain-gather', GATHER, [
        ...[service, company, most, mostBytes, rate, budgetsJson(budgets), slot, tenant, kind],
        JSON.stringify({ company }),
        JSON.stringify({ rootCause: slot, causedBy: slot }),
      ]);
      if ((rows[0]?.carried ?? 0) > 0) made += 1;
    }
  }
  return made;
}

export async function countCarried(pool: Pool, service: string, job: string): Promise<number> {
  const { rows } = await run<{ n: number }>(pool, 'refrain-count-carried', COUNT_CARRIED, [service, CARRIED + job]);
  return rows[0]?.n ?? 0;
}

export async function carriedBy(pool: Pool, service: string, job: string): Promise<ClaimedEffect[]> {
  const { rows } = await run<CarriedRow>(pool, 'refrain-carried', CARRIED_BY, [service, CARRIED + job]);
  return rows.map(({ stream_id: streamId, attempts, ...row }) => ({
    ...row,
    streamId,
    // As the claim would count it.
    attempt: attempts + 1,
    soFar: undefined,
  }));
}

type CarriedRow = Omit<ClaimedEffect, 'attempt' | 'streamId' | 'soFar'> & {
  stream_id: string;
  attempts: number;
  meta: EventMeta;
};

/** Takes an effect out of its job, as if it had been claimed; in the caller's transaction, which settles it. */
export async function takeFrom(tx: Queries, job: string, effect: ClaimedEffect): Promise<boolean> {
  const { rowCount } = await run(tx, 'refrain-take-carried', TAKE, [
    effect.slot,
    effect.generation,
    CARRIED + job,
    effect.attempt,
  ]);
  return (rowCount ?? 0) > 0;
}

/** Lets an effect that is owed again wait for company; one for which somebody waits by now goes by itself. */
export async function gatherAgain(tx: Queries, { slot, generation }: ClaimedEffect, company: string): Promise<void> {
  await run(tx, 'refrain-gather-again', GATHER_AGAIN, [slot, generation, company]);
}

/** A job that is not over, or a company that has none yet. */
export interface OpenJob {
  service: string;
  tenant: string;
  kind: string;
  /** What its effects have in common, such as the model. */
  alike: string;
  /** Its name in the ledger; absent while its effects are gathered. */
  slot: string | undefined;
  state: string;
  code: string | undefined;
  /** Effects that wait for it. */
  effects: number;
  since: Date;
  /** When it is looked at next. */
  due: Date | undefined;
  /** What its kind keeps of it. */
  soFar: unknown;
}

/** All jobs under way and companies that gather, oldest first. */
export async function openJobs(pool: Pool): Promise<OpenJob[]> {
  const { rows } = await run<JobRow>(pool, 'refrain-open-jobs', OPEN_JOBS, []);
  return rows.map(({ company, slot, code, due, so_far: soFar, ...row }) => {
    const [, kind = '', , ...alike] = company.split('|');
    return {
      ...row,
      kind,
      alike: alike.join('|'),
      slot: slot ?? undefined,
      code: code ?? undefined,
      due: due ?? undefined,
      soFar: soFar === null ? undefined : (JSON.parse(soFar) as unknown),
    };
  });
}

interface JobRow {
  service: string;
  tenant: string;
  company: string;
  slot: string | null;
  state: string;
  code: string | null;
  effects: number;
  since: Date;
  due: Date | null;
  so_far: string | null;
}

const COMPANIES = `
  select waits_for as company, tenant from effect
  where service = $1 and state = 'owed' and starts_with(waits_for, $2) and due <= refrain_now()
  group by waits_for, tenant
  having count(*) >= $3 or min(due) <= refrain_now() - make_interval(secs => $4::float8 / 1000)`;

const GATHER = `
  select gather_job($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '${CARRIED}' || $7) as carried`;

const COUNT_CARRIED = `
  select count(*)::int as n from effect where service = $1 and state = 'owed' and waits_for = $2`;

const CARRIED_BY = `
  select slot, generation, attempts, repeats, refusals, tenant, lane, subject, stream_id, kind, purpose, request, meta
  from effect where service = $1 and state = 'owed' and waits_for = $2 order by seq`;

const TAKE = `
  update effect set state = 'running', attempts = attempts + 1, waits_for = null
  where slot = $1 and generation = $2 and state = 'owed' and waits_for = $3 and attempts = $4 - 1`;

const GATHER_AGAIN = `
  update effect set waits_for = $3 where slot = $1 and generation = $2 and state = 'owed' and lane = 'batch'`;

const OPEN_JOBS = `
  select j.service, j.tenant, j.request->>'company' as company, j.slot, j.state, j.code, j.owed_at as since, j.due,
    j.answer::text as so_far, (select count(*)::int from effect e where e.service = j.service and e.state = 'owed'
      and e.waits_for = '${CARRIED}' || j.slot) as effects
  from effect j where j.purpose = 'job' and j.stream_id = '' and j.state in ('owed', 'running', 'unknown', 'held')
  union all
  select service, tenant, waits_for, null, 'gathering', max(code), min(owed_at), null, null, count(*)::int
  from effect where state = 'owed' and starts_with(waits_for, '${GATHERING}') group by service, tenant, waits_for
  order by since`;
