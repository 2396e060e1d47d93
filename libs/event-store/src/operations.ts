import type { Pool } from 'pg';
import { Conflict } from './errors';
import { MAIL_ENDED } from './ledger-statements';
import { atomically, type Queries, run } from './query';
import { joinSharedCalls, tellOwners } from './shared-calls';

/** An effect as an operator names it. */
export interface EffectName {
  slot: string;
  generation: number;
}

/** What a person found out about a held effect. */
export type Finding = { state: 'done'; answer: unknown } | { state: 'dead'; code: string } | { state: 'owed' };

/**
 * Ends the wait of a held effect with what a person found out; `decide` is told of an end, and all owners of a shared
 * call are. Throws {@link Conflict} where it is not held any more.
 */
export async function resolveHeld(pool: Pool, effect: EffectName, finding: Finding): Promise<void> {
  await atomically(pool, async (tx) => {
    const { rowCount } = await run(tx, 'refrain-resolve', RESOLVE, [
      effect.slot,
      effect.generation,
      finding.state,
      finding.state === 'done' ? JSON.stringify(finding.answer ?? null) : null,
      finding.state === 'dead' ? finding.code : null,
    ]);
    if (rowCount === 0) throw new Conflict(`${effect.slot} is not held`);
    await tellOwners(tx, effect);
  });
}

/**
 * Owes an effect that has ended once more, as a new generation with the same request (protocol 4); resolves to its name.
 * Throws {@link Conflict} where its newest generation is still open, or its request is forgotten since it was answered: a
 * replay with `--redo` makes the request anew.
 */
export async function redo(pool: Pool, slot: string): Promise<EffectName> {
  return atomically(pool, async (tx) => {
    const { rows } = await run<EffectName & { shares: string | null }>(tx, 'refrain-redo', REDO, [slot]);
    const [made] = rows;
    if (!made) throw new Conflict(`${slot} has no generation that ended and keeps its request`);
    if (made.shares !== null) await joinSharedCalls(tx, [made]);
    return { slot: made.slot, generation: made.generation };
  });
}

/** Withdraws an owed effect; `decide` is told. Throws {@link Conflict} where it is not owed any more. */
export async function cancel(pool: Pool, effect: EffectName): Promise<void> {
  const { rowCount } = await run(pool, 'refrain-cancel', CANCEL, [effect.slot, effect.generation]);
  if (rowCount === 0) throw new Conflict(`${effect.slot} is not owed`);
}

/** Replaces owed effects of a stream by nothing, in the caller's transaction; what runs already runs on. */
export async function supersede(
  tx: Queries,
  effects: { streamId: string; kind: string; purpose: string }[],
): Promise<void> {
  await run(tx, 'refrain-supersede', SUPERSEDE, [
    effects.map((e) => e.streamId),
    effects.map((e) => e.kind),
    effects.map((e) => e.purpose),
  ]);
}

/** Gives back the share that ended jobs had of their limits, in the caller's transaction. */
export async function release(tx: Queries, slots: string[]): Promise<void> {
  await run(tx, 'refrain-release', RELEASE, [slots]);
}

/** Takes the answers out of receipts, in the caller's transaction: that they were given stays. */
export async function forget(tx: Queries, slots: string[]): Promise<void> {
  await run(tx, 'refrain-forget', FORGET, [slots]);
}

const mailed = (ending: string): string => `
  with ended as (${ending}
    returning *
  ), mailed as (${MAIL_ENDED}
  )
  select slot, case when spend > 0 and state = 'dead'
    then settle_spend(array[slot], array[generation], array[null::bigint])::text end from ended`;

const RESOLVE = mailed(`
    update effect set state = $3, answer = $4::json, code = coalesce($5, code), due = refrain_now(),
      settled_at = case when $3 in ('done', 'dead') then refrain_now() end
    where slot = $1 and generation = $2 and state = 'held'`);

const CANCEL = mailed(`
    update effect set state = 'cancelled', code = 'cancelled', settled_at = refrain_now()
    where slot = $1 and generation = $2 and state = 'owed'`);

const SUPERSEDE = mailed(`
    update effect e set state = 'superseded', code = 'superseded', settled_at = refrain_now()
    from unnest($1::text[], $2::text[], $3::text[]) as s (stream, of_kind, of_purpose)
    where e.stream_id = s.stream and e.kind = s.of_kind and e.purpose = s.of_purpose and e.state = 'owed'`);

const REDO = `
  insert into effect (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, order_key, lane,
    request, request_hash, meta, shares, spend, spend_like)
  select service, slot, generation + 1, tenant, subject, stream_id, kind, purpose, root_cause, order_key, 'live',
    request, request_hash, meta, shares, spend, spend_like
  from (select * from effect where slot = $1 order by generation desc limit 1 for update) newest
  where state in ('done', 'dead', 'cancelled', 'superseded') and request::text <> 'null'
  on conflict do nothing
  returning slot, generation, shares`;

const FORGET = `update effect set answer = null where slot = any ($1::text[]) and state = 'done'`;

const RELEASE = `delete from permit where slot = any ($1::text[]) and cools_ms is null`;
