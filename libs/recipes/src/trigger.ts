import type { HubspotChange } from '#libs/contracts';
import type { Recipe } from './recipe';

/** What set a recipe off. `content` is the same for the same change, whichever way it arrived. */
export interface Match {
  recipe: Recipe;
  content: string;
}

/**
 * Our own write coming back: HubSpot names the app that wrote as `sourceId` of an `INTEGRATION` change. The event's own
 * `appId` is the subscriber and says nothing of the writer.
 */
export const isEcho = (change: HubspotChange, writerAppId: string): boolean =>
  change.changeSource === 'INTEGRATION' && change.sourceId === writerAppId;

/** The recipes that a change sets off; none for our own echo. */
export function matching(recipes: Recipe[], change: HubspotChange, writerAppId: string): Match[] {
  if (change.change !== 'propertyChange' || isEcho(change, writerAppId)) return [];
  const { property = '', value = '' } = change;
  return recipes
    .filter(
      ({ trigger }) =>
        trigger.object === change.record.type && trigger.property === property && trigger.becomes.includes(value),
    )
    .map((recipe) => ({ recipe, content: `${property}=${value}` }));
}
