import { z } from 'zod';

export const recordRef = z.object({ type: z.string(), id: z.string() });
const fateAt = z.iso.datetime().describe('When, as the CRM says (RFC 3339)');

/** What became of a record: it goes on as another one, or it is gone, for good or until it is restored. */
export const fateSchema = z.object({
  what: z.enum(['merged', 'deleted', 'restored', 'forgotten']).describe('Forgotten: erased for good, on demand'),
  at: fateAt,
  into: recordRef.optional().describe('Of a merge: the record that goes on'),
  of: recordRef.optional().describe('The record it became of, where that is the one that this record was merged into'),
});
export type Fate = z.infer<typeof fateSchema>;

const records = z.array(recordRef).min(1).describe('The record, and those that were merged into it before');

/** What became of a CRM record and of all that go on as it. */
export const fateShapes = {
  RecordMerged: {
    wire: 'refrain.record.merged.v1',
    data: z
      .object({
        records,
        into: recordRef.describe('The record that they go on as'),
        at: fateAt,
      })
      .describe('The CRM merged the record into another one: from now on its events speak of that one.'),
  },
  RecordTookOver: {
    wire: 'refrain.record.took-over.v1',
    data: z
      .object({ records: z.array(recordRef).min(1).describe('The records that were merged into it') })
      .describe('These records go on as this one.'),
  },
  RecordDeleted: {
    wire: 'refrain.record.deleted.v1',
    data: z
      .object({ records, at: fateAt })
      .describe('The CRM deleted the record: what is owed to it is cancelled, what is wanted of it is kept.'),
  },
  RecordRestored: {
    wire: 'refrain.record.restored.v1',
    data: z.object({ records, at: fateAt }).describe('The CRM restored the record: what is outstanding is written.'),
  },
  RecordErasureAsked: {
    wire: 'refrain.record-erasure.asked.v1',
    data: z
      .object({ records, at: fateAt })
      .describe('The CRM deleted the record for good, for the sake of privacy: nothing is ever written to it again.'),
  },
} as const;
