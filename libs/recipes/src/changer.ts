import type { HubspotChange } from '#libs/contracts';

/** Who made a change; absent where there is nobody to tell of. */
export type Changer = 'person' | 'machine';

// A user's id beside them is of whoever set them up.
const MACHINES: ReadonlySet<string> = new Set([
  'AUTOMATION_PLATFORM',
  'INTEGRATION',
  'INTEGRATIONS_PLATFORM',
  'API',
  'BATCH_UPDATE',
]);

// Of HubSpot's open list of sources those behind which a person stands: whatever else it names is a machine's.
const PEOPLE: ReadonlySet<string> = new Set([
  ...['CRM', 'CRM_UI', 'CRM_UI_BULK_ACTION', 'CONTACTS', 'CONTACTS_WEB', 'COMPANIES', 'DEALS', 'SALES', 'SETTINGS'],
  ...['MOBILE_ANDROID', 'MOBILE_IOS', 'USER', 'FORM', 'LEADIN', 'MEETINGS', 'IMPORT', 'CLONE_OBJECTS'],
  ...['MERGE_CONTACTS', 'MERGE_COMPANIES', 'MERGE_OBJECTS', 'RECYCLING_BIN', 'RESTORE_OBJECTS', 'PROPERTY_RESTORE'],
]);

/** Who made a change. A workflow's call that does not say is the workflow's own; of a webhook without source nobody knows. */
export function changerOf({ changeSource, sourceId, delivery }: HubspotChange): Changer {
  if (changeSource === undefined) return delivery === 'workflow' ? 'machine' : 'person';
  if (MACHINES.has(changeSource)) return 'machine';
  return PEOPLE.has(changeSource) || sourceId?.startsWith('userId:') ? 'person' : 'machine';
}
