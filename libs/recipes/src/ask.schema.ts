import { efforts } from '#libs/contracts';
import { z } from 'zod';
import { MASKS } from './mask';
import { fixed, property, stepName } from './parts.schema';
import { UNSUPPORTED } from './supported';
import { text } from './video.schema';

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
});
