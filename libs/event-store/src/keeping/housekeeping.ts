import { dropLeases, holdLeases } from '../lease';
import { Loop, type OnError } from '../loop';
import type { Pool } from '../pool';
import { run } from '../query';
import type { KeptDays } from './days';
import { addInboxDays, dropInboxDays } from './inbox-days';
import { SWEEPS } from './sweeps';

const LEASE = 'housekeeping';
const BATCH = 1_000;

/** How housekeeping is set up. */
export interface HousekeepingOptions {
  pool: Pool;
  days: KeptDays;
  owner: string;
  /** Rejects while it is not certain that what is dropped is needed no more; nothing is dropped before it resolved. */
  check: () => Promise<void>;
  onError: OnError;
  intervalMs?: number;
}

/**
 * Makes room ahead for marks and drops what is kept no longer (protocol 25): whole days of the inbox, and small batches of
 * all else, each a transaction of its own. Nothing open or unpublished is dropped. One replica of all services does it.
 */
export class Housekeeping {
  private readonly loop: Loop;
  private readonly intervalMs: number;
  private checked = false;

  constructor(private readonly options: HousekeepingOptions) {
    this.intervalMs = options.intervalMs ?? 60_000;
    this.loop = new Loop('housekeeping', this.intervalMs, () => this.turn(), options.onError);
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await dropLeases(this.options.pool, [LEASE], this.options.owner);
  }

  /** One turn, done only by the holder of the lease; resolves to whether there is more to drop. */
  async turn(): Promise<boolean> {
    const { pool, days, owner } = this.options;
    const holds = await holdLeases(pool, [LEASE], owner, 3 * this.intervalMs);
    if (holds.length === 0) return false;
    await addInboxDays(pool);
    if (!(await this.mayDrop())) return false;
    await dropInboxDays(pool, days.inbox);
    let more = false;
    for (const { name, keptAs, text } of SWEEPS) {
      const { rowCount } = await run(pool, name, text, [days[keptAs], BATCH]);
      more ||= rowCount === BATCH;
    }
    return more;
  }

  private async mayDrop(): Promise<boolean> {
    if (this.checked) return true;
    try {
      await this.options.check();
      this.checked = true;
    } catch (error) {
      this.options.onError(error, 'housekeeping');
    }
    return this.checked;
  }
}
