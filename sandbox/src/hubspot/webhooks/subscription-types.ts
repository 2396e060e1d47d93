const OF_RECORDS = ['associationChange', 'creation', 'deletion', 'merge', 'propertyChange', 'restore'];
const every = (types: string[], actions: string[]): string[] =>
  types.flatMap((type) => actions.map((action) => `${type}.${action}`));

/** All kinds of events that an app can be subscribed to. */
export const SUBSCRIPTION_TYPES: ReadonlySet<string> = new Set([
  ...every(['company', 'contact', 'deal', 'line_item', 'object', 'ticket'], OF_RECORDS),
  ...every(
    ['product'],
    OF_RECORDS.filter((action) => action !== 'associationChange'),
  ),
  ...every(['conversation'], ['creation', 'deletion', 'newMessage', 'privacyDeletion', 'propertyChange']),
  'contact.privacyDeletion',
  'event.completed',
]);

/** Properties of whose changes nobody is ever told. */
export const NEVER_TOLD: ReadonlySet<string> = new Set(['num_unique_conversion_events', 'hs_lastmodifieddate']);
