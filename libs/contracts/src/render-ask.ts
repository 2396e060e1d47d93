import { z } from 'zod';

/** Wire type of a record on `ingress.hubspot.v1` by which a person asked for one more render. */
export const RENDER_ASKED = 'refrain.render-again.asked.v1';

const ref = z.object({
  type: z.string().min(1).describe('Type of the record'),
  id: z.string().min(1).describe("The CRM's id of the record"),
});

/** What is asked: one more render of a recipe on a record, behind the one that the person saw. */
export const renderAsked = z
  .object({
    record: ref.describe('The record whose renders they are; after a merge not the one that the person saw'),
    recipe: z.string().min(1).describe('Id of the recipe'),
    after: z
      .int()
      .positive()
      .describe('Number of the render that the person saw: where another came since, none is made'),
    by: z.string().min(1).describe("Who asked: the CRM's id of the user, such as hubspot-user:42; no name, no address"),
  })
  .describe('A person wants a video rendered again.');
export type RenderAsked = z.infer<typeof renderAsked>;

/** What a render takes of HeyGen's credits: said before one is asked for, and planned with. */
export const RENDER_CREDITS = 1;
