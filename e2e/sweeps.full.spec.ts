import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub } from './testing/hub';
import { until } from './testing/until';

// What no webhook told of: found by reading the portal, and made good once.

const CONTACTS = 250;
const LOST_EVERY = 5;
const folder = mkdtempSync(join(tmpdir(), 'sweeps-'));
writeFileSync(
  join(folder, 'judged.yaml'),
  `recipe: judged
trigger: { object: contact, property: hs_lead_status, becomes: [OPEN] }
steps:
  - name: judged
    ask:
      model: gpt-6-luna
      properties: [lastname]
      instruction: Say what the lead wants.
      answer: { type: object, additionalProperties: false, required: [wish], properties: { wish: { type: string } } }
  - write: { properties: { ai_lead_summary: "\${steps.judged.wish}" } }
`,
);

let hub: Hub;
const contacts: string[] = [];
const lost = new Set<string>();
let since: string;

beforeAll(async () => {
  hub = await Hub.start({ RECIPES_DIR: folder, LATENCY_MS: '5' });
  since = new Date().toISOString();
  for (let n = 0; n < CONTACTS; n += 1) {
    const properties = { lastname: `Lovelace-${String(n)}.` };
    contacts.push((await hub.control<{ id: string }>('hubspot', 'POST', '/ui/contacts', { properties })).id);
  }
  await becomeOpen(contacts.filter((_, n) => n % LOST_EVERY > 0));
  await unheard(() => becomeOpen(contacts.filter((_, n) => n % LOST_EVERY === 0)));
  for (const [n, id] of contacts.entries()) if (n % LOST_EVERY === 0) lost.add(id);
  await until('those that were heard of are served', async () => (await billed()).length === CONTACTS - lost.size);
}, 240_000);
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true });
});

async function becomeOpen(ids: string[]): Promise<void> {
  for (const id of ids)
    await hub.control('hubspot', 'PATCH', `/ui/contacts/${id}`, { properties: { hs_lead_status: 'OPEN' } });
}

/** What HubSpot sends no webhook of. */
async function unheard(work: () => Promise<void>): Promise<void> {
  await hub.control('hubspot', 'PUT', '/subscriptions', { subscriptions: [] });
  await work();
  await hub.control('hubspot', 'PUT', '/subscriptions', {});
}

/** Of each billed question, whom it was about. */
const billed = async () =>
  (await hub.calls('openai'))
    .filter((call) => call.billed)
    .map((call) => /Lovelace-\d+/.exec(JSON.stringify(call.requestBody))?.[0]);
const everyone = () => contacts.map((_, n) => `Lovelace-${String(n)}`).sort();
const sweeps = (type: string) =>
  hub
    .topic('sweep.events.v1')
    .filter(({ headers }) => headers['ce_type'] === `refrain.${type}.v1`)
    .map(({ key, value, headers }) => ({ key, headers, data: JSON.parse(String(value)) as Record<string, unknown> }));

interface Reconciled {
  objects: { object: string; completeUpTo?: string; gapsFilled: number; code?: string }[];
}

it('serves each contact whose webhook was lost once, also where crm-reader is killed in the middle', async () => {
  const estimate = await hub.refrain('backfill', 'contacts', '--since', since, '--dry-run');
  expect(estimate).toMatchObject({ records: CONTACTS, pages: CONTACTS / 50, calls: (2 * CONTACTS) / 50 });
  const match = { pathPrefix: '/crm/objects/2026-09/0-1/search' };
  await hub.control('hubspot', 'POST', '/faults', { match, fault: { kind: 'delay', delayMs: 700 }, times: 10 });
  await hub.refrain('backfill', 'contacts', '--since', since, '--no-wait');
  await until('a page is read', () => sweeps('sweep-page.read').some(({ data }) => data['origin'] === 'backfill'));
  await hub.kill('crm-reader');
  const joined = await hub.refrain('backfill', 'contacts', '--since', since);
  expect(joined).toMatchObject({ sweep: 1, found: CONTACTS });
  await until('all are served', async () => (await billed()).length >= CONTACTS);
  await hub.caughtUp();
  expect((await billed()).sort()).toEqual(everyone());
  const found = sweeps('record.found').filter(({ data }) => data['origin'] === 'backfill');
  expect(new Set(found.map(({ key }) => key)).size).toBe(CONTACTS);
  expect(new Set(found.map(({ headers }) => headers['ce_correlationid'])).size).toBe(CONTACTS);
  const requested = hub.topic('enrichment.events.v1').filter(({ headers }) => headers['ce_lane'] === 'backfill');
  expect(new Set(requested.map(({ key }) => key.split(':')[2]))).toEqual(lost);
}, 240_000);

it('serves nobody again, when all are read again', async () => {
  for (const id of contacts.slice(0, 10))
    await hub.control('hubspot', 'PATCH', `/ui/contacts/${id}`, { properties: { city: 'Ulm' } });
  expect(await hub.refrain('backfill', 'contacts')).toMatchObject({ sweep: 2, found: CONTACTS });
  await hub.caughtUp();
  expect((await billed()).sort()).toEqual(everyone());
}, 120_000);

it('reconciles by itself: what was missed since is made good, and up to when all is complete is known', async () => {
  const [before] = (await hub.refrain<Reconciled>('reconcile', '--now')).objects;
  expect(before).toMatchObject({ object: 'contact' });
  const properties = { lastname: 'Lovelace-250.', hs_lead_status: 'OPEN' };
  await unheard(async () => {
    const { id } = await hub.control<{ id: string }>('hubspot', 'POST', '/ui/contacts', { properties });
    contacts.push(id);
  });
  const [after] = (await hub.refrain<Reconciled>('reconcile', '--now')).objects;
  expect(Date.parse(after?.completeUpTo ?? '')).toBeGreaterThan(Date.parse(before?.completeUpTo ?? ''));
  await until('it is made good', async () => (await billed()).length > CONTACTS);
  await hub.refrain('reconcile', '--now');
  await hub.caughtUp();
  expect((await billed()).sort()).toEqual(everyone());
  const complete = sweeps('completeness.reached').map(({ data }) => data['at'] as string);
  expect(complete).toEqual([...complete].sort());
  expect(complete.length).toBeGreaterThanOrEqual(3);
  expect((await hub.refrain<Reconciled>('reconcile')).objects).toMatchObject([{ gapsFilled: 1 }]);
}, 120_000);

it('tells a person what became other in the portal', async () => {
  const drift = () => hub.refrain<{ parts: { part: string; changes: { name: string }[] }[] }>('drift', '--now');
  const changesOf = (part: string, { parts }: Awaited<ReturnType<typeof drift>>) =>
    parts.find((one) => one.part === part)?.changes;
  expect(changesOf('contact', await drift())).toEqual([]);
  const definition = { label: 'Seats', type: 'number', fieldType: 'number', groupName: 'contactinformation' };
  await hub.hubspot.crm.properties.coreApi.create('contacts', { name: 'seats', ...definition } as never);
  const seenAt = expect.any(String) as string;
  const seen = { name: 'property seats', to: 'number (number)', seenAt, recipes: [] };
  expect(changesOf('contact', await drift())).toEqual([seen]);
});
