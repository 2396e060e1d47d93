import { z } from 'zod';

/** How far a trigger is from a person. */
export const depth = z
  .int()
  .positive()
  .optional()
  .describe("How many answers of machines to the hub's own doings led to this trigger; absent where none did");

/** When the hub did what others may answer to. */
export const actedAt = z.iso.datetime().optional().describe('When it became known here (RFC 3339)');

/** That machines answer each other through the hub, and are let to do so no further. */
export const loopCut = z.object({
  recipe: z
    .string()
    .optional()
    .describe('Id of the recipe that is set off again and again, or that writes the property'),
  property: z.string().optional().describe('The property that another system sets back each time'),
  at: z.iso.datetime().describe('When it was found (RFC 3339, as the CRM says)'),
});

/** What the hub wrote last of a property that sets off a recipe: a machine that repeats it sets off nothing. */
export const valueWritten = z
  .object({
    property: z.string().describe('The property that sets off the recipe'),
    fingerprint: z.string().describe('Tells whether a value is the same one; the value itself is not kept here'),
    at: z.iso.datetime().describe('When it was written (RFC 3339)'),
  })
  .describe('The hub wrote a property that sets off the recipe: whatever machine repeats the value sets off nothing.');
