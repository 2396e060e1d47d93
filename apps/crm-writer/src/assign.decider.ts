import type { CrmEvent } from '#libs/contracts';
import type { Owed } from '#libs/process';
import {
  type AssignStep,
  type Changer,
  coolsDown,
  isSameChange,
  labelOf,
  prepareAssign,
  type Properties,
  purposeNow,
  purposeOf,
  type Recipe,
  type StepDue,
  stepsOf,
} from '#libs/recipes';
import { aboutOf, followedBy, type Followed, type Place, type Refusal, UNREADABLE } from './followed';
import { found, lookingFor, type Lookups, stepKey } from './lookups';

/** An assign step that is to be taken, and what it follows. */
export interface AssignDue extends Followed {
  recipe: Recipe;
  step: AssignStep;
  rootCause: string;
  /** It was read from the record, so it may have been told already. */
  found?: boolean;
  /** Who made the change that set it off, right behind a trigger. */
  by?: Changer;
  /** Why it is not taken: the trigger's own condition could not be told, say. */
  failed?: Refusal;
}

/** An assignment of a record, from the first request on. */
interface Assignment extends Followed {
  recipe: string;
  recipeVersion: string;
  step: string;
  rootCause: string;
  status: 'requested' | 'wanted' | 'rejected' | 'assigned';
}

/** The assignments of one record, by step and root cause. */
export type Assignments = Readonly<Record<string, Assignment>>;

export type OwnerEvent = Extract<CrmEvent, { type: `Owner${string}` }>;

export const isOfOwner = (event: CrmEvent): event is OwnerEvent => event.type.startsWith('Owner');

export function evolveAssignments(assignments: Assignments, { type, data }: OwnerEvent): Assignments {
  const statuses = {
    OwnerRequested: 'requested',
    OwnerWanted: 'wanted',
    OwnerRejected: 'rejected',
    OwnerAssigned: 'assigned',
  } as const;
  const { recipe, recipeVersion, step, rootCause } = data;
  const about = { recipe, recipeVersion, step, rootCause };
  return { ...assignments, [stepKey(data)]: { ...about, ...followedBy(data), status: statuses[type] } };
}

/** What comes of an assign step: what it says, and what must be read first. */
export interface AssignCourse {
  events: OwnerEvent[];
  reads: Owed[];
}

const saying = (...events: OwnerEvent[]): AssignCourse => ({ events, reads: [] });

const PURPOSE = /^assign-([^|]+)\|(.+)$/;

/** The assign step that a reading is for; undefined where it is for none. */
export function assignIn(purpose: string): { recipe: string; step: string } | undefined {
  const [, recipe, step] = PURPOSE.exec(purposeOf(purpose)) ?? [];
  return recipe !== undefined && step !== undefined ? { recipe, step } : undefined;
}

/** What a record knows of its assignments, and of what was looked up for them. */
export interface AssignKnown {
  assignments: Assignments;
  lookups: Lookups;
}

/**
 * One root cause wants one turn of a step, however often it is told. Another one wants none where the same content did
 * within the cool-down, by the triggers' own times (protocol 7).
 */
export function onAssignDue(known: AssignKnown, due: AssignDue, place: Place): AssignCourse {
  const about = aboutOf(due);
  const before = known.assignments[stepKey(about)];
  if (before?.status === 'wanted' || before?.status === 'assigned') return saying();
  if (!before && Object.values(known.assignments).some((other) => repeats(other, due))) return saying();
  if (due.failed) return before ? saying() : rejected(due, due.failed);
  if (due.step.reads.length === 0) return want(known, due, {}, place);
  const requested: OwnerEvent = { type: 'OwnerRequested', data: { ...about, ...followedBy(due) } };
  return { events: before ? [] : [requested], reads: [readingFor(due, place)] };
}

const purposeFor = ({ recipe, step }: { recipe: string; step: string }): string => `assign-${recipe}|${step}`;

