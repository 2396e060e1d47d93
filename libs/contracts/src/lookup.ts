import { z } from 'zod';

/** One look into a reference table: a whole row, or the value of one column. */
export const lookupSchema = z.object({
  table: z.string().describe('Name of the table'),
  key: z.string().describe('Key of the row, as the table holds it'),
  column: z.string().optional().describe('The column that was asked for; absent where the whole row was'),
  found: z.unknown().describe('What the table said; null where it had no such key'),
});

/** What a step looked up when it was prepared: prepared again for the same root cause, it finds the same again. */
export const looked = z
  .array(lookupSchema)
  .optional()
  .describe('What was looked up in reference tables for it; absent where nothing was');
