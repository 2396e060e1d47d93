import { writeFileSync } from 'node:fs';
import type { ChaosResult } from './run';

/** What `npm run chaos` asks for. */
export interface Order {
  of: 'webhooks' | 'renders';
  seeds: number[];
  /** How many webhooks or triggers a run has. */
  count: number;
  /** Where the results go, as JSON. */
  output: string;
}

/** What was asked for of one kind of run, if anything was. */
export function orderOf(kind: Order['of']): Order | undefined {
  const order = JSON.parse(process.env['CHAOS'] ?? 'null') as Order | null;
  return order?.of === kind ? order : undefined;
}

/** Notes a run's result where it was asked for, and what the services said where something was found. */
export function write({ output }: Order, { plan, findings, settledInMs, logs }: ChaosResult, count: object): void {
  const line = JSON.stringify({ seed: plan.seed, ...count, findings, settledInMs });
  writeFileSync(output, `${line}\n`, { flag: 'a' });
  if (findings.length > 0) writeFileSync(`${output}.seed-${plan.seed}.log`, logs);
}
