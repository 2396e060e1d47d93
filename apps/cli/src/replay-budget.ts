import { budgetBooks, type Pool, type Replay } from '#libs/event-store';
import { inDollars } from './dollars';
import type { Summary } from './replay-summary';

/** What a replay may still spend, against what its plan is forecast to cost, as lines for people. */
export async function budgetLines(pool: Pool, replay: Replay, { atMost }: Summary): Promise<string[]> {
  const books = await budgetBooks(pool);
  const own = books.find(({ name }) => name === replay.id);
  const needs = atMost['usd'] ?? 0;
  const of = (leftUsd: number, limitUsd: number) =>
    `${inDollars(leftUsd)} of ${inDollars(limitUsd)} left${needs > leftUsd && replay.state === 'planned' ? `, less than the ${inDollars(needs)} that it may cost: the rest will wait` : ''}`;
  const lines = [];
  if (replay.budgetUsd !== undefined) {
    const left = own?.leftUsd ?? replay.budgetUsd;
    lines.push(`this replay ${of(left, replay.budgetUsd)}`);
  }
  if (own && own.waiting > 0)
    lines.push(`${String(own.waiting)} calls wait for its budget: refrain replay budget ${replay.id} <usd> raises it`);
  const { tenant } = replay.selection;
  const others = books.filter((book) => book.scope !== 'replay' && (tenant === undefined || book.tenant === tenant));
  for (const { tenant: whose, name, leftUsd, limitUsd } of needs > 0 || own ? others : [])
    lines.push(`${[whose, name].filter(Boolean).join(' ')} today ${of(leftUsd, limitUsd)}`);
  return lines.map((line, i) => `${i === 0 ? 'budget' : ''}`.padEnd(11) + line);
}
