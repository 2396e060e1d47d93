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
    data: z.object({ properties, guard: guardSchema, because: z.string() }),
  },
  RecordUpdateOwed: {
    wire: 'refrain.record-update.owed.v1',
    data: z.object({ write: z.int().positive(), properties }),
  },
  RecordUpdated: {
    wire: 'refrain.record.updated.v1',
    data: z.object({ write: z.int().positive(), properties }),
  },
  RecordUpdateRejected: {
    wire: 'refrain.record-update.rejected.v1',
    data: z.object({ write: z.int().positive(), properties, code: z.string(), reason: z.string() }),
  },
  RecordUpdateSuperseded: {
    wire: 'refrain.record-update.superseded.v1',
    data: z.object({ write: z.int().positive() }),
  },
  RecordUpdateDoubted: {
    wire: 'refrain.record-update.doubted.v1',
    data: z.object({ write: z.int().positive() }),
  },
});

export type CrmEvent = EventOf<typeof crmEvents>;
