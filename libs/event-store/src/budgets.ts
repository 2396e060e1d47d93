import {
  budgetEvents,
  type BudgetEvent,
  type BudgetScope,
  budgetStream,
  budgetSubject,
  wireType,
} from '#libs/contracts';
import type { Pool } from 'pg';
import { emptyOutcome } from './batch-statements';
import { Conflict } from './errors';
import { type Queryable, rowsOf, run } from './query';
import type { Replay } from './replays';
import { eventId } from './shapes';
import { microsOf } from './spend';
import { transact } from './transaction';

/** A budget of today, or of a replay; amounts in US dollars. */
export interface BudgetBook {
  /** Empty for a replay. */
  tenant: string;
  scope: BudgetScope;
  /** The recipe or the replay; empty for a tenant. */
  name: string;
  /** `2026-11-22`, in the tenant's time zone; undefined for a replay. */
  day: string | undefined;
  /** When the next day begins. */
  ends: Date | undefined;
  /** What may be spent, with what an operator added for the day. */
  limitUsd: number;
  spentUsd: number;
  /** Held for calls that are made, or may be, and of which it is not known yet what they cost. */
  reservedUsd: number;
  leftUsd: number;
  /** What was spent or reserved within the last hour. */
  lastHourUsd: number;
  /** Calls that wait for it. */
  waiting: number;
  exhaustedAt: Date | undefined;
}

/** A budget that was told to be exhausted; a replay's is of no tenant. */
export type ExhaustedBudget = { tenant: string } & BudgetEvent['data'];

/** Whose events those of a replay's budget are: it may reach over all tenants. */
const NO_TENANT = 'default';

const usdOf = (micros: string): number => Number(micros) / 1_000_000;

/** Appends the event of each budget that a service found exhausted, once for each budget and day; gives what it appended. */
export async function tellExhausted(pool: Pool, service: string): Promise<ExhaustedBudget[]> {
  const { rows } = await run<BookRow>(pool, 'refrain-untold', UNTOLD, [service]);
  const told: ExhaustedBudget[] = [];
  for (const row of rows) {
    const book = bookOf(row);
    const { scope, name, day } = book;
    const tenant = book.tenant || NO_TENANT;
    const event: BudgetEvent = { type: 'BudgetExhausted', data: exhausted(book) };
    const streamId = budgetStream(tenant, scope, name, day);
    const meta = { rootCause: eventId(streamId, 1), causedBy: eventId(streamId, 1) };
    const type = wireType(budgetEvents, event);
    const subject = budgetSubject(scope, name);
    try {
      await transact(pool, service, [], async (tx) => {
        await rowsOf(tx.db, TOLD, [row.key]);
        const events = [{ streamId, version: 1, tenant, subject, type, data: event.data, meta }];
        await tx.write({ ...emptyOutcome(), events });
      });
      told.push({ tenant: book.tenant, ...event.data });
    } catch (error) {
      // Another replica told it.
      if (!(error instanceof Conflict)) throw error;
    }
  }
  return told;
}

/** The budgets of today of which something was spent or asked, and those of replays that are not over. */
export const budgetBooks = async (db: Queryable): Promise<BudgetBook[]> =>
  (await rowsOf<BookRow>(db, BOOKS, [])).map(bookOf);

/**
 * Adds to what may be spent today by a tenant, or by a recipe there; in US dollars, less than nothing takes away. Resolves
 * to whether there is such a budget: one of which nothing was asked today is changed where it is declared.
 */
export async function raiseBudget(
  db: Queryable,
  { tenant, recipe, usd, by }: { tenant: string; recipe?: string | undefined; usd: number; by: string },
): Promise<boolean> {
  const rows = await rowsOf(db, RAISE, [
    tenant,
    recipe === undefined ? 'tenant' : 'recipe',
    recipe ?? '',
    microsOf(usd),
    by,
  ]);
  return rows.length > 0;
}

/** Says what a replay may spend, in US dollars; resolves to whether there is one that is not over. */
export async function setReplayBudget(db: Queryable, id: string, usd: number): Promise<boolean> {
  return (await rowsOf(db, REPLAY_BUDGET, [id, microsOf(usd)])).length > 0;
}

/** Whether calls of a replay wait for its own budget. */
export async function waitsForBudget(
  db: Queryable,
  { id, budgetUsd }: Pick<Replay, 'id' | 'budgetUsd'>,
): Promise<boolean> {
  return budgetUsd !== undefined && (await rowsOf(db, REPLAY_WAITS, [`replay|${id}`])).length > 0;
}

function exhausted({ tenant, scope, name, day, ends, ...book }: BudgetBook): BudgetEvent['data'] {
  const raise =
    scope === 'replay'
      ? `raise it: refrain replay budget ${name} <usd>`
      : `wait for the next day, or raise it: refrain budgets raise --tenant ${tenant}${scope === 'recipe' ? ` --recipe ${name}` : ''} <usd>`;
  const { limitUsd, spentUsd, reservedUsd, waiting } = book;
  return {
    scope,
    ...(name === '' ? {} : { name }),
    ...(day === undefined ? {} : { day }),
    ...{ limitUsd, spentUsd, reservedUsd, waiting },
    ...(ends ? { goesOnAt: ends.toISOString() } : {}),
    remedy: raise,
  };
}

interface BookRow {
  key: string;
  tenant: string;
  scope: BudgetScope;
  name: string;
  day: string | null;
  ends: Date | null;
  most: string;
  spent: string;
  reserved: string;
  free: string;
  last_hour: string;
  waiting: string;
  exhausted_at: Date | null;
}

const bookOf = (row: BookRow): BudgetBook => ({
  tenant: row.tenant,
  scope: row.scope,
  name: row.name,
  day: row.day ?? undefined,
  ends: row.ends ?? undefined,
  limitUsd: usdOf(row.most),
  spentUsd: usdOf(row.spent),
  reservedUsd: usdOf(row.reserved),
  leftUsd: usdOf(row.free),
  lastHourUsd: usdOf(row.last_hour),
  waiting: Number(row.waiting),
  exhaustedAt: row.exhausted_at ?? undefined,
});

const BOOK = `
  select b.key, b.tenant, b.scope, b.name, b.day::text as day, b.ends, b.most + b.raised as most, b.spent, b.reserved,
    b.most + b.raised - b.spent - b.reserved as free, b.exhausted_at,
    (select coalesce(sum(s.micros), 0) from spend s
      where s.at > refrain_now() - interval '1 hour' and b.key = any (s.keys)) as last_hour,
    (select count(*) from effect e where e.state = 'owed' and e.waits_for = b.key) as waiting
  from spend_book b`;

const BOOKS = `${BOOK} left join replay r on b.scope = 'replay' and r.id = b.name
  where b.ends > refrain_now() or (r.id is not null and r.state not in ('aborted', 'failed')
    and (r.ended_at is null or r.ended_at > refrain_now() - interval '1 day'))
  order by b.scope desc, b.tenant, b.name`;

const UNTOLD = `${BOOK} where b.told_by = $1 and b.exhausted_at is not null and b.told_at is null`;

const TOLD = `update spend_book set told_at = refrain_now() where key = $1 and told_at is null`;

const RAISE = `
  update spend_book set raised = raised + $4::bigint, raised_by = $5
  where tenant = $1 and scope = $2 and name = $3 and ends > refrain_now() returning key`;

const REPLAY_BUDGET = `
  update replay set budget = $2::bigint where id = $1 and state not in ('aborted', 'failed') and declared is null
  returning id`;

const REPLAY_WAITS = `select 1 from effect where state = 'owed' and waits_for = $1 limit 1`;
