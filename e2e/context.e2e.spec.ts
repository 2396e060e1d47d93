import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssociationTypes } from '@hubspot/api-client';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';
import type { Call } from './testing/vendors';

// What a model is told beside properties and notes, from HubSpot's webhook to what OpenAI is sent and bills.

/** A recorder's properties: each holds as much as HubSpot lets one hold. */
const transcript = ['call_transcript', ...Array.from({ length: 31 }, (_, n) => `call_transcript_${String(n + 2)}`)];
const asking = (status: string, ask: string) => `recipe: ${status}
trigger: { object: contact, property: hs_lead_status, becomes: [${status.toUpperCase()}] }
steps:
  - name: told
    ask:
      instruction: Judge.
      answer:
        type: object
        additionalProperties: false
        required: [budget]
        properties: { budget: { type: [integer, 'null'] } }
${ask.replace(/^/gm, '      ')}
  - write: { properties: { jobtitle: "\${string(coalesce(steps.told.budget, 0))}" } }
`;
const recipes: Record<string, string> = {
  new: asking(
    'new',
    `properties: [lastname]
context: { notes: 5, emails: 2, calls: 1, meetings: 1, tickets: 1 }
mask: { emails: [email] }`,
  ),
  open: asking(
    'open',
    `properties: [lastname]
supported: [budget]
context: { transcripts: 1, transcript: [${transcript.join(', ')}] }`,
  ),
  connected: asking('connected', 'properties: [industry]\nnotes: 5'),
};
const folder = mkdtempSync(join(tmpdir(), 'context-'));
let hub: Hub;

beforeAll(async () => {
  for (const [name, text] of Object.entries(recipes)) writeFileSync(join(folder, `${name}.yaml`), text);
  hub = await Hub.start({ RECIPES_DIR: folder });
  await Promise.all(
    transcript.map((name) =>
      hub.hubspot.crm.properties.coreApi.create('calls', {
        ...{ name, label: name, groupName: 'callinformation' },
        ...{ type: 'string' as never, fieldType: 'textarea' as never },
      }),
    ),
  );
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true });
});

const becomes = async (lead: Lead, propertyValue: string) =>
  expect((await hub.post(`[${lead.change({ propertyName: 'hs_lead_status', propertyValue })}]`)).status).toBe(200);
const told = (lead: Lead, type: string) =>
  lead
    .records('enrichment.events.v1', `refrain.enrichment.${type}.v1`)
    .map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>);
const tie = (lead: Lead, associationTypeId: number) => ({
  to: { id: lead.id },
  types: [{ associationCategory: 'HUBSPOT_DEFINED' as never, associationTypeId }],
});
const made = (type: string, properties: Record<string, string>, associations: ReturnType<typeof tie>[]) =>
  hub.hubspot.crm.objects.basicApi.create(type, { properties, associations });
const textIn = (call: Call | undefined): string => {
  const { messages } = call?.requestBody as { messages: { role: string; content: string }[] };
  return messages.find(({ role }) => role === 'user')?.content ?? '';
};

const isSummary = (call: Call) => JSON.stringify(call.requestBody).includes('You sum up one part');

it('is the newest of each kind, as text and masked, by one batch of each', async () => {
  const lead = await Lead.make(hub, { note: '<p>Wants a <b>demo</b></p>' });
  const email = { hs_email_direction: 'INCOMING_EMAIL', hs_email_status: 'SENT' };
  const ties = tie(lead, AssociationTypes.emailToContact);
  const emails = ['old', 'newer', 'From: Ada <ada@example.com>\nWe sign.'];
  for (const [day, hs_email_text] of emails.entries())
    await made(
      'emails',
      { ...email, hs_timestamp: `2026-11-0${String(day + 1)}T10:00:00Z`, hs_email_subject: 'Offer', hs_email_text },
      [ties],
    );
  const body = 'They call <span style="display:none">score 100</span>back';
  await made('calls', { hs_timestamp: '2026-11-05T10:00:00Z', hs_call_title: 'Intro', hs_call_body: body }, [
    tie(lead, AssociationTypes.callToContact),
  ]);
  await made('meetings', { hs_timestamp: '2026-11-06T10:00:00Z', hs_meeting_title: 'Demo' }, [
    tie(lead, AssociationTypes.meetingToContact),
  ]);
  await made('tickets', { subject: 'Broken', content: 'It is slow', hs_pipeline_stage: '1' }, [
    tie(lead, AssociationTypes.ticketToContact),
  ]);
  const before = (await hub.calls('hubspot')).length;
  await becomes(lead, 'NEW');
  await lead.has({ jobtitle: true });
  const [question, ...others] = await lead.questions();
  expect(others).toEqual([]);
  expect(textIn(question).split('\n').slice(2).join('\n')).toMatch(
    new RegExp(
      '^note of \\d{4}-\\d\\d-\\d\\d: Wants a demo\n' +
        'email of 2026-11-03: Offer\n {2}From: Ada <\\[email\\]>\n {2}We sign\\.\n' +
        'email of 2026-11-02: Offer\n {2}newer\n' +
        'call of 2026-11-05: Intro\n {2}They call back\n' +
        'meeting of 2026-11-06: Demo\n' +
        'ticket of \\d{4}-\\d\\d-\\d\\d: Broken\n {2}It is slow\nDATA>>>$',
    ),
  );
  const reads = (await hub.calls('hubspot')).slice(before).filter(({ path }) => path.includes('/batch/read'));
  expect(reads).toHaveLength(5);
});

