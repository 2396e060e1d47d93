import type { Pool } from 'pg';
import { run } from './query';
import type { EventMeta } from './shapes';

/** An effect that will not be performed again by itself: dead, or held until a person says what became of it. */
export interface DeadLetterEffect {
  /** Its number in the ledger, by which operators name it. */
  id: string;
  slot: string;
  generation: number;
  service: string;
  tenant: string;
  subject: string;
  kind: string;
  state: 'dead' | 'held';
  /** What the vendor, or the runtime, said last. */
  code: string | undefined;
  /** What it said in words, where it is dead. */
  said: string | undefined;
  attempts: number;
  refusals: number;
  /** Calls that were repeated although it was unknown whether the one before had been obeyed. */
  repeats: number;
  request: unknown;
  /** The slot of the call that it shares with others, if it does: what becomes of that, becomes of all of them. */
  shares: string | undefined;
  meta: EventMeta;
  /** Since when it is so. */
  since: Date;
}

/** Which of them are meant; a field that is left out means any. */
export interface DeadLetterSelection {
  id?: string;
  service?: string;
  /** `tenant:type:id` of the record that it is about. */
  key?: string;
  code?: string;
  /** In this state at least so long, in milliseconds. */
  olderThanMs?: number;
}

/** Lists dead and held effects, in their newest generation, the oldest first. */
export async function deadLetterEffects(
  pool: Pool,
  { id, service, key, code, olderThanMs }: DeadLetterSelection,
  limit: number,
): Promise<DeadLetterEffect[]> {
  const { rows } = await run<EffectRow>(pool, 'refrain-dead-letters', DEAD_LETTERS, [
    id ?? null,
    service ?? null,
    key ?? null,
    code ?? null,
    olderThanMs ?? null,
    limit,
  ]);
  return rows.map((row) => ({
    ...row,
    code: row.code ?? undefined,
    said: row.said ?? undefined,
    shares: row.shares ?? undefined,
  }));
}

interface EffectRow extends Omit<DeadLetterEffect, 'code' | 'said' | 'shares'> {
  code: string | null;
  said: string | null;
  shares: string | null;
}

// A call that owners share is listed as each owner's.
const DEAD_LETTERS = `
  select seq as id, slot, generation, service, tenant, subject, kind, state, code, answer->>'message' as said, attempts, refusals, repeats, request,
    shares, meta, coalesce(settled_at, due) as since
  from effect e
  where state in ('dead', 'held') and stream_id <> '' and ($1::bigint is null or seq = $1)
    and ($2::text is null or service = $2) and ($3::text is null or tenant || ':' || subject = $3)
    and ($4::text is null or code = $4)
    and ($5::float8 is null or coalesce(settled_at, due) <= refrain_now() - make_interval(secs => $5 / 1000))
    and not exists (select from effect n where n.slot = e.slot and n.generation > e.generation)
  order by seq limit $6`;
