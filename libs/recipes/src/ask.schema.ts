import { efforts } from '#libs/contracts';
import { z } from 'zod';
import { MASKS } from './mask';
import { fixed, property, stepName } from './parts.schema';
import { UNSUPPORTED } from './supported';
import { text } from './video.schema';

/** How an ask of a file is named: by its name and version. */
export const askRef = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}@[1-9]\d{0,5}$/, 'must be a name and a version, such as lead-qualification@2');

const example = z.strictObject({
  told: z.string().min(1).describe('What the model would be told, line by line as it is told'),
  answer: z.record(z.string(), z.unknown()).describe('The right answer to it; it fits the schema of answers'),
});

/** What is asked unless a recipe says: the cheapest model that no shutdown is announced for (vendors' pages, November 2026). */
const DEFAULT_MODEL = 'gpt-6-luna';

/** A question to a language model, as a recipe's file says it. */
export const askStep = z.strictObject({
  model: fixed.default(DEFAULT_MODEL).describe('Id of the model; it may hold ${values.…}'),
  effort: z
    .enum(efforts)
    .optional()
    .describe("How much the model thinks before it answers, which is paid for; the model's own unless said"),
  properties: z.array(property).min(1).describe('The properties that the model is told, and no others'),
  notes: z.int().min(0).max(100).default(0).describe("How many of the record's newest notes the model is told"),
  facts: z.record(stepName, text).default({}).describe('What else the model is told, such as ${steps.usage.logins}'),
  mask: z
    .record(z.string(), z.array(z.enum(MASKS)).min(1))
    .optional()
    .describe(
      'What is hidden before it is told, by property, fact, or `notes`: e-mail addresses, phone and card numbers, IBANs, or all of it',
    ),
  instruction: z.string().min(1),
  answer: z
    .looseObject({ type: z.literal('object'), properties: z.record(z.string(), z.unknown()) })
    .describe('JSON Schema of the answer, in the strict subset: every property required, no further ones'),
  supported: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'Fields of the answer that must stand in what the model was told: numbers in any way of writing, words as they are; of a list each entry',
    ),
  unsupported: z
    .enum(UNSUPPORTED)
    .optional()
    .describe(
      'What becomes of what does not stand there: it is left out (null, or no entry), unless said, kept, or the ask fails; it is told either way',
    ),
  thresholds: z
    .record(stepName, z.number())
    .optional()
    .describe('Numbers that steps compare answers with, read as ${thresholds.…}'),
  examples: z
    .array(example)
    .min(1)
    .max(20)
    .optional()
    .describe('Shown to the model with the instruction, as data between markers'),
});

const { facts, ...whole } = askStep.shape;

/** A question to a language model that stands in a file of its own, as the file says it. */
export const askFileSchema = z.strictObject({
  ask: askRef.describe('Name and version, as the file is named'),
  description: z.string().min(1).describe('What it is for'),
  ...whole,
  model: whole.model.refine((id) => !id.includes('${'), 'must be the id of a model: a file reads no values'),
  facts: z
    .record(stepName, z.string().min(1))
    .default({})
    .describe('Facts that a recipe must give it, and what each of them is'),
});

/** A file's question with its defaults filled in. */
export type AskFile = z.infer<typeof askFileSchema>;

/** How a recipe asks by a file: what it says besides stands in the place of what the file says. */
export const askUse = z.strictObject({
  use: askRef.describe('The ask of a file, by its name and version'),
  facts,
  model: whole.model.unwrap().optional(),
  effort: whole.effort,
  properties: whole.properties.optional(),
  notes: whole.notes.unwrap().optional(),
  mask: whole.mask,
});

/** The published JSON Schema of an ask's file, for editors. */
export const askJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain ask',
  ...z.toJSONSchema(askFileSchema, { target: 'draft-7', io: 'input' }),
});
