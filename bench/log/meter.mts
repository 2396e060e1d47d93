/**
 * Counts what is done in some time, or until everything is done. The clock begins with `begin`, or else with what is
 * noted first, which does not count then.
 */
export class Meter {
  private readonly ended = Promise.withResolvers<number>();
  private begun: number | undefined;
  private done = 0;
  /** Whether nothing that follows counts. */
  over = false;
  private readonly forMs: number;
  private readonly most: number;

  constructor(forMs: number, most = Infinity) {
    this.forMs = forMs;
    this.most = most;
    // What fails may do so before anyone waits for the rate.
    this.ended.promise.catch(() => undefined);
  }

  begin(): void {
    this.begun ??= performance.now();
  }

  note(count: number): void {
    if (this.begun === undefined) {
      this.begin();
      return;
    }
    const took = performance.now() - this.begun;
    this.done += count;
    if (took < this.forMs && this.done < this.most) return;
    this.over = true;
    this.ended.resolve((this.done * 1_000) / took);
  }

  /** Ends the measurement; bound, so that it can be handed over as it is. */
  readonly fail = (error: unknown): void => {
    this.over = true;
    this.ended.reject(error instanceof Error ? error : new Error(String(error)));
  };

  /** How much was done a second, as soon as the measurement is over; rejects when something failed. */
  get rate(): Promise<number> {
    return this.ended.promise;
  }
}
