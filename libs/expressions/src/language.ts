import { Environment } from '@marcbachmann/cel-js';
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { RE2JS } from 're2js';
import { bounds, spend } from './bounds';
import { builtins } from './builtins';
import { ExpressionError } from './fault';
import { functionGroups } from './functions/catalogue';
import { instantOf } from './functions/dates';
import { readSignature } from './functions/definition';

/** How a function may be called: its numbers of arguments and how people are told of it. */
export interface Callable {
  shown: string;
  arities: readonly number[];
  runs?: string;
}

export const functionsByName = new Map<string, Callable>();
export const methodsByName = new Map<string, Callable>();
for (const { signature } of functionGroups.flatMap((group) => group.functions)) {
  const { name, arities } = readSignature(signature);
  functionsByName.set(name, { shown: signature, arities });
}
for (const { signature, runs } of builtins) {
  const [, method, plain = ''] = /^(?:(\w+)\.)?(.*)$/.exec(signature) ?? [];
  const { name, arities } = readSignature(
    plain.replace('condition?, value', 'condition, value?').replace('variable.field', 'field'),
  );
  (method === undefined ? functionsByName : methodsByName).set(name, { shown: signature, arities, runs });
}

/** The names of types, which `type(…)` is compared with. */
export const typeNames: ReadonlySet<string> = new Set(['string', 'bool', 'int', 'double', 'list', 'map', 'null_type']);

const language = new Environment({
  homogeneousAggregateLiterals: false,
  limits: {
    maxAstNodes: bounds.nodes,
    maxDepth: bounds.depth,
    maxListElements: bounds.nodes,
    maxMapEntries: bounds.nodes,
    maxCallArguments: 8,
  },
});
const sync = { async: false };

for (const { signature, run, cost = 1 } of functionGroups.flatMap((group) => group.functions)) {
  const { name, type, arities } = readSignature(signature);
  const handler = (...values: unknown[]): unknown => {
    spend(cost);
    try {
      return (run as (...values: unknown[]) => unknown)(...values);
    } catch (error) {
      throw named(name, error);
    }
  };
  for (const arity of arities) {
    language.registerFunction(`${name}(${Array<string>(arity).fill('dyn').join(', ')}): ${type}`, handler, sync);
  }
}

/** What is wrong with an argument, with the function's name before it. */
const named = (name: string, error: unknown): unknown =>
  error instanceof ExpressionError && error.code === 'argument'
    ? new ExpressionError('argument', `${name}: ${error.message}`)
    : error;

// Numbers of JSON are doubles: beside a literal such as `1` they count on as doubles.
const arithmetic: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};
for (const [operator, count] of Object.entries(arithmetic)) {
  const counted = (a: number | bigint, b: number | bigint) => count(Number(a), Number(b));
  language.registerOperator(`double ${operator} int: double`, counted);
  language.registerOperator(`int ${operator} double: double`, counted);
}

language.registerFunction('exactTimestamp(string): google.protobuf.Timestamp', exactTime, sync);
language.registerFunction(
  'exactTimestamp(int): google.protobuf.Timestamp',
  (seconds: bigint) => exactTime(new Date(Number(seconds) * 1_000)),
  sync,
);

function exactTime(value: unknown): Date {
  const time = instantOf(value);
  if (!time) throw new ExpressionError('argument', 'timestamp() is of RFC 3339 text with a zone, or of Unix seconds');
  return time.toJSDate();
}

const millisecondsOf: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

language.registerFunction(
  'exactDuration(string): google.protobuf.Duration',
  (text: string) => {
    const match = /^(-?)((?:\d{1,9}(?:h|ms|m|s))+)$/.exec(text.slice(0, 60));
    if (!match)
      throw new ExpressionError('argument', 'duration() is of whole hours, minutes, seconds or ms, such as "1h30m"');
    let milliseconds = 0;
    for (const [, count, unit = ''] of (match[2] ?? '').matchAll(/(\d+)(h|ms|m|s)/g)) {
      milliseconds += Number(count) * (millisecondsOf[unit] ?? 0);
    }
    return durationOf(match[1] === '-' ? -milliseconds : milliseconds);
  },
  sync,
);

const durationOf = (milliseconds: number): Duration =>
  new Duration(BigInt(Math.floor(milliseconds / 1e3)), (((milliseconds % 1e3) + 1e3) % 1e3) * 1e6);

language.registerFunction('list.boundedJoin(): string', (list: unknown[]) => joined(list, ''), sync);
language.registerFunction('list.boundedJoin(string): string', joined, sync);

function joined(list: unknown[], separator: string): string {
  spend(list.length * (1 + (separator.length >> 4)));
  if (!list.every((item) => typeof item === 'string'))
    throw new ExpressionError('argument', 'join() is of a list of text');
  return list.join(separator);
}

const patterns = new Map<string, RE2JS>();

/** A regular expression in linear time (RE2); throws an Error that says what is wrong with the pattern. */
export function patternOf(source: string): RE2JS {
  const kept = patterns.get(source);
  if (kept) return kept;
  if (source.length > bounds.pattern) throw new Error(`A pattern has at most ${String(bounds.pattern)} characters`);
  const pattern = RE2JS.compile(source);
  if (pattern.programSize() > bounds.patternProgram) throw new Error('The pattern repeats too much');
  if (patterns.size >= 500) patterns.clear();
  patterns.set(source, pattern);
  return pattern;
}

language.registerFunction(
  'string.boundedMatches(string): bool',
  (text: string, source: string) => {
    const pattern = patternOf(source);
    spend(1 + Math.ceil((text.length * pattern.programSize()) / 16));
    return pattern.test(text);
  },
  sync,
);

const environments = new Map<string, Environment>();

/** The language with these names for variables; made once for each set of them. */
export function environmentWith(variables: readonly string[]): Environment {
  const key = [...variables].sort().join(' ');
  const kept = environments.get(key);
  if (kept) return kept;
  const environment = language.clone();
  for (const name of variables) environment.registerVariable(name, 'dyn');
  environments.set(key, environment);
  return environment;
}
