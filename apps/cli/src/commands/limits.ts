import type { Command } from 'commander';
import { doneBy, type Gate, gates, type LimitState } from '#libs/event-store';
import { print } from '../output';
import { withStore } from '../store';

/** `refrain limits`: what is left of the vendors' limits, what waits for it, and until when. */
export function addLimits(program: Command): void {
  program
    .command('limits')
    .description("what is left of each vendor's limits and quotas, what waits behind them, and when that is done")
    .option('--json', 'print as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const { at, gates: all } = await withStore(gates);
      const shown = all.map((gate) => ({ ...gate, doneBy: doneBy(gate.limits, waitingAt(gate), at) }));
      print(
        json,
        { at, gates: shown },
        shown.map((gate) => textOf(gate, at)).join('\n\n') || 'No vendor was called yet.',
      );
    });
}

const waitingAt = ({ owed }: Gate): number => Object.values(owed).reduce((sum: number, n) => sum + (n ?? 0), 0);

function textOf(gate: Gate & { doneBy: Date }, at: Date): string {
  const { tenant, vendor, breaker, shutUntil, limits, owed } = gate;
  const shut = breaker === 'closed' || !shutUntil ? '' : `, lets nothing through until ${shutUntil.toISOString()}`;
  const lanes = Object.entries(owed).map(([lane, n]) => `${String(n)} ${lane}`);
  const waits = `waiting: ${lanes.join(', ')}; done by ${gate.doneBy.toISOString()} at the earliest`;
  return [
    `${tenant}  ${vendor}  breaker ${breaker}${shut}`,
    ...limits.map((limit) => `  ${limitText(limit, at)}`),
    `  ${lanes.length === 0 ? 'nothing waits' : waits}`,
  ].join('\n');
}

function limitText({ name, most, free, perMs, dayEnds, pausedUntil }: LimitState, at: Date): string {
  const span = dayEnds ? `a day, until ${dayEnds.toISOString()}` : perMs ? `in ${String(perMs / 1_000)} s` : 'at once';
  const paused =
    pausedUntil && pausedUntil > at ? `; used up by the vendor's word until ${pausedUntil.toISOString()}` : '';
  return `${name.padEnd(16)} ${String(free)} of ${String(most)} left ${span}${paused}`;
}
