import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { until } from './testing/until';

// What no webhook told of, the journal tells: made good once, and only once.

const DAY_MS = 86_400_000;
const appId = 4_711_001;
const portalId = 62_515_001;
const secret = randomUUID();
const folder = mkdtempSync(join(tmpdir(), 'journal-'));
writeFileSync(
  join(folder, 'greeted.yaml'),
  `recipe: greeted
trigger: { object: contact, property: lifecyclestage, becomes: [marketingqualifiedlead] }
coolDown: 1m
steps:
  - video:
      template: demo-outreach
      title: Hello
      variables: { first_name: "\${record.firstname}", company: Analytical Engines, recent_event: the fair }
`,
);

let hub: Hub;

beforeAll(async () => {
  hub = await Hub.start({
    RECIPES_DIR: folder,
    HUBSPOT_APP_ID: String(appId),
    HUBSPOT_PORTAL_ID: String(portalId),
    HUBSPOT_CLIENT_SECRET: secret,
    HUBSPOT_JOURNAL_CLIENT_ID: `client-${String(appId)}`,
    HUBSPOT_JOURNAL_CLIENT_SECRET: secret,
    HUBSPOT_JOURNAL_PORTAL: String(portalId),
    JOURNAL_EVERY: '500ms',
    // What is made good, the journal makes good.
    RECONCILE_EVERY: '24h',
  });
  await until('the journal is read from now on', () => events('journal.read').length > 0);
}, 240_000);
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true });
});

const events = (type: string, data: Record<string, unknown> = {}) =>
  hub
    .topic('sweep.events.v1')
    .filter(({ headers }) => headers['ce_type'] === `refrain.${type}.v1`)
    .map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>)
    .filter((one) => Object.entries(data).every(([name, wanted]) => one[name] === wanted));

/** What HubSpot sends no webhook of. */
async function unheard(work: () => Promise<void>): Promise<void> {
  await hub.control('hubspot', 'PUT', '/subscriptions', { subscriptions: [] });
  await work();
  await hub.control('hubspot', 'PUT', '/subscriptions', {});
}

const leads = async (many: number): Promise<Lead[]> => {
  const made: Lead[] = [];
  for (let n = 0; n < many; n += 1) made.push(await Lead.make(hub));
  return made;
};

const found = (lead: Lead) => events('record.found', { id: lead.id, origin: 'journal' });
// A look that a crash cut is made again when its lease has run out.
const isFound = (lead: Lead) =>
  until(
    `${lead.id} is found`,
    () => found(lead).some(({ properties }) => 'lifecyclestage' in (properties as Record<string, unknown>)),
    90_000,
  );
const billed = async (all: Lead[]) => Promise.all(all.map(async (lead) => (await lead.billedRenders()).length));
const served = async (all: Lead[]): Promise<void> => {
  await until('all are served', async () => (await billed(all)).every((many) => many > 0), 60_000);
  await hub.caughtUp();
};

it('serves what no webhook told of once, and what came both ways once', async () => {
  const [heard, missed] = (await leads(2)) as [Lead, Lead];
  await heard.qualify();
  await unheard(() => missed.qualify());
  await Promise.all([heard, missed].map(isFound));
  await served([heard, missed]);
  expect(await billed([heard, missed])).toEqual([1, 1]);
  // The journal alone does not say who changed it: what is found does. What it was made as is found too, before or after.
  const saying = { value: 'marketingqualifiedlead', sourceType: 'CRM_UI' };
  expect(found(missed).map(({ properties }) => properties)).toContainEqual(
    expect.objectContaining({ lifecyclestage: expect.objectContaining(saying) }),
  );
}, 120_000);

it('tells of a deletion and of a restore that no webhook told of', async () => {
  const [lead] = (await leads(1)) as [Lead];
  const told = (type: string) => lead.records('crm.events.v1', `refrain.record.${type}.v1`).length;
  await unheard(() => hub.control('hubspot', 'DELETE', `/ui/contacts/${lead.id}`).then(() => undefined));
  await until('its deletion is told', () => told('deleted') === 1);
  await unheard(() => hub.control('hubspot', 'POST', `/ui/contacts/${lead.id}/restore`).then(() => undefined));
  await until('its restore is told', () => told('restored') === 1);
}, 120_000);

