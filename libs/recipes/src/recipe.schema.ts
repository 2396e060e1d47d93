import { z } from 'zod';
import { askFileSchema, askRef, askStep, askUse } from './ask.schema';
import { fixed, property, stepName } from './parts.schema';
import { optionsOfVideo, text, variable } from './video.schema';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lowercase words joined by hyphens');
const durationUnits: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `30m`, `24h` or `7d`, in milliseconds. */
const duration = z
  .string()
  .regex(/^\d+[mhd]$/, 'must be a number and m, h or d, such as 24h')
  .transform((text) => Number(text.slice(0, -1)) * (durationUnits[text.slice(-1)] ?? 0));

const condition = z.string().min(1).describe('An expression; the step is skipped unless it is true');
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
  variables: z.record(z.string().min(1), variable).describe("The template's variables"),
  unclean: z
    .enum(['clean', 'refuse'])
    .optional()
    .describe(
      'What is done where a variable holds HTML, emoji, template signs or control characters: it is cleaned of them, unless said, or no video is made',
    ),
  ...optionsOfVideo,
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

const id = z.union([text, z.int()]).describe('An id, or text with expressions in ${…} that gives one');

const lists = z
  .strictObject({
    add: z.array(id).max(10).default([]).describe('Ids of lists that the record is put on'),
    remove: z.array(id).max(10).default([]).describe('Ids of lists that it is taken from'),
  })
  .refine(({ add, remove }) => add.length + remove.length > 0, {
    message: 'names no list to add to or to remove from',
  });

const consent = z
  .strictObject({
    subscription: id.describe('Id of the kind of e-mail'),
    status: z.enum(['subscribed', 'unsubscribed']),
    basis: z
      .enum([
        'LEGITIMATE_INTEREST_PQL',
        'LEGITIMATE_INTEREST_CLIENT',
        'PERFORMANCE_OF_CONTRACT',
        'CONSENT_WITH_NOTICE',
        'NON_GDPR',
        'PROCESS_AND_STORE',
        'LEGITIMATE_INTEREST_OTHER',
      ])
      .optional()
      .describe('The legal basis; needed where the account has its data privacy settings on'),
    explanation: text.optional().describe('What the legal basis rests on'),
  })
  .refine(({ basis, explanation }) => (basis === undefined) === (explanation === undefined), {
    message: 'needs both basis and explanation, or neither',
  });

const sequence = z.strictObject({
  id: id.describe('Id of the sequence'),
  sender: text.describe('The connected address that sends it'),
  user: id.describe('Id of the user who enrols (not of the owner)'),
});

const upsert = z
  .strictObject({
    object: z
      .string()
      .min(1)
      .describe('Type of the other record: contact, company, deal, ticket or a custom type’s id'),
    by: property.describe('Its unique property, by which it is found; one of those below'),
    properties: z.record(property, value).describe('What it should say; created where there is none yet'),
    associate: z
      .array(z.strictObject({ object: z.string().min(1), by: property, value: text }))
      .max(10)
      .default([])
      .describe('Records that it is tied to, each known by the value of a unique property (or a contact by its email)'),
  })
  .refine(({ by, properties }) => by in properties, {
    message: 'has no value for the property that it goes by: name it among properties',
  });

const event = z.strictObject({
  type: text.describe("The event's type, as the project of the HubSpot app declares it"),
  properties: z.record(z.string().min(1), value).default({}).describe("The event's own values"),
});

const actions = {
  task: task.optional().describe('A task for the record'),
  note: text.max(60_000).optional().describe('A note at the record'),
  lists: lists.optional().describe('Lists that the record is put on or taken from; such as are filled by hand only'),
  consent: consent.optional().describe('Whether the contact takes a kind of e-mail'),
  sequence: sequence.optional().describe('A sequence of e-mails in which the contact is enrolled'),
  upsert: upsert.optional().describe('Another record, changed or created'),
  event: event
    .optional()
    .describe(
      "What happened, in the record's timeline: by a note, or by an event of the app where the account is set to it",
    ),
};

const writeStep = z
  .strictObject({
    properties: z.record(property, value).default({}).describe('What the record should say'),
    stage: text
      .max(500)
      .optional()
      .describe("The stage that it moves to, by its name in the record's own pipeline or by its id; deals and tickets"),
    ...actions,
  })
  .describe('What the record should say, and what is done once for each trigger')
  .refine(({ properties, ...done }) => Object.keys(properties).length > 0 || Object.values(done).some(Boolean), {
    message: `writes nothing: properties or one of stage, ${Object.keys(actions).join(', ')} is needed`,
  });

