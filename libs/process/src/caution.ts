import { clear, type Pool, type Replica, suspect } from '#libs/event-store';

const DEATHS = 3;
// More than a replica has in hand at once (500 records of each of 3 partitions, 200 mails): by then whatever killed the
// process before has come by here, or belongs to another replica now.
const CAREFUL_INPUTS = 2_000;

/** An input whose handling ended the process three times. It is parked like one whose decision throws. */
export class Killer extends Error {
  readonly code = 'killer';

  constructor() {
    super(`its handling ended the process ${String(DEATHS)} times`);
    this.name = 'Killer';
  }
}

/**
 * Finds the input that ends the process. A replica that takes over from one that did not stop in order handles its first
 * 2,000 inputs one at a time, and notes each before. In the clean state it costs nothing.
 */
export class Caution {
  private left: number | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  /** Noted by this process and not cleared since: tried again, they do not count as another death. */
  private readonly noted = new Set<string>();

  constructor(
    private readonly pool: Pool,
    private readonly service: string,
    private readonly replica: Replica,
  ) {}

  /** Resolves to whether inputs are handled singly; rejects while the database is away. */
  async on(): Promise<boolean> {
    this.left ??= (await this.replica.tookOver()) ? CAREFUL_INPUTS : 0;
    return this.left > 0;
  }

  /**
   * Runs `work` on an input while the process handles nothing else. Where the input has ended the process three times,
   * `work` is told so, to park it instead.
   */
  singly<T>(key: string, work: (killer: Killer | undefined) => Promise<T>): Promise<T> {
    const mine = this.turn.then(() => this.noting(key, work));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private async noting<T>(key: string, work: (killer: Killer | undefined) => Promise<T>): Promise<T> {
    const deaths = this.noted.has(key) ? 0 : await suspect(this.pool, this.service, key);
    this.noted.add(key);
    const result = await work(deaths >= DEATHS ? new Killer() : undefined).finally(() => this.clear(key));
    this.left = Math.max(0, (this.left ?? 0) - 1);
    return result;
  }

  // The note outlives a database that is away, and is taken back when the input is tried again.
  private async clear(key: string): Promise<void> {
    await clear(this.pool, this.service, key);
    this.noted.delete(key);
  }
}
