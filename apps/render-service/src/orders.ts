import type { RecordRef } from '#libs/contracts';
import type { Owed } from '#libs/process';
import { labelOf, purposeNow, type Recipe, type VideoStep, type Whereabouts } from '#libs/recipes';
import { READ } from './fate.decider';

/** A call that a recipe wants. */
export const owed = (
  recipe: Pick<Recipe, 'id' | 'version'>,
  kind: string,
  purpose: string,
  request: unknown,
): Owed => ({
  kind,
  purpose,
  request,
  recipes: [labelOf(recipe)],
});

/** What the video is made of is read, as the record says it now. */
export const reading = (recipe: Recipe, { properties }: VideoStep, record: RecordRef, where: Whereabouts): Owed =>
  owed(recipe, 'hubspot.read', purposeNow(READ, where), { record, properties, notes: 0 });

/** Why nothing is made where the recipe is no longer there. */
export const recipeGone = (recipe: string) => ({
  code: 'recipe-gone',
  reason: `recipe ${recipe} makes no video any more`,
});