const readingFor = ({ recipe, step }: AssignDue, { record, where }: Place): Owed => ({
  kind: 'hubspot.read',
  purpose: purposeNow(purposeFor({ recipe: recipe.id, step: step.name }), where),
  request: { record, properties: step.reads, notes: 0 },
  recipes: [labelOf(recipe)],
});

/** Readings for assignments that may still wait. */
export const readingsOf = (assignments: Assignments): string[] =>
  Object.values(assignments).flatMap((one) => (one.status === 'requested' ? [purposeFor(one)] : []));

function repeats(other: Assignment, due: AssignDue): boolean {
  const { recipe, step, content, guard } = due;
  if (other.recipe !== recipe.id || other.step !== step.name) return false;
  const earlier = { content: other.content, at: other.guard.at };
  const trigger = { content, at: guard.at, found: due.found };
  return (
    isSameChange(earlier, trigger) || (other.status !== 'rejected' && coolsDown(earlier, trigger, recipe.coolDownMs))
  );
}

/** What was read for an assign step: `recipe` as it is now, `properties` absent where the record could not be read. */
export interface AssignRead {
  name: { recipe: string; step: string };
  recipe: Recipe | undefined;
  rootCause: string;
  properties?: Properties;
  /** Why it could not. */
  refusal?: Refusal;
  /** It is to be asked of another record, which this one goes on as. */
  again?: true;
}

export function onAssignRead(
  known: AssignKnown,
  { name, recipe, rootCause, properties, refusal = UNREADABLE, again }: AssignRead,
  place: Place,
): AssignCourse {
  const before = known.assignments[stepKey({ ...name, rootCause })];
  if (!before || before.status === 'wanted' || before.status === 'assigned') return saying();
  const step = recipe && stepsOf(recipe, 'assign').find((assign) => assign.name === name.step);
  if (!recipe || !step) {
    if (before.status === 'rejected') return saying();
    const { status: _, ...about } = before;
    const reason = `recipe ${name.recipe} has no step ${name.step} any more`;
    return saying({ type: 'OwnerRejected', data: { ...about, code: 'recipe-gone', reason } });
  }
  const due: AssignDue = { ...followedBy(before), recipe, step, rootCause };
  if (properties) return want(known, due, properties, place);
  if (again) return { events: [], reads: [readingFor(due, place)] };
  return before.status === 'rejected' ? saying() : rejected(due, refusal);
}

function want(
  { assignments, lookups }: AssignKnown,
  due: AssignDue,
  record: Properties,
  { own, where }: Place,
): AssignCourse {
  const about = aboutOf(due);
  const looked = lookingFor(lookups, about);
  const prepared = prepareAssign(due.step, { record, steps: due.results }, { looked });
  if (!('rejected' in prepared))
    return saying({
      type: 'OwnerWanted',
      data: { ...about, ...followedBy(due), ...prepared, ...found(looked), ...(where.merged ? { record: own } : {}) },
    });
  return assignments[stepKey(about)]?.status === 'rejected' ? saying() : rejected(due, prepared.rejected);
}

/** Whose turn it was, as the rota tells it. */
export interface Turn {
  recipe: string;
  step: string;
  rootCause: string;
  rota: string;
  owner: string;
}

/** The first owner counts, also where a turn is told again. */
export function onTurnTaken(assignments: Assignments, { rota, owner, ...name }: Turn): AssignCourse {
  const before = assignments[stepKey(name)];
  if (before?.status !== 'wanted') return saying();
  const { status: _, ...about } = before;
  return saying({ type: 'OwnerAssigned', data: { ...about, rota, owner } });
}

/** An assign step as recipes tell it. */
export const assignDue = ({ at, number, ...due }: StepDue<AssignStep>, rank: number): AssignDue => ({
  ...due,
  guard: { at, number, rank },
});

const rejected = (due: AssignDue, { code, reason }: { code: string; reason: string }): AssignCourse =>
  saying({ type: 'OwnerRejected', data: { ...aboutOf(due), ...followedBy(due), code, reason } });
