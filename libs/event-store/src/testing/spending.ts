import type { Pool } from 'pg';
import { budgetBooks } from '../budgets';
import { Ledger, type Settlement } from '../ledger';
import type { ClaimedEffect } from '../shapes';
import type { Budgets } from '../spend';
import { effects, owe } from './owing';

/** The one kind of these tests whose calls cost money. */
export const PAID = { kind: 'paid.call', deadlineMs: 5_000, maxRepeats: 1, costsMoney: true };

/** A ledger of calls that cost money. */
export const payer = (pool: Pool, budgets: () => Budgets, service = 'toy-service'): Ledger =>
  new Ledger(pool, service, [PAID], budgets);

/** Owes so many calls that are thought to cost so much each. */
export async function owePaid(
  pool: Pool,
  n: number,
  usd: number,
  over: { tenant?: string; recipe?: string; replayId?: string; like?: string; lane?: 'live' | 'replay' } = {},
): Promise<string[]> {
  const { tenant = 'default', recipe, replayId, like, lane = 'live' } = over;
  const meta = { rootCause: 'cause', causedBy: 'cause', replayId, recipes: recipe ? [`${recipe}@1`] : undefined };
  const owed = effects(n, { kind: PAID.kind, tenant, meta, lane, spend: { usd, like } });
  await owe(pool, owed);
  return owed.map(({ slot }) => slot);
}

export const done: Settlement = { state: 'done', answer: null };

/** What the books say, by tenant, scope and name. */
export async function books(pool: Pool): Promise<Record<string, { spent: number; reserved: number; left: number }>> {
  const all = await budgetBooks(pool);
  return Object.fromEntries(
    all.map(({ tenant, name, spentUsd, reservedUsd, leftUsd }) => [
      [tenant, name].filter(Boolean).join('/'),
      { spent: spentUsd, reserved: reservedUsd, left: leftUsd },
    ]),
  );
}

/** Settles what was claimed and says that it went well. */
export async function settleAll(ledger: Ledger, claimed: ClaimedEffect[]): Promise<void> {
  for (const call of claimed) await ledger.settle(call, done);
}
