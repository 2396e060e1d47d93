import type { Pool } from 'pg';
import { sorted } from './errors';
import type { EventMeta } from './shapes';

/** How the ledger treats one kind of effect (protocol 14). Times are in milliseconds. */
export interface KindPolicy {
  kind: string;
  /** The call must have ended by then; the lease is twice as long (protocol 17). */
  deadlineMs: number;
  /** How often an unknown call may be repeated before it is held for a person. */
  maxRepeats: number;
}

/** An effect that this process may perform now, once. */
export interface ClaimedEffect {
  slot: string;
  generation: number;
  /** Number of this call, from 1; never restarts, so a late answer of an older call is known as such. */
  attempt: number;
  /** Calls that the vendor turned away unprocessed: they use up no attempt. */
  refusals: number;
  tenant: string;
  subject: string;
  streamId: string;
  kind: string;
  purpose: string;
  request: unknown;
  meta: EventMeta;
}

/** How a performed call ended, for the ledger. */
export type Settlement =
  | { state: 'done'; answer: unknown; cost?: unknown }
  | { state: 'dead'; code: string; message: string }
  | { state: 'owed'; code: string; afterMs: number; refused: boolean }
  | { state: 'unknown'; code: string; afterMs: number };

/** What `decide` is told of an effect's end; the body of its mail. */
export interface EffectOutcome {
  kind: string;
  purpose: string;
  slot: string;
  generation: number;
  rootCause: string;
  state: 'done' | 'dead' | 'held';
  answer: unknown;
  code: string | null;
  meta: EventMeta;
}

/** The effect ledger of one service: who may call now, what came of it, what is overdue. */
export class Ledger {
  constructor(
    private readonly pool: Pool,
    private readonly service: string,
    private readonly policies: KindPolicy[],
  ) {}

  /**
   * Claims up to `limit` due effects for `owner` under a lease. Two claimers never get the same one, and effects of one
   * order key are claimed one after the other, in the order they were owed (protocol 16).
   */
  async claim(owner: string, limit: number): Promise<ClaimedEffect[]> {
    const { rows } = await this.query<ClaimRow>('refrain-claim', CLAIM, [
      this.service,
      limit,
      owner,
      this.policies.map((p) => p.kind),
      this.policies.map((p) => p.deadlineMs),
    ]);
    return rows.map((row) => ({
      slot: row.slot,
      generation: row.generation,
      attempt: row.attempts,
      refusals: row.refusals,
      tenant: row.tenant,
      subject: row.subject,
      streamId: row.stream_id,
      kind: row.kind,
      purpose: row.purpose,
      request: row.request,
      meta: row.meta,
    }));
  }

  /**
   * Settles a claimed effect. The receipt and the outcome's mail commit together (protocol 13). `done` is taken even
   * when the lease has run out (late proof); any other end counts only while this attempt still runs. Resolves to
   * whether it was taken.
   */
  async settle(effect: ClaimedEffect, end: Settlement): Promise<boolean> {
    const due = end.state === 'owed' || end.state === 'unknown' ? end.afterMs : 0;
    const { rows } = await this.query<{ slot: string }>('refrain-settle', SETTLE, [
      effect.slot,
      effect.generation,
      effect.attempt,
      end.state,
      end.state === 'done' ? JSON.stringify(end.answer ?? null) : null,
      end.state === 'done' ? null : end.code,
      end.state === 'done' && end.cost !== undefined ? JSON.stringify(end.cost) : null,
      due,
      end.state === 'owed' && end.refused ? 1 : 0,
    ]);
    return rows.length > 0;
  }

  /**
   * Turns running effects whose lease ran out into unknown ones, never into owed ones; they are looked at again only
   * after another deadline has passed (protocol 17). Resolves to how many.
   */
  async expire(): Promise<number> {
    const { rowCount } = await this.query('refrain-expire', EXPIRE, [this.service]);
    return rowCount ?? 0;
  }

