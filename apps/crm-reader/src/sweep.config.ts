import {
  duration,
  hubspotSettings,
  journalSettings,
  needsAccount,
  needsWholeJournal,
  recipeSettings,
  workerSettings,
} from '#libs/platform';
import { z } from 'zod';

/** Settings of crm-reader. */
export const sweepConfig = z
  .object({
    ...workerSettings,
    ...hubspotSettings,
    ...journalSettings,
    ...recipeSettings,
    RECONCILE_EVERY: duration()
      .prefault('1h')
      .describe('How often all records that were changed since are read, so that no change is missed'),
    DUE_SCAN_EVERY: duration()
      .prefault('24h')
      .describe('How often the records are looked for whose dates come due until the next time'),
    SHAPE_EVERY: duration()
      .prefault('6h')
      .describe(
        'How often the types, properties, pipelines and owners of the portal are looked at for what is new or other',
      ),
  })
  .refine(...needsAccount)
  .refine(...needsWholeJournal);

export type SweepConfig = z.infer<typeof sweepConfig>;
