import { type CrmEvent, crmEvents, type Guard } from '#libs/contracts';
import type { Owed } from '#libs/process';
import { found, lookingFor, type Lookups, stepKey as nameOf } from './lookups';
import type { WantedAction } from './action.decider';
import {
  type Changer,
  isSameChange,
  labelOf,
  prepareWrite,
  type Properties,
  purposeNow,
  purposeOf,
  type Recipe,
  type StepDue as Due,
  stepsOf,
  type WriteStep,
} from '#libs/recipes';
import { aboutOf, followedBy, type Followed, type Place, precedes, type Refusal, UNREADABLE } from './followed';

/** A write step that is to be taken, as recipes tell it. */
export type WriteDue = Due<WriteStep>;

/** A recipe's write step that is to be filled, and what it follows. */
export interface StepDue extends Followed {
  recipe: Recipe;
  step: WriteStep;
  rootCause: string;
  /** Who made the change that set it off, right behind a trigger. */
  by?: Changer;
  /** It was read from the record, so it may have been told already. */
  found?: boolean;
  /** Why it is not taken: the trigger's own condition could not be told, say. */
  failed?: Refusal;
}

/** A step of this record; its values once it was filled. */
export interface TakenStep extends Followed {
  properties?: Record<string, string>;
  /** What the step did before may be done again from here on. */
  isOver?: true;
}

/** The write steps of a record by name, newest state each. */
export type TakenSteps = Readonly<Record<string, TakenStep>>;

export type StepEvent = Extract<CrmEvent, { type: `RecordStep${string}` }>;

export const isOfStep = (event: CrmEvent): event is StepEvent => event.type.startsWith('RecordStep');

/** What the record should say, how new that is, and the type of the event that wants it. */
export interface Wanted {
  properties: Record<string, string>;
  guard: Guard;
  because: string;
  /** The recipe that wants it, and its version. */
  recipe?: string;
  recipeVersion?: string;
  /** What of it the record said when it was read, and when that was. */
  known?: Record<string, { value: string | null; at: string }>;
}

/** What comes of steps: what they say, what they want the record to say, and what must be read first. */
export interface StepCourse {
  events: StepEvent[];
  wanted: Wanted[];
  reads: Owed[];
  actions: WantedAction[];
}

const saying = (...events: StepEvent[]): StepCourse => ({ events, wanted: [], reads: [], actions: [] });
const FILLED = crmEvents.shapes.RecordStepFilled.wire;

export function evolveSteps(steps: TakenSteps, { type, data }: StepEvent): TakenSteps {
  const properties = type === 'RecordStepFilled' ? data.properties : steps[nameOf(data)]?.properties;
  const isOver = type === 'RecordStepRejected' && data.over;
  const known = { ...(properties ? { properties } : {}), ...(isOver ? { isOver } : {}) };
  return { ...steps, [nameOf(data)]: { ...followedBy(data), ...known } };
}

const PURPOSE = /^step-([^|]+)\|(.+)$/;

/** The step that a reading is for; undefined where it is for none. */
export function stepIn(purpose: string): { recipe: string; step: string } | undefined {
  const [, recipe, step] = PURPOSE.exec(purposeOf(purpose)) ?? [];
  return recipe !== undefined && step !== undefined ? { recipe, step } : undefined;
}

/**
 * A step that reads nothing is filled at once. A root cause that has taken it reads again: the ledger knows the answer. A
 * change that is found in the record and was told before wants nothing: the record may say something else by now.
 */
export function onStepDue(steps: TakenSteps, due: StepDue, place: Place, lookups: Lookups): StepCourse {
  const about = aboutOf(due);
  if (!steps[nameOf(about)] && wasTold(steps, due)) return saying();
  if (due.failed) return steps[nameOf(about)] ? saying() : rejected(due, due.failed);
  if (due.step.reads.length === 0) return fill(steps, due, { properties: {} }, lookups);
  const requested: StepEvent = { type: 'RecordStepRequested', data: { ...about, ...followedBy(due) } };
  return { ...saying(...(steps[nameOf(about)] ? [] : [requested])), reads: [readingFor(due, place)] };
}

const purposeFor = ({ recipe, step }: { recipe: string; step: string }): string => `step-${recipe}|${step}`;

const readingFor = ({ recipe, step }: StepDue, { record, where }: Place): Owed => ({
  kind: 'hubspot.read',
  purpose: purposeNow(purposeFor({ recipe: recipe.id, step: step.name }), where),
  request: { record, properties: step.reads, notes: 0, ...(step.readsStages ? { stages: true } : {}) },
  recipes: [labelOf(recipe)],
});

/** Readings for steps that may still wait. */
export const readingsOf = (steps: TakenSteps): string[] =>
  Object.entries(steps).flatMap(([key, { properties }]) => {
    const [recipe = '', step = ''] = key.split('|');
    return properties ? [] : [purposeFor({ recipe, step })];
  });

/**
 * Whether what a step did for the record still stands: the trigger before this one, or the one after it where this one comes
 * late, did it or found it done, and none in between found it over.
 */
