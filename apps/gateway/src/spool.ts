import {
  drainSpool,
  Loop,
  type OnError,
  type Pool,
  spool,
  SpoolFull,
  spoolState,
  type SpoolState,
  StoreUnavailable,
} from '#libs/event-store';
import { LogUnavailable, type OutgoingRecord } from '#libs/log';

const PAGE = 500;
const LOOK_EVERY_MS = 1_000;

/**
 * Keeps in Postgres what cannot be published, and publishes it when the log is back, in order. As long as this replica
 * knows of something kept, it keeps what comes after it too, so that nothing overtakes it here.
 */
export class Spool {
  private readonly loop: Loop;
  private holding = true; // until the first look says otherwise
  private kept = 0;
  private keeping = 0;

  constructor(
    private readonly pool: Pool,
    private readonly mostBytes: number,
    publish: (records: OutgoingRecord[]) => Promise<void>,
    onError: OnError,
  ) {
    this.loop = new Loop('spool', LOOK_EVERY_MS, () => this.drain(publish), onError);
  }

  start(): void {
    this.loop.start();
  }

  /** Ends after the page in hand. */
  async close(): Promise<void> {
    await this.loop.stop();
    await this.pool.end();
  }

  /** Whether something waits, as far as this replica knows. */
  get isHolding(): boolean {
    return this.holding;
  }

  /** What waits now, of all replicas. */
  state(): Promise<SpoolState> {
    return spoolState(this.pool);
  }

  /** Keeps records, durable when it resolves. Throws {@link LogUnavailable} where the spool is full or away. */
  async keep(records: OutgoingRecord[]): Promise<void> {
    this.keeping += 1;
    try {
      await spool(this.pool, records, this.mostBytes);
      this.holding = true;
      this.kept += 1;
    } catch (error) {
      if (error instanceof SpoolFull) throw new LogUnavailable('overloaded', 'the spool is full', error);
      if (error instanceof StoreUnavailable) throw new LogUnavailable('broker', 'the spool is away too', error);
      throw error;
    } finally {
      this.keeping -= 1;
    }
  }

  private async drain(publish: (records: OutgoingRecord[]) => Promise<void>): Promise<boolean> {
    const before = this.kept;
    const taken = await drainSpool(this.pool, PAGE, publish);
    // What was kept while it looked may not have been seen.
    if (taken === 0 && this.keeping === 0 && this.kept === before) this.holding = false;
    return taken !== undefined && taken > 0;
  }
}
