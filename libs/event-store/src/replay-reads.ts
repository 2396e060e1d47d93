import type { Pool } from 'pg';
import { atomically, type Queries, type Queryable, rowsOf, run } from './query';

/** A query that a plan wants answered: what would be owed if the plan were applied. */
export interface PlannedRead {
  slot: string;
  requestHash: string;
  tenant: string;
  subject: string;
  streamId: string;
  kind: string;
  request: unknown;
}

// Under a slot of the plan's own, so that it is no effect of any stream and nobody is told its outcome.
const carrier = (id: string, slot: string): string => `${id}|${slot}`;

/**
 * Owes queries on behalf of a plan, in the replay lane and under the vendors' limits like all others. The ledger only
 * carries them until they are settled: {@link freezeReads} moves them into the plan.
 */
export async function oweReads(db: Queryable, service: string, id: string, reads: PlannedRead[]): Promise<void> {
  await rowsOf(
    db,
    `insert into effect (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, lane, request,
       request_hash, meta)
     select $1, slot, 1, tenant, subject, '', kind, 'replay-read', $2, 'replay', request::json, hash,
       json_build_object('rootCause', $2::text, 'causedBy', $2::text, 'replayId', $2::text)
     from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
       as u (slot, tenant, subject, kind, request, hash)
     order by slot on conflict do nothing`,
    [
      service,
      id,
      reads.map((r) => carrier(id, r.slot)),
      reads.map((r) => r.tenant),
      reads.map((r) => r.subject),
      reads.map((r) => r.kind),
      reads.map((r) => JSON.stringify(r.request)),
      reads.map((r) => r.requestHash),
    ],
  );
}

/**
 * Once all of these queries are settled: takes them out of the ledger and keeps the answers in the plan. Resolves to
 * false while some are still under way.
 */
export async function freezeReads(pool: Pool, id: string, reads: PlannedRead[]): Promise<boolean> {
  const slots = reads.map((r) => carrier(id, r.slot));
  return atomically(pool, async (tx) => {
    const open = await tx.query(
      `select 1 from effect where slot = any ($1::text[]) and state in ('owed', 'running', 'unknown') limit 1`,
      [slots],
    );
    if (open.rows.length > 0) return false;
    await tx.query(
      `with carried as (delete from effect where slot = any ($3::text[]) returning *)
       insert into replay_answer (replay_id, stream_id, slot, request_hash, answer, read_at)
       select $1, stream, u.slot, c.request_hash, c.answer, c.settled_at
       from unnest($2::text[], $3::text[], $4::text[]) as u (stream, carrier, slot) join carried c on c.slot = u.carrier
       where c.state = 'done'
       on conflict do nothing`,
      [id, reads.map((r) => r.streamId), slots, reads.map((r) => r.slot)],
    );
    return true;
  });
}

/** Takes queries that nobody waits for any more out of the ledger. */
export async function dropReads(db: Queryable, id: string, reads: PlannedRead[]): Promise<void> {
  await rowsOf(db, `delete from effect where slot = any ($1::text[])`, [reads.map((r) => carrier(id, r.slot))]);
}

/**
 * Settles queries that were owed in the caller's transaction with answers that the plan fetched: receipts that no
 * attempt stands behind, from the time when they were read.
 */
export async function settleByPlan(
  tx: Queries,
  answered: { slot: string; generation: number; answer: unknown; readAt: string }[],
): Promise<void> {
  await run(
    tx,
    'refrain-settle-by-plan',
    `update effect e set state = 'done', answer = u.answer::json, code = 'read-by-plan', settled_at = u.read_at
     from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[]) as u (slot, generation, answer, read_at)
     where e.slot = u.slot and e.generation = u.generation and e.state = 'owed'`,
    [
      answered.map((a) => a.slot),
      answered.map((a) => a.generation),
      answered.map((a) => JSON.stringify(a.answer ?? null)),
      answered.map((a) => a.readAt),
    ],
  );
}
