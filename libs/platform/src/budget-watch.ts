import type { BudgetEvent, BudgetScope } from '#libs/contracts';
import { Gauge } from './metrics';

/** Replays are measured together: their names are no closed list. */
const labels = ['scope', 'tenant', 'recipe'] as const;

const gauges = {
  limitUsd: new Gauge(
    'budget_limit_usd',
    "What may be spent today, in US dollars, by tenant and recipe; replays' together",
    labels,
  ),
  spentUsd: new Gauge('budget_spent_usd', 'What was spent of it, in US dollars', labels),
  reservedUsd: new Gauge(
    'budget_reserved_usd',
    'What is reserved of it by calls that are not settled, in US dollars',
    labels,
  ),
  waiting: new Gauge('budget_waiting_calls', 'Calls that wait for the budget', labels),
};

type Amounts = Record<keyof typeof gauges, number>;

/** Where it is said that a budget is exhausted. */
interface Lines {
  error(fields: object, message: string): void;
}

/** The code of the line by which an operator is told that a budget is exhausted. */
export const BUDGET_EXHAUSTED = 'budget-exhausted';

/** Tells of each budget that is exhausted, once, and measures what is spent and reserved of all. */
export function budgetWatch(lines: Lines) {
  let measured = new Map<string, readonly [BudgetScope, string, string]>();
  return {
    onExhausted({ tenant, remedy, ...budget }: { tenant: string } & BudgetEvent['data']): void {
      const fields = { code: BUDGET_EXHAUSTED, ...(tenant === '' ? {} : { tenant }), ...budget, remedy };
      lines.error(fields, 'a budget is exhausted: what would cost more waits');
    },
    onBooks(books: readonly (Amounts & { scope: BudgetScope; tenant: string; name: string })[]): void {
      const sums = new Map<string, { by: readonly [BudgetScope, string, string]; amounts: Amounts }>();
      for (const { scope, tenant, name, limitUsd, spentUsd, reservedUsd, waiting } of books) {
        const by = [scope, tenant, scope === 'recipe' ? name : ''] as const;
        const before = sums.get(by.join('\n'))?.amounts;
        const amounts = { limitUsd, spentUsd, reservedUsd, waiting };
        for (const key of Object.keys(amounts) as (keyof Amounts)[]) amounts[key] += before?.[key] ?? 0;
        sums.set(by.join('\n'), { by, amounts });
      }
      // What is asked for no more today has spent nothing.
      for (const [key, by] of measured) {
        if (!sums.has(key)) for (const gauge of Object.values(gauges)) gauge.set(0, ...by);
      }
      for (const { by, amounts } of sums.values())
        for (const key of Object.keys(amounts) as (keyof Amounts)[]) gauges[key].set(amounts[key], ...by);
      measured = new Map([...sums].map(([key, { by }]) => [key, by]));
    },
  };
}
