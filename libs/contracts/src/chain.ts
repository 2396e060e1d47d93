import { z } from 'zod';

/** What the steps of a recipe have left so far, by their names. */
export type Results = Record<string, Record<string, unknown>>;

/**
 * What the end of a step hands to the steps behind it, whichever service takes them: what the trigger said, for their
 * cool-down, and what the steps before it left.
 */
export const chain = {
  content: z
    .string()
    .optional()
    .describe('What the trigger said; equal content within the cool-down is the same trigger'),
  results: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .optional()
    .describe('What the steps before this one left, by their names; absent where there are none'),
};
