import type { Hub } from '../testing/hub';
import type { BilledRender, ContactSeen, Disturbance, Evidence, SentEvent } from './evidence';
import type { Driver } from './driver';

interface Delivery {
  kind: string;
  state: string;
  body: unknown;
}

/** Gathers what can be seen from outside: what was sent and accepted, the vendors' logs, the topics. */
export async function gather(hub: Hub, driver: Driver, disturbances: Disturbance[]): Promise<Evidence> {
  const [hubspot, heygen, openai] = await Promise.all([hub.calls('hubspot'), hub.calls('heygen'), hub.calls('openai')]);
  const { renders } = await hub.control<{ renders: BilledRender[] }>('heygen', 'GET', '/billing');
  const { deliveries } = await hub.control<{ deliveries: Delivery[] }>('hubspot', 'GET', '/deliveries');
  const { objects } = await hub.control<{ objects: ContactSeen[] }>('hubspot', 'GET', '/objects/contacts');
  const byId = new Map(objects.map(({ id, properties }) => [id, properties]));
  const contacts = driver.contacts.map((contact) => ({ ...contact, properties: byId.get(contact.id) ?? {} }));
  return {
    sent: [...driver.events, ...deliveries.filter(({ kind }) => kind === 'events').flatMap(sentBySandbox)],
    contacts,
    calls: { hubspot, heygen, openai },
    billedRenders: renders,
    records: [...hub.records],
    disturbances,
  };
}

function sentBySandbox({ state, body }: Delivery): SentEvent[] {
  return (body as Record<string, unknown>[]).map((event) => ({
    bytes: JSON.stringify(event),
    contact: String(event['objectId']),
    trigger: event['propertyValue'] === 'marketingqualifiedlead',
    at: Number(event['occurredAt']),
    accepted: state === 'delivered' ? 1 : 0,
  }));
}
