import { z } from 'zod';
import { catalog, type EventOf } from './events';
import { recordKey, subjectOf } from './keys';
import { Topic } from './topics';

/** What was done with a recipe in an environment. */
export type PublicationAction = 'published' | 'promoted' | 'rolled-back' | 'withdrawn';

/** Whether it counts. One that waits and its approval or refusal are publications of their own: none is ever changed. */
export type PublicationState = 'live' | 'awaiting approval' | 'refused';

/** One publication, as the registry keeps it for good. */
export interface Publication {
  environment: string;
  recipe: string;
  /** Counts the recipe's publications in this environment, from 1; the version of its event within the stream. */
  number: number;
  action: PublicationAction;
  state: PublicationState;
  /** Names the recipe's content. */
  version: string;
  /** The content, as it was written. */
  text: string;
  /** The cases beside it, as they were written. */
  cases?: string;
  /** Of a promotion: the environment that it comes from. */
  source?: string;
  by: string;
  why: string;
  ticket?: string;
  approvedBy?: string;
  at: Date;
}

const text = z.string();

const about = {
  recipe: text.describe('Id of the recipe'),
  environment: text.describe('Where it was published: services read one environment'),
  version: text.describe("Names the recipe's content: equal content, equal version"),
  previous: text.optional().describe('The version that was live until then; absent where none was'),
  by: text.describe('Who did it'),
  why: text.describe('Why, in their words'),
  ticket: text.optional().describe('Where it was agreed'),
};

const source = text.optional().describe('The environment in which this very version was live, where it was promoted');

const sampleRow = z.record(z.string(), z.unknown()).nullable();
const samples = z
  .array(z.object({ before: sampleRow, after: sampleRow }))
  .max(5)
  .optional()
  .describe('What the former and the new version make of the same cases, by step; the cases are made up');

/** The publications of one recipe in one environment: stream `recipe-…`, topic `recipes.events.v1`. */
export const recipeEvents = catalog('recipe', Topic.recipes, {
  RecipePublished: {
    wire: 'refrain.recipe.published.v1',
    data: z
      .object({
        ...about,
        source,
        approvedBy: text.optional().describe('The second person, where approval was needed'),
        samples,
      })
      .describe('This version is live from now on: services take it up without a restart.'),
  },
  RecipeProposed: {
    wire: 'refrain.recipe.proposed.v1',
    data: z
      .object({
        ...about,
        source,
        reasons: z.array(z.string()).describe('What makes the approval of a second person necessary'),
        samples,
      })
      .describe('A version waits for the approval of a second person; the former one stays live.'),
  },
  RecipeRefused: {
    wire: 'refrain.recipe.refused.v1',
    data: z.object(about).describe('A version that waited for approval was refused; the former one stays live.'),
  },
  RecipeRolledBack: {
    wire: 'refrain.recipe.rolled-back.v1',
    data: z.object({ ...about, samples }).describe('A version that was live before is live again.'),
  },
  RecipeWithdrawn: {
    wire: 'refrain.recipe.withdrawn.v1',
    data: z.object(about).describe('The recipe is live no more: no change sets it off.'),
  },
});

export type RecipeEvent = EventOf<typeof recipeEvents>;

/** Under which the publications of recipes are written and relayed. */
export const RECIPES_SERVICE = 'recipes';

/** What recipes belong to as long as they are the same for all tenants. */
export const RECIPES_TENANT = 'default';

/** The subject of a recipe's publications: `recipe:lead-qualified`. */
export const recipeSubject = (recipe: string): string => subjectOf({ type: 'recipe', id: recipe });

/** The stream of a recipe's publications in an environment: `recipe-default:recipe:lead-qualified:prod`. */
export const recipeStream = (recipe: string, environment: string): string =>
  `recipe-${recordKey(RECIPES_TENANT, recipeSubject(recipe))}:${environment}`;