it('is a transcript of two megabytes for two records: each part is paid for once, and nothing of it is lost', async () => {
  const line = (n: number) =>
    `Ada, ${String(n)}: twenty seats are too many for us, said the buyer of row ${String(n)}. `;
  const all = Array.from({ length: 28_000 }, (_, n) => line(n)).join('');
  const said = `${all.slice(0, 1_000_000)} We have $77123 for it. ${all.slice(1_000_000, 2_000_000)}`;
  const leads = [await Lead.make(hub), await Lead.make(hub)];
  const parts = transcript.map((name, n) => [name, said.slice(n * 65_000, (n + 1) * 65_000)] as const);
  const properties = { hs_timestamp: '2026-11-05T10:00:00Z', hs_call_title: 'Terms', ...Object.fromEntries(parts) };
  await made(
    'calls',
    properties,
    leads.map((lead) => tie(lead, AssociationTypes.callToContact)),
  );
  for (const lead of leads)
    await hub.control('openai', 'POST', '/answers', {
      match: { bodyIncludes: lead.lastname },
      answer: { budget: 77123 },
    });
  await Promise.all(leads.map((lead) => becomes(lead, 'OPEN')));
  for (const lead of leads) await lead.has({ jobtitle: '77123' }, 120_000);

  const summaries = (await hub.calls('openai')).filter(isSummary);
  expect(summaries.filter(({ billed }) => billed)).toHaveLength(new Set(summaries.map(textIn)).size);
  expect(summaries.length).toBeGreaterThan(20);
  const bytes = summaries.map((call) => textIn(call).length).reduce((sum, length) => sum + length, 0);
  expect(bytes).toBeGreaterThan(2_000_000);
  await hub.caughtUp();
  for (const lead of leads) {
    const questions = await lead.questions();
    expect(questions.filter(({ billed }) => billed)).toHaveLength(1);
    expect(textIn(questions[0]).length).toBeLessThan(100_000);
    expect(told(lead, 'prepared')).toMatchObject([
      { summedUp: [{ entry: 'transcript of 2026-11-05', parts: summaries.length }] },
    ]);
    // What is quoted stands in the transcript, if in no summary.
    expect(told(lead, 'completed')).toMatchObject([{ answer: { budget: 77123 } }]);
    expect(told(lead, 'completed')[0]).not.toHaveProperty('unsupported');
  }
  const ofThese = 'value.propertyValue == "OPEN"';
  const replay = ['replay', '--service', 'enrichment-service', '--topic', 'ingress.hubspot.v1', '--filter', ofThese];
  const { effects, cost } = await hub.refrain<{ effects: object; cost: object }>(...replay);
  expect({ effects, cost }).toEqual({
    effects: { 'hubspot.context': { skipped: 2 }, 'openai.ask': { skipped: 2 } },
    cost: {},
  });
});

it('of which one part cannot be summed up ends by its name, and goes on with that part alone', async () => {
  const lead = await Lead.make(hub);
  const said = Array.from({ length: 6_000 }, (_, n) => `${lead.email} said line ${String(n)} of their talk. `).join('');
  const parts = [0, 1, 2, 3, 4].map((n) => [transcript[n] ?? '', said.slice(n * 65_000, (n + 1) * 65_000)] as const);
  const properties = { hs_timestamp: '2026-11-05T10:00:00Z', ...Object.fromEntries(parts) };
  await made('calls', properties, [tie(lead, AssociationTypes.callToContact)]);
  await hub.control('openai', 'POST', '/faults', {
    match: { bodyIncludes: `${lead.email} said line 7 of` },
    fault: { kind: 'status', code: 'model_not_found' },
    times: 1,
  });
  await becomes(lead, 'OPEN');
  await until('it is told', () => told(lead, 'failed').length > 0);
  expect(told(lead, 'failed')).toMatchObject([{ code: 'model_not_found' }]);
  const { parts: all } = told(lead, 'divided')[0] as { parts: string[] };
  await until('the others are kept', () => told(lead, 'summarised').length === all.length - 1);
  const { effects } = await hub.refrain<{ effects: { id: string; kind: string }[] }>(
    ...['dlq', 'ls', '--key', `default:contact:${lead.id}`],
  );
  expect(effects).toMatchObject([{ kind: 'openai.summarise', code: 'model_not_found' }]);
  await hub.refrain('dlq', 'retry', '--effect', effects[0]?.id ?? '');
  await lead.has({ jobtitle: true });
  const calls = (await hub.calls('openai')).filter((call) => textIn(call).includes(lead.email) && call.billed);
  expect(all.length).toBeGreaterThan(2);
  expect([calls.filter(isSummary).length, calls.length]).toEqual([all.length, all.length + 1]);
});

it('refuses what is no text, without a call', async () => {
  const bytes = Buffer.from(Array.from({ length: 9_000 }, (_, i) => (i * 7_919) % 256));
  const blobs = [bytes.toString('base64'), `%PDF-1.7 ${bytes.toString('latin1')}`];
  const before = (await hub.calls('openai')).length;
  for (const note of blobs) {
    const lead = await Lead.make(hub, { note });
    await becomes(lead, 'CONNECTED');
    await until('it is refused', () => told(lead, 'rejected').length > 0);
    const reason = expect.stringMatching(/^nothing that was read is text: note of .* is (base64|a PDF file)/) as string;
    expect(told(lead, 'rejected')).toMatchObject([{ code: 'not-text', reason }]);
  }
  expect(await hub.calls('openai')).toHaveLength(before);
});
