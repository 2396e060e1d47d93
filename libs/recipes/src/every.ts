import { setTimeout as pause } from 'node:timers/promises';

/** Does something so often, in milliseconds, one time after the other, until told to stop; rejects what the work rejects. */
export async function every(everyMs: number, signal: AbortSignal, work: () => unknown): Promise<void> {
  for (;;) {
    // To be told to stop ends the pause, which says so by rejecting.
    await pause(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await work();
  }
}
