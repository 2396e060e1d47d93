import type { Command } from 'commander';
import { type BudgetBook, budgetBooks, raiseBudget } from '#libs/event-store';
import { inDollars, usdOption } from '../dollars';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { withStore } from '../store';

const HOUR_MS = 3_600_000;

/** `refrain budgets`: what is spent of today's budgets and of replays', what is left, and what waits for them. */
export function addBudgets(program: Command): void {
  const budgets = program
    .command('budgets')
    .enablePositionalOptions()
    .description(
      "what today's budgets and those of replays have spent, reserved and left, and what waits for them. A forecast is what was spent and reserved so far, and what the last hour was, once for each hour until the day ends",
    )
    .option('--json', 'print as JSON', false)
    .action(show);
  budgets
    .command('raise <usd>')
    .description(
      'add to what may be spent today, in US dollars; what waits goes on. For good it is changed where it is declared',
    )
    .requiredOption('--tenant <name>', 'the tenant')
    .option('--recipe <id>', 'the recipe there, whose own budget is raised')
    .addOption(byOption())
    .option('--json', 'print as JSON', false)
    .action(raise);
}

async function show({ json }: { json: boolean }): Promise<void> {
  const at = new Date();
  const books = (await withStore(budgetBooks)).map((book) => ({ ...book, forecastUsd: forecast(book, at) }));
  const text = books.map(bookText).join('\n');
  print(
    json,
    { at, budgets: books },
    text || 'Nothing was asked of a budget today; those that are declared are whole.',
  );
}

async function raise(
  text: string,
  { tenant, recipe, by, json }: { tenant: string; recipe?: string; by: string; json: boolean },
): Promise<void> {
  const usd = usdOption(text);
  if (usd === 0) throw new UsageError('to add nothing changes nothing');
  await withStore(async (pool) => {
    const whose = recipe === undefined ? `the tenant ${tenant}` : `the recipe ${recipe} of the tenant ${tenant}`;
    if (!(await raiseBudget(pool, { tenant, recipe, usd, by })))
      throw new Error(
        `nothing was asked today of a budget of ${whose}; \`refrain budgets\` lists those there are, others are changed where they are declared`,
      );
    const books = await budgetBooks(pool);
    const book = books.find((one) => one.tenant === tenant && one.name === (recipe ?? ''));
    print(
      json,
      { tenant, recipe, addedUsd: usd, budget: book },
      `Added ${inDollars(usd)} for ${whose}, until the day ends.`,
    );
  });
}

/** What the whole day comes to if it goes on as in the last hour; in US dollars. A replay's has no day. */
function forecast({ spentUsd, reservedUsd, lastHourUsd, ends }: BudgetBook, at: Date): number | undefined {
  if (!ends) return undefined;
  const hours = Math.max(0, ends.getTime() - at.getTime()) / HOUR_MS;
  return Math.round((spentUsd + reservedUsd + lastHourUsd * hours) * 100) / 100;
}

function bookText(book: BudgetBook & { forecastUsd: number | undefined }): string {
  const { tenant, scope, name, day, limitUsd, spentUsd, reservedUsd, leftUsd, waiting, ends, forecastUsd } = book;
  const whose = [tenant, scope === 'tenant' ? 'all recipes' : name, day].filter(Boolean).join('  ');
  const waits =
    waiting === 0 ? 'nothing waits' : `${String(waiting)} calls wait${ends ? ` until ${ends.toISOString()}` : ''}`;
  return [
    whose,
    `  ${inDollars(leftUsd)} of ${inDollars(limitUsd)} left: ${inDollars(spentUsd)} spent, ${inDollars(reservedUsd)} reserved`,
    ...(forecastUsd === undefined ? [] : [`  forecast for the day ${inDollars(forecastUsd)}, by the last hour`]),
    `  ${waits}`,
  ].join('\n');
}
