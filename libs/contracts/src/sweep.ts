import { z } from 'zod';
import { catalog, type EventOf } from './events';
import { journalShapes } from './journal';
import { recordKey, type RecordRef, subjectOf } from './keys';
import { shapeShapes } from './shape';
import { Topic } from './topics';

/**
 * Why a tenant's records are read: a person asked (`backfill`), so that no change is missed (`reconcile`), or since dates
 * come due (`due`).
 */
export const sweepOrigin = z.enum(['backfill', 'reconcile', 'due']);
export type SweepOrigin = z.infer<typeof sweepOrigin>;

/** Why a record is said: a sweep has read it, or the journal tells of a change (`journal`). */
const foundOrigin = z.enum([...sweepOrigin.options, 'journal']);
export type FoundOrigin = z.infer<typeof foundOrigin>;

const text = z.string();
const when = z.iso.datetime();
const number = z.int().positive();
const count = z.int().nonnegative();
const leg = number.describe('Number of the part in its sweep, from 1');

const sweep = {
  sweep: number.describe('Number of the sweep among those of its tenant, type of object and origin, from 1'),
  object: text.describe('Type of the records: contact, company, deal, ticket or a custom type’s id'),
  origin: sweepOrigin.describe(
    'Why: `backfill` (a person asked), `reconcile` (so that no change is missed), `due` (dates come due)',
  ),
};

const inBatches = z
  .boolean()
  .optional()
  .describe('What is asked of a language model because of what is found may take a day, and goes by batches');

/** What is read. Times are of the records' last change, or of the date that a recipe waits for. */
const task = {
  properties: z.array(text).describe('The properties that are read, each with the time of its last change'),
  from: when.optional().describe('Records changed since, or dates from then on; all records where it is absent'),
  to: when.optional().describe('Up to which time the sweep makes complete'),
  due: z
    .object({ recipe: text, property: text, offsetMs: z.int() })
    .optional()
    .describe('The recipe that waits for a date of the record'),
  batch: inBatches,
};

/** Where reading goes on: behind a record, or at a last change, without those that were read at it already. */
export const sweepCursor = z
  .object({
    afterId: text.optional().describe('Behind this record, by id'),
    modifiedFrom: when.optional().describe('From this last change on'),
    modifiedAt: when.optional().describe('Only records of this very last change'),
    seen: z.array(text).optional().describe('Records of that last change that were read already'),
  })
  .describe('Where reading goes on');
export type SweepCursor = z.infer<typeof sweepCursor>;

const soFar = {
  found: count.describe('Records that were found so far'),
  inWindow: count.describe('Those of them that were not changed after the time up to which the sweep makes complete'),
  pages: count.describe('Pages that were read so far'),
  total: count.optional().describe('How many there were in all when the sweep began'),
};

const counted = z
  .object({ hubspot: count, found: count })
  .describe('How many records HubSpot counts in the window, and how many were found in it');

/** A property of a found record. */
const foundProperty = z.object({
  value: text.describe('As the CRM writes it; empty where the property has no value'),
  at: when
    .optional()
    .describe('When the property came to say so; absent where the CRM does not tell: then it counts as no change'),
  sourceType: text.optional().describe('What changed it, as in a webhook'),
  sourceId: text.optional().describe('Who changed it, as in a webhook'),
});
export type FoundProperty = z.infer<typeof foundProperty>;

