import { setTimeout as pause } from 'node:timers/promises';

/** How a loop's step reports a failure; the loop goes on after a pause. */
export type OnError = (error: unknown, loop: string) => void;

const MAX_PAUSE_MS = 5_000;

/**
 * Runs one step after another until stopped: at once while a step says that there is more or someone woke it, else at
 * every interval. A failing step is reported and tried again after a growing pause with jitter.
 */
export class Loop {
  private readonly stopping = new AbortController();
  private ended: Promise<void> | undefined;
  private awake = false;
  private rouse: (() => void) | undefined;
  private failures = 0;

  constructor(
    private readonly name: string,
    private readonly intervalMs: number,
    private readonly step: (stopping: AbortSignal) => Promise<boolean>,
    private readonly onError: OnError,
  ) {}

  start(): void {
    this.ended ??= this.run();
  }

  /** Lets the next step begin at once. */
  wake(): void {
    this.awake = true;
    this.rouse?.();
  }

  /** Resolves when the step in hand has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.rouse?.();
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.awake = false;
      if (await this.again()) continue;
      await this.rest(this.intervalMs);
    }
  }

  private async again(): Promise<boolean> {
    try {
      const more = await this.step(this.stopping.signal);
      this.failures = 0;
      return more;
    } catch (error) {
      this.onError(error, this.name);
      this.failures += 1;
      const limit = Math.min(MAX_PAUSE_MS, 100 * 2 ** this.failures);
      await pause(limit * (0.5 + Math.random() / 2), undefined, { signal: this.stopping.signal }).catch(
        () => undefined,
      );
      return true;
    }
  }

  private async rest(ms: number): Promise<void> {
    if (this.awake || this.stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.rouse = undefined;
  }
}
