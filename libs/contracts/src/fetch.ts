import { z } from 'zod';
import { chain } from './chain';
import { actedAt, depth } from './loop';

/** Which fetch of which recipe's step an event speaks of. `triggeredAt` is the trigger's own time (RFC 3339). */
const about = {
  recipe: z.string().describe('Id of the recipe'),
  recipeVersion: z.string().describe("Names the recipe's content: equal content, equal version"),
  step: z.string().describe('Name of the step'),
  fetch: z.int().positive().describe('Number of the fetch by this step on its record, from 1'),
  triggeredAt: z.iso.datetime().describe("The trigger's own time"),
};

/** What is asked of other systems about a record, beside its enrichments: in the same stream, on the same topic. */
export const fetchShapes = {
  FetchRequested: {
    wire: 'refrain.fetch.requested.v1',
    data: z
      .object({
        ...about,
        system: z.string().describe('The declared system that is asked'),
        rootCause: z.string().describe('Id of the first accepted record of the chain'),
        content: z.string().describe('What the trigger said; equal content within the cool-down is the same trigger'),
        results: chain.results,
        depth,
      })
      .describe(
        'A step is to be taken that asks another system; the record is read first where the question needs it.',
      ),
  },
  FetchCompleted: {
    wire: 'refrain.fetch.completed.v1',
    data: z
      .object({
        ...about,
        system: z.string().describe('The declared system that answered'),
        status: z.int().describe('HTTP status of the answer'),
        fields: z.record(z.string(), z.unknown()).describe('What the recipe takes of the answer, and no more'),
        ...chain,
        actedAt,
      })
      .describe('The system answered, and what the recipe takes of it is known.'),
  },
  FetchRejected: {
    wire: 'refrain.fetch.rejected.v1',
    data: z
      .object({
        ...about,
        code: z.string().describe('Why, for programs'),
        reason: z.string().describe('Why, for people'),
      })
      .describe('Nothing was asked, or what came is no answer: the steps behind it do not begin.'),
  },
};
