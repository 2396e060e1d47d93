import {
  checkKeptDays,
  Housekeeping,
  KeepingMismatch,
  type KeptDays,
  type OnError,
  type Pool,
} from '#libs/event-store';
import { type LogConnection, retentionOf } from '#libs/log';

/** How long a service's doings are kept, against how long the topics that it reads really keep records. */
export class Keeping {
  private readonly housekeeping: Housekeeping;

  constructor(
    pool: Pool,
    private readonly days: KeptDays,
    owner: string,
    private readonly connection: LogConnection,
    private readonly topics: string[],
    private readonly onError: OnError,
  ) {
    this.housekeeping = new Housekeeping({ pool, days, owner, check: () => this.check(), onError });
  }

  /**
   * Rejects with {@link KeepingMismatch} where the days do not fit. While the broker does not say how long it keeps
   * records, nothing is dropped, and it is asked again.
   */
  async start(): Promise<void> {
    try {
      await this.check();
    } catch (error) {
      if (error instanceof KeepingMismatch) throw error;
      this.onError(error, 'retention of the topics');
    }
    this.housekeeping.start();
  }

  stop(): Promise<void> {
    return this.housekeeping.stop();
  }

  private async check(): Promise<void> {
    checkKeptDays(this.days, new Map());
    checkKeptDays(this.days, await retentionOf(this.connection, this.topics));
  }
}

/** How long to keep things, from a service's settings. */
export const keptDaysOf = (config: { INBOX_DAYS: number; RECEIPT_DAYS: number }): KeptDays => ({
  inbox: config.INBOX_DAYS,
  receipts: config.RECEIPT_DAYS,
});
