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

describe('a lead that a seller works on', () => {
  type Stored = { properties: Record<string, string | null>; associations: Record<string, string[] | undefined> };
  const stored = (type: string, id: string) => hub.control<Stored>('hubspot', 'GET', `/objects/${type}/${id}`);
  const tasksOf = async ({ id }: Lead) => {
    const ids = (await stored('contacts', id)).associations['tasks'] ?? [];
    return Promise.all(ids.map(async (task) => (await stored('tasks', task)).properties));
  };
  const judged = (lead: Lead, lead_score: number) => {
    const said = {
      timeline: 'before March',
      competitors: ['Example GmbH'],
      urgency: 'high',
      reasons: [],
      summary: 'Wants it.',
    };
    const answer = { ...said, budget: 50000, lead_score };
    return hub.control('openai', 'POST', '/answers', { match: { bodyIncludes: lead.lastname }, answer });
  };
  const owned = async (lead: Lead) =>
    hub.control('hubspot', 'PATCH', `/ui/contacts/${lead.id}`, { properties: { hubspot_owner_id: '701' } });

  it('is judged by its notes, and its owner is asked to call where it is worth it, once', async () => {
    const lead = await Lead.make(hub, { note: 'They look at Example GmbH too; $50k, before March.' });
    await owned(lead);
    await judged(lead, 91);
    const body = `[${status(lead, 'CONNECTED')}]`;
    await Promise.all([hub.post(body), hub.post(body)]);
    await lead.has({ lead_score: '91', ai_budget_estimate: '50000' });
    await until('the task is there', async () => (await tasksOf(lead)).length > 0);
    await hub.post(body);
    await settled(hub);
    const [task, ...others] = await tasksOf(lead);
    expect(others).toEqual([]);
    expect(task).toMatchObject({
      hs_task_subject: 'High-value lead: call today (score 91)',
      hs_task_priority: 'HIGH',
      hubspot_owner_id: '701',
      hs_task_body: expect.stringContaining('Wants it.') as string,
    });
    expect(await stored('contacts', lead.id)).toMatchObject({
      properties: {
        ai_qualification_summary: 'Wants it. Timeline: before March. Competitors: Example GmbH.',
      },
    });
    expect(await lead.questions()).toHaveLength(1);
  });

  it('is judged without a task where it is worth little', async () => {
    const lead = await Lead.make(hub);
    await owned(lead);
    await judged(lead, 12);
    await hub.post(`[${status(lead, 'IN_PROGRESS')}]`);
    await lead.has({ lead_score: '12' });
    await settled(hub);
    expect(await tasksOf(lead)).toEqual([]);
    const rejected = stepsOf(lead, 'rejected').map(({ value }) => JSON.parse(String(value)) as object);
    expect(rejected).toEqual([expect.objectContaining({ step: 'high_value', code: 'not-met' })]);
  });

  it('is not judged once it is a customer', async () => {
    const lead = await Lead.make(hub);
    await hub.control('hubspot', 'PATCH', `/ui/contacts/${lead.id}`, { properties: { lifecyclestage: 'customer' } });
    await hub.post(`[${status(lead, 'CONNECTED')}]`);
    await until('the question is rejected', () => {
      return lead.records('enrichment.events.v1', 'refrain.enrichment.rejected.v1').length > 0;
    });
    expect(await lead.questions()).toEqual([]);
  });
});
