import { z } from 'zod';
import { loopsOf } from './loops';
import { readRecipes, RecipeFault } from './read';
import type { Recipe } from './recipe';
import type { Reference } from './reference';

/** Recipes as an operator hands them over to be looked at: texts, and what to call them in faults. */
export const recipeTexts = z.array(z.strictObject({ file: z.string(), text: z.string() }));

/**
 * The recipes as they would be with these texts (see {@link recipeTexts}), each in the place of the one of its id. Throws
 * a {@link RecipeFault} that names every fault.
 */
export function withTexts(
  recipes: readonly Recipe[],
  texts: unknown,
  environment?: string,
  reference?: Reference,
): readonly Recipe[] {
  const read = readRecipes(recipeTexts.parse(texts), environment, reference);
  const all = [...recipes.filter(({ id }) => !read.some((other) => other.id === id)), ...read];
  const loops = loopsOf(all);
  if (loops.length > 0) throw new RecipeFault(loops.map(({ says }) => says));
  return all;
}
