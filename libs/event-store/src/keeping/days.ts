/** How long what is done is kept, in days. What is open or unpublished is kept for ever (protocol 25). */
export interface KeptDays {
  /** Marks of inputs: as long a repeat of an input is known as one. */
  inbox: number;
  /** Receipts of effects that have ended, vendors' ids and items of ended replays. */
  receipts: number;
}

/** Thrown at start where an input could come again after its mark, or be decided again after its receipts, are gone. */
export class KeepingMismatch extends Error {
  readonly code = 'keeping-mismatch';

  constructor(what: string, remedy: string) {
    super(`${what}. ${remedy}`);
    this.name = 'KeepingMismatch';
  }
}

const DAY_MS = 86_400_000;

/**
 * Holds topic retention ≤ inbox ≤ receipts: a record that still stands on its topic is known, and what it set off has
 * its receipt. Takes the real retention of each topic in milliseconds, `Infinity` where there is no limit; throws
 * {@link KeepingMismatch}.
 */
export function checkKeptDays(days: KeptDays, retentionMs: ReadonlyMap<string, number>): void {
  if (days.inbox > days.receipts) {
    const what = `INBOX_DAYS (${String(days.inbox)}) is more than RECEIPT_DAYS (${String(days.receipts)})`;
    throw new KeepingMismatch(what, 'Receipts must outlive marks: raise RECEIPT_DAYS');
  }
  for (const [topic, ms] of retentionMs) {
    if (ms <= days.inbox * DAY_MS) continue;
    const kept = ms === Infinity ? 'for ever' : `${(ms / DAY_MS).toFixed(1)} days`;
    throw new KeepingMismatch(
      `${topic} keeps records ${kept}, and their marks would be dropped after ${String(days.inbox)} (INBOX_DAYS)`,
      'Raise INBOX_DAYS, or lower retention.ms of the topic (`refrain topics apply` sets it as declared)',
    );
  }
}
