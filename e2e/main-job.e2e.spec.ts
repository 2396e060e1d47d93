import { createdByHand, liveSamples } from '../apps/gateway/src/testing/hubspot-samples';
import { Hub } from './testing/hub';
import { Lead, once, settled } from './testing/lead';
import { until } from './testing/until';

let hub: Hub;
beforeAll(async () => {
  hub = await Hub.start({ RENDER_MS: '1500' });
});
afterAll(() => hub?.stop());

const ingress = 'ingress.hubspot.v1';
const renders = 'render.events.v1';
const enrichments = 'enrichment.events.v1';

async function postAll(...bodies: string[]): Promise<void> {
  const answers = await Promise.all(bodies.map((body) => hub.post(body)));
  expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 200));
}

const note = 'Met at the fair, talked for an hour. $50k ready for Q1';

it('makes a signed webhook into a video link and a score on the contact', async () => {
  const lead = await Lead.make(hub, { note });
  const since = Date.now();
  await postAll(`[${lead.change()}]`);
  const contact = await lead.done();
  const [render] = await lead.billedRenders();
  expect(contact).toEqual({
    heygen_video_url: expect.stringContaining(`/${render?.id}/`),
    heygen_render_status: 'COMPLETED',
    heygen_render_error: null,
    heygen_job_id: render?.id,
    lead_score: '59',
    ai_lead_summary: `Met at the fair, talked for an hour. $50k ready for Q1. Mood: positive. Budget: $50k. When: Q1.`,
    ai_sentiment_score: '0.75',
    ai_budget_estimate: '50000',
    ai_last_processed_timestamp: expect.any(String),
  });
  expect((await fetch(contact['heygen_video_url'] ?? '')).status).toBe(200);
  const processed = Date.parse(contact['ai_last_processed_timestamp'] ?? '');
  expect(processed).toBeGreaterThanOrEqual(since);
  expect(processed).toBeLessThanOrEqual(Date.now());
});

it('does everything once for a webhook that comes three times, and again after the end', async () => {
  const lead = await Lead.make(hub);
  const body = `[${lead.change()}]`;
  await postAll(body, body, body);
  await lead.done();
  await postAll(body);
  await settled(hub);
  expect(await lead.outcome()).toEqual(once);
  expect(lead.records(ingress).filter(({ value }) => `[${String(value)}]` === body)).toHaveLength(4);
});

it('makes one video of a change that comes as an array and from a workflow', async () => {
  const lead = await Lead.make(hub);
  await postAll(`[${lead.change()}]`, lead.workflowCall());
  await lead.done();
  await settled(hub);
  expect(await lead.outcome()).toEqual(once);
  expect((await lead.orders()).map(({ method, billed }) => [method, billed])).toEqual([['POST', true]]);
});

it("takes a workflow's call alone", async () => {
  const lead = await Lead.make(hub);
  await postAll(lead.workflowCall());
  await lead.done();
});

it('ignores what our own app wrote, and takes what another one wrote', async () => {
  const lead = await Lead.make(hub);
  const echo = lead.change({ changeSource: 'INTEGRATION', sourceId: String(hub.account.appId) });
  const foreign = lead.change({ changeSource: 'INTEGRATION', sourceId: String(hub.account.appId + 1) });
  await postAll(`[${echo}]`);
  await postAll(`[${foreign}]`);
  await lead.done();
  const theirs = lead.records(ingress).find(({ value }) => String(value) === foreign);
  expect(lead.records(ingress).map(({ value }) => String(value))).toContain(echo);
  for (const [topic, type] of [
    [renders, 'refrain.render.requested.v1'],
    [enrichments, 'refrain.enrichment.requested.v1'],
  ] as const) {
    const requested = lead.records(topic, type).map(({ headers }) => headers['ce_correlationid']);
    expect(requested).toEqual([theirs?.headers['ce_id']]);
  }
});

