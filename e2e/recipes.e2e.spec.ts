import { Hub } from './testing/hub';
import { Lead, settled } from './testing/lead';
import { until } from './testing/until';

// Recipes that ship, besides the main job, from HubSpot's webhook to HubSpot's record.

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start();
});
afterAll(() => hub?.stop());

const status = (lead: Lead, propertyValue: string) => lead.change({ propertyName: 'hs_lead_status', propertyValue });
const stageOf = async ({ id }: Lead) => {
  const { properties } = await hub.hubspot.crm.contacts.basicApi.getById(id, ['lifecyclestage']);
  return properties['lifecyclestage'];
};
const stepsOf = (lead: Lead, type: string) => lead.records('crm.events.v1', `refrain.record-step.${type}.v1`);

it('moves the lifecycle stage on when a deal was opened, once for a webhook that comes three times', async () => {
  const lead = await Lead.make(hub);
  const body = `[${status(lead, 'OPEN_DEAL')}]`;
  await Promise.all([hub.post(body), hub.post(body)]);
  await lead.has({ lifecyclestage: 'opportunity' });
  await hub.post(body);
  await settled(hub);
  expect(await lead.writesOf('lifecyclestage')).toBe(1);
  expect(stepsOf(lead, 'filled')).toHaveLength(1);
  expect(JSON.parse(String(stepsOf(lead, 'filled')[0]?.value))).toMatchObject({
    recipe: 'lifecycle-stage',
    recipeVersion: expect.stringMatching(/^[0-9a-f]{12}$/),
    step: 'write',
  });
});

it('leaves a customer where it stands, and says why', async () => {
  const lead = await Lead.make(hub);
  await hub.control('hubspot', 'PATCH', `/ui/contacts/${lead.id}`, { properties: { lifecyclestage: 'customer' } });
  await hub.post(`[${status(lead, 'OPEN_DEAL')}]`);
  const [rejected] = await until('the step is rejected', () => {
    const found = stepsOf(lead, 'rejected');
    return found.length > 0 && found;
  });
  expect(JSON.parse(String(rejected?.value))).toMatchObject({ code: 'not-met' });
  expect(await stageOf(lead)).toBe('customer');
  expect(await lead.patches()).toEqual([]);
});

it('does nothing about a status that no recipe waits for', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${status(lead, 'UNQUALIFIED')}]`);
  await settled(hub);
  expect(await lead.patches()).toEqual([]);
  expect(stepsOf(lead, 'requested')).toEqual([]);
});
