import { ExpressionError } from './fault';
import type { Given } from './given';

/** What an expression and one evaluation of it may take. Counted, never timed: the same input always ends the same way. */
export const bounds = {
  /** Characters of the source. */
  source: 4_000,
  /** Nodes of its syntax tree. */
  nodes: 500,
  /** Levels of its syntax tree. */
  depth: 60,
  /** Steps of one evaluation: a node of a loop's body, an element of a list, a field of a map, 16 characters of text. */
  steps: 200_000,
  /** Levels of the data that is compared, handed to a function or returned. */
  dataDepth: 64,
  /** Characters of a regular expression. */
  pattern: 300,
  /** Instructions of a regular expression: RE2 counts `a{1000}` as a thousand. */
  patternProgram: 1_000,
} as const;

/** What an error costs, which `||`, `&&` and the quantifiers may swallow, as often as a loop runs. */
export const ERROR_STEPS = 20;

/** An evaluation that is given its variables alone. */
export const nothing: Given = {};
let left = 0;
let given: Given = nothing;
let overrun: ExpressionError | undefined;

/** Starts counting for one evaluation. Evaluation is synchronous and never nested, so one counter serves all. */
export function begin(with_: Given): void {
  left = bounds.steps;
  given = with_;
  overrun = undefined;
}

/** Ends the evaluation; throws where it overran, even if the expression itself swallowed that. */
export function finish(): void {
  given = nothing;
  if (overrun) throw overrun;
}

/** What the evaluation under way was given besides its variables. */
export const givenNow = (): Given => given;

/** Counts steps; throws once there are none left, and ever after. */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0)
    throw (overrun ??= new ExpressionError('overrun', `More than ${String(bounds.steps)} steps are needed`));
}

/** Counts the size of a value before something walks over it; throws where it is nested too deeply. */
export function weigh(value: unknown, depth = 0): void {
  if (typeof value === 'string') spend(value.length >> 4);
  if (typeof value !== 'object' || value === null) return;
  if (depth > bounds.dataDepth) throw new ExpressionError('too-deep', 'The data is nested too deeply');
  if (Array.isArray(value)) {
    spend(value.length);
    for (const item of value) weigh(item, depth + 1);
    return;
  }
  for (const key in value) {
    spend(1 + (key.length >> 4));
    weigh((value as Record<string, unknown>)[key], depth + 1);
  }
}
