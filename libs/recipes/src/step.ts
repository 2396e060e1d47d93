import type { Results } from '#libs/contracts';
import { type Expression, ExpressionError, type Given } from '#libs/expressions';

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

/** Why a step does nothing about a record. */
export interface Rejection {
  code:
    | 'missing'
    | 'placeholder'
    | 'not-met'
    | 'expression'
    | 'path'
    | 'not-found'
    | 'too-large'
    | 'nobody'
    | 'no-rota'
    | 'no-such-stage'
    | 'unclean'
    | 'too-long'
    | 'unsafe-url'
    | 'unfit';
  reason: string;
  /** What the step did before may be done again: its `until` is so. */
  over?: true;
}

/** Why a condition does not hold; undefined where it does. */
export function unmetBy(
  when: Expression,
  bindings: Readonly<Record<string, unknown>>,
  given?: Given,
): Rejection | undefined {
  try {
    return when.evaluate(bindings, given) === true
      ? undefined
      : { code: 'not-met', reason: `it is not so: ${when.source}` };
  } catch (error) {
    return rejectionOf(error);
  }
}

/** An expression that fails concerns its own input only; whatever else is thrown is a bug. */
export function rejectionOf(error: unknown): Rejection {
  if (!(error instanceof ExpressionError)) throw error;
  return { code: 'expression', reason: `an expression failed (${error.code}): ${error.message}` };
}
