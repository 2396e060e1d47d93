import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { OtherSystem } from './testing/other-system';
import { until } from './testing/until';

// The recipe that ships: a new lead is looked up, scored, given to the next seller, who is asked to call.

const known = { name: 'Example Ltd', employees: 250, country: 'DE' };
const firmographics = new OtherSystem({
  companies: (response, { url }) =>
    url.endsWith('/unknown.test')
      ? void response.writeHead(404).end()
      : void response.writeHead(200).end(JSON.stringify(known)),
});
const folder = mkdtempSync(join(tmpdir(), 'instant-lead-'));
let hub: Hub;
beforeAll(async () => {
  const systems = join(folder, 'systems.yaml');
  const url = `http://127.0.0.1:${String(await firmographics.start())}`;
  writeFileSync(systems, `- { system: firmographics, url: "${url}", private: true }\n`);
  hub = await Hub.start({ SYSTEMS_FILE: systems });
  await hub.hubspot.crm.properties.coreApi.create('contacts', {
    name: 'territory',
    label: 'Territory',
    groupName: 'contactinformation',
    type: 'string',
    fieldType: 'text',
  } as Parameters<typeof hub.hubspot.crm.properties.coreApi.create>[1]);
});
afterAll(async () => {
  await hub?.stop();
  await firmographics.close();
  rmSync(folder, { recursive: true });
});

type Stored = { properties: Record<string, string | null>; associations: Record<string, string[] | undefined> };
const stored = (type: string, id: string) => hub.control<Stored>('hubspot', 'GET', `/objects/${type}/${id}`);
const tasksOf = async ({ id }: Lead) => {
  const ids = (await stored('contacts', id)).associations['tasks'] ?? [];
  return Promise.all(ids.map(async (task) => (await stored('tasks', task)).properties));
};
const isNew = (lead: Lead) => lead.change({ propertyName: 'hs_lead_status', propertyValue: 'NEW' });
const asCalled = (lead: Lead) => {
  const called = JSON.parse(lead.workflowCall()) as object;
  return JSON.stringify({ ...called, propertyName: 'hs_lead_status', propertyValue: 'NEW' });
};

it('gives two leads of one company to two sellers, each once, however often and in whichever way the change comes', async () => {
  const leads = [await Lead.make(hub), await Lead.make(hub)];
  for (const lead of leads) {
    await Promise.all([hub.post(`[${isNew(lead)}]`), hub.post(asCalled(lead)), hub.post(`[${isNew(lead)}]`)]);
    await lead.has({ hubspot_owner_id: true, territory: 'dach', lead_score: '60', company: 'Example Ltd' });
    await until('the task is there', async () => (await tasksOf(lead)).length > 0);
  }
  await hub.caughtUp();
  const owners = await Promise.all(
    leads.map(async ({ id }) => (await stored('contacts', id)).properties['hubspot_owner_id']),
  );
  expect(owners.toSorted()).toEqual(['701', '702']);
  for (const [i, lead] of leads.entries()) {
    expect(await tasksOf(lead)).toMatchObject([
      { hs_task_subject: 'Call Maria of Example Ltd', hs_task_priority: 'HIGH', hubspot_owner_id: owners[i] },
    ]);
    expect(await lead.writesOf('hubspot_owner_id')).toBe(1);
  }
  // Both asked about the same company, and its answer is kept.
  expect(firmographics.asked('/companies/example.test')).toHaveLength(1);
});

it('goes by the lead’s own country where nobody knows the company', async () => {
  const lead = await Lead.make(hub);
  await hub.control('hubspot', 'PATCH', `/ui/contacts/${lead.id}`, {
    properties: { email: `${lead.lastname.toLowerCase()}@unknown.test`, country: 'FR', phone: '+33 1 23 45 67 89' },
  });
  await hub.post(`[${isNew(lead)}]`);
  await lead.has({ territory: 'world', lead_score: '40' });
  const { properties } = await stored('contacts', lead.id);
  expect(properties['company'] ?? null).toBeNull();
  expect(firmographics.asked('/companies/unknown.test')).toHaveLength(1);
});
