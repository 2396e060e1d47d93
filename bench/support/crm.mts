// Contacts in the stand-in for HubSpot, and what is said of them on the topics.
import { HUBSPOT_RECEIVED, recordKey, Topic } from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import { APP_ID, PORTAL_ID, type Sandbox } from './place.mts';

const TENANT = 'default';

/** Makes contacts, each with what `says` adds; resolves to their ids. */
export async function contactsOf(
  hubspot: Sandbox,
  count: number,
  says: (number: number) => Record<string, string> = () => ({}),
): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const made = Array.from({ length: Math.min(50, count - ids.length) }, (_, i) =>
      hubspot.control<{ id: string }>('POST', '/ui/contacts', {
        properties: { firstname: 'Maria', email: `lead-${ids.length + i}@example.com`, ...says(ids.length + i) },
      }),
    );
    ids.push(...(await Promise.all(made)).map(({ id }) => id));
  }
  return ids;
}

/** A change of a property, as the gateway publishes what HubSpot sends of it; `number` is unique. */
export function changeOf(
  contact: string,
  number: number,
  { property: propertyName, value: propertyValue }: { property: string; value: string },
  occurredAt: number,
): OutgoingRecord {
  const change = {
    eventId: number + 1,
    subscriptionId: 7_600_001,
    portalId: PORTAL_ID,
    appId: APP_ID,
    occurredAt,
    subscriptionType: 'contact.propertyChange',
    attemptNumber: 0,
    objectId: Number(contact),
    propertyName,
    propertyValue,
    changeSource: 'CRM_UI',
    sourceId: 'userId:7001',
  };
  return recordOf(Topic.ingressHubspot, HUBSPOT_RECEIVED, `change-${number}`, contact, change, occurredAt);
}

/** A record of a topic about a contact. */
export function recordOf(
  topic: string,
  type: string,
  id: string,
  contact: string,
  value: object,
  at: number,
): OutgoingRecord {
  const subject = `contact:${contact}`;
  const time = new Date(at).toISOString();
  return {
    topic,
    key: recordKey(TENANT, subject),
    value: Buffer.from(JSON.stringify(value)),
    envelope: { id, source: '/bench', type, subject, time, tenant: TENANT, correlationid: id },
  };
}
