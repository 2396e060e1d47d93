import type { Given } from '#libs/expressions';
import { z } from 'zod';
import { type Mask, masked } from './mask';
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
  /** What else the model is told, by name. */
  facts: Record<string, Text>;
  /** What is hidden before it is told, by property, fact, or `notes`. */
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

/** A note of a record, newest first where several stand together. `at` is RFC 3339. */
export interface Note {
  at: string;
  text: string;
}

const plain = (text: string): string =>
  text
    .replace(/<(br|\/p|\/div|\/li)[^>]*>/gi, '\n')
    .replace(/<[^>]+>/g, '')
    .trim();

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

/**
 * The text that an ask is about: the record's properties, further facts and notes, between markers that say it is data.
 * Throws ExpressionError where a fact cannot be told.
 */
export function askText(step: AskStep, bindings: StepBindings, notes: Note[], given?: Given): string {
  const { record } = bindings;
  const shown = (name: string, text: string): string => inert(masked(text, step.mask[name] ?? []));
  const facts = step.properties.flatMap((name) => (record[name] ? [`${name}: ${shown(name, record[name])}`] : []));
  const further = Object.entries(step.facts).flatMap(([name, text]) => {
    const fact = said(text.evaluate({ ...bindings }, given)).trim();
    return fact === '' ? [] : [`${name}: ${shown(name, fact)}`];
  });
  const written = notes
    .slice(0, step.notes)
    .map((note) => `note of ${note.at.slice(0, 10)}: ${shown(NOTES, plain(note.text))}`);
  return ['<<<DATA', ...facts, ...further, ...written, 'DATA>>>'].join('\n');
}

/** How a mask names the notes. */
export const NOTES = 'notes';

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
