// How far a measurement is, for whoever waits for it.
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 1_000;
const STANDSTILL_MS = 60_000;
const BAR = 30;

/** What a look found. */
export interface Look {
  /** From 0 to 1. */
  share: number;
  says: string;
  /** Another number whenever anything moved. */
  moved: number;
  isDone: boolean;
}

/** Looks each second and draws how far it is, until it is done or nothing has moved for a minute. A look is told for how long. */
export async function untilDone(look: (stillMs: number) => Promise<Look>): Promise<void> {
  let [seen, since] = [-1, Date.now()];
  for (;;) {
    const { share, says, moved, isDone } = await look(Date.now() - since);
    if (moved !== seen) [seen, since] = [moved, Date.now()];
    process.stderr.write(`\r${bar(share)} ${says} `);
    if (isDone || Date.now() - since > STANDSTILL_MS) break;
    await pause(LOOK_MS);
  }
  process.stderr.write('\n');
}

const bar = (share: number): string => '█'.repeat(Math.round(Math.min(1, share) * BAR)).padEnd(BAR, '░');
