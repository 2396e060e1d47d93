import { efforts } from '#libs/contracts';
import { z } from 'zod';
import { MASKS } from './mask';
import { fixed, property, stepName } from './parts.schema';
import { UNSUPPORTED } from './supported';
import { text } from './video.schema';

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
});
