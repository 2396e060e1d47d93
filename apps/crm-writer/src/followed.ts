import type { Guard, Results } from '#libs/contracts';
import type { Recipe } from '#libs/recipes';

/** What a step of a record follows: whose results it reads, and how its wishes are ordered among others. */
export interface Followed {
  /** RFC 3339. */
  time: string;
  guard: Guard;
  results: Results;
  content?: string;
}

/** The part of it that events say. */
export const followedBy = ({ time, guard, results, content }: Followed): Followed => ({
  time,
  guard,
  results,
  ...(content === undefined ? {} : { content }),
});

/** Which step of which trigger it is, as events say it. */
export const aboutOf = (due: { recipe: Recipe; step: { name: string }; rootCause: string }) => ({
  recipe: due.recipe.id,
  recipeVersion: due.recipe.version,
  step: due.step.name,
  rootCause: due.rootCause,
});
