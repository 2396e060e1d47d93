import type { Answer } from '#libs/contracts';
import { type ClaimedEffect, gathering, type GatherSpec, type Ledger } from '#libs/event-store';
import type { CallContext, EffectKind } from './effect-runner';
import { settlementOf } from './settlement';
import { idempotencyKey } from './slot';

/**
 * A job: one order to a vendor that takes hours and answers many effects of another kind, those of lane `batch`. It is an
 * effect of its own. Whom it carries is noted before it is sent, so a crash or a lost answer leaves no doubt of whose it was;
 * the effects stay owed meanwhile, and no claim is held for them.
 */
export interface Job {
  /** The kind of the effects that it carries; calls of that kind must not cost reserved money (`spend`). */
  carries: string;
  /** What effects must have in common to share a job. */
  alike(request: never): string;
  /** Effects in one job at most, and what their requests may come to, in bytes. */
  most: number;
  mostBytes: number;
  /** How long, in milliseconds, the first effect waits for company. */
  gatherMs: number;
  /** How long nothing is done where nobody knows whether the vendor took it: until it would be found there, if it did. */
  doubtMs: number;
}

/** An effect that a job carries. */
export interface Carried {
  /** The same in every call for this effect: 64 hex digits. */
  name: string;
  request: unknown;
}

/** What the call of a job is told besides. */
export interface JobInHand {
  /** What the last call left (`under-way`); undefined until the vendor is known to have taken it. */
  soFar: unknown;
  /** How many have no answer yet; none where all were answered, withdrawn or erased. */
  left: number;
  /** Those, with what they ask: read when it is asked for, since most looks at a job find it under way. */
  carried(): Promise<readonly Carried[]>;
  /** Settles one of them like a call of its own. Once it resolves, the answer is kept for good. */
  answer(carried: Carried, answer: Answer): Promise<void>;
  /** Takes one of them out of the job: it is called by itself. */
  letGo(carried: Carried, code: string): Promise<void>;
}

/** The vendor has it, and is to be asked again after a while; `soFar` comes back then. */
export interface UnderWay {
  outcome: 'under-way';
  soFar: unknown;
  afterMs: number;
}

type Kinds = Readonly<Record<string, EffectKind>>;

/** What the ledger must know to gather the effects of all jobs. */
export const gatherSpecs = (kinds: Kinds): GatherSpec[] =>
  Object.entries(kinds).flatMap(([kind, { job }]) =>
    job ? [{ kind, most: job.most, mostBytes: job.mostBytes, afterMs: job.gatherMs }] : [],
  );

/** The company in which an effect waits for a job; undefined where no job carries such effects. */
export function companyOf(kinds: Kinds, tenant: string, kind: string, request: unknown): string | undefined {
  const found = Object.entries(kinds).find(([, one]) => one.job?.carries === kind);
  return found?.[1].job && gathering(found[0], tenant, found[1].job.alike(request as never));
}

/** The call of a job, with what it carries. */
export async function performJob(ledger: Ledger, kinds: Kinds, effect: ClaimedEffect, call: CallContext) {
  const { kind, carries } = kindsOf(kinds, effect);
  const left = await ledger.countCarried(effect);
  const byName = new Map<string, ClaimedEffect>();
  const settled = async ({ name }: Carried, answer: Answer, company?: (row: ClaimedEffect) => string | undefined) => {
    const row = byName.get(name);
    if (row) await ledger.settleCarried(effect, row, settlementOf(answer, row, carries), company?.(row));
  };
  const job: JobInHand = {
    soFar: effect.soFar ?? undefined,
    left,
    async carried() {
      const rows = await ledger.carriedBy(effect);
      for (const row of rows) byName.set(idempotencyKey(row.slot, row.generation), row);
      return [...byName].map(([name, { request }]) => ({ name, request }));
    },
    answer: (carried, answer) => settled(carried, answer, (row) => companyOf(kinds, row.tenant, row.kind, row.request)),
    letGo: (carried, code) =>
      settled(carried, { outcome: 'retry', code, message: 'called by itself', refused: true, afterMs: 0 }),
  };
  return kind.perform(effect.request as never, { ...call, job });
}

/** A job is over: what it still carries has no answer, and waits for the next one. That uses up an attempt. */
export async function freeCarried(ledger: Ledger, kinds: Kinds, effect: ClaimedEffect, code: string): Promise<void> {
  const { carries } = kindsOf(kinds, effect);
  for (const row of await ledger.carriedBy(effect)) {
    const answer: Answer = { outcome: 'retry', code, message: 'its job has no answer for it', refused: false };
    const company = companyOf(kinds, row.tenant, row.kind, row.request);
    await ledger.settleCarried(effect, row, settlementOf(answer, row, carries), company);
  }
}

function kindsOf(kinds: Kinds, effect: ClaimedEffect): { kind: EffectKind; carries: EffectKind } {
  const kind = kinds[effect.kind];
  const carries = kinds[kind?.job?.carries ?? ''];
  if (!kind || !carries) throw new Error(`${effect.kind} carries no kind that is performed here`);
  return { kind, carries };
}
