import type { HubspotChange } from '#libs/contracts';
import type { Recipe } from './recipe';
import { type Rejection, unmetBy } from './video';

/** What set a recipe off. `content` is the same for the same change, whichever way it arrived. */
export interface Match {
  recipe: Recipe;
  content: string;
  /** The trigger's own condition could not be told: the recipe does nothing but say so. */
  failed?: Rejection;
}

/**
 * Our own write coming back: HubSpot names the app that wrote as `sourceId` of an `INTEGRATION` change. The event's own
 * `appId` is the subscriber and says nothing of the writer.
 */
export const isEcho = (change: HubspotChange, writerAppId: string): boolean =>
  change.changeSource === 'INTEGRATION' && change.sourceId === writerAppId;

/** The recipes that a change of a tenant's record sets off; none for our own echo. */
export function matching(
  recipes: readonly Recipe[],
  change: HubspotChange,
  writerAppId: string,
  tenant: string,
): Match[] {
  if (isEcho(change, writerAppId)) return [];
  const { property = '', value = '' } = change;
  const found = indexOf(recipes).get(keyOf(change.record.type, change.change, change.property)) ?? [];
  return found.flatMap((recipe) => {
    const { becomes, when } = recipe.trigger;
    if (recipe.tenants && !recipe.tenants.includes(tenant)) return [];
    if (becomes && !becomes.includes(value)) return [];
    const failed = when && unmetBy(when, { event: eventOf(change) });
    if (failed?.code === 'not-met') return [];
    const content = change.property === undefined ? change.change : `${property}=${value}`;
    return [{ recipe, content, ...(failed ? { failed } : {}) }];
  });
}

/** A change as expressions see it. */
const eventOf = ({ record, change, property, value, changeSource, occurredAt }: HubspotChange) => ({
  object: record.type,
  id: record.id,
  change,
  property: property ?? null,
  value: value ?? null,
  source: changeSource ?? null,
  at: occurredAt === undefined ? null : new Date(occurredAt).toISOString(),
});

// A set of recipes is replaced, never changed: its index is made once.
const indexes = new WeakMap<readonly Recipe[], Map<string, Recipe[]>>();

function indexOf(recipes: readonly Recipe[]): Map<string, Recipe[]> {
  let index = indexes.get(recipes);
  if (!index) {
    index = Map.groupBy(recipes, ({ trigger }) => keyOf(trigger.object, trigger.on, trigger.property));
    indexes.set(recipes, index);
  }
  return index;
}

const keyOf = (object: string, change: string, property = ''): string => [object, change, property].join(' ');
