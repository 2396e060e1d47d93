import { Problem } from '#libs/platform';

const MINUTE_MS = 60_000;

/** Lets so many through in any 60 seconds, and no more. */
export class MinuteCap {
  private readonly times: Float64Array;
  private oldest = 0;

  constructor(perMinute: number) {
    this.times = new Float64Array(perMinute).fill(-Infinity);
  }

  /** Takes one and answers 0, or takes none and answers after how many milliseconds one may be taken. `now` is monotonic. */
  take(now: number): number {
    const free = (this.times[this.oldest] ?? 0) + MINUTE_MS;
    if (now < free) return free - now;
    this.times[this.oldest] = now;
    this.oldest = (this.oldest + 1) % this.times.length;
    return 0;
  }
}

/** Takes one from a cap, where there is one; throws the 429 that says when to come again. Only what was verified counts. */
export function takeOne(cap: MinuteCap | undefined): void {
  const wait = cap?.take(performance.now()) ?? 0;
  if (wait > 0) throw new Problem('too-many-requests', { retryAfterSeconds: Math.ceil(wait / 1_000) });
}
