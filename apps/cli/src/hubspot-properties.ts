import type { PropertyUse } from '#libs/recipes';
import { wantedProperties, type Wishes } from '#libs/vendors/hubspot';

const ours: ReadonlySet<string> = new Set(wantedProperties.map(({ name }) => name));

/** Whether a property is one that `refrain init hubspot` makes on records of a type. */
export const isOurs = (property: string): boolean => ours.has(property);

/**
 * What the hub writes to the records of a portal, by type: all of its own properties to contacts, to others those that
 * recipes write there. Pure.
 */
export function wishesOf(uses: readonly PropertyUse[]): Wishes[] {
  const written = uses.filter(
    ({ object, property, how }) => how === 'writes' && object !== 'contact' && isOurs(property),
  );
  const byObject = Map.groupBy(written, ({ object }) => object);
  const others = [...byObject].map(([object, all]) => ({
    object,
    names: new Set(all.map(({ property }) => property)),
  }));
  return [{ object: 'contact' }, ...others];
}
