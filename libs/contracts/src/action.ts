import { z } from 'zod';
import { chain } from './chain';

const kind = <Kind extends string>(name: Kind, says: string) => z.literal(name).describe(says);
const text = z.string().min(1);

/** What a recipe's step wants done at a CRM record, once for each trigger, beside what the record should say. */
export const actionSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: kind('task', 'A task that somebody shall find at the record'),
    title: text.describe('What is to be done, in one line'),
    body: z.string().optional().describe('More about it, as plain text'),
    priority: z.enum(['LOW', 'MEDIUM', 'HIGH']).optional().describe('How it is marked; not at all without it'),
    dueAt: z.iso
      .datetime({ offset: true })
      .describe("When it is due, counted from the trigger's own time: a replay must want the same"),
    ownerId: z.string().optional().describe("The CRM's id of the owner (not of the user); nobody's task without it"),
  }),
  z.object({
    kind: kind('note', 'A note at the record'),
    text: text.describe('What it says, as plain text'),
    at: z.iso.datetime({ offset: true }).describe('What it is dated by: the time of what its step follows'),
  }),
  z.object({
    kind: kind('list', "The record's place on a list"),
    list: text.describe("The CRM's id of the list"),
    change: z.enum(['add', 'remove']),
  }),
  z.object({
    kind: kind('consent', 'Whether a contact takes a kind of e-mail'),
    subscription: text.describe("The CRM's id of the kind of e-mail"),
    status: z.enum(['subscribed', 'unsubscribed']),
    email: text.describe("The contact's address, as it was read"),
    basis: z.string().optional().describe("The legal basis, by the CRM's name of it"),
    explanation: z.string().optional().describe('What the legal basis rests on'),
  }),
  z.object({
    kind: kind('sequence', 'An enrolment of a contact in a sequence of e-mails'),
    sequence: text.describe("The CRM's id of the sequence"),
    sender: text.describe('The connected address that sends it'),
    user: text.describe("The CRM's id of the user who enrols"),
  }),
  z.object({
    kind: kind('upsert', 'Another record, known by a unique property: changed, or created where there is none'),
    object: text.describe('Type of that record'),
    by: text.describe('The unique property'),
    properties: z.record(z.string(), z.string()).describe('Values by CRM property, that of the unique one among them'),
    associate: z
      .array(z.object({ object: text, by: text, value: text }))
      .optional()
      .describe('Records that it is tied to, each known by a unique property: its type, the property and the value'),
  }),
  z.object({
    kind: kind('event', "An event in the record's timeline"),
    type: text.describe("The event's type, as the app declares it"),
    properties: z.record(z.string(), z.string()).describe("The event's own values, by name"),
    at: z.iso.datetime({ offset: true }).describe('When it happened: the time of what its step follows'),
  }),
]);
export type Action = z.infer<typeof actionSchema>;
export type ActionKind = Action['kind'];
/** The action of one kind. */
export type ActionOf<Kind extends ActionKind> = Extract<Action, { kind: Kind }>;

/** Which action of which trigger: a step of a recipe wants each of its own once for each root cause. */
export const actionName = {
  recipe: z.string().describe('Id of the recipe'),
  step: z.string().describe('Name of the step in the recipe'),
  purpose: z.string().describe('Names the action among those of its record; with the root cause it is one of a kind'),
  rootCause: z.string().describe('Id of the first accepted record of the chain'),
};

/** What is wanted, by whom, and of which trigger. */
export const wantedActionSchema = z.object({
  ...actionName,
  recipeVersion: z.string().describe("Names the recipe's content: equal content, equal version"),
  content: chain.content,
  triggeredAt: z.iso.datetime().describe("The trigger's own time"),
  action: actionSchema.describe(
    'What is to be done: by its `kind` a task, a note, a place on a list, a consent, an enrolment in a sequence, the upsert of another record, or an event in its timeline',
  ),
});
