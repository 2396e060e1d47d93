import { begin, bounds, finish, nothing, spend } from './bounds';
import { builtins } from './builtins';
import { type ErrorCode, ExpressionError, ExpressionFault, type FaultCode } from './fault';
import { isMap, readSignature } from './functions/definition';
import type { Given } from './given';
import { environmentWith } from './language';
import { meter } from './meter';
import { type Reading, readsOf } from './reads';
import type { Node } from './tree';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** An expression that was found fit to run. */
export interface Expression {
  readonly source: string;
  /** The members that it reads of each variable, as paths; an empty path is the whole variable. */
  readonly reads: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** The reference tables that it looks into. */
  readonly tables: readonly string[];
  /** Whether it needs the secret of `token(…)`. */
  readonly keyed: boolean;
  /**
   * Gives a JSON value, the same for the same input at any time and place, within a bounded number of steps. Needs a value
   * for every variable that was declared; a member that is absent is null. Throws ExpressionError.
   */
  evaluate(bindings: Readonly<Record<string, unknown>>, given?: Given): Json;
}

/** The variables that an expression may read. */
export interface Scope {
  variables: Readonly<Record<string, Reading>>;
}

/** Makes an expression ready to run, or throws ExpressionFault: what it names is there, its types fit, its size is bounded. */
export function compile(source: string, { variables }: Scope): Expression {
  if (source.length > bounds.source) {
    const message = `It is longer than ${String(bounds.source)} characters`;
    throw new ExpressionFault('too-long', message, bounds.source, source.length, 'Split the expression in two.');
  }
  const parsed = parse(source, Object.keys(variables));
  const root = parsed.ast as unknown as Node;
  const reads = readsOf(root, variables);
  const { error } = parsed.check();
  if (error) throw faultOf(error, source);
  meter(root);
  const run = (bindings: Readonly<Record<string, unknown>>): Json => jsonOf(parsed(bindings), 0);
  return {
    source,
    reads: Object.fromEntries(reads.paths),
    tables: [...reads.tables],
    keyed: reads.keyed,
    evaluate: (bindings, given = nothing) => {
      begin(given);
      try {
        return run(bindings);
      } catch (error) {
        throw errorOf(error, source);
      } finally {
        finish();
      }
    },
  };
}

function parse(source: string, variables: readonly string[]) {
  try {
    return environmentWith(variables).parse(source);
  } catch (error) {
    throw faultOf(error, source);
  }
}

/** What the library throws; its `message` quotes the source, its `summary` does not. */
interface LibraryError {
  code: string;
  summary: string;
  range?: { start: number; end: number };
}

const isOfLibrary = (error: unknown): error is LibraryError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && 'summary' in error;

const faults: Record<string, [FaultCode, string]> = {
  limit_exceeded: ['too-large', 'Split the expression in two.'],
  no_matching_overload: ['wrong-arguments', 'See docs/reference/expressions.md for what it takes.'],
  no_such_overload: ['type', 'Convert one side, as with double(…), number(…) or string(…).'],
  incompatible_ternary_branches: ['type', 'Wrap one of the two in dyn(…).'],
};

function faultOf(error: unknown, source: string): ExpressionFault {
  if (error instanceof ExpressionFault) return error;
  if (!isOfLibrary(error)) {
    return new ExpressionFault('syntax', 'It cannot be read', 0, source.length, 'Write it more simply.');
  }
  const { start, end } = error.range ?? { start: 0, end: source.length };
  const optional = /^(\.\?|\[\?|\?)/.test(source.slice(Math.max(start - 1, 0)));
  const atSyntax =
    optional && !source.includes(':') ? 'An absent member is null: write a.b, without ?.' : 'Check what stands there.';
  const isParseError = (error as unknown as Error).name === 'ParseError';
  const [code, remedy] = faults[error.code] ?? (isParseError ? ['syntax', atSyntax] : ['type', 'Check the types.']);
  return new ExpressionFault(code, withShownNames(error.summary), start, Math.max(end, start), remedy);
}

const shownNames = builtins.flatMap(({ signature, runs }) => {
  const name = readSignature(signature.replace(/^\w+\./, '')).name;
  return runs === undefined ? [] : [[runs, name] as const];
});

const withShownNames = (text: string): string =>
  shownNames.reduce((shown, [runs, name]) => shown.replaceAll(runs, name), text);

/** Errors of the library whose summary names types only; all others may quote a value. */
const toldAsIs: ReadonlySet<string> = new Set([
  'no_such_overload',
  'no_matching_overload',
  'invalid_logical_operand',
  'invalid_condition_type',
  'invalid_comprehension_range',
  'division_by_zero',
  'modulo_by_zero',
]);

const errors: Record<string, [ErrorCode, string]> = {
  unknown_variable: ['unbound', 'A variable was given no value'],
  no_such_key: ['absent', 'A map has no such key'],
  index_out_of_bounds: ['absent', 'A list has no such element'],
  index_out_of_range: ['out-of-range', 'A position lies outside of the text'],
  numeric_overflow: ['out-of-range', 'A number is too large'],
};

function errorOf(error: unknown, source: string): ExpressionError {
  if (error instanceof ExpressionError) return error;
  if (!isOfLibrary(error)) return new ExpressionError('type', 'The types of the values do not fit');
  const [code, message] = errors[error.code] ?? ['type', 'A value cannot be converted or does not fit'];
  const told = toldAsIs.has(error.code) ? withShownNames(error.summary) : message;
  // Of two operands the library names the wrong one.
  const { start, end } = (error.code !== 'invalid_logical_operand' && error.range) || { start: 0, end: 0 };
  const where = source.slice(start, Math.min(end, start + 80));
  return new ExpressionError(code, where === '' ? told : `${told}, in ${where}`);
}

/** A value as plain JSON; whole numbers as numbers where those are exact, times as RFC 3339. */
function jsonOf(value: unknown, depth: number): Json {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      spend(value.length >> 4);
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new ExpressionError('out-of-range', 'The result is no finite number');
      return value === 0 ? 0 : value;
    case 'bigint':
      if (!Number.isSafeInteger(Number(value)))
        throw new ExpressionError('out-of-range', 'The result is too large a number');
      return Number(value);
    case 'object':
      return value === null ? null : jsonOfObject(value, depth);
    case 'undefined':
      return null;
    default:
      throw new ExpressionError('not-json', 'The result is no data');
  }
}

function jsonOfObject(value: object, depth: number): Json {
  if (depth > bounds.dataDepth) throw new ExpressionError('too-deep', 'The result is nested too deeply');
  if (Array.isArray(value)) {
    spend(value.length);
    return value.map((item) => jsonOf(item, depth + 1));
  }
  if (value instanceof Date) return value.toISOString();
  if (!isMap(value)) throw new ExpressionError('not-json', 'The result is no data: a type or a duration, perhaps');
  const entries = Object.entries(value);
  spend(entries.length);
  return Object.fromEntries(entries.map(([name, item]) => [name, jsonOf(item, depth + 1)]));
}
