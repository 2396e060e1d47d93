import { compile, type Expression, ExpressionFault, type Given, type Json, type Reading } from '#libs/expressions';

/** What an expression of a step may read. */
export type Variables = Readonly<Record<string, Reading>>;

/** What every step may read. */
export const ofStep = { record: 'named', steps: 'named' } as const satisfies Variables;

/** A value of a recipe, with the expressions in it ready to run. */
export interface Text {
  /** Paths that are read, by variable. */
  reads: Expression['reads'];
  /** The reference tables that are looked into. */
  tables: readonly string[];
  /** Whether it needs the secret of `token(…)`. */
  keyed: boolean;
  /** What stands there, where it holds no expression: it is known beforehand. */
  literal?: Json;
  /** One expression alone gives its own value; in text a null is nothing. Throws ExpressionError. */
  evaluate(bindings: Readonly<Record<string, unknown>>, given?: Given): Json;
}

type Part = string | Expression;

/** Makes a value ready; throws ExpressionFault, whose place counts from the beginning of the value. */
export function compileText(
  value: string | number | boolean,
  variables: Variables,
  said: (value: Json) => string = plain,
): Text {
  if (typeof value !== 'string') return { reads: {}, tables: [], keyed: false, literal: value, evaluate: () => value };
  const parts = partsOf(value, variables);
  const [only] = parts;
  if (parts.length === 0) return literal('');
  if (parts.length === 1 && only !== undefined) return typeof only === 'string' ? literal(only) : only;
  return {
    reads: joined(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.reads]))),
    tables: parts.flatMap((part) => (typeof part === 'string' ? [] : part.tables)),
    keyed: parts.some((part) => typeof part !== 'string' && part.keyed),
    evaluate: (bindings, given) =>
      parts.map((part) => (typeof part === 'string' ? part : said(part.evaluate(bindings, given)))).join(''),
  };
}

/** What stands in a text with `x` for each expression, to be judged before it is filled. */
export const shapeOf = (value: string, variables: Variables): string =>
  partsOf(value, variables)
    .map((part) => (typeof part === 'string' ? part : 'x'))
    .join('');

/** A text that is as it stands. */
export const literal = (text: string): Text => ({
  reads: {},
  tables: [],
  keyed: false,
  literal: text,
  evaluate: () => text,
});

/** A JSON value as it stands in text and in CRM properties. */
export const plain = (value: Json): string =>
  value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/** What several texts read together. */
export function joined(all: readonly Expression['reads'][]): Expression['reads'] {
  const reads: Record<string, (readonly string[])[]> = {};
  for (const one of all) {
    for (const [variable, paths] of Object.entries(one)) (reads[variable] ??= []).push(...paths);
  }
  return reads;
}

/** `$${` stands for `${` itself. */
function partsOf(text: string, variables: Variables): Part[] {
  const parts: Part[] = [];
  let said = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('$${', at)) {
      said += '${';
      at += 3;
    } else if (text.startsWith('${', at)) {
      const end = endOf(text, at + 2);
      if (said !== '') parts.push(said);
      said = '';
      parts.push(within(at + 2, () => compile(text.slice(at + 2, end), { variables })));
      at = end + 1;
    } else {
      said += text[at] ?? '';
      at += 1;
    }
  }
  if (said !== '') parts.push(said);
  return parts;
}

/** Where an expression that begins at `from` is closed: braces and quotes in it count. */
function endOf(text: string, from: number): number {
  let depth = 0;
  let quote: string | undefined;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quote !== undefined) {
      if (char === '\\') at += 1;
      else if (char === quote) quote = undefined;
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth += 1;
    else if (char === '}' && depth > 0) depth -= 1;
    else if (char === '}') return at;
  }
  throw new ExpressionFault('syntax', 'It is not closed', from - 2, text.length, 'Write } behind the expression.');
}

function within<T>(offset: number, work: () => T): T {
  try {
    return work();
  } catch (fault) {
    if (!(fault instanceof ExpressionFault)) throw fault;
    throw new ExpressionFault(fault.code, fault.message, fault.offset + offset, fault.end + offset, fault.remedy);
  }
}
