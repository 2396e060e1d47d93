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

const most = (all: number) => z.int().min(1).max(all).optional();

/** What else of a record's surroundings is told, by kind. */
const context = z.strictObject({
  notes: most(100).describe("How many of the record's newest notes; the same as `notes` beside it"),
  emails: most(100).describe('Of its newest e-mails, with their subjects'),
  calls: most(100).describe('Of its newest calls: titles and what was written down'),
  meetings: most(100).describe('Of its newest meetings: titles, descriptions and internal notes'),
  tickets: most(100).describe('Of its newest tickets'),
  transcripts: most(10).describe('Of its newest calls that have a transcript'),
  transcript: z
    .array(property)
    .min(1)
    .max(50)
    .optional()
    .describe('The properties of a call that hold its transcript, one behind the other; call_transcript unless said'),
});

/** A question to a language model, as a recipe's file says it. */
export const askStep = z.strictObject({
  model: fixed.default(DEFAULT_MODEL).describe('Id of the model; it may hold ${values.…}'),
  effort: z
    .enum(efforts)
    .optional()
    .describe("How much the model thinks before it answers, which is paid for; the model's own unless said"),
  properties: z.array(property).min(1).describe('The properties that the model is told, and no others'),
  notes: z.int().min(0).max(100).default(0).describe("How many of the record's newest notes the model is told"),
  context: context
    .optional()
    .describe(
      'What else is told: so many of the newest e-mails, calls, meetings and tickets that are tied to the record',
    ),
  tokens: z
    .int()
    .min(2_000)
    .max(200_000)
    .default(24_000)
    .describe(
      'The most tokens that the question may hold; of what is longer, the longest texts are summed up in parts first',
    ),
  facts: z.record(stepName, text).default({}).describe('What else the model is told, such as ${steps.usage.logins}'),
  mask: z
    .record(z.string(), z.array(z.enum(MASKS)).min(1))
    .optional()
    .describe(
      'What is hidden before it is told, by property, fact, `notes` or a kind of context: e-mail addresses, phone and card numbers, IBANs, or all of it',
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
  context: whole.context,
  tokens: whole.tokens.unwrap().optional(),
  mask: whole.mask,
});

/** The published JSON Schema of an ask's file, for editors. */
export const askJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain ask',
  ...z.toJSONSchema(askFileSchema, { target: 'draft-7', io: 'input' }),
});
