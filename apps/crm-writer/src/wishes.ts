import type { CrmEvent, Guard } from '#libs/contracts';
import { labelOf } from '#libs/recipes';
import { precedes } from './followed';
import type { Wanted } from './step.decider';

/** What one property should say, and whose wish that is. */
export interface Wish {
  value: string;
  guard: Guard;
  /** HubSpot refused this very value: it is not sent again. */
  refused: boolean;
  /** The property is left to another system, which sets it back each time: it is not sent. */
  left: boolean;
  /** It was refused among others, or a former value of its property by itself: it is written by itself. */
  alone: boolean;
  /** Type of the event that led to it. */
  because: string;
  /** The recipe that wants it, and its version. */
  recipe?: string;
  recipeVersion?: string;
}

/** Wishes by property. */
export type Wishes = Readonly<Record<string, Wish>>;

type ChangeWanted = Extract<CrmEvent, { type: 'RecordChangeWanted' }>;

/** Wishes with the newest among them. What was refused by itself may be refused again: it takes no others with it. */
export function wished(
  wanted: Wishes,
  data: ChangeWanted['data'],
  isLeft: (name: string) => boolean = () => false,
): Wishes {
  const { properties, ...about } = data;
  const newest = Object.entries(properties).map(
    ([name, value]) =>
      [name, { value, ...about, refused: false, left: isLeft(name), alone: wanted[name]?.alone ?? false }] as const,
  );
  return { ...wanted, ...Object.fromEntries(newest) };
}

/** What of a wish is newer than what is wanted; the same wish with another value is the same event read by mended code. */
export function newerOf(wanted: Wishes, { properties, guard, ...about }: Wanted): ChangeWanted | undefined {
  const newer = Object.entries(properties).filter(([name, value]) => {
    const wish = wanted[name];
    return !wish || precedes(wish.guard, guard) || (equal(wish.guard, guard) && wish.value !== value);
  });
  if (newer.length === 0) return undefined;
  return { type: 'RecordChangeWanted', data: { properties: Object.fromEntries(newer), guard, ...about } };
}

/** The values that may be sent. */
export const valuesOf = (wanted: Wishes): Record<string, string> =>
  Object.fromEntries(
    Object.entries(wanted)
      .filter(([, wish]) => !wish.refused && !wish.left)
      .map(([name, wish]) => [name, wish.value]),
  );

/** What HubSpot refused is not sent again. */
export const withRefused = (wanted: Wishes, properties: Record<string, string>): Wishes =>
  Object.fromEntries(
    Object.entries(wanted).map(([name, wish]) => [
      name,
      properties[name] === wish.value ? { ...wish, refused: true } : wish,
    ]),
  );

/** Nothing counts as refused any more. */
export const withNoneRefused = (wanted: Wishes): Wishes =>
  Object.fromEntries(Object.entries(wanted).map(([name, wish]) => [name, { ...wish, refused: false }]));

/** Marks the wishes of a write: refused among others, nobody knows for which; taken, they may stand among others again. */
export const markedAlone = (wanted: Wishes, properties: Record<string, string>, alone: boolean): Wishes =>
  Object.fromEntries(
    Object.entries(wanted).map(([name, wish]) => [name, properties[name] === wish.value ? { ...wish, alone } : wish]),
  );

/** What the next write says of what is outstanding: all that may stand together, then the others one by one. */
export function together(wanted: Wishes, outstanding: Record<string, string>): Record<string, string> {
  const all = Object.entries(outstanding);
  const joined = all.filter(([name]) => !wanted[name]?.alone);
  return Object.fromEntries(joined.length > 0 ? joined : all.slice(0, 1));
}

/** The recipes that want what a write says. */
export function recipesOf(wanted: Wishes, names: string[]): { recipes?: string[] } {
  const recipes = [...new Set(names.flatMap((name) => labelsOf(wanted[name])))];
  return recipes.length > 0 ? { recipes } : {};
}

const labelsOf = ({ recipe: id, recipeVersion: version = '' }: Partial<Wish> = {}): string[] =>
  id === undefined ? [] : [labelOf({ id, version })];

/** Wishes of these properties as they were wanted: those that were wanted together stand together. */
export function asWanted(wanted: Wishes, names: readonly string[]): ChangeWanted['data'][] {
  const all = names.flatMap((name) => {
    const wish = wanted[name];
    if (!wish) return [];
    const { value, refused: _refused, left: _left, alone: _alone, ...about } = wish;
    return [{ name, value, about }];
  });
  return [...Map.groupBy(all, ({ about }) => JSON.stringify(about)).values()].flatMap((group) =>
    group.slice(0, 1).map(({ about }) => ({
      properties: Object.fromEntries(group.map(({ name, value }) => [name, value])),
      ...about,
    })),
  );
}

const equal = (one: Guard, other: Guard): boolean => !precedes(one, other) && !precedes(other, one);
