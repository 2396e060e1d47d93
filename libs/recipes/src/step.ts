import type { Results } from '#libs/contracts';
import type { Expression } from '#libs/expressions';

/** A record's properties as read: null where the record has no value. */
export type Properties = Record<string, string | null>;

/** What each kind of step has in common. */
export interface StepBase {
  name: string;
  when?: Expression;
  after?: string;
}

/** What a step reads: the record, and what the trigger and the steps before it left. */
export interface StepBindings {
  record: Properties;
  steps: Results;
}
