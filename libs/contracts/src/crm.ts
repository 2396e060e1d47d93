import { z } from 'zod';
import { actionName, wantedActionSchema } from './action';
import { chain } from './chain';
import { catalog, type EventOf } from './events';
import { fateShapes, recordRef } from './fate';
import { looked } from './lookup';
import { depth, loopCut } from './loop';
import { Topic } from './topics';

/** Orders two wishes for one property: trigger time, then render or enrichment number, then rank of state (protocol 16). */
export const guardSchema = z.object({ at: z.iso.datetime(), number: z.int(), rank: z.int() });
export type Guard = z.infer<typeof guardSchema>;

const properties = z.record(z.string(), z.string()).describe('Values by CRM property');
const unsure = z
  .literal(true)
  .optional()
  .describe('A call of the write had been repeated, not knowing whether it was obeyed: it may arrive late');
const write = z.int().positive().describe('Number of the write on its record, from 1');

const step = {
  recipe: z.string().describe('Id of the recipe'),
  recipeVersion: z.string().describe("Names the recipe's content: equal content, equal version"),
  step: z.string().describe('Name of the step in the recipe'),
  rootCause: z.string().describe('Id of the first accepted record of the chain'),
};

/** What a write step follows: whose results it reads, and how its wishes are ordered among others. */
const followed = {
  time: z.iso.datetime().describe('When what the step follows happened'),
  guard: guardSchema.describe('Orders its wishes among those of others'),
  results: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .describe('What the steps before it left, by their names'),
  content: chain.content,
  depth,
};

/** Whose turn it is. */
const turns = {
  rota: z.string().describe('Name of the rota'),
  among: z.array(z.string()).min(1).describe("The CRM's ids of the owners who take turns"),
};
const owner = z.string().describe("The CRM's id of the owner");

/** A date of the record that a recipe waits for. */
const date = {
  recipe: z.string().describe('Id of the recipe'),
  property: z.string().describe('The property that holds the date'),
  value: z.string().describe('What it says'),
};
const saidAt = z.iso.datetime().describe('When the record came to say so');

const known = z.record(z.string(), z.object({ value: z.string().nullable(), at: z.iso.datetime() })).optional();

const wish = {
  properties,
  guard: guardSchema.describe('Which of two wishes for a property is newer: compared by time, then number, then rank'),
  because: z.string().describe('Type of the event that led to the wish'),
  recipe: step.recipe.optional(),
  recipeVersion: step.recipeVersion.optional(),
  known: known.describe('What of it the record said when it was read for the wish, and when that was'),
};

