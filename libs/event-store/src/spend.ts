import type { Pool } from 'pg';
import { type Queries, run } from './query';
import type { ClaimedEffect, SpendSettled } from './shapes';

/**
 * What may be spent, as it is declared; amounts in US dollars. A day begins at midnight of its tenant's time zone. What is
 * not declared has no bound, and is not counted.
 */
export interface Budgets {
  /** A day, by each tenant that has none of its own. */
  perTenant?: number | undefined;
  /** A day, by tenant. */
  tenants?: Readonly<Record<string, number>>;
  /** A day, by recipe; for each tenant by itself. */
  recipes?: Readonly<Record<string, number>>;
  /** IANA time zones by tenant, and that of all others; UTC unless said. */
  zones?: Readonly<Record<string, string>>;
  zone?: string;
}

/** US dollars as the ledger counts them: whole millionths. */
export const microsOf = (usd: number): number => Math.round(usd * 1_000_000);

/** Budgets as the statements of the ledger take them. */
export function budgetsJson(budgets?: () => Budgets): string | null {
  const declared = budgets?.();
  if (!declared) return null;
  const { perTenant, tenants = {}, recipes = {}, zones, zone } = declared;
  const micros = (of: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(of).map(([name, usd]) => [name, microsOf(usd)]));
  return JSON.stringify({
    ...(perTenant === undefined ? {} : { perTenant: microsOf(perTenant) }),
    tenants: micros(tenants),
    recipes: micros(recipes),
    zones,
    zone,
  });
}

/** Books what calls cost, in the caller's transaction, in the place of what they had reserved; told again, it corrects. */
export async function settleSpend(tx: Queries, settled: readonly SpendSettled[]): Promise<void> {
  await run(tx, 'refrain-settle-spend', 'select settle_spend($1::text[], $2::int[], $3::bigint[])::text', [
    settled.map((s) => s.slot),
    settled.map((s) => s.generation),
    settled.map((s) => microsOf(s.usd)),
  ]);
}

/**
 * Keeps what a call has reserved for good, in the caller's transaction: it may be paid for, and nobody will ever know. The
 * next call of the effect reserves anew.
 */
export async function keepReserved(
  tx: Queries,
  { slot, generation, attempt }: Pick<ClaimedEffect, 'slot' | 'generation' | 'attempt'>,
): Promise<void> {
  await run(tx, 'refrain-keep-reserved', KEEP_RESERVED, [slot, generation, attempt]);
}

const KEEP_RESERVED = `
  update spend set slot = slot || '|unknown|' || $3::int
  where slot = $1 and generation = $2 and settled_at is null`;

/** Lets calls of a service go on whose budgets have room again, or a new day; resolves to how many. */
export async function wakeWaiting(pool: Pool, service: string, budgets?: () => Budgets): Promise<number> {
  const { rows } = await run<{ woken: number }>(pool, 'refrain-wake', 'select wake_waiting($1, $2::json) as woken', [
    service,
    budgetsJson(budgets),
  ]);
  return rows[0]?.woken ?? 0;
}
