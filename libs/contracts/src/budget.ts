import { z } from 'zod';
import { catalog, type EventOf } from './events';
import { recordKey, subjectOf } from './keys';
import { Topic } from './topics';

/** What a budget bounds: what a tenant spends in a day, what a recipe does there in a day, or what a replay does. */
export const budgetScopes = ['tenant', 'recipe', 'replay'] as const;
export type BudgetScope = (typeof budgetScopes)[number];

const usd = z.number();

/** What becomes of budgets: streams `budget-…`, one for each budget and day. */
export const budgetEvents = catalog('budget', Topic.budget, {
  BudgetExhausted: {
    wire: 'refrain.budget.exhausted.v1',
    data: z
      .object({
        scope: z.enum(budgetScopes).describe('What it bounds: a tenant or a recipe for a day, or a replay'),
        name: z.string().optional().describe('The recipe, or the replay; absent for a tenant'),
        day: z.iso.date().optional().describe("Day in the tenant's time zone; absent for a replay"),
        limitUsd: usd.describe('What may be spent, in US dollars'),
        spentUsd: usd.describe('What calls have cost that are settled, in US dollars'),
        reservedUsd: usd.describe('What calls have reserved that are not settled yet, in US dollars'),
        waiting: z.int().describe('Calls that waited for it when this was said'),
        goesOnAt: z.iso.datetime().optional().describe('When the next day begins; absent for a replay'),
        remedy: z.string().describe('What an operator may do, in words'),
      })
      .describe(
        'A call did not fit into a budget any more: it waits, and so do all that follow, until there is room. Said once for each budget and day.',
      ),
  },
});

export type BudgetEvent = EventOf<typeof budgetEvents>;

/** The subject of a budget's events: `budget:tenant`, `budget:recipe-lead-qualified`, `budget:replay-…`. */
export const budgetSubject = (scope: BudgetScope, name: string): string =>
  subjectOf({ type: 'budget', id: name === '' || name.startsWith(scope) ? name || scope : `${scope}-${name}` });

/** The stream of a budget on a day: `budget-acme:budget:recipe-lead-qualified:2026-11-22`. */
export const budgetStream = (tenant: string, scope: BudgetScope, name: string, day: string | undefined): string =>
  ['budget', [recordKey(tenant, budgetSubject(scope, name)), ...(day === undefined ? [] : [day])].join(':')].join('-');