/** Reading a tenant's CRM: streams `sweep-…`, `leg-…`, `found-…`, `journal-…` and `shape-…`, topic `sweep.events.v1`. */
export const sweepEvents = catalog('sweep', Topic.sweep, {
  SweepBegan: {
    wire: 'refrain.sweep.began.v1',
    data: z
      .object({
        ...sweep,
        ...task,
        again: z.boolean().describe('The window is read a second time, since the counts differed'),
        by: text.optional().describe('Who asked for it'),
      })
      .describe('The records of one type are to be read.'),
  },
  SweepLegBegan: {
    wire: 'refrain.sweep-leg.began.v1',
    data: z
      .object({ ...sweep, ...task, ...soFar, leg, cursor: sweepCursor })
      .describe('A part of a sweep is to be read, page by page: each part has a stream of its own.'),
  },
  SweepPageRead: {
    wire: 'refrain.sweep-page.read.v1',
    data: z
      .object({ ...sweep, ...soFar, leg, cursor: sweepCursor.optional() })
      .describe('A page was read; without a cursor it was the last one.'),
  },
  SweepHandedOn: {
    wire: 'refrain.sweep.handed-on.v1',
    data: z.object({ ...sweep, ...task, ...soFar, leg, cursor: sweepCursor }).describe('A next part follows.'),
  },
  SweepRead: {
    wire: 'refrain.sweep.read.v1',
    data: z
      .object({
        ...sweep,
        found: soFar.found,
        counted: counted.optional(),
        code: text.optional().describe('Why it could not be read to its end, for programs'),
      })
      .describe('All pages were read, or no more can be.'),
  },
  SweepDiffered: {
    wire: 'refrain.sweep.differed.v1',
    data: z
      .object({ ...sweep, counted })
      .describe('HubSpot counts more records in the window than were found in it: it is read once more.'),
  },
  SweepEnded: {
    wire: 'refrain.sweep.ended.v1',
    data: z
      .object({
        ...sweep,
        found: soFar.found,
        counted: counted.optional(),
        upTo: when.optional().describe('Up to which time nothing is missing now; absent where that is not known'),
        code: text.optional().describe('Why it is not complete, for programs'),
        next: when.optional().describe('When the next one begins; absent where nobody waits for one'),
      })
      .describe('The sweep is over: what was found was said.'),
  },
  CompleteUpTo: {
    wire: 'refrain.completeness.reached.v1',
    data: z
      .object({ object: sweep.object, at: when.describe('Up to which time'), counted })
      .describe(
        'Every change of a record of this type up to that time was said: by its webhook, or as a record that was found.',
      ),
  },
  RecordFound: {
    wire: 'refrain.record.found.v1',
    data: z
      .object({
        sweep: sweep.sweep.optional().describe('Number of the sweep that read it; absent where the journal told of it'),
        object: sweep.object,
        origin: foundOrigin.describe(
          'Why: `backfill`, `reconcile` or `due` (a sweep), or `journal` (the webhooks journal tells of a change of it)',
        ),
        id: text.describe('Id of the record'),
        from: when.optional().describe('Changes since then set off recipes; all of them where it is absent'),
        recipe: text.optional().describe('The only recipe that it is for, where a date of the record comes due'),
        created: z
          .object({ at: when, sourceType: text.optional(), sourceId: text.optional() })
          .describe('When it was created, and by what'),
        modifiedAt: when.describe("The record's own last change"),
        properties: z.record(text, foundProperty).describe('What it says, by property'),
      })
      .describe('A record was read: it counts like the last change of each of these properties.'),
  },
  ...journalShapes,
  ...shapeShapes,
});

export type SweepEvent = EventOf<typeof sweepEvents>;

/** What one sweep is about. A date has sweeps of its own for each recipe that waits for it. */
export interface SweepName {
  tenant: string;
  object: string;
  origin: SweepOrigin;
  recipe?: string;
}

/** The service that reads. */
export const SWEEP_SERVICE = 'crm-reader';

/** Wire type of what a person or the schedule asks crm-reader for; it comes by the mailbox and is on no topic. */
export const SWEEP_ASKED = 'refrain.sweep.asked.v1';

/** What is asked for: without an origin's own task the live recipes say what is read. */
export const sweepAsked = z.object({
  object: text,
  origin: sweepOrigin,
  recipe: text.optional(),
  from: when.optional(),
  properties: z.array(text).optional(),
  batch: z.boolean().optional(),
  by: text.optional(),
  /** Asked by the schedule: nothing begins where the next sweep has its time already. */
  scheduled: z.boolean().optional(),
});
export type SweepAsked = z.infer<typeof sweepAsked>;

/** The subject of sweeps: `sweep:contact.reconcile`, `sweep:deal.due.contract-renewal`. */
export const sweepSubject = ({ object, origin, recipe }: Omit<SweepName, 'tenant'>): string =>
  subjectOf({ type: 'sweep', id: [object, origin, ...(recipe === undefined ? [] : [recipe])].join('.') });

/** The stream of all sweeps of one type of object and origin: when they began and ended. */
export const sweepStream = (name: SweepName): string => `sweep-${recordKey(name.tenant, sweepSubject(name))}`;

/** The stream of a part of one sweep: its pages. */
export const sweepLegStream = (name: SweepName, sweep: number, leg: number): string =>
  `leg-${recordKey(name.tenant, sweepSubject(name))}:${String(sweep)}.${String(leg)}`;

/** The stream of a record's finds. */
export const foundStream = (tenant: string, record: RecordRef): string =>
  `found-${recordKey(tenant, subjectOf(record))}`;
