import type { Answer } from '#libs/contracts';
import {
  Conflict,
  Ledger,
  Loop,
  StoreUnavailable,
  type ClaimedEffect,
  type KindPolicy,
  type OnError,
  type SealedCall,
  type Settlement,
  type Pool,
} from '#libs/event-store';
import { setTimeout as pause } from 'node:timers/promises';
import { backoff } from './backoff';
import type { CallContext, EffectKind, UnderWay } from './effect-kind';
import { freeCarried, gatherSpecs, jobInHand } from './jobs';
import { sealedCall, type Sealing } from './sealing';
import { settlementOf } from './settlement';
import { idempotencyKey } from './slot';
import type { Spending } from './spending';
import { inCallSpan } from './trace';

/** What a runner may be told besides. */
export interface RunnerOptions {
  /** How often, in milliseconds, it looks by itself for calls that are due. */
  pollMs?: number | undefined;
  spending?: Spending | undefined;
  /** Without it no records of calls are kept. */
  sealing?: Sealing | undefined;
}

const SWEEP_MS = 500;
const POLL_MS = 100;
/** How long effects that may share a call are gathered. */
const GATHER_MS = 250;
/** How often is looked whether what waits for a job is enough for one. */
const JOBS_MS = 500;

/**
 * Performs owed effects, each at most once per claim. Vendors are called here and nowhere else; what comes of a call is
 * settled in the ledger, from where `decide` hears of it.
 */
export class EffectRunner {
  private readonly ledger: Ledger;
  private readonly claiming: Loop;
  private readonly gathering: Loop;
  private readonly sweeping: Loop;
  private readonly jobs: Loop;
  private readonly spending: Spending;
  private readonly sealing: Sealing | undefined;
  private readonly running = new Set<Promise<void>>();

  constructor(
    pool: Pool,
    service: string,
    private readonly owner: string,
    private readonly kinds: Record<string, EffectKind>,
    private readonly concurrency: number,
    private readonly onSettled: () => void,
    private readonly onError: OnError,
    { pollMs = POLL_MS, spending = {}, sealing }: RunnerOptions = {},
  ) {
    this.spending = spending;
    this.sealing = sealing;
    this.ledger = new Ledger(pool, service, () => policiesOf(kinds), spending.budgets);
    this.claiming = new Loop(`effects of ${service}`, pollMs, () => this.claim(), onError);
    this.gathering = new Loop(`batches of ${service}`, GATHER_MS, () => this.gather(), onError);
    this.jobs = new Loop(`jobs of ${service}`, JOBS_MS, () => this.gatherJobs(), onError);
    this.sweeping = new Loop(`overdue effects of ${service}`, SWEEP_MS, () => this.sweep(), onError);
  }

  start(): void {
    this.claiming.start();
    this.gathering.start();
    this.jobs.start();
    this.sweeping.start();
  }

  /** Says that effects were owed. */
  wake(): void {
    this.claiming.wake();
  }

  /** Claims nothing more and waits for the calls in hand. */
  async stop(): Promise<void> {
    await Promise.all([this.claiming, this.gathering, this.jobs, this.sweeping].map((loop) => loop.stop()));
    await Promise.all(this.running);
  }

  private async claim(): Promise<boolean> {
    const { free, calls } = await this.begin(({ mostInBatch = 1 }) => mostInBatch === 1);
    return free > 0 && calls.length === free;
  }

  // Nobody wakes this loop when something is owed: what comes meanwhile goes along.
  private async gather(): Promise<boolean> {
    const { calls } = await this.begin(({ mostInBatch = 1 }) => mostInBatch > 1);
    return calls.some((effects) => effects.length === this.kindOf(effects).batch?.most);
  }

  private async gatherJobs(): Promise<boolean> {
    const made = await this.ledger.gather(gatherSpecs(this.kinds));
    if (made > 0) this.claiming.wake();
    return made > 0;
  }

  /** Begins the calls that are due and find room, of the kinds that pass. */
  private async begin(passes: (policy: KindPolicy) => boolean): Promise<{ free: number; calls: ClaimedEffect[][] }> {
    const free = this.concurrency - this.running.size;
    const policies = this.ledger.policies.filter(passes);
    if (free <= 0 || policies.length === 0) return { free, calls: [] };
    // The deadline counts from before the claim, so the lease always outlives the call (protocol 17).
    const claimedAt = performance.now();
    const effects = await this.ledger.claim(this.owner, free, policies);
    const calls = [...Map.groupBy(effects, (effect) => this.callOf(effect)).values()];
    for (const call of calls) this.run(call, claimedAt);
    return { free, calls };
  }

  /** What effects must have in common to be one call. */
  private callOf({ kind, tenant, lane, subject, slot, generation }: ClaimedEffect): string {
    const common = this.kinds[kind]?.batch ? [kind, tenant, lane, subject.split(':', 1)[0]] : [slot, generation];
    return JSON.stringify(common);
  }

  private run(effects: ClaimedEffect[], claimedAt: number): void {
    const kind = this.kindOf(effects);
    const asks = this.asksOf(effects, kind);
    const performed = effects.map((effect, i) =>
      this.perform(effect, kind, asks[i] ?? unanswered, claimedAt).catch((error: unknown) => {
        this.onError(error, `effect ${effect.kind}`);
      }),
    );
    const call = Promise.all(performed).then(() => {
      this.running.delete(call);
      this.claiming.wake();
    });
    this.running.add(call);
  }

  private kindOf([effect]: readonly ClaimedEffect[]): EffectKind {
    const kind = this.kinds[effect?.kind ?? ''];
    if (!kind) throw new Error(`claimed a kind that is not performed here: ${effect?.kind ?? 'none'}`);
    return kind;
  }

