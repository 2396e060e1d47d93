import type { Cost } from '#libs/contracts';
import type { Pool } from 'pg';
import { type CallCount, countCalls } from './breaker';
import { type ExhaustedBudget, tellExhausted } from './budgets';
import { claimParameters, costly, type KindPolicy, type VendorLimit, vendorOf } from './kind-policy';
import { carriedBy, countCarried, gatherAgain, gatherJobs, type GatherSpec, takeFrom } from './jobs';
import { EXPIRE, RECONCILE, SETTLE, SWEEP_PERMITS, TELL_LATE } from './ledger-statements';
import { atomically, type Queries, run } from './query';
import { keepCall, type SealedCall } from './sealed-calls';
import { tellOwners } from './shared-calls';
import type { ClaimedEffect, EventMeta } from './shapes';
import { type Budgets, keepReserved, microsOf, wakeWaiting } from './spend';

/** How a performed call ended, for the ledger. */
export type Settlement =
  | { state: 'done'; answer: unknown; cost?: Cost }
  | { state: 'dead'; code: string; message: string; cost?: Cost | undefined }
  | { state: 'owed'; code: string; afterMs: number; refused: boolean; soFar?: unknown }
  | { state: 'unknown'; code: string; afterMs: number };

/** What else is said of the end of an effect that a job carries. */
export interface CarriedEnd {
  company?: string | undefined;
  kept?: SealedCall | undefined;
  /** Nobody knows whether the vendor has it on its bill. */
  mayBePaid?: boolean;
}

/**
 * What `decide` is told of an effect's end; the body of its mail. `late` is no end: a call that had been given up was
 * answered after all, after another one of its order key may have been made (protocol 17).
 */
export interface EffectOutcome {
  kind: string;
  purpose: string;
  slot: string;
  generation: number;
  rootCause: string;
  state: 'done' | 'dead' | 'held' | 'cancelled' | 'superseded' | 'erased' | 'late';
  /** What the vendor answered; of a dead call, in words why: `{ message }`. */
  answer: unknown;
  code: string | null;
  meta: EventMeta;
  /** RFC 3339: since when it was owed; its place in the queue. */
  owedAt?: string;
  /** Calls that were repeated although it was unknown whether the one before had been obeyed. */
  repeats?: number;
  /** A budget holds money for what it set off: `decide` says what it cost, once that is known. */
  reserved?: boolean;
}

/** The effect ledger of one service: who may call now, what came of it, what is overdue. */
export class Ledger {
  private calls: CallCount[] = [];

  constructor(
    private readonly pool: Pool,
    private readonly service: string,
    private readonly kinds: KindPolicy[] | (() => KindPolicy[]),
    /** What may be spent, as it is declared now. */
    private readonly budgets?: () => Budgets,
  ) {}

  /** How each kind is treated now: given as a function, kinds may come while it runs. */
  get policies(): KindPolicy[] {
    return typeof this.kinds === 'function' ? this.kinds() : this.kinds;
  }

  /**
   * Claims up to `limit` due effects for `owner` under a lease, as far as the vendors' limits, lanes and breakers let
   * them (protocol 18); what finds no room stays owed as it is. Two claimers never get the same one, and effects of one
   * order key are claimed one after the other, in the order they were owed (protocol 16). Of a kind whose calls carry
   * several effects, what comes of one tenant, lane and type of subject is one call, and counts as one of `limit`. What
   * costs money is claimed only where its budgets have room, and has reserved then, in the same statement.
   */
  async claim(owner: string, limit: number, policies = this.policies): Promise<ClaimedEffect[]> {
    const { rows } = await run<ClaimRow>(this.pool, 'refrain-claim', CLAIM, [
      this.service,
      limit,
      owner,
      ...claimParameters(policies, this.budgets),
    ]);
    return rows.map((row) => ({
      slot: row.slot,
      generation: row.generation,
      attempt: row.attempts,
      repeats: row.repeats,
      refusals: row.refusals,
      tenant: row.tenant,
      lane: row.lane,
      subject: row.subject,
      streamId: row.stream_id,
      kind: row.kind,
      purpose: row.purpose,
      request: row.request,
      meta: row.meta,
      soFar: row.answer,
    }));
  }

