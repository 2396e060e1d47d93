import type { Given } from '#libs/expressions';
import { z } from 'zod';
import type { StepBase, StepBindings } from './step';
import { plain as said, type Text } from './text';

/** A question to a language model about a record. */
export interface AskStep extends StepBase {
  kind: 'ask';
  model: string;
  /** The properties that the model is told, and no others. */
  properties: string[];
  /** How many of the record's newest notes the model is told. */
  notes: number;
  /** What else the model is told, by name. */
  facts: Record<string, Text>;
  instruction: string;
  /** JSON Schema of the answer, in the strict subset: every property required, no further ones. */
  answer: { type: 'object'; properties: Record<string, unknown> };
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

/**
 * The text that an ask is about: the record's properties, further facts and notes, between markers that say it is data.
 * Throws ExpressionError where a fact cannot be told.
 */
export function askText(step: AskStep, bindings: StepBindings, notes: Note[], given?: Given): string {
  const { record } = bindings;
  const facts = step.properties.flatMap((name) => (record[name] ? [`${name}: ${record[name]}`] : []));
  const further = Object.entries(step.facts).flatMap(([name, text]) => {
    const fact = said(text.evaluate({ ...bindings }, given)).trim();
    return fact === '' ? [] : [`${name}: ${fact}`];
  });
  const written = notes.slice(0, step.notes).map((note) => `note of ${note.at.slice(0, 10)}: ${plain(note.text)}`);
  return ['<<<DATA', ...facts, ...further, ...written, 'DATA>>>'].join('\n');
}

/** Why no answer can be checked against a schema; undefined where one can. */
export function answerFault(schema: AskStep['answer']): string | undefined {
  try {
    z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    return undefined;
  } catch (error) {
    return `no answer can be checked against it: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const readers = new WeakMap<AskStep, z.ZodType>();

/** Checks an answer against the ask's own schema: the model's promise is not taken on trust. */
export function readAnswer(step: AskStep, content: string): { answer: Record<string, unknown> } | { error: string } {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return { error: 'the answer is not JSON' };
  }
  let reader = readers.get(step);
  if (!reader) {
    reader = z.fromJSONSchema(step.answer as Parameters<typeof z.fromJSONSchema>[0]);
    readers.set(step, reader);
  }
  const parsed = reader.safeParse(value);
  return parsed.success
    ? { answer: parsed.data as Record<string, unknown> }
    : { error: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') };
}
