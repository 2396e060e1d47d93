import { HUBSPOT_RECEIVED, type RenderEvent, renderEvents, Topic, wireType } from '#libs/contracts';
import { deadLetterEffects } from '#libs/event-store';
import type { IncomingRecord, OutgoingRecord } from '#libs/log';
import { Process } from '#libs/process';
import { accountsFor, type AccountSettings } from './testing/accounts';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { recipeOf } from '../libs/recipes/src/testing/recipe-of';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';

// What comes in another order than it happened, or about a record that is where it was no more: through crm-writer and
// HubSpot's own SDK to the CRM.

const secrets = newSecrets();
const watchdog = new Watchdog();
const recipes = [
  recipeOf(`recipe: made
trigger: { object: contact, on: creation }
steps:
  - write: { properties: { ai_lead_summary: made } }
`),
  recipeOf(`recipe: changed
trigger: { object: contact, property: city, take: { city: event.value } }
steps:
  - write: { properties: { ai_qualification_summary: "\${steps.trigger.city}" } }
`),
  recipeOf(`recipe: odd
trigger: { object: contact, property: jobtitle, take: { title: event.value } }
steps:
  - write: { properties: { no_such_property: "\${steps.trigger.title}", ai_lead_summary: odd } }
`),
];

let hubspot: Sandbox;
let db: TestDatabase;
let writer: Process<never, never, never>;
let contact: string;
let said: OutgoingRecord[];
const errors: unknown[] = [];

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
  const headers = { authorization: `Bearer ${secrets.hubspotAccessToken}`, 'content-type': 'application/json' };
  for (const name of ['heygen_video_url', 'heygen_render_status', 'heygen_render_error', 'heygen_job_id', ...texts]) {
    const property = { name, label: name, type: 'string', fieldType: 'text', groupName: 'contactinformation' };
    const init = { method: 'POST', headers, body: JSON.stringify(property) };
    expect((await fetch(`${hubspot.url}/crm/v3/properties/contacts`, init)).status).toBe(201);
  }
});
const texts = ['ai_lead_summary', 'ai_qualification_summary'];
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
});
beforeEach(async () => {
  db = await testDatabase();
  said = [];
  contact = await made();
  await hubspot.control('DELETE', '/calls');
  const config = {
    HUBSPOT_BASE_URL: hubspot.url,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_PER_TEN_SECONDS: 190,
    HUBSPOT_PER_DAY: 625_000,
    HUBSPOT_TIME_ZONE: 'UTC',
  } as AccountSettings;
  const process = new Process(
    recordProcess(() => recipes, '1'),
    {
      pool: db.pool,
      produce: async (records) => {
        said.push(...records);
        await hear(...records.filter(({ topic }) => topic === Topic.crm).map(heard));
      },
      deadLetter: () => Promise.resolve(),
      effects: recordEffects(() => recipes, accountsFor(config)),
      concurrency: 5,
      onError: (error) => errors.push(error),
      onParked: (_key, error) => errors.push(error),
    },
  );
  process.start();
  writer = process as never;
});
afterEach(async () => {
  await writer.stop();
  await db.drop();
  expect(errors.splice(0)).toEqual([]);
});

let counted = 0;
const made = async (): Promise<string> => {
  const properties = { email: `ada+${String((counted += 1))}@example.com` };
  return (await hubspot.control<{ id: string }>('POST', '/ui/contacts', { properties })).id;
};
const stored = async (id = contact) =>
  (await hubspot.control<{ properties: Record<string, string> }>('GET', `/objects/contacts/${id}`)).properties;
const has = (name: string, value: string, id = contact) =>
  until(`${id} has ${name} ${value}`, async () => (await stored(id))[name] === value);
const sent = async () =>
  (await hubspot.calls()).filter(({ method, path }) => method === 'PATCH' || path.includes('/batch/'));

const heard = ({ topic, key, value, envelope }: OutgoingRecord): IncomingRecord => ({
  topic,
  partition: 0,
  offset: '0',
  timestamp: Date.now(),
  key,
  value,
  headers: {},
  envelope,
});
async function hear(...records: IncomingRecord[]): Promise<void> {
  for (const record of records) await writer.handlerFor(record.topic)([record]);
}

const minute = (n: number): string => new Date(Date.UTC(2026, 10, 21, 10, n)).toISOString();
let ids = 0;
const record = (topic: string, type: string, subject: string, data: object): IncomingRecord => {
  const id = `record-${String((ids += 1))}`;
  const envelope = { id, source: '/test', type, subject, time: minute(30), tenant: 'default', correlationid: id };
  return heard({ topic, key: `default:${subject}`, value: Buffer.from(JSON.stringify(data)), envelope });
};

type Of<Type> = Extract<RenderEvent, { type: Type }>['data'];
const render = (n: number) => ({ recipe: 'video', recipeVersion: '1', render: n, triggeredAt: minute(n) });
const told = (event: RenderEvent, id = contact) =>
  record(Topic.render, wireType(renderEvents, event), `contact:${id}`, event.data);
const submitted = (n: number) =>
  told({ type: 'RenderSubmitted', data: { ...render(n), generation: 1, videoId: `v${String(n)}` } });
const completed = (n: number) => {
  const data: Of<'RenderCompleted'> = {
    ...render(n),
    videoId: `v${String(n)}`,
    url: `https://v.example.test/${String(n)}`,
  };
  return told({ type: 'RenderCompleted', data });
};
const started = (n: number) => told({ type: 'RenderStarted', data: { ...render(n), videoId: `v${String(n)}` } });
const failed = (n: number) => told({ type: 'RenderFailed', data: { ...render(n), code: 'broke', reason: 'broke' } });

