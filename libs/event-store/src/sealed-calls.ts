import { randomUUID } from 'node:crypto';
import { callEvents, type CallEvent, callStream, wireType } from '#libs/contracts';
import type { Pool } from 'pg';
import { emptyOutcome } from './batch-statements';
import { type Queries, type Queryable, rowsOf, run } from './query';
import { eventId } from './shapes';
import { transact } from './transaction';

/** What is kept of a call: what anyone may read who may look at the store, and what only the keys open. */
export interface SealedCall {
  facts: object;
  sealed: string;
  /** Days until it is dropped. */
  days: number;
}

/** A call of which a record is kept, without what is sealed. */
export interface KeptCall {
  id: string;
  at: Date;
  /** When it is dropped. */
  ends: Date;
  tenant: string;
  kind: string;
  /** Calls for the same before it, and this one. */
  attempt: number;
  facts: Record<string, unknown>;
  /** Records that it was made for, such as `contact:1`: several where they share its answer. */
  subjects: string[];
}

/** For which place a call's record is sealed; it opens nowhere else. */
export const placeOfCall = ({ slot, generation, attempt }: { slot: string; generation: number; attempt: number }) =>
  `call/${slot}#${String(generation)}#${String(attempt)}`;

/** Keeps a call's record, in the transaction that settles the call. */
export async function keepCall(
  tx: Queries,
  of: { service: string; slot: string; generation: number; attempt: number; tenant: string; kind: string },
  call: SealedCall,
): Promise<void> {
  const { service, slot, generation, attempt, tenant, kind } = of;
  const { facts, sealed, days } = call;
  const values = [slot, generation, attempt, service, tenant, kind, JSON.stringify(facts), sealed, days];
  await run(tx, 'refrain-keep-call', KEEP, values);
}

/** Drops the records of calls that were nobody else's; of those that are given, before they lose their names. */
export async function forgetCalls(tx: Queries, slots: readonly string[]): Promise<void> {
  await run(tx, 'refrain-forget-calls', FORGET, [slots]);
}

/** The calls of which a record is kept: of one subject, or of all, newest first. */
export async function keptCalls(
  db: Queryable,
  { tenant, subject, kind, limit }: { tenant?: string; subject?: string; kind?: string; limit: number },
): Promise<KeptCall[]> {
  return rowsOf<KeptCall>(db, KEPT, [tenant ?? null, subject ?? null, kind ?? null, null, limit]);
}

/** One call with what is sealed of it and the place for which it was; undefined where none is kept. */
export async function keptCall(
  db: Queryable,
  id: string,
): Promise<(KeptCall & { sealed: string; place: string; service: string }) | undefined> {
  if (!/^\d{1,18}$/.test(id)) return undefined;
  const [call] = await rowsOf<KeptCall>(db, KEPT, [null, null, null, id, 1]);
  const [row] = await rowsOf<{ slot: string; generation: number; attempt: number; sealed: string; service: string }>(
    db,
    'select slot, generation, attempt, sealed, service from sealed_call where id = $1::bigint',
    [id],
  );
  return call && row && { ...call, sealed: row.sealed, place: placeOfCall(row), service: row.service };
}

/** Says on the log that somebody looks at what a call said, before it is shown. */
export async function tellUnsealed(
  pool: Pool,
  { service, tenant, subjects, id, kind }: KeptCall & { service: string },
  { by, why }: { by: string; why: string },
): Promise<void> {
  const subject = subjects[0] ?? `call:${id}`;
  const streamId = callStream(tenant, subject, randomUUID());
  const event: CallEvent = { type: 'CallUnsealed', data: { call: id, kind, by, why } };
  const meta = { rootCause: eventId(streamId, 1), causedBy: eventId(streamId, 1) };
  await transact(pool, service, [], (tx) =>
    tx.write({
      ...emptyOutcome(),
      events: [{ streamId, version: 1, tenant, subject, type: wireType(callEvents, event), data: event.data, meta }],
    }),
  );
}

const KEEP = `
  insert into sealed_call (slot, generation, attempt, service, tenant, kind, facts, sealed, at, ends)
  values ($1, $2, $3, $4, $5, $6, $7::json, $8, refrain_now(), refrain_now() + make_interval(days => $9::int))`;

const FORGET = `
  delete from sealed_call s where s.slot = any ($1::text[])
    and not exists (select from effect o where o.shares = s.slot and o.generation = s.generation)`;

const KEPT = `
  select s.id, s.at, s.ends, s.tenant, s.kind, s.attempt, s.facts, o.subjects
  from sealed_call s, lateral (
    select coalesce(array_agg(distinct e.subject order by e.subject), '{}') as subjects from effect e
    where (e.slot = s.slot or e.shares = s.slot) and e.generation = s.generation and e.subject <> ''
  ) o
  where ($1::text is null or s.tenant = $1) and ($2::text is null or $2 = any (o.subjects))
    and ($3::text is null or s.kind = $3) and ($4::bigint is null or s.id = $4)
  order by s.id desc limit $5`;
