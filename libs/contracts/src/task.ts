import { z } from 'zod';

/** Which task of which trigger: a step of a recipe wants one for each root cause. */
export const taskName = {
  recipe: z.string().describe('Id of the recipe'),
  step: z.string().describe('Name of the step in the recipe'),
};

/** A task that somebody shall find in the CRM, at the record that the event is about. */
export const taskWishSchema = z.object({
  ...taskName,
  recipeVersion: z.string().describe("Names the recipe's content: equal content, equal version"),
  title: z.string().min(1).describe('What is to be done, in one line'),
  body: z.string().optional().describe('More about it, as plain text'),
  priority: z.enum(['LOW', 'MEDIUM', 'HIGH']).optional().describe('How it is marked; not at all without it'),
  dueAt: z.iso
    .datetime({ offset: true })
    .describe("When it is due, counted from the trigger's own time: a replay must want the same"),
  ownerId: z.string().optional().describe("The CRM's id of the owner (not of the user); nobody's task without it"),
});
export type TaskWish = z.infer<typeof taskWishSchema>;