it('loses none of several files where crm-reader is killed in the middle', async () => {
  await hub.control('hubspot', 'PUT', '/journal', { eventsPerFile: 1, collectMs: 60_000 });
  const all = await leads(12);
  await unheard(async () => {
    for (const lead of all) await lead.qualify();
  });
  const match = { pathPrefix: '/journal-files/' };
  await hub.control('hubspot', 'POST', '/faults', { match, fault: { kind: 'delay', delayMs: 300 }, times: 100 });
  const before = events('journal.read').length;
  await hub.control('hubspot', 'POST', '/journal/files');
  await until('some files are read', () => events('journal.read').length > before + 10);
  await hub.kill('crm-reader');
  await hub.control('hubspot', 'DELETE', '/faults');
  await hub.control('hubspot', 'PUT', '/journal', { eventsPerFile: 10_000, collectMs: 50 });
  await Promise.all(all.map(isFound));
  await served(all);
  expect(await billed(all)).toEqual(all.map(() => 1));
}, 180_000);

it('says what it could not read where the offset has run out, and goes on at the earliest file', async () => {
  await unheard(async () => {
    await hub.child('crm-reader').kill();
    const [before] = (await leads(1)) as [Lead];
    await hub.control('hubspot', 'POST', '/journal/files');
    await hub.control('hubspot', 'PUT', '/journal', { retentionMs: 0 });
    await hub.control('hubspot', 'PUT', '/journal', { retentionMs: 3 * DAY_MS });
    const [after] = (await leads(1)) as [Lead];
    await after.qualify();
    await hub.control('hubspot', 'POST', '/journal/files');
    await hub.kill('crm-reader');
    await isFound(after);
    await served([after]);
    expect(await billed([before, after])).toEqual([0, 1]);
  });
  const [gap, ...others] = events('journal-gap.found');
  expect(others).toEqual([]);
  expect(Date.parse(String(gap?.['from']))).toBeLessThan(Date.parse(String(gap?.['to'])));
  expect(hub.logs()).toMatch(/HubSpot forgot where the journal was read to/);
}, 120_000);

it('says which scope is missing, holds up nothing else, and reads on by itself', async () => {
  const match = { pathPrefix: '/webhooks-journal/' };
  await hub.control('hubspot', 'POST', '/faults', {
    match,
    fault: { kind: 'status', code: 'MISSING_SCOPES' },
    times: 1e6,
  });
  await until('it is said', () => /"code":"MISSING_SCOPES".*the journal of an app cannot be read/.test(hub.logs()));
  const [heard, missed] = (await leads(2)) as [Lead, Lead];
  await heard.qualify();
  await unheard(() => missed.qualify());
  await served([heard]);
  expect(await billed([heard, missed])).toEqual([1, 0]);
  await hub.control('hubspot', 'DELETE', '/faults');
  await served([missed]);
  expect(await billed([heard, missed])).toEqual([1, 1]);
  expect(hub.logs()).toMatch(/the journal of the app is read again/);
}, 120_000);

it('keeps of what it read nothing beside what it said', async () => {
  const store = new Client({ connectionString: hub.databaseUrl });
  await store.connect();
  const counted = async (which: string) => Number((await store.query<{ n: string }>(which)).rows[0]?.n);
  try {
    await until('nothing is kept', async () => (await counted(kept)) === 0);
    expect(
      await counted(`select count(*) n from effect where kind = 'hubspot.changed' and state = 'done'`),
    ).toBeGreaterThan(15);
  } finally {
    await store.end();
  }
});

const kept = `select count(*) n from effect where answer is not null
  and (kind = 'hubspot.changed' or (kind = 'hubspot.journal' and json_array_length(answer->'changes') > 0))`;
