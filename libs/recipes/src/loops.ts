import type { Recipe } from './recipe';
import { plain } from './text';

/** Tells of recipes that could set themselves off, alone or by one another: what one writes is what the next waits for. */
export function loopsOf(recipes: readonly Recipe[]): string[] {
  const next = new Map(recipes.map((recipe) => [recipe, recipes.filter((other) => setsOff(recipe, other))]));
  const done = new Set<Recipe>();
  const faults: string[] = [];
  const walk = (recipe: Recipe, way: Recipe[]): void => {
    const at = way.indexOf(recipe);
    if (at >= 0) faults.push(faultOf(way.slice(at)));
    if (at >= 0 || done.has(recipe)) return;
    for (const other of next.get(recipe) ?? []) walk(other, [...way, recipe]);
    done.add(recipe);
  };
  for (const recipe of recipes) walk(recipe, []);
  return faults;
}

/** Whether a write of the one may be a trigger of the other; a value that is computed may be any. */
const setsOff = ({ trigger: { object }, writes }: Recipe, { trigger }: Recipe): boolean =>
  object === trigger.object &&
  writes.some(({ properties }) => {
    const value = trigger.property === undefined ? undefined : properties[trigger.property];
    if (!value) return false;
    return value.literal === undefined || !trigger.becomes || trigger.becomes.includes(plain(value.literal));
  });

function faultOf(loop: readonly Recipe[]): string {
  const [first] = loop;
  const property = loop[loop.length - 1]?.writes.flatMap(({ properties }) => Object.keys(properties));
  const written = property?.find((name) => name === first?.trigger.property) ?? '';
  const way = [...loop, first].map((recipe) => recipe?.id).join(' → ');
  return `recipe ${first?.id ?? ''}: could loop onto its own output (${way}) by ${written}: let the trigger name the values that it waits for, and write others`;
}
