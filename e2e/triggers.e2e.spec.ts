import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

// What sets recipes off besides a change in HubSpot, and steps of several services that follow one another.

const folder = mkdtempSync(join(tmpdir(), 'triggers-'));
const apiKey = 'e2e-key-of-forty-letters-and-digits-0001';
const files: Record<string, string> = {
  'endpoints.yaml': `- endpoint: billing
  source: billing
  authentication: [{ scheme: api-key, header: x-api-key, secretEnv: BILLING_KEY }]
  event: { id: { pointer: /id }, type: { pointer: /type }, subject: { type: contact, pointer: /contact } }
- endpoint: blobs
  source: billing
  format: bytes
  authentication: [{ scheme: api-key, header: x-api-key, secretEnv: BILLING_KEY }]
`,
  'recipes/unpaid.yaml': `recipe: unpaid
trigger:
  source: billing
  object: contact
  on: [invoice.payment_failed]
  when: event.body.amount > 10
  take: { amount: event.body.amount, currency: event.body.currency }
steps:
  - write: { properties: { ai_lead_summary: "Owes \${steps.trigger.amount} \${steps.trigger.currency}" } }
`,
  'recipes/renewal.yaml': `recipe: renewal
values: { note: { default: is due } }
trigger: { object: contact, due: { date: closedate, before: 1d }, take: { day: event.value } }
steps:
  - write: { properties: { ai_qualification_summary: "\${values.note}" } }
`,
  'recipes/odd.yaml': `recipe: odd
trigger: { object: contact, property: hs_lead_status, becomes: [BAD_TIMING] }
steps:
  - write: { properties: { no_such_property: x, ai_lead_summary: comes later } }
`,
  'recipes/sound.yaml': `recipe: sound
trigger: { object: contact, property: hs_lead_status, becomes: [BAD_TIMING] }
steps:
  - write: { properties: { ai_qualification_summary: not now } }
`,
  'recipes/formed.yaml': `recipe: formed
trigger: { object: contact, property: recent_conversion_event_name, take: { form: event.value } }
steps:
  - write: { properties: { ai_lead_summary: "Sent \${steps.trigger.form}" } }
`,
  'recipes/listed.yaml': `recipe: listed
trigger: { object: contact, property: vip_list, becomes: [joined] }
steps:
  - write: { properties: { ai_qualification_summary: is a VIP } }
`,
  'recipes/tailored.yaml': `recipe: tailored
trigger: { object: contact, property: hs_lead_status, becomes: [OPEN], take: { status: event.value } }
steps:
  - name: judged
    ask:
      model: gpt-6-luna
      properties: [lastname]
      notes: 5
      facts: { status: "\${steps.trigger.status}" }
      instruction: Say what the lead wants.
      answer: { type: object, additionalProperties: false, required: [wish], properties: { wish: { type: string } } }
  - video:
      template: demo-outreach
      title: For \${text(record.firstname)}
      require: { firstname: person-name }
      variables: { first_name: "\${record.firstname}", company: you, recent_event: "\${steps.judged.wish}" }
  - name: told
    write: { properties: { ai_lead_summary: "\${steps.judged.wish}: \${steps.video.video_id} (\${steps.trigger.status})" } }
`,
};

let hub: Hub;
beforeAll(async () => {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  hub = await Hub.start({
    RECIPES_DIR: join(folder, 'recipes'),
    ENDPOINTS_FILE: join(folder, 'endpoints.yaml'),
    BILLING_KEY: apiKey,
  });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true });
});

const day = 86_400_000;
const crm = (lead: Lead, type: string) =>
  lead.records('crm.events.v1', `refrain.${type}.v1`).map(({ value }) => JSON.parse(String(value)) as object);

describe('an event of another source', () => {
  const bill = (body: object | string, endpoint = 'billing') =>
    fetch(`${hub.gatewayUrl}/webhooks/in/${endpoint}`, {
      method: 'POST',
      headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const failed = (lead: Lead, over: object = {}) => {
    const [id, type] = [`in-${lead.lastname}`, 'invoice.payment_failed'];
    return { id, type, contact: lead.id, amount: 12, currency: 'EUR', ...over };
  };

  it('sets off its recipe once, however often it comes, with what the trigger takes of it', async () => {
    const lead = await Lead.make(hub);
    const sent = await Promise.all([
      bill(failed(lead)),
      bill(failed(lead)),
      bill(failed(lead, { type: 'invoice.paid' })),
    ]);
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 200]);
    await lead.has({ ai_lead_summary: 'Owes 12 EUR' });
    await bill(failed(lead));
    await hub.caughtUp();
    expect(crm(lead, 'record-step.filled')).toMatchObject([{ recipe: 'unpaid', results: { trigger: { amount: 12 } } }]);
    expect(await lead.writesOf('ai_lead_summary')).toBe(1);
  });

  it('that the trigger cannot judge is rejected alone, what is no JSON and nobody waits for is left', async () => {
    const lead = await Lead.make(hub);
    await bill('\u0000 no JSON', 'blobs');
    await bill(failed(lead, { id: `odd-${lead.lastname}`, amount: 'much' }));
    await until('it is rejected', () => crm(lead, 'record-step.rejected').length > 0);
    expect(crm(lead, 'record-step.rejected')).toMatchObject([{ recipe: 'unpaid', code: 'expression' }]);
    await bill(failed(lead));
    await lead.has({ ai_lead_summary: 'Owes 12 EUR' });
    expect(hub.topic('crm-writer.dlq')).toEqual([]);
  });
});

