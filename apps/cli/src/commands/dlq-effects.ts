import {
  deadLetterEffects,
  type DeadLetterEffect,
  type DeadLetterSelection,
  type Finding,
  type Pool,
  redo,
  resolveHeld,
} from '#libs/event-store';
import { print, UsageError } from '../output';
import { withStore } from '../store';

const MOST = 10_000;

/** Lists dead and held effects. */
export const effectsOf = (pool: Pool, selection: DeadLetterSelection): Promise<DeadLetterEffect[]> =>
  deadLetterEffects(pool, selection, MOST);

/** One line of `dlq ls`. */
export const effectLine = (effect: DeadLetterEffect): string =>
  [
    effect.service.padEnd(20),
    `effect ${effect.id}`.padEnd(16),
    `${effect.tenant}:${effect.subject}`.padEnd(36),
    `${effect.kind} is ${effect.state}`.padEnd(28),
    effect.since.toISOString(),
    effect.code ?? '',
  ].join(' ');

/** `dlq show --effect`: what was to be done, why it was not, and what a retry would do. */
export async function showEffect(id: string, json: boolean): Promise<void> {
  const effect = await withStore((pool) => one(pool, id));
  const retry = retryOf(effect);
  const text = [
    effectLine(effect),
    `    ${String(effect.attempts)} calls, ${String(effect.refusals)} refused unprocessed, ${String(effect.repeats)} repeated while unknown`,
    `    slot     ${effect.slot} (generation ${String(effect.generation)})`,
    `    cause    ${effect.meta.rootCause}, by ${effect.meta.record ?? effect.meta.causedBy}`,
    ...(effect.meta.recipes ? [`    recipes  ${effect.meta.recipes.join(', ')}`] : []),
    `    trace    ${effect.meta.traceparent?.split('-')[1] ?? 'none'}`,
    `    request  ${JSON.stringify(effect.request)}`,
    ...(effect.said === undefined ? [] : [`    said     ${effect.said}`]),
    `    retry    ${retry}`,
  ].join('\n');
  print(json, { effect, retry }, text);
}

/** What `dlq retry` would do about it, in a sentence. */
export function retryOf({ kind, state, generation, shares }: DeadLetterEffect): string {
  const all = shares === undefined ? '' : ', for all that share the call';
  return state === 'dead'
    ? `owes ${kind} again as generation ${String(generation + 1)}, under a new Idempotency-Key${all}`
    : `owes ${kind} again under the same Idempotency-Key${all}; only with --did-not-happen, for it may have been done`;
}

/** How `dlq retry` chooses: by number, or by a selection. */
export interface RetryOptions {
  effect: string[];
  selection: DeadLetterSelection;
  all: boolean;
  didNotHappen: boolean;
  dryRun: boolean;
  json: boolean;
}

/** `dlq retry`: owes effects again. A held one only where a person says that it did not happen. */
export async function retry(options: RetryOptions): Promise<void> {
  const { effect: ids, selection, all, didNotHappen, dryRun, json } = options;
  const named = ids.length > 0 || Object.values(selection).some((value) => value !== undefined);
  if (!named && !all) throw new UsageError('nothing was selected; --all retries every dead effect');
  await withStore(async (pool) => {
    const found = ids.length > 0 ? await Promise.all(ids.map((id) => one(pool, id))) : await effectsOf(pool, selection);
    const chosen = found.filter(({ state }) => state === 'dead' || didNotHappen);
    const left = found.length - chosen.length;
    if (!dryRun) for (const effect of onePerCall(chosen)) await again(pool, effect);
    const lines = chosen.map(
      (effect) => `effect ${effect.id}: ${dryRun ? 'would owe' : 'owes'}${retryOf(effect).slice(4)}`,
    );
    const held =
      left > 0 ? [`${String(left)} held: nobody knows whether they happened; look, then --did-not-happen`] : [];
    const retried = chosen.map(({ id, slot }) => ({ id, slot }));
    print(json, { dryRun, retried, held: left }, [...lines, ...held].join('\n') || 'Nothing to retry.');
  });
}

// Owners that share a held call have one retry.
const onePerCall = (effects: DeadLetterEffect[]): DeadLetterEffect[] => [
  ...new Map(
    effects.map((effect) => [effect.state === 'held' ? (effect.shares ?? effect.slot) : effect.slot, effect]),
  ).values(),
];

async function again(pool: Pool, effect: DeadLetterEffect): Promise<void> {
  if (effect.state === 'dead') await redo(pool, effect.slot);
  else await resolveHeld(pool, callOf(effect), { state: 'owed' });
}

/** `dlq resolve` and `dlq discard --effect`: a person says what became of a held effect. */
export async function resolve(id: string, finding: Finding, json: boolean): Promise<void> {
  await withStore(async (pool) => {
    const effect = await one(pool, id);
    if (effect.state !== 'held') throw new Error(`effect ${id} is ${effect.state}: nothing is open about it`);
    await resolveHeld(pool, callOf(effect), finding);
    print(json, { id, state: finding.state }, `Effect ${id} (${effect.kind}) is ${finding.state} now.`);
  });
}

const callOf = ({ slot, shares, generation }: DeadLetterEffect) => ({ slot: shares ?? slot, generation });

async function one(pool: Pool, id: string): Promise<DeadLetterEffect> {
  if (!/^\d{1,18}$/.test(id)) throw new UsageError(`--effect ${id} is not a number, as \`dlq ls\` shows it`);
  const [effect] = await effectsOf(pool, { id });
  if (!effect) throw new Error(`effect ${id} is neither dead nor held; \`refrain dlq ls\` lists those that are`);
  return effect;
}
