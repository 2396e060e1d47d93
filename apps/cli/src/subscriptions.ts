import { objectTypeOf } from '#libs/contracts';
import type { SubscriptionNeed } from '#libs/recipes';
import type { NewSubscription } from '#libs/vendors/hubspot';

/** What is needed, in one word. */
export const eventOf = ({ object, change, property }: SubscriptionNeed): string =>
  [object, change, ...(property === undefined ? [] : [property])].join('.');

/** What a subscription tells of, in the same word. */
export const nameOf = ({ eventType, objectTypeId, propertyName }: NewSubscription): string =>
  [objectTypeId === undefined ? eventType : eventType.replace('object', objectTypeOf(objectTypeId)), propertyName ?? []]
    .flat()
    .join('.');

/** Whether a subscription, if it is active, tells of what is needed: in HubSpot's former words or in those for any type. */
export function tells({ eventType, objectTypeId, propertyName }: NewSubscription, need: SubscriptionNeed): boolean {
  const [thing, change] = eventType.split('.');
  const object = thing === 'object' ? objectTypeOf(objectTypeId ?? '') : thing;
  if (object !== need.object || change !== need.change) return false;
  return need.property === undefined || propertyName === undefined || propertyName === need.property;
}
