import { MAIL_ENDED } from './ledger-statements';
import { GATHERING } from './jobs';
import { type Queries, run } from './query';

/**
 * Joins owed effects to the calls that they share with others of the same content (protocol 5). A call that is not
 * there yet is owed; one that has ended tells its end at once, in the caller's transaction. The call's row is locked
 * either way, in the order of keys: so whoever settles it later sees these owners, and no two batches lock each other
 * out.
 */
export async function joinSharedCalls(
  tx: Queries,
  effects: { slot: string; generation: number; gathers?: string }[],
): Promise<void> {
  await run(tx, 'refrain-join-shared', JOIN, [
    effects.map((e) => e.slot),
    effects.map((e) => e.generation),
    effects.map((e) => e.gathers ?? null),
  ]);
}

/**
 * Tells the owners of a shared call how it stands. The caller's transaction has changed the call's row and so holds its
 * lock: this statement's snapshot sees every owner who joined before.
 */
export async function tellOwners(tx: Queries, call: { slot: string; generation: number }): Promise<void> {
  await run(tx, 'refrain-tell-owners', TELL, [call.slot, call.generation]);
}

// Owners follow their call: waiting ones to any end, held ones to what a person finds, ended ones to a late proof.
const FOLLOWS = `(
  (o.state = 'owed' and c.state in ('done', 'dead', 'held')) or
  (o.state = 'held' and c.state in ('done', 'dead', 'owed')) or
  (o.state in ('dead', 'cancelled') and c.state = 'done'))`;

// What was asked is a subject's: of what is answered, the receipts keep its hash and the answer (decision 66). Whatever may be
// owed again as it is keeps its request.
const END_OWNERS = `
    update effect o set state = c.state, answer = c.answer, code = c.code, attempts = c.attempts, repeats = c.repeats,
      request = case when c.state = 'done' then 'null'::json else o.request end,
      settled_at = case when c.state in ('done', 'dead') then refrain_now() end`;

const JOIN = `
  with joining as (
    select o.*, m.gathers from effect o
    join unnest($1::text[], $2::int[], $3::text[]) as m (slot, generation, gathers) using (slot, generation)
    where o.shares is not null and o.state = 'owed'
  ), c as (
    insert into effect as call (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, lane,
      request, request_hash, meta, waits_for, spend, spend_like)
    select distinct on (shares, generation) service, shares, generation, tenant, '', '', kind, 'content', '', lane,
      request, request_hash, meta, gathers, spend, spend_like
    from joining order by shares, generation, gathers is not null, seq
    on conflict (slot, generation) do update set
      -- A call that someone waits for now is no longer one of a backfill, nor does it wait for company any longer; what is
      -- under way with others already stays there, or it would be paid twice.
      lane = case when excluded.lane = 'live' and call.lane in ('replay', 'backfill') or call.lane = 'batch'
        then excluded.lane else call.lane end,
      waits_for = case when excluded.waits_for is null and starts_with(call.waits_for, '${GATHERING}') then null
        else call.waits_for end
    returning call.*
  ), ended as (${END_OWNERS}
    from c, joining j
    where j.slot = o.slot and j.generation = o.generation and j.shares = c.slot and j.generation = c.generation
      and ${FOLLOWS}
    returning o.*
  )${MAIL_ENDED}`;

const TELL = `
  with c as (
    select * from effect where slot = $1 and generation = $2
  ), ended as (${END_OWNERS}
    from c where o.shares = c.slot and o.generation = c.generation and ${FOLLOWS}
    returning o.*
  ), forgotten as (
    -- The call itself, whose key is an HMAC, and owners who wanted no answer any more: the others are told above.
    update effect e set request = 'null'::json
    where (e.slot = $1 or (e.shares = $1 and e.state = 'superseded')) and e.generation = $2
      and exists (select from c where c.state = 'done')
  )${MAIL_ENDED}`;
