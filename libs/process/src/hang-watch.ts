import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DomainEvent } from '#libs/contracts';
import type { ProcessDefinition } from './definition';

/**
 * Ends this process by SIGKILL, with one line on standard error, when a decision, or the way to one, takes longer than the
 * limit: whoever hangs can neither stop itself nor say so. Watches from a thread of its own; costs two counts a step.
 */
export class HangWatch {
  /** Odd while the service's own code runs; every change is a sign of life. */
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

  /** The same definition; whatever of it is code is watched. */
  watched<S, E extends DomainEvent, I>(definition: ProcessDefinition<S, E, I>): ProcessDefinition<S, E, I> {
    const { decider, routes } = definition;
    const { recall } = decider;
    return {
      ...definition,
      decider: {
        initial: decider.initial,
        evolve: (state, event) => this.beating(() => decider.evolve(state, event)),
        decide: (state, input) => this.beating(() => decider.decide(state, input)),
        ...(recall ? { recall: (state, event) => this.beating(() => recall(state, event)) } : {}),
      },
      routes: Object.fromEntries(
        Object.entries(routes).map(([topic, route]) => [topic, (record) => this.beating(() => route(record))]),
      ),
      outcome: (...given) => this.beating(() => definition.outcome(...given)),
      declared: definition.declared && ((given) => this.watched(definition.declared?.(given) ?? definition)),
      timer: definition.timer && ((...given) => this.beating(() => definition.timer?.(...given) as I)),
    };
  }

  /** Runs `work`, watched. */
  beating<T>(work: () => T): T {
    Atomics.add(this.beats, 0, 1);
    try {
      return work();
    } finally {
      Atomics.add(this.beats, 0, 1);
    }
  }
}
