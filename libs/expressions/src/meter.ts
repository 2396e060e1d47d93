import { ERROR_STEPS, spend, weigh } from './bounds';
import { ExpressionError } from './fault';
import { isMap } from './functions/definition';
import { callOf, childrenOf, loopNames, type Macro, type Node } from './tree';

/**
 * Makes a checked syntax tree count what it does, and read an absent member as null. Only what data can make long is
 * counted: loops, and whatever walks over a text, a list or a map. The rest is bounded by the size of the tree.
 */
export function meter(node: Node): void {
  for (const child of childrenOf(node)) meter(child);
  const call = callOf(node);
  if (call) meterCall(node, call.name, call.values);
  else if (node.op === '.' || node.op === '[]') {
    const [left] = node.args as [Node];
    if (left.checkedType?.kind === 'dyn') node.handle = member;
  } else if (operators.has(node.op)) meterOperator(node);
}

const operators: ReadonlySet<string> = new Set(['==', '!=', 'in', '+', '-', '*', '/', '%', '<', '<=', '>', '>=']);
const scalars: ReadonlySet<string> = new Set(['int', 'double', 'bool', 'null']);

function meterCall(node: Node, name: string, values: readonly Node[]): void {
  const { alternate, macro } = node.meta;
  if (alternate && loopNames.has(name)) meterLoop(alternate, name, values.slice(1));
  else if (!macro) meterFunction(node);
  else if (name === 'has') macro.evaluate = isThere;
}

function meterFunction(node: Node): void {
  const run = node.handle as (values: unknown[], second: unknown, third: unknown) => unknown;
  node.handle = (values: unknown[], second: unknown, third: unknown) => {
    spend(1);
    for (const value of values) if (typeof value === 'string' || typeof value === 'object') weigh(value);
    const result = run(values, second, third);
    if (typeof result === 'string' || typeof result === 'object') weigh(result);
    return result;
  };
}

function meterOperator(node: Node): void {
  const [left, right] = node.args as [Node, Node];
  if (isSmall(left) && isSmall(right)) return;
  const run = node.handle as (left: unknown, right: unknown, node: unknown, evaluator: unknown) => unknown;
  const walksTexts = !isSmall(left) && !isSmall(right);
  node.handle = (left: unknown, right: unknown, at: unknown, evaluator: unknown) => {
    if (walksTexts ? isLong(left) : typeof left === 'object') weigh(left);
    if (walksTexts ? isLong(right) : typeof right === 'object') weigh(right);
    return run(left, right, at, evaluator);
  };
}

const isLong = (value: unknown): boolean => typeof value === 'object' || typeof value === 'string';

/** Whether the size of an operand is known from the source. */
const isSmall = (node: Node): boolean => node.op === 'value' || scalars.has(node.checkedType?.name ?? '');

/** A loop counts the nodes of its body each time; a loop in it counts for itself. */
function meterLoop(loop: Node, name: string, body: readonly Node[]): void {
  const { step } = loop.args as { step: Node };
  const swallows = name === 'all' || name === 'exists' ? ERROR_STEPS : 0;
  const cost = body.reduce((sum, node) => sum + costOf(node), 1 + swallows);
  const run = step.meta.evaluate as unknown as (evaluator: unknown, node: unknown, context: unknown) => unknown;
  const counted = (evaluator: unknown, node: unknown, context: unknown) => {
    spend(cost);
    return run(evaluator, node, context);
  };
  step.setMeta('evaluate', counted);
  const begin = loop.handle as (items: unknown, ...rest: unknown[]) => unknown;
  loop.handle = (items: unknown, ...rest: unknown[]) => {
    // The library lists a map's keys before it looks at the first.
    spend(isMap(items) ? 1 + Object.keys(items).length : 1);
    return begin(items, ...rest);
  };
}

function costOf(node: Node): number {
  const call = callOf(node);
  const below = call && node.meta.alternate ? [call.receiver].flatMap((one) => one ?? []) : childrenOf(node);
  const swallows = node.op === '||' || node.op === '&&' ? ERROR_STEPS : 0;
  return below.reduce((sum, child) => sum + costOf(child), 1 + swallows);
}

/** The member of a map or a list; null where there is none, also of null. Never one that JavaScript put there. */
function member(of: unknown, key: unknown): unknown {
  if (of === null) return null;
  if (isMap(of)) {
    const name = typeof key === 'string' ? key : String(key);
    return Object.hasOwn(of, name) ? (of[name] ?? null) : null;
  }
  if (Array.isArray(of) && (typeof key === 'bigint' || typeof key === 'number')) {
    return (of as unknown[])[Number(key)] ?? null;
  }
  throw new ExpressionError('type', 'Only maps have members, and lists elements by number');
}

/** `has(a.b.c)`: whether a member is there and not null. */
const isThere: Macro['evaluate'] = (evaluator, { macroHasProps: nodes = [] }, context) => {
  const [variable, ...members] = [...nodes].reverse();
  if (variable === undefined) return false;
  let value = evaluator.run(variable, context);
  for (const { args } of members) value = member(value, (args as [Node, string])[1]);
  return value !== null;
};
