import { z } from 'zod';
import type { AskStep } from './recipe.schema';
import type { Properties } from './video';

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

/** The text that an ask is about: the record's properties and notes, between markers that say it is data. */
export function askText(step: AskStep, properties: Properties, notes: Note[]): string {
  const facts = step.properties.flatMap((name) => (properties[name] ? [`${name}: ${properties[name]}`] : []));
  const said = notes.slice(0, step.notes).map((note) => `note of ${note.at.slice(0, 10)}: ${plain(note.text)}`);
  return ['<<<DATA', ...facts, ...said, 'DATA>>>'].join('\n');
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

/** The CRM properties that an answer fills; a null leaves its property as it is. */
export function propertiesOfAnswer(step: AskStep, answer: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(step.write).flatMap(([property, field]) => {
    const value = answer[field];
    if (value === null || value === undefined) return [];
    return [[property, typeof value === 'string' ? value : JSON.stringify(value)] as const];
  });
  return Object.fromEntries(entries);
}