/** What a write step does beside setting properties, as its file says it. */
export type ActionsFile = Omit<z.infer<typeof writeStep>, 'properties' | 'stage'>;
const fetchStep = z
  .strictObject({
    from: name.describe('The system that is asked, as the operator declared it'),
    path: text
      .regex(/^\//, 'must begin with /')
      .max(2_000)
      .describe('Below the address of the system; each ${…} stands for one part of it, whatever it holds'),
    query: z.record(z.string().min(1), value).default({}).describe('What stands behind the path; null is left out'),
    keep: duration
      .refine((ms) => ms > 0, 'must be longer than nothing')
      .optional()
      .describe('An answer of this time to the same question is used again; without it each trigger asks'),
    take: z
      .record(stepName, z.string().min(1))
      .refine((take) => Object.keys(take).length > 0, 'takes nothing of the answer')
      .describe('Expressions over `body` and `status`, which later steps read as ${steps.<name>.…}; no more is kept'),
    otherwise: z
      .record(stepName, z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .optional()
      .describe('What is taken where the system says 404; without it such a record is rejected as not-found'),
  })
  .refine(({ take, otherwise }) => !otherwise || Object.keys(take).every((field) => field in otherwise), {
    path: ['otherwise'],
    message: 'must say something for each field of take; null stands for nothing',
  })
  .refine(({ take, otherwise }) => !otherwise || Object.keys(otherwise).every((field) => field in take), {
    path: ['otherwise'],
    message: 'names a field that take does not',
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

const step = z.union(
  [
    z.strictObject({ ...around, video: videoStep }),
    z.strictObject({ ...around, ask: z.union([askStep, askUse], { error: 'must be an ask: whole, or by use' }) }),
    z
      .strictObject({
        ...around,
        until: condition
          .optional()
          .describe(
            'An expression: what the step did for a record it does not do again until this was true of it, however often `when` is; a value that wobbles around a threshold makes one task',
          ),
        write: writeStep,
      })
      .refine(({ when, until }) => until === undefined || when !== undefined, {
        path: ['until'],
        message: 'ends what `when` begins: say when',
      }),
    z.strictObject({ ...around, fetch: fetchStep }),
    z.strictObject({ ...around, assign: assignStep }),
  ],
  { error: 'must be a step: video, ask, fetch, assign or write' },
);

/** One step, as its file says it. */
export type StepFile = z.infer<typeof step>;

const trigger = z
  .strictObject({
    object: z.string().min(1).describe('Type of the record: contact, company, deal, ticket or a custom type’s id'),
    on: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe("HubSpot's name of what happened (propertyChange unless said), or the source's own; one or several"),
    property: z
      .union([property, z.array(property).min(1).max(10)])
      .optional()
      .describe('The property that changed, or one of several'),
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
    .describe(
      'A second trigger of the same content within this time makes no second video, task or note, and asks nothing again',
    ),
  budget: z
    .strictObject({
      usdPerDay: z
        .number()
        .min(0)
        .max(9_999_999)
        .multipleOf(0.000001)
        .describe(
          'What its calls may cost a day, in US dollars, for each tenant by itself; what would cost more waits',
        ),
    })
    .optional()
    .describe('What it may spend; within what its tenant may'),
  steps: z
    .array(step)
    .min(1)
    .refine((steps) => (['video', 'ask'] as const).every((kind) => steps.filter((step) => kind in step).length <= 1), {
      message: 'has more than one video or ask: a recipe makes one of each at most',
    }),
  asks: z
    .record(askRef, askFileSchema)
    .optional()
    .describe('The asks that it uses, as they stood in their files: publication puts them here'),
});

/** A recipe's file as it was read, defaults filled in. */
export type RecipeFile = z.infer<typeof recipeSchema>;

/** The published JSON Schema of a recipe's file, for editors: the shape of what one writes, before any default. */
export const recipeJsonSchema = (): Record<string, unknown> => ({
  title: 'Refrain recipe',
  ...z.toJSONSchema(recipeSchema, { target: 'draft-7', io: 'input' }),
});