  /**
   * Settles a claimed effect. The receipt and the outcome's mail commit together (protocol 13), to all owners of a
   * shared call. `done` is taken even when the lease has run out (late proof); any other end counts only while this
   * attempt still runs. Resolves to whether it was taken. What is kept of the call commits with it; of one that is not
   * taken, such as of a subject that was erased meanwhile, nothing is kept.
   */
  async settle(effect: ClaimedEffect, end: Settlement, kept?: SealedCall): Promise<boolean> {
    if (effect.streamId !== '' && !kept) return this.receive(this.pool, effect, end);
    return atomically(this.pool, async (tx) => {
      const taken = await this.receive(tx, effect, end);
      if (taken && effect.streamId === '') await tellOwners(tx, effect);
      if (taken && kept) await keepCall(tx, { ...effect, service: this.service }, kept);
      return taken;
    });
  }

  /**
   * Gathers what waits for company into jobs, as the specs of their kinds say, as far as budgets have room for it; resolves to
   * how many jobs were made.
   */
  gather(specs: readonly GatherSpec[]): Promise<number> {
    return gatherJobs(this.pool, this.service, specs, this.budgets);
  }

  /** How many effects a job carries still. */
  countCarried(job: Pick<ClaimedEffect, 'slot'>): Promise<number> {
    return countCarried(this.pool, this.service, job.slot);
  }

  /** The effects that a job carries still: those that were settled, withdrawn or erased meanwhile are left out. */
  carriedBy(job: Pick<ClaimedEffect, 'slot'>): Promise<ClaimedEffect[]> {
    return carriedBy(this.pool, this.service, job.slot);
  }

  /**
   * Settles an effect that a job carries, like one that was claimed, and all its owners; it is taken out of the job in the
   * same transaction. What is owed again waits for the `company` named, or goes by itself where none is; either way it
   * reserves anew. What it has reserved is given back, unless it `mayBePaid`: that stays, for whatever comes of it. Resolves to
   * whether it was taken: a second time it is not.
   */
  async settleCarried(
    job: Pick<ClaimedEffect, 'slot'>,
    effect: ClaimedEffect,
    end: Settlement,
    { company, kept, mayBePaid = false }: CarriedEnd,
  ): Promise<boolean> {
    return atomically(this.pool, async (tx) => {
      if (!(await takeFrom(tx, job.slot, effect))) return false;
      if (mayBePaid) await keepReserved(tx, effect);
      await this.receive(tx, effect, end);
      if (end.state === 'owed' && company !== undefined) await gatherAgain(tx, effect, company);
      if (effect.streamId === '') await tellOwners(tx, effect);
      if (kept) await keepCall(tx, { ...effect, service: this.service }, kept);
      return true;
    });
  }

  /** Notes for the breaker how a call went; {@link sweep} makes it known to all replicas. */
  note(effect: ClaimedEffect, ok: boolean): void {
    const vendor = this.vendorOf(effect.kind);
    this.calls.push({ tenant: effect.tenant, vendor, ok: ok ? 1 : 0, failed: ok ? 0 : 1 });
  }

  /**
   * Says that a performed call came to its end too late to be taken. Where order matters, `decide` hears of it: the
   * vendor may have obeyed an older call after a newer one.
   */
  async tellLate(effect: ClaimedEffect, code: string): Promise<void> {
    await run(this.pool, 'refrain-late', TELL_LATE, [effect.slot, effect.generation, effect.attempt, code]);
  }

  /**
   * Turns running effects whose lease ran out into unknown ones, never into owed ones; they are looked at again only
   * after another deadline has passed (protocol 17). Resolves to how many.
   */
  async expire(): Promise<number> {
    const { rowCount } = await run(this.pool, 'refrain-expire', EXPIRE, [this.service]);
    return rowCount ?? 0;
  }

  /**
   * Takes up unknown effects that are due: owes them again as a recorded repeat where the kind allows one more, else
   * holds them for a person and tells `decide`. Resolves to how many.
   */
  async reconcile(): Promise<number> {
    const { policies } = this;
    return atomically(this.pool, async (tx) => {
      const { rows } = await run<{ slot: string; generation: number; state: string }>(
        tx,
        'refrain-reconcile',
        RECONCILE,
        [this.service, policies.map((p) => p.kind), policies.map((p) => p.maxRepeats)],
      );
      for (const row of rows) if (row.state === 'held') await tellOwners(tx, row);
      return rows.length;
    });
  }

