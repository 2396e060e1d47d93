import type { LedgerEntry } from '#libs/event-store';

/**
 * What applying a replay does about one effect (protocol 22):
 * - `new`: never owed; it is.
 * - `skipped`: done with the very same request; its receipt stands.
 * - `changed`: done with another request; made again only with `--redo`, as a new generation.
 * - `again`: failed before; owed as a new generation.
 * - `joined`: owed or running now; the replay waits for the same call.
 * - `held`: nobody knows, or a person must decide; left alone.
 * - `withdrawn`: was superseded or cancelled; left alone.
 * - `refused`: its subject was erased.
 */
export type Verdict = 'new' | 'skipped' | 'changed' | 'again' | 'joined' | 'held' | 'withdrawn' | 'refused';

const byState: Record<string, Verdict> = {
  failed: 'again',
  dead: 'again',
  owed: 'joined',
  running: 'joined',
  unknown: 'held',
  held: 'held',
  superseded: 'withdrawn',
  cancelled: 'withdrawn',
  erased: 'refused',
};

/** Compares what today's code would owe with what the ledger has: first by slot, then by request. */
export function verdictOf(entry: LedgerEntry | undefined, requestHash: string): Verdict {
  if (!entry) return 'new';
  if (entry.state === 'done') return entry.requestHash === requestHash ? 'skipped' : 'changed';
  return byState[entry.state] ?? 'held';
}

/** The generation in which an effect is owed under this verdict; undefined where it is not owed at all. */
export function generationOwed(verdict: Verdict, entry: LedgerEntry | undefined, redo: boolean): number | undefined {
  if (verdict === 'new') return 1;
  if (verdict === 'again' || (verdict === 'changed' && redo)) return (entry?.generation ?? 0) + 1;
  return undefined;
}
