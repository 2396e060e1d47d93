import type { PropertyUse } from '#libs/recipes';
import { contactProperties, ownProperties, type Wishes } from '#libs/vendors/hubspot';

const ours: ReadonlySet<string> = new Set(ownProperties.map(({ name }) => name));

/** Whether a property is one that `refrain init hubspot` makes on records of a type. */
export const isOurs = (property: string): boolean => ours.has(property);

/** What the hub writes to the records of a portal, by type: contacts get ours whatever recipes write there. Pure. */
export function wishesOf(uses: readonly PropertyUse[]): Wishes[] {
  const wishes = new Map([['contact', new Set(contactProperties.map(({ name }) => name))]]);
  for (const { object, property, how } of uses) {
    if (how !== 'writes' || !isOurs(property)) continue;
    const names = wishes.get(object);
    if (names) names.add(property);
    else wishes.set(object, new Set([property]));
  }
  return [...wishes].map(([object, names]) => ({ object, names }));
}
