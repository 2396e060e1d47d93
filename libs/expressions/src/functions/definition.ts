import { ExpressionError } from '../fault';

/** One function of the language: what runs, what the reference says and what the tests check, in one place. */
export interface FunctionDefinition {
  /** `name(parameter, optional?, rest...): type`; without a type it gives a value or null. */
  signature: `${string}(${string})${string}`;
  says: string;
  /** Expressions with what they give; each is shown and tested. */
  examples: readonly (readonly [expression: string, result: unknown])[];
  /** Steps that a call counts besides the size of its arguments and its result. */
  cost?: number;
  run: (...values: never[]) => unknown;
}

/** Functions of one subject. */
export interface FunctionGroup {
  title: string;
  functions: readonly FunctionDefinition[];
}

/** How many values `rest...` may stand for. */
const MOST_REST = 8;

/** The name, the type and the possible numbers of arguments that a signature declares. */
export function readSignature(signature: string): { name: string; type: string; arities: number[] } {
  const match = /^(\w+)\(([^)]*)\)(?:: (\w+))?$/.exec(signature);
  if (!match) throw new Error(`Not a signature: ${signature}`);
  const parameters = (match[2] ?? '').split(',').map((parameter) => parameter.trim());
  const needed = parameters.filter((parameter) => parameter !== '' && !/(\?|\.\.\.)$/.test(parameter)).length;
  const most = parameters.at(-1)?.endsWith('...') ? MOST_REST : parameters.filter(Boolean).length;
  const least = Math.max(needed, parameters.at(-1)?.endsWith('...') ? 1 : 0);
  const arities = Array.from({ length: most - least + 1 }, (_, i) => least + i);
  return { name: match[1] ?? '', type: match[3] ?? 'dyn', arities };
}

const unfit = (what: string): never => {
  throw new ExpressionError('argument', `An argument is no ${what}`);
};

/** A value as text, without blanks around it: null where there is none. Numbers count as what they are written as. */
export function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value.trim() || null;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return unfit('text');
}

/** A value as text of at most `most` characters; longer text is none that the function could read. */
export function shortTextOf(value: unknown, most = 300): string | null {
  const text = textOf(value);
  return text === null || text.length > most ? null : text;
}

/** A text that the author chose, such as a zone or a unit: must be there. */
export const choiceOf = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : unfit('text'));

/** A finite number; text that is one counts, null and other text give null. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  const text = shortTextOf(value, 40);
  return text !== null && /^[+-]?\d+(\.\d+)?(e[+-]?\d{1,2})?$/i.test(text) ? Number(text) : null;
}

/** A whole number that the author chose. */
export function wholeOf(value: unknown, least: number, most: number): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most
    ? number
    : unfit(`whole number from ${String(least)} to ${String(most)}`);
}

/** A list; null counts as an empty one. */
export const listOf = (value: unknown): readonly unknown[] =>
  value === null || value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : unfit('list');

/** A map by its own fields; null counts as an empty one. */
export function entriesOf(value: unknown): [string, unknown][] {
  if (value === null || value === undefined) return [];
  return isMap(value) ? Object.entries(value) : unfit('map');
}

/** Whether a value is a map of data: no list, no time, nothing with a class of its own. */
export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return (
    prototype === null ||
    prototype === Object.prototype ||
    (Object.getPrototypeOf(prototype) === null && !Array.isArray(value))
  );
}

/** Text as it is compared: without accents, case, blanks around it and blanks doubled, with one kind of apostrophe. */
export const folded = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').replace(/[‘’]/g, "'").toLowerCase().replace(/\s+/gu, ' ').trim();

/** A language such as `de` or `de-AT`; for one that is not known, the machine's own would stand in. */
export function languageOf(value: unknown): string {
  const language = choiceOf(value);
  const known = /^[a-z]{2}(-[A-Z]{2})?$/.test(language) && Intl.NumberFormat.supportedLocalesOf(language).length > 0;
  return known ? language : unfit('language such as "de"');
}
