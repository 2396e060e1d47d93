import type { Given } from '#libs/expressions';
import { z } from 'zod';
import type { Entry } from './condense';
import { contextKinds, type ContextWish, type Note, NOTES, type Told } from './context';
import { type Mask, masked } from './mask';
import { notText, readable } from './readable';
import type { StepBase, StepBindings } from './step';
import type { Unsupported } from './supported';
import { plain as said, type Text } from './text';

/** A question to a language model about a record. */
export interface AskStep extends StepBase {
  kind: 'ask';
  model: string;
  /** How much the model thinks; its own measure where it does not say. */
  effort?: string;
  /** The properties that the model is told, and no others. */
  properties: string[];
  /** How many of the record's newest notes the model is told. */
  notes: number;
  /** What else of the record's surroundings the model is told. */
  context: ContextWish;
  /** The most tokens that one question may hold; what is longer is summed up in parts first. */
  tokens: number;
  /** What else the model is told, by name. */
  facts: Record<string, Text>;
  /** What is hidden before it is told, by property, fact, `notes`, or a kind of context. */
  mask: Readonly<Record<string, readonly Mask[]>>;
  /** With the ask's examples in it. */
  instruction: string;
  /** The ask of a file that it is, by name and version; absent where the recipe holds it itself. */
  use?: string;
  /** JSON Schema of the answer, in the strict subset: every property required, no further ones. */
  answer: { type: 'object'; properties: Record<string, unknown> };
  /** Fields of the answer that must stand in what the model was told, and what becomes of what does not. */
  supported: readonly string[];
  unsupported: Unsupported;
  /** What must be read of the record: what the model is told, and what the condition needs. */
  reads: string[];
}

/** The fields of an answer. */
export const answerFields = ({ properties }: Pick<AskStep['answer'], 'properties'>): string[] =>
  Object.keys(properties);

// What nobody sees but a model reads: control characters, marks of direction, zero widths, tags and fillers.
const UNSEEN = /[\p{Cc}\p{Cf}\u3164\uffa0\u115f\u1160\u{e0000}-\u{e0fff}]/gu;

/**
 * A text as data: it cannot close the markers around it, nor look like a line of its own beside it, nor hold what a reader
 * of the record would not see.
 */
export const inert = (text: string): string =>
  text
    .replace(/\r\n?|[\u2028\u2029\u0085\v\f]/g, '\n')
    .replace(UNSEEN, (one) => (one === '\n' || one === '\t' ? one : ''))
    .replace(/<{3,}|>{3,}/g, (marks) => marks.slice(0, 2))
    .replace(/\n+/g, '\n  ');

/** What is told of a record, in lines, and what of it is no text and is told nowhere. */
export interface Telling {
  entries: Entry[];
  leftOut: LeftOut[];
}

/** Something that was read and is not told to the model. */
export interface LeftOut {
  entry: string;
  code: typeof NOT_TEXT;
  /** What it is instead. */
  is: string;
  characters: number;
}

/** Code of what is no text. */
export const NOT_TEXT = 'not-text';

/**
 * What an ask is about: the record's properties, further facts, notes and other context, each as text and masked. Throws
 * ExpressionError where a fact cannot be told.
 */
export function tellingOf(step: AskStep, bindings: StepBindings, told: Told, given?: Given): Telling {
  const { record } = bindings;
  const leftOut: LeftOut[] = [];
  const shown = (name: string, mask: string, text: string, kind: 'html' | 'any' = 'any'): Entry[] => {
    const bad = notText(text);
    const seen = bad === undefined ? readable(text, kind) : undefined;
    const is = bad ?? (seen === undefined ? 'HTML that is nested too deeply' : notText(seen));
    if (is !== undefined) leftOut.push({ entry: name, code: NOT_TEXT, is, characters: text.length });
    if (is !== undefined || !seen) return [];
    return [{ name, kind: mask, text: inert(masked(seen, step.mask[mask] ?? [])) }];
  };
  const properties = step.properties.flatMap((name) => (record[name] ? shown(name, name, record[name]) : []));
  const facts = Object.entries(step.facts).flatMap(([name, text]) => {
    const fact = said(text.evaluate({ ...bindings }, given)).trim();
    return fact === '' ? [] : shown(name, name, fact);
  });
  const around = contextOf(step, told).flatMap(([kind, all]) =>
    all.flatMap(({ at, title, text }) => {
      const name = `${kind.slice(0, -1)} of ${at.slice(0, 10)}`;
      return shown(name, kind, title ? `${title}\n${text}` : text, HTML.has(kind) ? 'html' : 'any');
    }),
  );
  return { entries: [...properties, ...facts, ...around], leftOut };
}

const contextOf = ({ notes, context: { most } }: AskStep, told: Told): [string, readonly Note[]][] => [
  [NOTES, told.notes.slice(0, notes)],
  ...contextKinds.map((kind): [string, readonly Note[]] => [
    kind,
    (told.context?.[kind] ?? []).slice(0, most[kind] ?? 0),
  ]),
];

/** What a person writes into HubSpot's own editor. */
const HTML: ReadonlySet<string> = new Set(['notes', 'calls', 'meetings']);

/** The text of a question: lines between markers that say it is data. */
export const dataOf = (lines: string): string => ['<<<DATA', ...(lines === '' ? [] : [lines]), 'DATA>>>'].join('\n');

/** Why no answer can be checked against a schema; undefined where one can. */
export function answerFault(schema: AskStep['answer']): string | undefined {
  try {
    z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    return undefined;
  } catch (error) {
    return `no answer can be checked against it: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Why a field of an answer cannot be looked for in what the model was told; undefined where it can. */
export function supportFault(
  { properties }: AskStep['answer'],
  field: string,
  unsupported: Unsupported,
): string | undefined {
  const schema = properties[field];
  if (schema === undefined) return `the answer has no field ${field}`;
  const types = typesOf(schema);
  if (!types.some((type) => LOOKED_FOR.has(type))) return `${field} is neither number, text nor list`;
  if (unsupported === 'leave-out' && !types.includes('array') && !types.includes('null'))
    return `${field} must allow null, which it becomes where it is left out`;
  return undefined;
}

const LOOKED_FOR: ReadonlySet<unknown> = new Set(['number', 'integer', 'string', 'array']);

function typesOf(schema: unknown): unknown[] {
  const { type, anyOf } = (schema ?? {}) as { type?: unknown; anyOf?: unknown };
  return [type, Array.isArray(anyOf) ? anyOf.map(typesOf) : []].flat(3);
}

const readers = new WeakMap<object, z.ZodType>();

/** Checks an answer against the ask's own schema: the model's promise is not taken on trust. */
export function readAnswer(
  step: Pick<AskStep, 'answer'>,
  content: string,
): { answer: Record<string, unknown> } | { error: string } {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return { error: 'the answer is not JSON' };
  }
  let reader = readers.get(step.answer);
  if (!reader) {
    reader = z.fromJSONSchema(step.answer as Parameters<typeof z.fromJSONSchema>[0]);
    readers.set(step.answer, reader);
  }
  const parsed = reader.safeParse(value);
  return parsed.success
    ? { answer: parsed.data as Record<string, unknown> }
    : { error: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') };
}
