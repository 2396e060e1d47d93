import { z } from 'zod';
import type { AskStep } from './ask';

const plainValue = z.union([z.string(), z.number(), z.boolean()]);

/** What is right of one field of an answer: a value, one with a tolerance, or words that it must hold. */
export const labelSchema = z.union(
  [
    plainValue,
    z.null(),
    z.array(plainValue),
    z.strictObject({
      is: z.number().describe('The number'),
      within: z.number().min(0).describe('How far an answer may be from it'),
    }),
    z.strictObject({
      contains: z
        .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
        .describe('Words that a text must hold, or entries of a list, in any case of letters'),
    }),
  ],
  { error: 'must be a value, a list of values, { is, within } or { contains }' },
);
export type Label = z.infer<typeof labelSchema>;

type Kind = 'exact' | 'number' | 'list' | 'text' | 'other';

/** How far a number may be from its label, as a share of the range that its schema says, or else of the label. */
const TOLERANCE = 0.1;

const isWithin = (label: Label): label is { is: number; within: number } =>
  typeof label === 'object' && label !== null && 'is' in label;
const isContains = (label: Label): label is { contains: string | string[] } =>
  typeof label === 'object' && label !== null && 'contains' in label;

interface Shape {
  kind: Kind;
  /** The types that it may have, null among them. */
  types: unknown[];
  range?: number;
  only?: unknown[];
}

function shapeOf(schema: unknown): Shape {
  const { type, anyOf, enum: only, const: one, minimum, maximum } = (schema ?? {}) as Record<string, unknown>;
  const inner = Array.isArray(anyOf) ? anyOf.map(shapeOf) : [];
  const solid = inner.find(({ types }) => types.some((name) => name !== 'null'));
  const types = [type ?? [], ...inner.map((each) => each.types)].flat(2);
  if (solid) return { ...solid, types };
  const range = typeof minimum === 'number' && typeof maximum === 'number' ? maximum - minimum : undefined;
  const choices = Array.isArray(only) ? only : one === undefined ? undefined : [one];
  const about = {
    types,
    ...(range === undefined ? {} : { range }),
    ...(choices ? { only: choices as unknown[] } : {}),
  };
  if (choices || types.includes('integer') || types.includes('boolean')) return { kind: 'exact', ...about };
  if (types.includes('number')) return { kind: 'number', ...about };
  if (types.includes('array')) return { kind: 'list', ...about };
  return { kind: types.includes('string') ? 'text' : 'other', ...about };
}

/** Why a label cannot be held against answers of a schema; undefined where it can. */
export function labelFault({ properties }: AskStep['answer'], field: string, label: Label): string | undefined {
  const schema = Object.hasOwn(properties, field) ? properties[field] : undefined;
  if (schema === undefined) return `the answer has no field ${field}: it has ${Object.keys(properties).join(', ')}`;
  const { kind, types, only } = shapeOf(schema);
  const isNumber = types.includes('number') || types.includes('integer');
  if (isWithin(label)) return isNumber ? undefined : 'is no number: say no within';
  if (isContains(label))
    return kind === 'text' || kind === 'list' ? undefined : 'is neither text nor list: say no contains';
  if (label === null) return types.includes('null') || only?.includes(null) ? undefined : 'is never null';
  if (kind === 'list') return Array.isArray(label) ? undefined : 'is a list';
  if (Array.isArray(label)) return 'is no list';
  if (only) return only.includes(label) ? undefined : `is one of ${only.map(String).join(', ')}`;
  if (isNumber)
    return typeof label === 'number' && isWhole(label, types)
      ? undefined
      : `is ${types.includes('number') ? 'a number' : 'a whole number'}`;
  if (types.includes('boolean')) return typeof label === 'boolean' ? undefined : 'is true or false';
  return kind === 'text' && typeof label !== 'string' ? 'is a text' : undefined;
}

const isWhole = (label: number, types: unknown[]): boolean => types.includes('number') || Number.isInteger(label);

/**
 * How far an answer agrees with a label, from 0 to 1; undefined where it cannot be judged, such as a text of which the
 * label does not say what it must hold. Choices, whole numbers and truths agree exactly or not; a number within a tolerance;
 * a list by what it shares with the label, as a part of both together.
 */
export function agreementOf(schema: unknown, label: Label, value: unknown): number | undefined {
  const { kind, range } = shapeOf(schema);
  const asShare = (agrees: boolean) => (agrees ? 1 : 0);
  if (isContains(label)) return held([label.contains].flat(), value);
  if ((kind === 'text' || kind === 'other') && label !== null) return undefined;
  if (label === null || value === null) return asShare(label === value);
  if (isWithin(label)) return asShare(isNear(value, label.is, label.within));
  switch (kind) {
    case 'exact':
      return asShare(label === value);
    case 'number': {
      const tolerance = TOLERANCE * (range ?? Math.abs(Number(label)));
      return asShare(isNear(value, Number(label), tolerance));
    }
    case 'list':
      return Array.isArray(label) && Array.isArray(value) ? overlap(label, value) : 0;
    default:
      return undefined;
  }
}

// What is computed of decimals is off by a hair.
const isNear = (value: unknown, label: number, within: number): boolean =>
  typeof value === 'number' && Math.abs(value - label) <= within + 1e-9;

function overlap(label: unknown[], value: unknown[]): number {
  const [wanted, given] = [new Set(label.map(plain)), new Set(value.map(plain))];
  const both = [...wanted].filter((one) => given.has(one)).length;
  const all = wanted.size + given.size - both;
  return all === 0 ? 1 : both / all;
}

/** Of a text, whether it holds all words; of a list, which part of them one of its entries holds. */
function held(words: readonly string[], value: unknown): number {
  const has = (text: unknown, word: string) => plain(text).includes(plain(word));
  if (Array.isArray(value))
    return words.filter((word) => value.some((entry) => has(entry, word))).length / words.length;
  return typeof value === 'string' && words.every((word) => has(value, word)) ? 1 : 0;
}

const plain = (value: unknown): string =>
  (typeof value === 'string' ? value : JSON.stringify(value))
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim();
