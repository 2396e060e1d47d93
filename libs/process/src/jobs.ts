import type { Answer } from '#libs/contracts';
import { type ClaimedEffect, gathering, type GatherSpec, type Ledger } from '#libs/event-store';
import type { Carried, EffectKind, JobInHand } from './effect-kind';
import { sealedCall, type Sealing } from './sealing';
import { settlementOf } from './settlement';
import { idempotencyKey } from './slot';

type Kinds = Readonly<Record<string, EffectKind>>;

/** What the ledger must know to gather the effects of all jobs. */
export const gatherSpecs = (kinds: Kinds): GatherSpec[] =>
  Object.entries(kinds).flatMap(([kind, { job }]) =>
    job ? [{ kind, most: job.most, mostBytes: job.mostBytes, afterMs: job.gatherMs, rate: job.rate ?? 1 }] : [],
  );

/** The company in which an effect waits for a job; undefined where no job carries such effects. */
export function companyOf(kinds: Kinds, tenant: string, kind: string, request: unknown): string | undefined {
  const found = Object.entries(kinds).find(([, one]) => one.job?.carries === kind);
  return found?.[1].job && gathering(found[0], tenant, found[1].job.alike(request as never));
}

/** What the call of a job is told of it; what it answers is settled at once. */
export async function jobInHand(
  ledger: Ledger,
  kinds: Kinds,
  effect: ClaimedEffect,
  sealing: Sealing | undefined,
): Promise<JobInHand> {
  const carries = carriedKind(kinds, effect);
  const left = await ledger.countCarried(effect);
  const byName = new Map<string, ClaimedEffect>();
  const settled = async ({ name }: Carried, answer: Answer, company?: (row: ClaimedEffect) => string | undefined) => {
    const row = byName.get(name);
    if (!row) return;
    const kept = await sealedCall(sealing, row, answer);
    await ledger.settleCarried(effect, row, settlementOf(known(answer), row, carries), {
      ...{ company: company?.(row), kept, mayBePaid: answer.outcome === 'unknown' },
    });
  };
  return {
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
}

/**
 * A job is over: what it still carries has no answer, and waits for the next one. That uses up an attempt. Where the vendor
 * may have taken the job, what it carries may be paid for.
 */
export async function freeCarried(ledger: Ledger, kinds: Kinds, effect: ClaimedEffect, code: string): Promise<void> {
  const carries = carriedKind(kinds, effect);
  const mayBePaid = (effect.soFar ?? undefined) !== undefined || effect.repeats > 0;
  for (const row of await ledger.carriedBy(effect)) {
    const answer: Answer = { outcome: 'retry', code, message: 'its job has no answer for it', refused: false };
    const company = companyOf(kinds, row.tenant, row.kind, row.request);
    await ledger.settleCarried(effect, row, settlementOf(answer, row, carries), { company, mayBePaid });
  }
}

// A job that is over will never say more of it: it is asked again, and what may be paid twice is counted twice.
const known = (answer: Answer): Answer =>
  answer.outcome === 'unknown' ? { ...answer, outcome: 'retry', refused: false } : answer;

function carriedKind(kinds: Kinds, { kind }: ClaimedEffect): EffectKind {
  const carries = kinds[kinds[kind]?.job?.carries ?? ''];
  if (!carries) throw new Error(`${kind} carries no kind that is performed here`);
  return carries;
}