  private async sweep(): Promise<boolean> {
    for (const budget of await this.ledger.sweep()) this.spending.onExhausted?.(budget);
    await this.ledger.expire();
    if ((await this.ledger.reconcile()) > 0) {
      this.claiming.wake();
      this.onSettled();
    }
    return false;
  }

  private async perform(effect: ClaimedEffect, kind: EffectKind, ask: Ask, claimedAt: number): Promise<void> {
    const began = performance.now();
    const answer = await this.call(effect, kind, ask, claimedAt).catch(thrown);
    const kept = await sealedCall(this.sealing, effect, answer, Math.round(performance.now() - began));
    const ok = health(answer);
    if (ok !== undefined) this.ledger.note(effect, ok);
    const end = settlementOf(answer, effect, kind);
    if (kind.job && (end.state === 'done' || end.state === 'dead')) {
      await freeCarried(this.ledger, this.kinds, effect, end.state === 'dead' ? end.code : 'not-answered');
    }
    await this.settle(effect, answer, end, { until: claimedAt + 2 * kind.deadlineMs, ...(kept ? { kept } : {}) });
    this.onSettled();
  }

  // A receipt is worth more than one try: until the lease is over nobody else can know how the call ended.
  private async settle(
    effect: ClaimedEffect,
    answer: Performed,
    end: Settlement,
    { until, kept }: { until: number; kept?: SealedCall },
  ): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        const taken = await this.ledger.settle(effect, end, kept);
        if (!taken && mayHaveHappened(answer)) await this.ledger.tellLate(effect, answer.outcome);
        return;
      } catch (error) {
        const passing = error instanceof StoreUnavailable || error instanceof Conflict;
        if (!passing || performance.now() > until) throw error;
        await pause(Math.min(1_000, backoff(tries)));
      }
    }
  }

  private async call(effect: ClaimedEffect, kind: EffectKind, ask: Ask, claimedAt: number): Promise<Performed> {
    const left = Math.floor(claimedAt + kind.deadlineMs - performance.now());
    if (left <= 0) return { outcome: 'retry', code: 'claimed-too-late', message: 'not sent', refused: true };
    const call: CallContext = {
      tenant: effect.tenant,
      generation: effect.generation,
      attempt: effect.attempt,
      repeats: effect.repeats,
      signal: AbortSignal.timeout(left),
      idempotencyKey: idempotencyKey(effect.slot, effect.generation),
    };
    const attributes = {
      'refrain.effect.kind': effect.kind,
      'refrain.stream': effect.streamId,
      'refrain.effect.attempt': effect.attempt,
      'refrain.effect.generation': effect.generation,
    };
    return inCallSpan(
      `effect ${effect.kind}`,
      effect.meta.traceparent,
      attributes,
      () => ask(call),
      (result) => ('code' in result ? result.code : undefined),
    );
  }

  private asksOf(effects: readonly ClaimedEffect[], kind: EffectKind): Ask[] {
    if (kind.job)
      return effects.map((effect) => async (call) => {
        const job = await jobInHand(this.ledger, this.kinds, effect, this.sealing);
        return kind.perform(effect.request as never, { ...call, job });
      });
    return asksOf(effects, kind);
  }
}

/** Asks the vendor for one effect, alone or with others in one call. */
type Ask = (call: CallContext) => Promise<Performed>;
type Performed = Answer | UnderWay;

function asksOf(effects: readonly ClaimedEffect[], kind: EffectKind): Ask[] {
  const { batch } = kind;
  if (!batch || effects.length === 1)
    return effects.map(
      ({ request }) =>
        (call: CallContext) =>
          kind.perform(request as never, call),
    );
  let answers: Promise<Answer[]> | undefined;
  return effects.map((_, i) => async (call: CallContext) => {
    answers ??= batch.perform(
      effects.map(({ request }) => request as never),
      call,
    );
    return (await answers)[i] ?? unanswered();
  });
}

const unanswered = (): Promise<Answer> =>
  Promise.resolve({ outcome: 'unknown', code: 'not-answered', message: 'the batch has no answer for it' });

// What an answer says of the vendor's health: undefined where it says nothing, as a limit or a call that was not sent.
function health(answer: Performed): boolean | undefined {
  if (answer.outcome === 'done' || answer.outcome === 'under-way' || answer.outcome === 'stop') return true;
  if (answer.outcome === 'retry' && answer.refused) return answer.code === 'unreachable' ? false : undefined;
  return false;
}

const mayHaveHappened = ({ outcome }: Performed): boolean => outcome === 'done' || outcome === 'unknown';

/** How the ledger treats each kind. */
export const policiesOf = (kinds: Record<string, EffectKind>): KindPolicy[] =>
  Object.entries(kinds).map(([kind, k]) => ({
    ...k,
    kind,
    maxRepeats: repeatsOf(k),
    ...(k.batch ? { mostInBatch: k.batch.most } : {}),
    ...(k.spend ? { costsMoney: true } : {}),
  }));

/** The largest number of the ledger's column. */
const ANY_NUMBER = 2 ** 31 - 1;

// A query that a crash cut may be read again at will, and a job is looked for first: neither is ever held for a person.
const repeatsOf = ({ is, job, maxRepeats }: EffectKind): number => (is === 'query' || job ? ANY_NUMBER : maxRepeats);

// Adapters answer, they do not throw; should one do so, the call may have gone out.
const thrown = (error: unknown): Answer => ({
  outcome: 'unknown',
  code: 'adapter-threw',
  message: error instanceof Error ? error.message : String(error),
});
