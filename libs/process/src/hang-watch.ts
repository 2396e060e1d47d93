import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Decider } from './decider';

/**
 * Ends this process by SIGKILL, with one line on standard error, when a decision takes longer than the limit: whoever
 * hangs in `decide` can neither stop itself nor say so. Watches from a thread of its own; costs two counts a decision.
 */
export class HangWatch {
  /** Odd while a decision is being made; every change is a sign of life. */
  private readonly beats = new Int32Array(new SharedArrayBuffer(4));
  private thread: Worker | undefined;

  constructor(
    private readonly service: string,
    private readonly limitMs: number | undefined,
  ) {}

  start(): void {
    const { service, limitMs, beats } = this;
    if (limitMs === undefined || this.thread) return;
    const options = { workerData: { service, limitMs, beats }, execArgv: [] };
    this.thread = new Worker(join(__dirname, 'hang-watch-thread.js'), options);
    this.thread.unref();
  }

  async stop(): Promise<void> {
    await this.thread?.terminate();
    this.thread = undefined;
  }

  /** The same decider, watched. */
  watched<S, E, I>(decider: Decider<S, E, I>): Decider<S, E, I> {
    return {
      initial: decider.initial,
      evolve: (state, event) => this.beating(() => decider.evolve(state, event)),
      decide: (state, input) => this.beating(() => decider.decide(state, input)),
    };
  }

  private beating<T>(work: () => T): T {
    Atomics.add(this.beats, 0, 1);
    try {
      return work();
    } finally {
      Atomics.add(this.beats, 0, 1);
    }
  }
}
