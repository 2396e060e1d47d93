import { clear, type Pool, type Replica, suspect } from '#libs/event-store';

/** Deaths that are noted before what was being handled is known to be a killer. */
export const DEATHS = 3;

// More than a replica has in hand at once, so that by then whatever killed the process before has come by here, or belongs
// to another replica now: 500 records of each of 3 partitions, each routed and decided, with 200 mails; and the 3 pages
// of 1,000 records that a plan has on their way. Each has a count of its own: a plan must not use up the inputs' care.
const STEPS = { inputs: 4_000, replays: 3_000 };

/** What is handled with care. */
export type Careful = keyof typeof STEPS;

/** Something whose handling ended the process three times: it is set aside, by whoever knows what it is. */
export class Killer extends Error {
  readonly code = 'killer';
  readonly deaths = DEATHS;

  constructor(message = `its handling ended the process ${String(DEATHS)} times`) {
    super(message);
    this.name = 'Killer';
  }
}

/**
 * Finds what ends the process. A replica that takes over from one that did not stop in order handles what comes first one
 * at a time, and notes each before. In the clean state it costs nothing.
 */
export class Caution {
  private left: Record<Careful, number> | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  /** Noted by this process and not cleared since: tried again, they do not count as another death. */
  private readonly noted = new Set<string>();

  constructor(
    private readonly pool: Pool,
    private readonly service: string,
    private readonly replica: Replica,
  ) {}

  /** Resolves to whether these are handled singly; rejects while the database is away. */
  async on(what: Careful): Promise<boolean> {
    this.left ??= (await this.replica.tookOver()) ? { ...STEPS } : { inputs: 0, replays: 0 };
    return this.left[what] > 0;
  }

  /**
   * Runs `work` while the process handles nothing else with care. Where what `key` names has ended the process three
   * times, `work` is told so, to set it aside instead; it is forgotten once `work` has ended.
   */
  singly<T>(what: Careful, key: string, work: (killer: Killer | undefined) => Promise<T>): Promise<T> {
    const mine = this.turn.then(() => this.noting(what, key, work));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  /**
   * Notes that something is under way in which others are handled singly: they are found first, so it may have ended the
   * process once more than they. Rejects with a {@link Killer} where it did, or `most` times. Resolves to what takes the
   * note back.
   */
  async around(key: string, says: string, most = DEATHS + 1): Promise<() => Promise<void>> {
    const before = this.noted.has(key) ? 0 : await suspect(this.pool, this.service, key);
    if (before >= most) throw new Killer(says);
    this.noted.add(key);
    return () => this.clear(key);
  }

  private async noting<T>(what: Careful, key: string, work: (killer: Killer | undefined) => Promise<T>): Promise<T> {
    const deaths = this.noted.has(key) ? 0 : await suspect(this.pool, this.service, key);
    this.noted.add(key);
    const result = await work(deaths >= DEATHS ? new Killer() : undefined).finally(() => this.clear(key));
    if (this.left) this.left[what] = Math.max(0, this.left[what] - 1);
    return result;
  }

  // The note outlives a database that is away, and is taken back when the input is tried again.
  private async clear(key: string): Promise<void> {
    await clear(this.pool, this.service, key);
    this.noted.delete(key);
  }
}
