import type { CrmEvent, Guard } from '#libs/contracts';
import {
  acted,
  contentOf,
  depthOf,
  type Elsewhere,
  fingerprintOf,
  isSameValue,
  LOOP,
  noTriggers,
  numbered,
  refused,
  ruleOn,
  type Triggers,
} from '#libs/recipes';
import { type AssignDue, isOfOwner, type OwnerEvent } from './assign.decider';
import { isOfStep, type StepDue, type StepEvent } from './step.decider';
import type { Wishes } from './wishes';

/** A property that the hub and another system set otherwise by turns. */
interface Contest {
  /** When the other one set it back (RFC 3339), within the last hour. */
  rounds: readonly string[];
  /** The wish that was set back last. */
  wish?: string;
  /** RFC 3339: from here on it is left to the other one, for an hour. */
  cutAt?: string;
}

/** What a record's stream knows of machines that answer each other. */
export interface Loops {
  triggers: Readonly<Record<string, Triggers>>;
  /** RFC 3339: when the hub wrote to the record last. */
  actedAt?: string;
  contests: Readonly<Record<string, Contest>>;
}

export const noLoops: Loops = { triggers: {}, contests: {} };

export function evolveLoops(loops: Loops, event: CrmEvent, wanted: Wishes): Loops {
  if (isOfStep(event) || isOfOwner(event)) return evolveTriggers(loops, event);
  switch (event.type) {
    case 'RecordUpdated':
      return event.data.writtenAt === undefined ? loops : { ...loops, actedAt: event.data.writtenAt };
    case 'RecordSetElsewhere': {
      const { property, by, at } = event.data;
      const before = loops.contests[property];
      const contest: Contest =
        by === 'person'
          ? { rounds: [] }
          : { ...before, rounds: [...within(before?.rounds, at), at], wish: nameOf(wanted[property]?.guard) };
      return { ...loops, contests: { ...loops.contests, [property]: contest } };
    }
    case 'RecordLoopCut': {
      const { property, at } = event.data;
      if (property === undefined) return loops;
      const contest = { ...(loops.contests[property] ?? { rounds: [] }), cutAt: at };
      return { ...loops, contests: { ...loops.contests, [property]: contest } };
    }
    default:
      return loops;
  }
}

function evolveTriggers(loops: Loops, { type, data }: StepEvent | OwnerEvent): Loops {
  const { recipe, rootCause, depth, guard } = data;
  const after = numbered(loops.triggers[recipe] ?? noTriggers, { rootCause, depth, at: guard.at });
  const isRefused = 'code' in data && data.code === LOOP.code && type.endsWith('Rejected');
  return { ...loops, triggers: { ...loops.triggers, [recipe]: isRefused ? refused(after, guard.at) : after } };
}

type Due = StepDue | AssignDue;

/**
 * Rules on steps right behind a trigger: those that a machine's echo sets off are left out, and those of a loop are
 * refused. What was written stands for its fingerprint.
 */
export function ruledOn<D extends Due>(
  loops: Loops,
  written: Readonly<Record<string, string | undefined>>,
  all: readonly D[],
): { due: D[]; events: CrmEvent[] } {
  const cut = new Set<string>();
  let at = '';
  const due = all.flatMap((one): D[] => {
    const { recipe, by, content, rootCause, guard } = one;
    if (by === undefined) return [one];
    const { properties = [] } = recipe.trigger;
    const own = properties.flatMap((property) => {
      const value = written[property];
      return value === undefined ? [] : [[property, fingerprintOf(contentOf(property, value))] as const];
    });
    const known = {
      ...acted(loops.triggers[recipe.id] ?? noTriggers, loops.actedAt),
      written: Object.fromEntries(own),
    };
    const ruling = ruleOn(known, { by, content, rootCause, at: guard.at });
    if (ruling.let === 'echo') return [];
    if (ruling.let === 'cut' && !ruling.again) {
      cut.add(recipe.id);
      at = guard.at;
    }
    return [{ ...one, ...depthOf(ruling), ...(ruling.let === 'cut' ? { failed: LOOP } : {}) }];
  });
  return { due, events: [...cut].map((recipe) => ({ type: 'RecordLoopCut', data: { recipe, at } })) };
}

const HOUR_MS = 3_600_000;
const MOST_ROUNDS = 5;

/**
 * Somebody else changed a property that the hub wrote. A machine that sets it back is one round, for each wish once; after
 * five rounds within an hour the property is left to it for an hour. A person's change ends the contest.
 */
export function onSetElsewhere(
  { contests }: Loops,
  wanted: Wishes,
  written: Readonly<Record<string, string | undefined>>,
  { property, value, by, at }: Elsewhere,
): CrmEvent[] {
  const contest = contests[property];
  const set: CrmEvent = { type: 'RecordSetElsewhere', data: { property, by, at } };
  if (by === 'person') return contest && contest.rounds.length > 0 ? [set] : [];
  const wish = wanted[property];
  if (!wish || written[property] !== wish.value || isSameValue(value, wish.value)) return [];
  if (contest?.wish === nameOf(wish.guard)) return [];
  if (within(contest?.rounds, at).length + 1 < MOST_ROUNDS) return [set];
  const { recipe } = wish;
  return [set, { type: 'RecordLoopCut', data: { ...(recipe === undefined ? {} : { recipe }), property, at } }];
}

/** Whether a property is left to another system, as of a wish's own time. */
export const isLeft = ({ contests }: Loops, property: string, { at }: Guard): boolean => {
  const cutAt = contests[property]?.cutAt;
  return cutAt !== undefined && Date.parse(at) - Date.parse(cutAt) < HOUR_MS;
};

const nameOf = (guard: Guard | undefined): string | undefined => guard && `${guard.at} ${String(guard.number)}`;

const within = (rounds: readonly string[] = [], at: string): string[] =>
  rounds.filter((round) => Math.abs(Date.parse(at) - Date.parse(round)) < HOUR_MS);
