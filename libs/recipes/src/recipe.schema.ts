import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lowercase words joined by hyphens');
const stepName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be lowercase words joined by underscores')
  .describe('How later steps and the logs call it; the kind of the step unless said');
const property = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,98}$/, 'must be a CRM property name: lowercase letters, digits, _');

const durationUnits: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `30m`, `24h` or `7d`, in milliseconds. */
const duration = z
  .string()
  .regex(/^\d+[mhd]$/, 'must be a number and m, h or d, such as 24h')
  .transform((text) => Number(text.slice(0, -1)) * (durationUnits[text.slice(-1)] ?? 0));

const condition = z.string().min(1).describe('An expression; the step is skipped unless it is true');
const fixed = z.string().min(1);
const text = z.string().min(1).describe('Text, with expressions in ${…}');
const value = z
  .union([z.string(), z.number(), z.boolean()])
  .describe('A value, or text with expressions in ${…}; one expression alone keeps its type, and null changes nothing');

const videoStep = z.strictObject({
  template: fixed.describe("Id of HeyGen's template; it may hold ${values.…}"),
  title: text.max(500),
  require: z
    .record(property, z.enum(['person-name', 'present']))
    .default({})
    .describe('What the record must have, and not as a placeholder such as "N/A"'),
  variables: z.record(z.string().min(1), text).describe("The template's variables"),
});

const askStep = z.strictObject({
  model: fixed.describe('Id of the model; it may hold ${values.…}'),
  properties: z.array(property).min(1).describe('The properties that the model is told, and no others'),
  notes: z.int().min(0).max(100).default(0).describe("How many of the record's newest notes the model is told"),
  facts: z.record(stepName, text).default({}).describe('What else the model is told, such as ${steps.usage.logins}'),
  instruction: z.string().min(1),
  answer: z
    .looseObject({ type: z.literal('object'), properties: z.record(z.string(), z.unknown()) })
    .describe('JSON Schema of the answer, in the strict subset: every property required, no further ones'),
});

const task = z.strictObject({
  title: text.max(500),
  body: text.max(10_000).optional(),
  priority: z.enum(['LOW', 'MEDIUM', 'HIGH']).default('MEDIUM'),
  due: duration.prefault('1d').describe('Counted from what the step follows'),
  owner: text
    .optional()
    .describe("Id of the owner, such as ${record.hubspot_owner_id}; the portal's default unless said"),
});

const writeStep = z
  .strictObject({
    properties: z.record(property, value).default({}).describe('What the record should say'),
    task: task.optional().describe('A task for the record, made once for each trigger; behind a video or an ask only'),
  })
  .refine(({ properties, task }) => task !== undefined || Object.keys(properties).length > 0, {
    message: 'writes nothing: properties or a task is needed',
  });

const owners = text.max(2_000);

const assignStep = z.strictObject({
  rota: text.max(500).describe('Name of the rota whose turn it is, such as emea-sales'),
  among: z
    .union([owners, z.array(owners).min(1).max(100)])
    .describe(
      'Ids of the owners who take turns: a list of them, or a text that gives a list or ids with commas between',
    ),
});

const around = { name: stepName.optional(), when: condition.optional() };

const step = z.union([
  z.strictObject({ ...around, video: videoStep }),
  z.strictObject({ ...around, ask: askStep }),
  z.strictObject({ ...around, write: writeStep }),
  z.strictObject({ ...around, assign: assignStep }),
]);

/** One step, as its file says it. */
export type StepFile = z.infer<typeof step>;

const trigger = z
  .strictObject({
    object: z.string().min(1).describe('Type of the record: contact, company, deal, ticket or a custom type’s id'),
    on: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe("HubSpot's name of what happened (propertyChange unless said), or the source's own; one or several"),
    property: property.optional().describe('The property that changed'),
    becomes: z.array(z.string()).min(1).optional().describe('Its new value, one of these; any unless said'),
    source: name
      .optional()
      .describe(
        'Whose events they are, if not HubSpot’s: the source of a declared endpoint whose subjects are such records',
      ),
    due: z
      .strictObject({ date: property, before: duration.optional(), after: duration.optional() })
      .refine(({ before, after }) => (before === undefined) !== (after === undefined), {
        message: 'needs one of before and after: how long before or after the date',
      })
      .optional()
      .describe('A date of the record that comes near or has passed'),
    when: z.string().min(1).optional().describe('An expression over `event` that must be true as well'),
    take: z
      .record(stepName, z.string().min(1))
      .default({})
      .describe('Expressions over `event`, whose values the steps read as ${steps.trigger.…}'),
  })
  .superRefine(({ on, property, becomes, source, due }, { addIssue }) => {
    const refuse = (message: string) => {
      addIssue({ code: 'custom', message });
    };
    const ofChange = property !== undefined || becomes !== undefined;
    if (due && (source !== undefined || on !== undefined || ofChange))
      refuse('is due at a date, and so waits for no on, property, becomes or source');
    if (source !== undefined && ofChange) refuse('is of a source: say what must be so by when, over event.body');
    if (!due && source === undefined && property === undefined && changesOf(on).includes('propertyChange'))
      refuse('names no property, which a propertyChange needs');
    if (becomes && property === undefined) refuse('names no property that becomes so');
  });

/** What a trigger waits for: HubSpot's changes of properties, unless it says more. */
export const changesOf = (on: string | string[] = 'propertyChange'): string[] => (typeof on === 'string' ? [on] : on);

/** One automation, as its file says it. */
export const recipeSchema = z.strictObject({
  recipe: name,
  description: z.string().optional(),
  approvals: z.literal('required').optional().describe('A change that reaches further waits for a second person'),
  tenants: z.array(name).min(1).optional().describe('Whose records it is for; those of all tenants unless said'),
  values: z
    .record(stepName, z.record(name, z.union([z.string(), z.number(), z.boolean()])))
    .default({})
    .describe('Values by environment, read as ${values.…}; `default` counts where an environment is not named'),
  trigger,
  coolDown: duration
    .prefault('24h')
    .describe('A second trigger of the same content within this time makes no second video and asks nothing again'),
  steps: z
    .array(step)
    .min(1)
    .refine((steps) => (['video', 'ask'] as const).every((kind) => steps.filter((step) => kind in step).length <= 1), {
      message: 'has more than one video or ask: a recipe makes one of each at most',
    }),
});

/** A recipe's file as it was read, defaults filled in. */
export type RecipeFile = z.infer<typeof recipeSchema>;

/** The published JSON Schema of a recipe's file, for editors: the shape of what one writes, before any default. */
export const recipeJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain recipe',
  ...z.toJSONSchema(recipeSchema, { target: 'draft-7', io: 'input' }),
});
