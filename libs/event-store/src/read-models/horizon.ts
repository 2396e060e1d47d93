import { type Queries, run } from '../query';

/**
 * How far readers by position may read: every event up to there is committed or will never be, so a reader skips none
 * that commits late (decision 16). Needs no help from writers: whoever draws a position holds the table's row lock from
 * before the draw until its end is visible. What was noted holds for one connection, so it never outlives the server.
 */
export class Horizon {
  private settled = 0n;
  private noted: { position: bigint; writers: string[] } | undefined;

  constructor(private readonly db: Queries) {}

  /** Looks once, waits for nobody, and resolves to the newest position that may be read; 0 where there is none yet. */
  async reach(): Promise<bigint> {
    this.noted = this.noted ? await this.lookAgain(this.noted) : await this.note();
    if (this.noted?.writers.length === 0) {
      this.settled = this.noted.position;
      this.noted = undefined;
    }
    return this.settled;
  }

  // First the position, then the writers: who drew an earlier one and is not among them has ended.
  private async note() {
    const { rows } = await run<{ position: string }>(this.db, 'refrain-last-position', LAST_POSITION, []);
    const position = BigInt(rows[0]?.position ?? 0);
    return position > this.settled ? { position, writers: await this.writers() } : undefined;
  }

  private async lookAgain(noted: { position: bigint; writers: string[] }) {
    const now = new Set(await this.writers());
    return { ...noted, writers: noted.writers.filter((writer) => now.has(writer)) };
  }

  private async writers(): Promise<string[]> {
    const { rows } = await run<{ writer: string }>(this.db, 'refrain-writers', WRITERS, []);
    return rows.map((row) => row.writer);
  }
}

/** The newest position that was drawn, committed or not. */
export const LAST_POSITION = `select case when is_called then last_value else 0 end as position from event_position`;

const WRITERS = `
  select virtualtransaction as writer from pg_locks
  where locktype = 'relation' and relation = 'event'::regclass and mode = 'RowExclusiveLock' and granted
    and database = (select oid from pg_database where datname = current_database())`;