function stillStands(steps: TakenSteps, due: StepDue): boolean {
  const ofStep = nameOf({ ...aboutOf(due), rootCause: '' });
  const told = Object.entries(steps)
    .filter(([name, { properties, isOver }]) => name.startsWith(ofStep) && (properties ?? isOver) !== undefined)
    .map(([, taken]) => taken)
    .sort((a, b) => (precedes(a.guard, b.guard) ? -1 : 1));
  const next = told.findIndex(({ guard }) => precedes(due.guard, guard));
  const [before, after] = next < 0 ? [told.at(-1)] : [told[next - 1], told[next]];
  return [before, after].some((taken) => taken?.properties !== undefined);
}

const STILL_SO: Refusal = {
  code: 'still-so',
  reason: 'it was done for this record, and what called for it is not over',
};

function wasTold(steps: TakenSteps, due: StepDue): boolean {
  const { content, guard, found: isFound } = due;
  const ofStep = nameOf({ ...aboutOf(due), rootCause: '' });
  return Object.entries(steps).some(
    ([name, taken]) =>
      name.startsWith(ofStep) &&
      isSameChange({ content: taken.content, at: taken.guard.at }, { content, at: guard.at, found: isFound }),
  );
}

/** What was read for a step: `recipe` as it is now, `properties` absent where the record could not be read. */
export interface StepRead {
  name: { recipe: string; step: string };
  recipe: Recipe | undefined;
  rootCause: string;
  properties?: Properties;
  /** Ids of the stages of its pipeline by their names, where they were read. */
  stages?: Readonly<Record<string, string>>;
  /** When it was read (RFC 3339). */
  at: string;
  /** Why it could not. */
  refusal?: Refusal;
  /** It is to be asked of another record, which this one goes on as. */
  again?: true;
}

export function onStepRead(
  steps: TakenSteps,
  { name, recipe, rootCause, properties, stages, at, refusal = UNREADABLE, again }: StepRead,
  place: Place,
  lookups: Lookups,
): StepCourse {
  const taken = steps[nameOf({ ...name, rootCause })];
  if (!taken) return saying();
  const step = recipe && stepsOf(recipe, 'write').find((write) => write.name === name.step);
  if (!recipe || !step) {
    const about = { recipe: name.recipe, recipeVersion: recipe?.version ?? 'gone', step: name.step, rootCause };
    const gone = { code: 'recipe-gone', reason: `recipe ${name.recipe} has no step ${name.step} any more` };
    return taken.properties ? saying() : rejection(about, taken, gone);
  }
  const due: StepDue = { ...followedBy(taken), recipe, step, rootCause };
  if (properties) return fill(steps, due, { properties, at, ...(stages ? { stages } : {}) }, lookups);
  return again ? { ...saying(), reads: [readingFor(due, place)] } : rejected(due, refusal);
}

type Reading = Pick<StepRead, 'stages'> & { properties: Properties; at?: string };

function fill(steps: TakenSteps, due: StepDue, read: Reading, lookups: Lookups): StepCourse {
  const { step, results, time, guard } = due;
  const { properties: record, stages = {} } = read;
  const before = steps[nameOf(aboutOf(due))]?.properties;
  const looked = lookingFor(lookups, aboutOf(due));
  const prepared = prepareWrite(step, { record, steps: results, time, stages }, { looked });
  if ('rejected' in prepared) return before ? saying() : rejected(due, prepared.rejected);
  if (!before && step.until && stillStands(steps, due)) return rejected(due, STILL_SO);
  const { properties } = prepared;
  const trigger = { ...(due.content === undefined ? {} : { content: due.content }), at: guard.at };
  const about = { ...aboutOf(due), ...trigger, coolDownMs: due.recipe.coolDownMs };
  const actions = prepared.actions.map((action) => ({ ...about, action }));
  if (before && JSON.stringify(before) === JSON.stringify(properties)) return { ...saying(), actions };
  const data = { ...aboutOf(due), ...followedBy(due), properties, ...found(looked) };
  const labelled = { recipe: due.recipe.id, recipeVersion: due.recipe.version, ...knownOf(properties, read) };
  const wanted = Object.keys(properties).length > 0 ? [{ properties, guard, because: FILLED, ...labelled }] : [];
  return { ...saying({ type: 'RecordStepFilled', data }), wanted, actions };
}

function knownOf(properties: Record<string, string>, { properties: record, at }: Reading): Pick<Wanted, 'known'> {
  const known = Object.keys(properties).filter((name) => Object.hasOwn(record, name));
  if (at === undefined || known.length === 0) return {};
  return { known: Object.fromEntries(known.map((name) => [name, { value: record[name] ?? null, at }])) };
}

const rejected = (due: StepDue, why: Refusal): StepCourse => rejection(aboutOf(due), due, why);

const rejection = (
  about: ReturnType<typeof aboutOf>,
  followed: Followed,
  { code, reason, over }: Refusal,
): StepCourse =>
  saying({
    type: 'RecordStepRejected',
    data: { ...about, ...followedBy(followed), code, reason, ...(over ? { over } : {}) },
  });