/** What one CRM record should say, what was written to it, what was done at it, and its owners: stream `record-…`, topic `crm.events.v1`. */
export const crmEvents = catalog('crm', Topic.crm, {
  RecordStepRequested: {
    wire: 'refrain.record-step.requested.v1',
    data: z
      .object({ ...step, ...followed })
      .describe("A recipe's write step is to be filled from the record, which is read first."),
  },
  RecordStepFilled: {
    wire: 'refrain.record-step.filled.v1',
    data: z.object({ ...step, ...followed, properties, looked }).describe('What the step wants is known.'),
  },
  RecordStepRejected: {
    wire: 'refrain.record-step.rejected.v1',
    data: z
      .object({
        ...step,
        ...followed,
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
        over: z.literal(true).optional().describe('What the step did before may be done again: its `until` is so'),
      })
      .describe('The step writes nothing.'),
  },
  RecordChangeWanted: {
    wire: 'refrain.record-change.wanted.v1',
    data: z
      .object(wish)
      .describe('The record should say this; a wish that is older by its guard never overwrites a newer one.'),
  },
  RecordHandedOn: {
    wire: 'refrain.record.handed-on.v1',
    data: z
      .object({
        into: recordRef.describe('The record that it goes on as'),
        wishes: z.array(z.object(wish)).describe('What was wanted and not written yet'),
        dates: z.array(z.object({ ...date, saidAt })).describe('The dates that recipes wait for'),
      })
      .describe('What was wanted of a record that was merged is wanted of the one that it goes on as.'),
  },
  RecordUpdateOwed: {
    wire: 'refrain.record-update.owed.v1',
    data: z
      .object({ write, properties })
      .describe('The wishes that stood at that time are owed to the CRM as one write.'),
  },
  RecordUpdated: {
    wire: 'refrain.record.updated.v1',
    data: z
      .object({
        write,
        properties,
        unsure,
        writtenAt: z.iso.datetime().optional().describe('When the CRM was known to have taken it'),
        before: known.describe('What the record said before, as far as that was known, and as of when'),
      })
      .describe('The CRM took the write.'),
  },
  RecordUpdateRejected: {
    wire: 'refrain.record-update.rejected.v1',
    data: z
      .object({
        write,
        properties,
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
        unsure,
      })
      .describe('The CRM refused the write for good, or it was given up.'),
  },
  RecordUpdateSplit: {
    wire: 'refrain.record-update.split.v1',
    data: z
      .object({ write, properties, unsure })
      .describe('The CRM refused the write for one of its values and took none: each is written by itself.'),
  },
  RecordUpdateSuperseded: {
    wire: 'refrain.record-update.superseded.v1',
    data: z
      .object({ write, unsure })
      .describe('A write that still waited, perhaps to be repeated, gave way to one of the newest wanted state.'),
  },
  RecordReadBack: {
    wire: 'refrain.record.read-back.v1',
    data: z
      .object({
        write,
        undone: properties.describe('What a late call of an older write had set back; it is written once more'),
        others: z.array(z.string()).describe('Properties that somebody else has changed meanwhile; they are left'),
      })
      .describe('After a write whose outcome was unknown for a while, the CRM was read once, past any late call.'),
  },
  RecordUpdateDoubted: {
    wire: 'refrain.record-update.doubted.v1',
    data: z
      .object({ write })
      .describe('A write that had been given up was answered after a newer one: all is written once more.'),
  },
  RecordDateAwaited: {
    wire: 'refrain.record-date.awaited.v1',
    data: z
      .object({
        ...date,
        saidAt,
        dueAt: z.iso.datetime().optional().describe('When it sets off the recipe; absent where no date can come'),
      })
      .describe('A recipe waits for a date of the record, in place of any that it waited for until then.'),
  },
  RecordDateReached: {
    wire: 'refrain.record-date.reached.v1',
    data: z
      .object({ ...date, dueAt: z.iso.datetime().describe('When it was due') })
      .describe('The date has come: it sets off the recipe that waited for it.'),
  },
  OwnerRequested: {
    wire: 'refrain.owner.requested.v1',
    data: z
      .object({ ...step, ...followed })
      .describe('A recipe wants an owner for the record, which is read first to tell whose turn it is.'),
  },
  OwnerWanted: {
    wire: 'refrain.owner.wanted.v1',
    data: z
      .object({
        ...step,
        ...followed,
        ...turns,
        looked,
        record: recordRef.optional().describe('The record whose wish it is, where that one goes on as another'),
      })
      .describe('The next in turn is to take the record.'),
  },
  OwnerRejected: {
    wire: 'refrain.owner.rejected.v1',
    data: z
      .object({
        ...step,
        ...followed,
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
      })
      .describe('Nobody takes the record, and no turn is used.'),
  },
  TurnTaken: {
    wire: 'refrain.turn.taken.v1',
    data: z
      .object({
        ...step,
        rota: turns.rota,
        record: recordRef.describe('The record that the turn is for'),
        owner,
      })
      .describe('Of those who take turns this month, this one was next: stream `rota-…`, one for each rota and month.'),
  },
  OwnerAssigned: {
    wire: 'refrain.owner.assigned.v1',
    data: z
      .object({ ...step, ...followed, rota: turns.rota, owner })
      .describe('The record has its owner; the steps behind may begin.'),
  },
  ActionWanted: {
    wire: 'refrain.action.wanted.v1',
    data: wantedActionSchema.describe(
      'A step of a recipe wants something done at the record: once for each root cause, however often it is wanted.',
    ),
  },
  ActionDone: {
    wire: 'refrain.action.done.v1',
    data: z
      .object({
        ...actionName,
        id: z.string().optional().describe("The CRM's id of what was made or changed; absent where it told none"),
      })
      .describe('The CRM has done it.'),
  },
  ActionRejected: {
    wire: 'refrain.action.rejected.v1',
    data: z
      .object({
        ...actionName,
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, and what helps, for people'),
      })
      .describe('The CRM refused it for good, or it was given up.'),
  },
  RecordSetElsewhere: {
    wire: 'refrain.record.set-elsewhere.v1',
    data: z
      .object({
        property: z.string().describe('The property'),
        by: z.enum(['person', 'machine']).describe('Who has'),
        at: z.iso.datetime().describe('When, as the CRM says (RFC 3339)'),
      })
      .describe('Somebody else has set a property otherwise that the hub had written.'),
  },
  RecordLoopCut: {
    wire: 'refrain.record-loop.cut.v1',
    data: loopCut.describe('Machines answer each other at the record: the recipe, or the property, rests for a while.'),
  },
  ...fateShapes,
  SubjectErased: {
    wire: 'refrain.subject.erased.v1',
    data: z
      .object({ by: z.string().describe('Who erased it') })
      .describe(
        'An operator erased what the hub held of the subject beside its events: whoever holds a copy forgets it too. Stream `erasure-…`.',
      ),
  },
});

export type CrmEvent = EventOf<typeof crmEvents>;