/** A change as HubSpot tells it. */
const change = (kind: string, over: object = {}, id = contact) =>
  record(Topic.ingressHubspot, HUBSPOT_RECEIVED, `contact:${id}`, {
    eventId: (ids += 1),
    portalId: 33,
    occurredAt: Date.parse(minute(20)),
    subscriptionType: `contact.${kind}`,
    objectId: Number(id),
    changeSource: 'CRM_UI',
    ...over,
  });
const events = (type: string) =>
  said
    .filter(({ envelope }) => envelope.type === `refrain.${type}.v1`)
    .map(({ value }) => JSON.parse(String(value)) as object);

it('a late PENDING', async () => {
  await hear(completed(1));
  await has('heygen_render_status', 'COMPLETED');
  await hear(submitted(1), started(1), failed(1));
  await hear(change('propertyChange', { propertyName: 'city', propertyValue: 'Ulm' }));
  await has('ai_qualification_summary', 'Ulm');
  expect(await stored()).toMatchObject({ heygen_render_status: 'COMPLETED', heygen_job_id: 'v1' });
});

it('each status of a render is written, in its order', async () => {
  for (const [event, status] of [
    [submitted(1), 'PENDING'],
    [started(1), 'PROCESSING'],
    [failed(1), 'FAILED'],
    [completed(1), 'COMPLETED'],
  ] as const) {
    await hear(event);
    await has('heygen_render_status', status);
  }
});

it("an older render's late COMPLETED", async () => {
  await hear(submitted(1), submitted(2), completed(2), completed(1));
  await has('heygen_video_url', 'https://v.example.test/2');
  await until('all writes have ended', () => events('record-update.owed').length === ends());
  expect(await stored()).toMatchObject({ heygen_job_id: 'v2', heygen_video_url: 'https://v.example.test/2' });
});

const ends = () => events('record.updated').length + events('record-update.superseded').length;

it('creation after its property changes', async () => {
  const city = change('propertyChange', { propertyName: 'city', propertyValue: 'Ulm' });
  await hear(city, change('creation', { changeFlag: 'CREATED' }), city);
  await has('ai_qualification_summary', 'Ulm');
  await has('ai_lead_summary', 'made');
  expect(events('record-step.filled')).toHaveLength(2);
});

it('merge during a render', async () => {
  const other = await made();
  await hear(submitted(1));
  await has('heygen_render_status', 'PENDING');
  await hubspot.control('PUT', '/settings', { mergesMakeNew: false });
  await hubspot.control('POST', `/ui/contacts/${other}/merge`, { objectIdToMerge: contact });
  const ids = { primaryObjectId: Number(other), mergedObjectIds: [Number(contact)], newObjectId: null };
  const merge = change('merge', ids, other);
  await hear(merge, merge, completed(1));
  await has('heygen_render_status', 'COMPLETED', other);
  expect((await sent()).at(-1)?.path).toMatch(new RegExp(`/${other}$`));
  expect(events('record.merged')).toHaveLength(1);
});

it('deletion during a render', async () => {
  await hear(submitted(1));
  await has('heygen_render_status', 'PENDING');
  await hubspot.control('DELETE', `/ui/contacts/${contact}`);
  await hear(change('deletion'), completed(1));
  await until('it is wanted', () => events('record-change.wanted').length === 2);
  expect(await sent()).toHaveLength(1);
  await hubspot.control('POST', `/ui/contacts/${contact}/restore`);
  const later = { occurredAt: Date.parse(minute(25)) };
  await hear(change('restore', later), change('deletion', { occurredAt: Date.parse(minute(24)) }));
  await has('heygen_render_status', 'COMPLETED');
});

it('privacy deletion, told before or after the deletion: nothing is written any more', async () => {
  for (const order of [
    ['deletion', 'privacyDeletion'],
    ['privacyDeletion', 'deletion'],
  ]) {
    contact = await made();
    await hubspot.control('DELETE', '/calls');
    await hear(...order.map((kind) => change(kind)), change('restore', { occurredAt: Date.parse(minute(40)) }));
    await hear(submitted(1), completed(1), change('propertyChange', { propertyName: 'city', propertyValue: 'Ulm' }));
    expect(await sent()).toEqual([]);
  }
  expect(events('record-erasure.asked')).toHaveLength(2);
  expect(events('record-update.owed')).toEqual([]);
});

it('an unknown object is noted with HubSpot’s word, not tried again, and stands among the dead letters', async () => {
  contact = '99999999';
  await hear(completed(1));
  await until('it is noted', () => events('record-update.rejected').length === 1);
  expect(events('record-update.rejected')).toMatchObject([
    { code: 'http-404', reason: 'HubSpot has no such record: resource not found (http-404)' },
  ]);
  await hear(submitted(1), completed(1));
  expect(await sent()).toHaveLength(1);
  const dead = await deadLetterEffects(db.pool, { service: 'crm-writer' }, 10);
  expect(dead).toMatchObject([
    { subject: 'contact:99999999', kind: 'hubspot.update', state: 'dead', code: 'http-404' },
  ]);
});

it('a property that the portal refuses is told by its name and HubSpot’s word, without its value; the others are written', async () => {
  await hear(change('propertyChange', { propertyName: 'jobtitle', propertyValue: 'Secret title' }));
  await has('ai_lead_summary', 'odd');
  await until('it is noted', () => events('record-update.rejected').length === 1);
  const [rejected] = events('record-update.rejected') as { reason: string }[];
  expect(rejected?.reason).toBe('HubSpot did not take no_such_property: PROPERTY_DOESNT_EXIST');
  const dead = await deadLetterEffects(db.pool, { service: 'crm-writer' }, 10);
  expect(dead.map(({ code }) => code)).toContain('PROPERTY_DOESNT_EXIST');
});
