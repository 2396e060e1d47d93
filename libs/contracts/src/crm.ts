import { z } from 'zod';
import { catalog, type EventOf } from './events';
import { Topic } from './topics';

/** Orders two wishes for one property: trigger time, then render or enrichment number, then rank of state (protocol 16). */
export const guardSchema = z.object({ at: z.iso.datetime(), number: z.int(), rank: z.int() });
export type Guard = z.infer<typeof guardSchema>;

const properties = z.record(z.string(), z.string());

/** What one CRM record should say and what was written to it: stream `record-…`, topic `crm.events.v1`. */
export const crmEvents = catalog('crm', Topic.crm, {
  RecordChangeWanted: {
    wire: 'refrain.record-change.wanted.v1',
    data: z
      .object({ properties, guard: guardSchema, because: z.string() })
      .describe('The record should say this; a wish that is older by its guard never overwrites a newer one.'),
  },
  RecordUpdateOwed: {
    wire: 'refrain.record-update.owed.v1',
    data: z
      .object({ write: z.int().positive(), properties })
      .describe('The wishes that stood at that time are owed to the CRM as one write.'),
  },
  RecordUpdated: {
    wire: 'refrain.record.updated.v1',
    data: z.object({ write: z.int().positive(), properties }).describe('The CRM took the write.'),
  },
  RecordUpdateRejected: {
    wire: 'refrain.record-update.rejected.v1',
    data: z
      .object({ write: z.int().positive(), properties, code: z.string(), reason: z.string() })
      .describe('The CRM refused the write for good.'),
  },
});

export type CrmEvent = EventOf<typeof crmEvents>;