  /**
   * Lets the breakers judge the calls since the last time, and forgets shares of limits that have run out. Where calls cost
   * money, lets those go on whose budgets have room again; gives the budgets that it told to be exhausted, each once.
   */
  async sweep(): Promise<ExhaustedBudget[]> {
    const calls = this.calls;
    this.calls = [];
    await countCalls(this.pool, calls);
    await run(this.pool, 'refrain-sweep-permits', SWEEP_PERMITS, []);
    if (costly(this.policies).length === 0) return [];
    await wakeWaiting(this.pool, this.service, this.budgets);
    return tellExhausted(this.pool, this.service);
  }

  private async receive(on: Queries, effect: ClaimedEffect, end: Settlement): Promise<boolean> {
    const code = end.state === 'done' ? null : end.code;
    const cost = end.state === 'done' || end.state === 'dead' ? end.cost : undefined;
    const { rows } = await run<{ slot: string }>(on, 'refrain-settle', SETTLE, [
      effect.slot,
      effect.generation,
      effect.attempt,
      end.state,
      answerOf(end),
      code,
      cost === undefined ? null : JSON.stringify(cost),
      end.state === 'owed' || end.state === 'unknown' ? end.afterMs : 0,
      end.state === 'owed' && end.refused ? 1 : 0,
      effect.tenant,
      this.vendorOf(effect.kind),
      this.limitsWhere(
        effect.kind,
        (limit) => code !== null && (saysOf(limit.pausedBy, code) || saysOf(limit.stoppedBy, code)),
      ),
      this.limitsWhere(effect.kind, (limit) => code !== null && 'spentBy' in limit && limit.spentBy === code),
      this.limitsWhere(
        effect.kind,
        (limit) => limit.stoppedBy !== undefined && (code === null || saysOf(limit.stoppedBy, code)),
      ),
      cost?.usd === undefined ? null : microsOf(cost.usd),
    ]);
    return rows.length > 0;
  }

  private policyOf(kind: string): KindPolicy | undefined {
    return this.policies.find((p) => p.kind === kind);
  }

  private vendorOf(kind: string): string {
    return vendorOf(this.policyOf(kind) ?? { kind, deadlineMs: 0, maxRepeats: 0 });
  }

  private limitsWhere(kind: string, is: (limit: VendorLimit) => boolean): string[] {
    return (this.policyOf(kind)?.limits ?? []).filter(is).map(({ name }) => name);
  }
}

const saysOf = (codes: readonly string[] | undefined, code: string): boolean => codes?.includes(code) ?? false;

// What the vendor said is kept of both ends: of a refusal in words.
function answerOf(end: Settlement): string | null {
  if (end.state === 'done') return JSON.stringify(end.answer ?? null);
  if (end.state === 'owed') return end.soFar === undefined ? null : JSON.stringify(end.soFar);
  return end.state === 'dead' ? JSON.stringify({ message: end.message }) : null;
}

/** The kinds, by the beginning of their names, of which a service has calls that are not ended. */
export async function openKinds(pool: Pool, service: string, prefix: string): Promise<string[]> {
  const { rows } = await run<{ kind: string }>(pool, 'refrain-open-kinds', OPEN_KINDS, [service, prefix]);
  return rows.map(({ kind }) => kind);
}

// Each state by itself: each has an index of its own.
const OPEN_KINDS = ['owed', 'running', 'unknown']
  .map(
    (state) => `select kind from effect where service = $1 and starts_with(kind, $2) and state = '${state}'
      and shares is null`,
  )
  .join(' union ');

interface ClaimRow {
  slot: string;
  generation: number;
  attempts: number;
  repeats: number;
  refusals: number;
  tenant: string;
  lane: string;
  subject: string;
  stream_id: string;
  kind: string;
  purpose: string;
  request: unknown;
  meta: EventMeta;
  answer: unknown;
}

const CLAIM = `
  select slot, generation, attempts, repeats, refusals, tenant, lane, subject, stream_id, kind, purpose, request, meta,
    answer
  from claim_effects($1, $2, $3, $4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::int[], $10::int[],
    $11::int[], $12::text[], $13::int[], $14::text[], $15::int[], $16::int[], $17::text[], $18::json)`;
