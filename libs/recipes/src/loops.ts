import { type Recipe, stepsOf } from './recipe';
import { plain } from './text';

/** A loop through a recipe, and what to do about it. */
export interface Loop {
  recipe: Recipe;
  says: string;
}

/**
 * Tells of recipes that could set themselves off, alone or by one another: what one writes is what the next waits for.
 * Of each recipe of `of` its shortest loop is told, but none of one that stands in a loop told before.
 */
export function loopsOf(recipes: readonly Recipe[], of: readonly Recipe[] = recipes): Loop[] {
  const told = new Set<Recipe>();
  return of.flatMap((recipe) => {
    const loop = told.has(recipe) ? undefined : wayBack(recipe, recipes);
    for (const one of loop ?? []) told.add(one);
    return loop ? [{ recipe, says: sentenceOf(loop) }] : [];
  });
}

/** The shortest way from what a recipe writes to what sets it off. */
function wayBack(recipe: Recipe, recipes: readonly Recipe[]): Recipe[] | undefined {
  const seen = new Set<Recipe>();
  const ways = [[recipe]];
  for (const way of ways) {
    const last = way[way.length - 1] ?? recipe;
    if (setsOff(last, recipe)) return way;
    for (const other of recipes.filter((next) => !seen.has(next) && setsOff(last, next))) {
      seen.add(other);
      ways.push([...way, other]);
    }
  }
  return undefined;
}

/** Whether a write of the one may be a trigger of the other; a value that is computed may be any. */
const setsOff = (from: Recipe, { trigger }: Recipe): boolean =>
  writesOf(from).some(({ object, properties, mayCreate }) => {
    if (object !== trigger.object) return false;
    if (mayCreate && trigger.source === undefined && trigger.on?.includes('creation')) return true;
    const awaited = trigger.due ? [trigger.due.date] : (trigger.properties ?? []);
    return awaited.some((property) => {
      const value = properties[property];
      if (!value) return false;
      return value.literal === undefined || !trigger.becomes || trigger.becomes.includes(plain(value.literal));
    });
  });

/** What a recipe writes, and to which type of records. */
const writesOf = (recipe: Recipe) =>
  stepsOf(recipe, 'write').flatMap(({ properties, actions }) => [
    { object: recipe.trigger.object, properties, mayCreate: false },
    ...actions.flatMap((action) =>
      action.kind === 'upsert' ? [{ object: action.object, properties: action.properties, mayCreate: true }] : [],
    ),
  ]);

function sentenceOf(loop: readonly Recipe[]): string {
  const [first] = loop;
  const { due, properties } = first?.trigger ?? {};
  const property = due?.date ?? properties?.join(' or ');
  const way = [...loop, first].map((recipe) => recipe?.id).join(' → ');
  const remedy =
    property === undefined
      ? 'a new record: let the recipe wait for something else, or write to records of another type'
      : `${property}: let the trigger name the values that it waits for, and write others`;
  return `recipe ${first?.id ?? ''}: could loop onto its own output (${way}) by ${remedy}`;
}