it('sets off a recipe by a form, which changes a property, and by a list, of which a workflow tells', async () => {
  const lead = await Lead.make(hub);
  const sent = { propertyName: 'recent_conversion_event_name', propertyValue: 'Book a demo', changeSource: 'FORM' };
  await hub.post(`[${lead.change(sent)}]`);
  await hub.post(JSON.stringify({ objectId: Number(lead.id), propertyName: 'vip_list', propertyValue: 'joined' }));
  await lead.has({ ai_lead_summary: 'Sent Book a demo', ai_qualification_summary: 'is a VIP' });
  await hub.caughtUp();
  expect(crm(lead, 'record-step.filled')).toHaveLength(2);
});

it('sets off a recipe so long before a date of the record, and not for a date that was moved away', async () => {
  const closes = (lead: Lead, at: number, occurredAt = Date.now()) =>
    hub.post(`[${lead.change({ propertyName: 'closedate', propertyValue: String(at), occurredAt })}]`);
  const moved = await Lead.make(hub);
  const kept = await Lead.make(hub);
  const first = Date.now() + day + 4_000;
  await closes(moved, first);
  await closes(moved, first + 30 * day, Date.now() + 1);
  await closes(kept, first + 1_000);
  await until(
    'both are awaited',
    () => crm(moved, 'record-date.awaited').length + crm(kept, 'record-date.awaited').length > 2,
  );
  await kept.has({ ai_qualification_summary: 'is due' });
  expect(crm(kept, 'record-date.reached')).toEqual([
    {
      recipe: 'renewal',
      property: 'closedate',
      value: String(first + 1_000),
      dueAt: new Date(first + 1_000 - day).toISOString(),
    },
  ]);
  expect(crm(moved, 'record-date.reached')).toEqual([]);
  expect(await moved.patches()).toEqual([]);
});

it('makes a video of what the answer says, and writes what both have left, once for a webhook that comes three times', async () => {
  const lead = await Lead.make(hub);
  await hub.control('openai', 'POST', '/answers', {
    match: { bodyIncludes: lead.lastname },
    answer: { wish: 'a demo' },
  });
  const body = `[${lead.change({ propertyName: 'hs_lead_status', propertyValue: 'OPEN' })}]`;
  await Promise.all([hub.post(body), hub.post(body)]);
  const [video] = await until('the video is made', async () => {
    const renders = await lead.billedRenders();
    return renders.length > 0 && renders;
  });
  await lead.has({ ai_lead_summary: `a demo: ${video?.id} (OPEN)` });
  await hub.post(body);
  await hub.caughtUp();
  const [order, ...orders] = await lead.orders();
  expect(JSON.stringify(order?.requestBody)).toContain('a demo');
  expect(orders).toEqual([]);
  const [question, ...questions] = await lead.questions();
  expect(JSON.stringify(question?.requestBody)).toContain('status: OPEN');
  expect(questions).toEqual([]);
  const [completed] = lead.records('render.events.v1', 'refrain.render.completed.v1');
  expect(JSON.parse(String(completed?.value))).toMatchObject({
    results: { trigger: { status: 'OPEN' }, judged: { wish: 'a demo' } },
  });
  const { effects } = await hub.refrain<{ effects: { kind: string; recipes: string[] }[] }>('explain', lead.id);
  expect(effects.find(({ kind }) => kind === 'heygen.generate')?.recipes).toEqual([
    expect.stringMatching(/^tailored@[0-9a-f]{12}$/),
  ]);
});

it('writes what the portal takes, also beside a property that it does not know', async () => {
  const lead = await Lead.make(hub);
  await hub.post(`[${lead.change({ propertyName: 'hs_lead_status', propertyValue: 'BAD_TIMING' })}]`);
  await lead.has({ ai_qualification_summary: 'not now', ai_lead_summary: 'comes later' });
  const rejected = await until('the unknown one is rejected', () => {
    const found = crm(lead, 'record-update.rejected');
    return found.length > 0 && found;
  });
  expect(rejected).toMatchObject([{ properties: { no_such_property: 'x' }, code: 'PROPERTY_DOESNT_EXIST' }]);
  expect(await lead.writesOf('ai_lead_summary')).toBe(2);
});
