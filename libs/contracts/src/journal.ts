import { z } from 'zod';
import { recordKey, subjectOf } from './keys';

const text = z.string();
const when = z.iso.datetime();
const count = z.int().nonnegative();

/** Where reading a journal goes on: behind a file, at the oldest, or behind the newest; and how much of it was taken. */
export const journalCursor = z
  .object({
    after: text.describe('Behind the file of this offset; `earliest`: at the oldest file; `latest`: behind the newest'),
    of: text.optional().describe('The offset of the next file, where a part of it was taken'),
    taken: count.optional().describe('How many of its changes were taken'),
  })
  .describe('Where reading goes on');
export type JournalCursor = z.infer<typeof journalCursor>;

const journal = {
  app: text.describe('Client id of the app whose journal it is'),
  leg: z.int().positive().describe('Number of the part, from 1: each has a stream of its own'),
};
const upTo = when.optional().describe('When the last file that was read was published');

/** Reading an app's journal: streams `journal-…`. */
export const journalShapes = {
  JournalLegBegan: {
    wire: 'refrain.journal-leg.began.v1',
    data: z
      .object({ ...journal, cursor: journalCursor, upTo })
      .describe('A part of an app’s journal is to be read, file by file: what is written to it from now on.'),
  },
  JournalRead: {
    wire: 'refrain.journal.read.v1',
    data: z
      .object({
        ...journal,
        cursor: journalCursor,
        upTo,
        taken: count.describe('Changes by which live recipes go: their records are read and said'),
        left: count.describe('Changes of declared portals by which none goes'),
        undeclared: count.describe('Changes of portals that no tenant declares'),
      })
      .describe('A file of the journal, or a part of a large one, was read.'),
  },
  JournalGapFound: {
    wire: 'refrain.journal-gap.found.v1',
    data: z
      .object({
        ...journal,
        from: when.optional().describe('From when on nothing is known; absent where no file was read before'),
        to: when.describe('From when on the journal is read again'),
      })
      .describe('HubSpot knows the offset no longer: what was journaled meanwhile is left to reconciling.'),
  },
  JournalHandedOn: {
    wire: 'refrain.journal.handed-on.v1',
    data: z.object({ ...journal, cursor: journalCursor, upTo }).describe('A next part follows.'),
  },
  RecordFateFound: {
    wire: 'refrain.record-fate.found.v1',
    data: z
      .object({
        object: text.describe('Type of the record: contact, company, deal, ticket or a custom type’s id'),
        id: text.describe('Id of the record'),
        what: z.enum(['deleted', 'restored']).describe('What became of it'),
        at: when.describe('When'),
      })
      .describe('The journal told of a deletion or a restore.'),
  },
  ChangeUnread: {
    wire: 'refrain.journaled-change.unread.v1',
    data: z
      .object({
        object: text.describe('Type of the record: contact, company, deal, ticket or a custom type’s id'),
        id: text.describe('Id of the record'),
        change: text.describe('Its place in the journal: the offset of a file, and its number there'),
        code: text.describe('Why, for programs'),
      })
      .describe('The journal told of a change whose record could not be read.'),
  },
} as const;

/** Journals are of apps, and of no tenant. */
export const JOURNAL_TENANT = 'default';

/** Wire type by which crm-reader is told that an app's journal is to be read; it comes by the mailbox and is on no topic. */
export const JOURNAL_ASKED = 'refrain.journal.asked.v1';

/** The subject of an app's journal. */
export const journalSubject = (app: string): string => subjectOf({ type: 'journal', id: app });

/** The stream of a part of an app's journal. */
export const journalStream = (app: string, leg: number): string =>
  `journal-${recordKey(JOURNAL_TENANT, journalSubject(app))}:${String(leg)}`;
