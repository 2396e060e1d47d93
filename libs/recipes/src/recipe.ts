import type { RecordRef, Results } from '#libs/contracts';
import type { Expression } from '#libs/expressions';
import type { AssignStep } from './assign';
import type { AskStep } from './ask';
import type { Changer } from './changer';
import type { FetchStep } from './fetch';
import type { Rejection } from './step';
import type { VideoStep } from './video';
import type { WriteStep } from './write';

/** A recipe that was read and found good. `version` names its content: equal content, equal version. */
export interface Recipe {
  id: string;
  version: string;
  /** Whose records it is for; those of all tenants where it does not say. */
  tenants?: readonly string[];
  trigger: RecipeTrigger;
  coolDownMs: number;
  /** What its calls may cost a day for each tenant, in US dollars; no bound of its own where it does not say. */
  usdPerDay?: number;
  /** In the order in which they stand; each names the one that it follows. */
  steps: readonly Step[];
}

/** What sets a recipe off: a change in HubSpot, an event of another source, or a date of the record that is due. */
export interface RecipeTrigger {
  object: string;
  /** What happened; anything where a source is named and nothing is said. */
  on?: readonly string[];
  properties?: readonly string[];
  becomes?: readonly string[];
  source?: string;
  due?: DueDate;
  when?: Expression;
  /** What the steps may read of the event, by name. */
  take: Readonly<Record<string, Expression>>;
}

/** A property that holds a date, and how long after it (negative: before it) the recipe is set off, in milliseconds. */
export interface DueDate {
  date: string;
  offsetMs: number;
}

/** One step of a recipe. `after` is the step whose end lets it begin; the trigger where there is none. */
export type Step = VideoStep | AskStep | WriteStep | FetchStep | AssignStep;
export type StepKind = Step['kind'];

/** A recipe and its version, as effects name what wants them. */
export const labelOf = ({ id, version }: Pick<Recipe, 'id' | 'version'>): string => `${id}@${version}`;

/** The step of a kind, of which a recipe has one at most. */
export const stepOf = <Kind extends 'video' | 'ask'>(
  recipe: Recipe | undefined,
  kind: Kind,
): Extract<Step, { kind: Kind }> | undefined =>
  recipe?.steps.find((step): step is Extract<Step, { kind: Kind }> => step.kind === kind);

/** All steps of a kind. */
export const stepsOf = <Kind extends StepKind>(
  { steps }: Pick<Recipe, 'steps'>,
  kind: Kind,
): Extract<Step, { kind: Kind }>[] => steps.filter((step): step is Extract<Step, { kind: Kind }> => step.kind === kind);

/**
 * A recipe set off about a record. `at` is the trigger's own time (RFC 3339), never the clock's; `content` is the same
 * for the same trigger, whichever way it arrived.
 */
export interface Trigger {
  recipe: Recipe;
  tenant: string;
  record: RecordRef;
  content: string;
  at: string;
  rootCause: string;
  /** Who made the change that set it off, of the steps right behind it; absent where it was no change. */
  by?: Changer;
  /** It was read from the record, so it may have been told already. */
  found?: boolean;
  /** The trigger's own condition could not be told: why. */
  failed?: Rejection;
  /** What the trigger and the steps so far have left. */
  results: Results;
}

/** A step that is to be taken, and what it follows. */
export interface StepDue<S extends Step = Step> extends Trigger {
  step: S;
  /** When what it follows happened (RFC 3339). */
  time: string;
  /** Of the render or enrichment that it follows, 0 behind the trigger: the later of two of one trigger time is newer. */
  number: number;
}

/** What recipes may spend a day for each tenant, in US dollars; those that say so. */
export const recipeBudgets = (recipes: readonly Recipe[]): Record<string, number> =>
  Object.fromEntries(recipes.flatMap(({ id, usdPerDay }) => (usdPerDay === undefined ? [] : [[id, usdPerDay]])));
