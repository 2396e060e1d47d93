import type { Action } from '#libs/contracts';
import type { Given, Json } from '#libs/expressions';
import { type ActionForm, actionOf, MissingValue, propertiesOf } from './action';
import { type Rejection, rejectionOf, type StepBase, type StepBindings, unmetBy } from './step';
import type { Text } from './text';

/** What is written to a record, ready to be filled. */
export interface WriteStep extends StepBase {
  kind: 'write';
  properties: Record<string, Text>;
  /** What is done beside that, once for each trigger. */
  actions: readonly ActionForm[];
  /** What must be read of the record first. */
  reads: string[];
}

/** What a write step reads; `time` is when what it follows happened (RFC 3339). */
export interface WriteBindings extends StepBindings {
  time: string;
}

/** A write ready to be made, or why none is: all that a step wants is known, or nothing of it is done. */
export type PreparedWrite = { properties: Record<string, string>; actions: Action[] } | { rejected: Rejection };

/** Fills a write step; a null leaves its property as it is. */
export function prepareWrite(step: WriteStep, bindings: WriteBindings, given?: Given): PreparedWrite {
  const unmet = step.when && unmetBy(step.when, { ...bindings }, given);
  if (unmet) return { rejected: unmet };
  const fill = (text: Text): Json => text.evaluate({ ...bindings }, given);
  try {
    const properties = propertiesOf(step.properties, fill);
    const { record, time } = bindings;
    return { properties, actions: step.actions.map((form) => actionOf(form, { fill, record, time })) };
  } catch (error) {
    if (error instanceof MissingValue) return { rejected: { code: 'missing', reason: error.message } };
    return { rejected: rejectionOf(error) };
  }
}
