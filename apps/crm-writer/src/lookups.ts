import type { CrmEvent } from '#libs/contracts';
import { Looked, type Lookup } from '#libs/expressions';

/** What was looked up for the steps of a record, by step and root cause, the oldest first. */
export type Lookups = Readonly<Record<string, readonly Lookup[]>>;

interface StepName {
  recipe: string;
  step: string;
  rootCause: string;
}

/** Tells a step of a trigger from all others of its record. */
export const stepKey = ({ recipe, step, rootCause }: StepName): string => [recipe, step, rootCause].join('|');

/** What an event says was looked up is found again by whoever prepares the same step for the same root cause. */
export function evolveLookups(lookups: Lookups, event: CrmEvent): Lookups {
  if (event.type !== 'RecordStepFilled' && event.type !== 'OwnerWanted') return lookups;
  const { looked } = event.data;
  if (!looked) return lookups;
  const key = stepKey(event.data);
  return { ...lookups, [key]: [...(lookups[key] ?? []), ...looked] };
}

/** Looks up what was not looked up before for this step and root cause. */
export const lookingFor = (lookups: Lookups, name: StepName): Looked => new Looked(lookups[stepKey(name)]);

/** The part of an event that says what was looked up. */
export const found = ({ all }: Looked): { looked?: Lookup[] } => (all.length > 0 ? { looked: all } : {});
