import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lowercase words joined by hyphens');
const property = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,98}$/, 'must be a CRM property name: lowercase letters, digits, _');

const durationUnits: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `30m`, `24h` or `7d`, in milliseconds. */
const duration = z
  .string()
  .regex(/^\d+[mhd]$/, 'must be a number and m, h or d, such as 24h')
  .transform((text) => Number(text.slice(0, -1)) * (durationUnits[text.slice(-1)] ?? 0));

const variable = z.strictObject({
  property,
  /** Said where the record has no value of its own, or only a placeholder. */
  otherwise: z.string().min(1).optional(),
});

const videoStep = z.strictObject({
  template: z.string().min(1),
  /** `{property}` is replaced by the record's value. */
  title: z.string().min(1).max(200),
  require: z.record(property, z.enum(['person-name', 'present'])).default({}),
  variables: z.record(z.string().min(1), variable),
});

const askStep = z.strictObject({
  name,
  model: z.string().min(1),
  properties: z.array(property).min(1),
  /** How many of the record's newest notes are read. */
  notes: z.int().min(0).max(100).default(0),
  instruction: z.string().min(1),
  /** JSON Schema of the answer, in the strict subset: every property required, no further ones. */
  answer: z.looseObject({ type: z.literal('object'), properties: z.record(z.string(), z.unknown()) }),
  /** CRM property ← field of the answer. A null leaves the property as it is. */
  write: z.record(property, z.string()),
});

/** One automation, as its file says it. */
export const recipeSchema = z.strictObject({
  recipe: name,
  /** A change that reaches further waits for a second person. */
  approvals: z.literal('required').optional(),
  trigger: z.strictObject({
    object: z.string().min(1),
    property,
    becomes: z.array(z.string()).min(1),
  }),
  coolDown: duration.prefault('24h'),
  steps: z
    .array(z.union([z.strictObject({ video: videoStep }), z.strictObject({ ask: askStep })]))
    .min(1)
    .refine((steps) => ['video', 'ask'].every((kind) => steps.filter((step) => kind in step).length <= 1), {
      message: 'has more than one step of a kind',
    }),
});

export type VideoStep = z.infer<typeof videoStep>;
export type AskStep = z.infer<typeof askStep>;

/** The published JSON Schema of a recipe's file, for editors: the shape of what one writes, before any default. */
export const recipeJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain recipe',
  ...z.toJSONSchema(recipeSchema, { target: 'draft-7', io: 'input' }),
});
