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

/** How far a number may be from its label, as a share of the range that its schema says, or else of the label. */
const TOLERANCE = 0.1;

const isWithin = (label: Label): label is { is: number; within: number } =>
  typeof label === 'object' && label !== null && 'is' in label;
const isContains = (label: Label): label is { contains: string | string[] } =>
  typeof label === 'object' && label !== null && 'contains' in label;

/** Kinds of value, each with the labels that it may have. */
const kinds = {
  choice: { is: 'is one of', fits: (label: unknown, only: readonly unknown[]) => only.includes(label) },
  whole: { is: 'is a whole number', fits: (label: unknown) => Number.isInteger(label) },
  number: { is: 'is a number', fits: (label: unknown) => typeof label === 'number' },
  truth: { is: 'is true or false', fits: (label: unknown) => typeof label === 'boolean' },
  list: { is: 'is a list', fits: (label: unknown) => Array.isArray(label) },
  text: { is: 'is a text', fits: (label: unknown) => typeof label === 'string' },
  other: { is: 'cannot be judged: leave it out', fits: () => false },
} as const;
type Kind = keyof typeof kinds;

const kindByType: Readonly<Record<string, Kind>> = {
  ...{ integer: 'whole', number: 'number', boolean: 'truth', array: 'list', string: 'text' },
};

interface Shape {
  kind: Kind;
  isNullable: boolean;
  only: readonly unknown[];
  /** Between the bounds of a number, where it has both. */
  range?: number;
}

function shapeOf(schema: unknown): Shape {
  const { type, anyOf, minimum, maximum, ...said } = (schema ?? {}) as Record<string, unknown>;
  const forms = Array.isArray(anyOf) ? anyOf.map(shapeOf) : [];
  const types = [type].flat();
  const only = Array.isArray(said['enum']) ? (said['enum'] as unknown[]) : 'const' in said ? [said['const']] : [];
  const isNullable =
    [...types, ...only].some((one) => one === 'null' || one === null) || forms.some((form) => form.isNullable);
  const solid = forms.find(({ kind }) => kind !== 'other');
  if (solid) return { ...solid, isNullable };
  const byType = kindByType[String(types.find((one) => one !== 'null'))] ?? 'other';
  const range = typeof minimum === 'number' && typeof maximum === 'number' ? { range: maximum - minimum } : {};
  return { kind: only.length > 0 ? 'choice' : byType, isNullable, only, ...range };
}

/** Why a label cannot be held against answers of a schema; undefined where it can. */
export function labelFault({ properties }: AskStep['answer'], field: string, label: Label): string | undefined {
  if (!Object.hasOwn(properties, field))
    return `the answer has no field ${field}: it has ${Object.keys(properties).join(', ')}`;
  const { kind, isNullable, only } = shapeOf(properties[field]);
  if (isWithin(label)) return kind === 'whole' || kind === 'number' ? undefined : 'is no number: say no within';
  if (isContains(label))
    return kind === 'text' || kind === 'list' ? undefined : 'is neither text nor list: say no contains';
  if (label === null) return isNullable ? undefined : 'is never null';
  if (kinds[kind].fits(label, only)) return undefined;
  return [kinds[kind].is, ...(only.length > 0 ? [only.map(String).join(', ')] : [])].join(' ');
}

/**
 * What was answered once, in the place of a label; undefined where it can be none. A whole number between bounds is a
 * measure: it has the tolerance of a number.
 */
export function labelFrom(schema: unknown, value: unknown): Label | undefined {
  const { kind, range } = shapeOf(schema);
  if (kind === 'whole' && range !== undefined && typeof value === 'number')
    return { is: value, within: TOLERANCE * range };
  if (Array.isArray(value)) return value.map((entry) => plainOf(entry) ?? JSON.stringify(entry));
  return value === null ? null : plainOf(value);
}

const plainOf = (value: unknown): z.infer<typeof plainValue> | undefined => plainValue.safeParse(value).data;

/**
 * How far an answer agrees with a label, from 0 to 1; undefined where it cannot be judged, such as a text of which the
 * label does not say what it must hold. Choices, whole numbers and truths agree exactly or not; a number within a tolerance;
 * a list by what it shares with the label, as a part of both together.
 */
export function agreementOf(schema: unknown, label: Label, value: unknown): number | undefined {
  const shape = shapeOf(schema);
  if (isContains(label)) return held([label.contains].flat(), value);
  if ((shape.kind === 'text' || shape.kind === 'other') && label !== null) return undefined;
  if (Array.isArray(label)) return Array.isArray(value) ? overlap(label, value) : 0;
  return agrees(shape, label, value) ? 1 : 0;
}

function agrees({ kind, range }: Shape, label: Exclude<Label, unknown[]>, value: unknown): boolean {
  if (isWithin(label)) return isNear(value, label.is, label.within);
  if (kind !== 'number' || typeof label !== 'number') return label === value;
  return isNear(value, label, TOLERANCE * (range ?? Math.abs(label)));
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