  /**
   * Takes up unknown effects that are due: owes them again as a recorded repeat where the kind allows one more, else
   * holds them for a person and tells `decide`. Resolves to how many.
   */
  async reconcile(): Promise<number> {
    const { rowCount } = await this.query('refrain-reconcile', RECONCILE, [
      this.service,
      this.policies.map((p) => p.kind),
      this.policies.map((p) => p.maxRepeats),
    ]);
    return rowCount ?? 0;
  }

  private async query<R extends object>(name: string, text: string, values: unknown[]) {
    try {
      return await this.pool.query<R>({ name, text, values });
    } catch (error) {
      throw sorted(error);
    }
  }
}

interface ClaimRow {
  slot: string;
  generation: number;
  attempts: number;
  refusals: number;
  tenant: string;
  subject: string;
  stream_id: string;
  kind: string;
  purpose: string;
  request: unknown;
  meta: EventMeta;
}

// An earlier open effect of the same order key is seen as owed or as running, whichever snapshot looks: so two claimers
// cannot both take one of the same key.
const CLAIM = `
  with due as (
    select slot, generation from effect e
    where service = $1 and state = 'owed' and due <= refrain_now() and kind = any ($4::text[])
      and (order_key is null or not exists (
        select 1 from effect o where o.order_key = e.order_key and o.seq < e.seq
          and o.state in ('owed', 'running', 'unknown')))
    order by due limit $2 for update skip locked
  )
  update effect e set state = 'running', attempts = attempts + 1, lease_owner = $3, deadline_ms = p.deadline,
    lease_until = refrain_now() + make_interval(secs => p.deadline * 2 / 1000.0)
  from due, unnest($4::text[], $5::int[]) as p (kind, deadline)
  where e.slot = due.slot and e.generation = due.generation and p.kind = e.kind and e.state = 'owed'
  returning e.slot, e.generation, e.attempts, e.refusals, e.tenant, e.subject, e.stream_id, e.kind, e.purpose,
    e.request, e.meta`;

const MAIL_OUTCOME = `
    insert into mailbox (service, input_key, kind, key, stream_id, body)
    select service, tenant || ':' || subject, 'outcome',
      slot || '#' || generation || '#' || attempts || '#' || state, stream_id,
      json_build_object('kind', kind, 'purpose', purpose, 'slot', slot, 'generation', generation,
        'rootCause', root_cause, 'state', state, 'answer', answer, 'code', code, 'meta', meta)
    from ended where state in ('done', 'dead', 'held')`;

const SETTLE = `
  with ended as (
    update effect set state = $4, answer = $5::json, code = $6, cost = coalesce($7::json, cost),
      refusals = refusals + $9::int, lease_owner = null, lease_until = null,
      due = refrain_now() + make_interval(secs => $8::float8 / 1000),
      settled_at = case when $4 in ('done', 'dead') then refrain_now() end
    where slot = $1 and generation = $2 and (
      (state = 'running' and attempts = $3) or
      ($4 = 'done' and state in ('running', 'unknown', 'owed', 'held', 'dead', 'cancelled')))
    returning *
  ), mailed as (${MAIL_OUTCOME}
  )
  select slot from ended`;

const EXPIRE = `
  update effect set state = 'unknown', code = 'lease-expired', lease_owner = null,
    due = lease_until + make_interval(secs => deadline_ms / 1000.0)
  where service = $1 and state = 'running' and lease_until < refrain_now()`;

const RECONCILE = `
  with ended as (
    update effect e set
      state = case when e.repeats < p.max_repeats then 'owed' else 'held' end,
      repeats = e.repeats + case when e.repeats < p.max_repeats then 1 else 0 end
    from unnest($2::text[], $3::int[]) as p (kind, max_repeats)
    where e.service = $1 and e.state = 'unknown' and e.due <= refrain_now() and p.kind = e.kind
    returning e.*
  ), mailed as (${MAIL_OUTCOME}
  )
  select slot from ended`;
