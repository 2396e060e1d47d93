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

/** A call of which a record is kept, with what is sealed of it and the place for which it was sealed. */
export interface WholeCall extends KeptCall {
  sealed: string;
  place: string;
  service: string;
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

/** Which calls are looked for: those that all of it is true of, the newest so many. */
export interface CallsWanted {
  tenant?: string;
  subject?: string;
  kind?: string;
  /** What the facts say, such as `{ ask: 'grade' }`. */
  facts?: Readonly<Record<string, string | number>>;
  /** Not before, RFC 3339. */
  since?: string;
  limit: number;
}

/** The calls of which a record is kept, newest first; what is sealed is not read. */
export const keptCalls = (db: Queryable, wanted: CallsWanted): Promise<KeptCall[]> =>
  rowsOf<KeptCall>(db, kept(), valuesOf(wanted));

/** The same with what is sealed of each, unopened. */
export async function wholeCalls(db: Queryable, wanted: CallsWanted): Promise<WholeCall[]> {
  return whole(await rowsOf<WholeRow>(db, kept(SEALED), valuesOf(wanted)));
}

/** One call with what is sealed of it, unopened; undefined where none is kept. */
export async function keptCall(db: Queryable, id: string): Promise<WholeCall | undefined> {
  if (!/^\d{1,18}$/.test(id)) return undefined;
  return whole(await rowsOf<WholeRow>(db, kept(SEALED), valuesOf({ limit: 1 }, id)))[0];
}

type WholeRow = Omit<WholeCall, 'place'> & { slot: string; generation: number };

const whole = (rows: readonly WholeRow[]): WholeCall[] =>
  rows.map(({ slot, generation, ...call }) => ({
    ...call,
    place: placeOfCall({ slot, generation, attempt: call.attempt }),
  }));

/** Says on the log that somebody looks at what calls said, before any of it is shown; of a service's calls of all or of none. */
export async function tellUnsealed(
  pool: Pool,
  calls: readonly (KeptCall & { service: string })[],
  { by, why }: { by: string; why: string },
): Promise<void> {
  for (const [service, all] of Map.groupBy(calls, ({ service }) => service)) {
    const events = all.map(({ tenant, subjects, id, kind }) => {
      const subject = subjects[0] ?? `call:${id}`;
      const streamId = callStream(tenant, subject, randomUUID());
      const event: CallEvent = { type: 'CallUnsealed', data: { call: id, kind, by, why } };
      const meta = { rootCause: eventId(streamId, 1), causedBy: eventId(streamId, 1) };
      return { streamId, version: 1, tenant, subject, type: wireType(callEvents, event), data: event.data, meta };
    });
    await transact(pool, service, [], (tx) => tx.write({ ...emptyOutcome(), events }));
  }
}

const KEEP = `
  insert into sealed_call (slot, generation, attempt, service, tenant, kind, facts, sealed, at, ends)
  values ($1, $2, $3, $4, $5, $6, $7::json, $8, refrain_now(), refrain_now() + make_interval(days => $9::int))`;

const FORGET = `
  delete from sealed_call s where s.slot = any ($1::text[])
    and not exists (select from effect o where o.shares = s.slot and o.generation = s.generation)`;

const SEALED = ', s.slot, s.generation, s.sealed, s.service';

const kept = (further = '') => `
  select s.id, s.at, s.ends, s.tenant, s.kind, s.attempt, s.facts, o.subjects${further}
  from sealed_call s, lateral (
    select coalesce(array_agg(distinct e.subject order by e.subject), '{}') as subjects from effect e
    where (e.slot = s.slot or e.shares = s.slot) and e.generation = s.generation and e.subject <> ''
  ) o
  where ($1::text is null or s.tenant = $1) and ($2::text is null or $2 = any (o.subjects))
    and ($3::text is null or s.kind = $3) and ($4::bigint is null or s.id = $4)
    and ($6::jsonb is null or s.facts::jsonb @> $6) and ($7::timestamptz is null or s.at >= $7)
  order by s.id desc limit $5`;

const valuesOf = ({ tenant, subject, kind, facts, since, limit }: CallsWanted, id?: string): unknown[] => [
  ...[tenant ?? null, subject ?? null, kind ?? null, id ?? null, limit],
  ...[facts === undefined ? null : JSON.stringify(facts), since ?? null],
];