it.each([
  ['a placeholder', 'N/A', 'placeholder'],
  ['blank', ' ', 'missing'],
  ['missing', '', 'missing'],
])('rejects a render whose first name is %s and spends nothing', async (_case, firstname, code) => {
  const lead = await Lead.make(hub, { firstname });
  await postAll(`[${lead.change()}]`);
  const [rejected] = await until('RenderRejected', () => {
    const found = lead.records(renders, 'refrain.render.rejected.v1');
    return found.length > 0 && found;
  });
  expect(JSON.parse(String(rejected?.value))).toMatchObject({ code });
  await lead.has({ lead_score: true });
  await settled(hub);
  expect(await lead.outcome()).toEqual({ ...once, billedRenders: 0, completed: 0 });
  expect(Object.entries(await lead.read()).filter(([name, value]) => name.startsWith('heygen_') && value)).toEqual([]);
});

it("takes HubSpot's own webhook of a change in its pages, classic and generic", async () => {
  for (const generic of [false, true]) {
    await hub.control('hubspot', 'PUT', '/webhooks', { generic });
    const lead = await Lead.make(hub);
    await lead.qualify();
    await lead.done();
    const types = lead.records(ingress).map(({ value }) => JSON.parse(String(value)) as Record<string, string>);
    const trigger = types.find(({ propertyValue }) => propertyValue === 'marketingqualifiedlead');
    expect([trigger?.['subscriptionType'], trigger?.['objectTypeId']]).toEqual(
      generic ? ['object.propertyChange', '0-1'] : ['contact.propertyChange', undefined],
    );
  }
  await hub.control('hubspot', 'PUT', '/webhooks', { generic: false });
});

describe('what real portals sent', () => {
  const fits = Object.entries(liveSamples).filter(([, sample]) => sample.includes('.propertyChange"'));
  /** The sample about our contact and property, all else as it came. */
  const about = (sample: string, lead: Lead) =>
    sample
      .replace(/"objectId":\d+/, `"objectId":${lead.id}`)
      .replace(/"propertyName":"email"/, '"propertyName":"lifecyclestage"')
      .replace(/"propertyValue":"\.\.\."/, '"propertyValue":"marketingqualifiedlead"');

  it.each(fits)('does the job where %s fits the trigger, and keeps its bytes', async (_name, sample) => {
    const lead = await Lead.make(hub);
    const event = about(sample, lead);
    await postAll(`[ ${event}\n]`);
    await lead.done();
    expect(lead.records(ingress).map(({ value }) => String(value))).toContain(event);
  });

  it('does the job once for a record made by hand: changes and creation in one array', async () => {
    const lead = await Lead.make(hub);
    const events = createdByHand.map((event) =>
      event
        .replace(/"objectId":\d+/, `"objectId":${lead.id}`)
        .replace(/("propertyName":"lifecyclestage","propertyValue":)"[^,]*"/, '$1"marketingqualifiedlead"'),
    );
    await postAll(`[${events.join(',')}]`);
    await lead.done();
    await settled(hub);
    expect(await lead.outcome()).toEqual(once);
    const sent = lead.records(ingress).map(({ value }) => String(value));
    expect(sent.filter((value) => events.includes(value))).toEqual(events);
  });

  it('refuses none of the others', async () => {
    await postAll(...Object.values(liveSamples).map((sample) => `[${sample}]`));
    await settled(hub);
    expect(hub.topic('ingress.quarantine')).toEqual([]);
  });
});

it('keeps secrets, addresses and notes out of log lines and headers, and nothing ends as a dead letter', () => {
  const lines = hub.logs();
  const headers = hub.records.map((record) => JSON.stringify(record.headers)).join('\n');
  expect(lines).toContain('"msg":"request"');
  for (const secret of [...Object.values(hub.secrets), '@example.test', 'talked for an hour', 'ready for Q1']) {
    expect(lines.includes(secret)).toBe(false);
    expect(headers.includes(secret)).toBe(false);
  }
  expect(hub.records.filter(({ topic }) => topic.endsWith('.dlq'))).toEqual([]);
});
