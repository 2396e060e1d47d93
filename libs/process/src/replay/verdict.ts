import type { FrozenAnswer, LedgerEntry } from '#libs/event-store';

/**
 * What applying a replay does about one effect (protocol 22):
 * - `new`: never owed; it is.
 * - `skipped`: done with the very same request; its receipt stands.
 * - `changed`: done with another request; made again only with `--redo`, as a new generation.
 * - `again`: failed before; owed as a new generation.
 * - `read`: a query that the plan has asked already; its answer stands, and no call is made.
 * - `joined`: owed or running now; the replay waits for the same call.
 * - `held`: nobody knows, or a person must decide; left alone.
 * - `withdrawn`: was superseded or cancelled; left alone.
 * - `refused`: its subject was erased.
 */
export type Verdict = 'new' | 'skipped' | 'changed' | 'again' | 'read' | 'joined' | 'held' | 'withdrawn' | 'refused';

/** What becomes of an effect: whether it is owed (in which generation), and the answer that is known already. */
export interface Ruling {
  verdict: Verdict;
  generation?: number;
  told?: { generation: number; answer: unknown; at: string | null };
}

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

/**
 * Rules about an effect that today's code owes, the same way in a plan and when it is applied: by its slot in the ledger,
 * then by its request, then by what the plan has read.
 */
export function rule(
  entry: LedgerEntry | undefined,
  frozen: FrozenAnswer | undefined,
  requestHash: string,
  redo: boolean,
): Ruling {
  const verdict = verdictOf(entry, requestHash);
  const generation = generationOwed(verdict, entry, redo);
  if (generation === undefined) {
    if (entry?.state !== 'done') return { verdict };
    return { verdict, told: { generation: entry.generation, answer: entry.answer, at: entry.settledAt } };
  }
  if (frozen?.requestHash !== requestHash) return { verdict, generation };
  return { verdict: 'read', generation, told: { generation, answer: frozen.answer, at: frozen.readAt } };
}

function verdictOf(entry: LedgerEntry | undefined, requestHash: string): Verdict {
  if (!entry) return 'new';
  if (entry.state === 'done') return entry.requestHash === requestHash ? 'skipped' : 'changed';
  return byState[entry.state] ?? 'held';
}

function generationOwed(verdict: Verdict, entry: LedgerEntry | undefined, redo: boolean): number | undefined {
  if (verdict === 'new') return 1;
  if (verdict === 'again' || (verdict === 'changed' && redo)) return (entry?.generation ?? 0) + 1;
  return undefined;
}
