import { setTimeout as pause } from 'node:timers/promises';
import { dropReads, freezeReads, oweReads, type PlannedRead, type Pool } from '#libs/event-store';

const LOOK_EVERY_MS = 50;

/**
 * Fetches missing answers of queries for a plan. It calls nobody itself: the queries are owed, and the effect runner
 * performs them, in the replay lane and under the vendors' limits. Each is asked for once a page.
 */
export class PlannedReads {
  private readonly asked = new Set<string>();

  constructor(
    private readonly pool: Pool,
    private readonly service: string,
    private readonly replayId: string,
    private readonly onOwed: () => void,
  ) {}

  /** Resolves when each has its answer in the plan, or has none; to false where all were asked for before. */
  async answer(reads: PlannedRead[], stillWanted: () => Promise<void>): Promise<boolean> {
    const missing = [...new Map(reads.map((read) => [read.slot, read])).values()].filter(
      ({ slot }) => !this.asked.has(slot),
    );
    if (missing.length === 0) return false;
    for (const { slot } of missing) this.asked.add(slot);
    try {
      await oweReads(this.pool, this.service, this.replayId, missing);
      this.onOwed();
      while (!(await freezeReads(this.pool, this.replayId, missing))) {
        await stillWanted();
        await pause(LOOK_EVERY_MS);
      }
    } catch (error) {
      await dropReads(this.pool, this.replayId, missing).catch(() => undefined);
      throw error;
    }
    return true;
  }
}
