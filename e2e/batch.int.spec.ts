import { Topic } from '#libs/contracts';
import type { IncomingRecord } from '#libs/log';
import { type EffectKind, Process } from '#libs/process';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { judging } from '../libs/recipes/src/testing/recipe-of';
import { accountsFor, type AccountSettings } from './testing/accounts';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const secrets = newSecrets();
const watchdog = new Watchdog();
let db: TestDatabase;
let hubspot: Sandbox;
let contacts: string[];
let writer: Process<never, never, never>;
let handle: (records: IncomingRecord[]) => Promise<void>;
const errors: unknown[] = [];

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
});
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
});

const recipe = judging(
  'r',
  ['jobtitle', 'stage'],
  '  - write: { properties: { jobtitle: "${steps.lead.jobtitle}", lifecyclestage: "${steps.lead.stage}" } }',
);

let counted = 0;
beforeEach(async () => {
  db = await testDatabase();
  contacts = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const properties = { email: `batch-${String((counted += 1))}@example.com` };
      return (await hubspot.control<{ id: string }>('POST', '/ui/contacts', { properties })).id;
    }),
  );
  await hubspot.control('DELETE', '/calls');
  await hubspot.control('DELETE', '/faults');
  const config = {
    HUBSPOT_BASE_URL: hubspot.url,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_PER_TEN_SECONDS: 190,
    HUBSPOT_PER_DAY: 625_000,
    HUBSPOT_TIME_ZONE: 'UTC',
  } as AccountSettings;
  const effects = recordEffects(() => [recipe], accountsFor(config));
  const process = new Process(
    recordProcess(() => [recipe], '1'),
    {
      pool: db.pool,
      produce: () => Promise.resolve(),
      deadLetter: () => Promise.resolve(),
      // The deadline is the call's own clock, which no test can move.
      effects: { ...effects, 'hubspot.update': { ...(effects['hubspot.update'] as EffectKind), deadlineMs: 2_000 } },
      concurrency: 10,
      onError: (error) => errors.push(error),
      onParked: (_key, error) => errors.push(error),
    },
  );
  handle = process.handlerFor(Topic.enrichment);
  writer = process as never;
});
afterEach(async () => {
  await writer.stop();
  await db.drop();
  expect(errors.splice(0)).toEqual([]);
});

/** An enrichment of a contact that wants two properties; later numbers are newer. */
function wish(contact: string, jobtitle: string, { stage = 'lead', number = 1 } = {}): IncomingRecord {
  const time = new Date(Date.UTC(2026, 10, 21, 10, number)).toISOString();
  const about = { recipe: 'r', recipeVersion: '1', enrichment: number, triggeredAt: time };
  const tokens = { input: 1, output: 1 };
  const data = { ...about, ask: 'lead', model: 'm', answer: { jobtitle, stage }, tokens };
  return {
    topic: Topic.enrichment,
    partition: 0,
    offset: '0',
    timestamp: Date.now(),
    key: `default:contact:${contact}`,
    value: Buffer.from(JSON.stringify(data)),
    headers: {},
    envelope: {
      id: `wish-${contact}-${String(number)}`,
      source: '/enrichment-service',
      type: 'refrain.enrichment.completed.v1',
      subject: `contact:${contact}`,
      time,
      tenant: 'default',
      correlationid: `cause-${contact}-${String(number)}`,
    },
  };
}

const stored = async (contact: string) =>
  (await hubspot.control<{ properties: Record<string, string> }>('GET', `/objects/contacts/${contact}`)).properties;
const events = async (type: string) =>
  (
    await db.pool.query<{ subject: string; data: Record<string, unknown> }>(
      'select subject, data from event where type = $1 order by position',
      [type],
    )
  ).rows;
const ended = (type: string, count: number) =>
  until(`${String(count)} events ${type}`, async () => (await events(type)).length === count);
const batches = async () => (await hubspot.calls()).filter(({ path }) => path.endsWith('/batch/update'));
const single = async () => (await hubspot.calls()).filter(({ method }) => method === 'PATCH');
const UPDATED = 'refrain.record.updated.v1';
const REJECTED = 'refrain.record-update.rejected.v1';
const onBatch = (fault: object) =>
  hubspot.control('POST', '/faults', { match: { method: 'POST', bodyIncludes: 'inputs' }, fault, times: 1 });

it('writes to many records in one call, and says of each what became of it', async () => {
  await handle(contacts.map((contact) => wish(contact, `title of ${contact}`)));
  writer.start();
  await ended(UPDATED, 30);
  expect((await hubspot.calls()).map(({ path }) => path.split('/').at(-1))).toEqual(['update']);
  for (const contact of contacts) expect((await stored(contact))['jobtitle']).toBe(`title of ${contact}`);
});

it('lets no bad record of a batch fail another: one is gone, one is told a value that it does not take', async () => {
  const [gone = '', bad = '', ...good] = contacts;
  await hubspot.control('DELETE', `/ui/contacts/${gone}`);
  await handle([
    wish(gone, 'nobody'),
    wish(bad, 'kept', { stage: 'no such stage' }),
    ...good.map((contact) => wish(contact, 'good')),
  ]);
  writer.start();
  await ended(UPDATED, 29);
  await ended(REJECTED, 2);
  for (const contact of good) expect((await stored(contact))['jobtitle']).toBe('good');
  expect((await stored(bad))['jobtitle']).toBe('kept');
  expect(await events(REJECTED)).toEqual([
    { subject: `contact:${gone}`, data: expect.objectContaining({ code: 'OBJECT_NOT_FOUND' }) as object },
    {
      subject: `contact:${bad}`,
      data: expect.objectContaining({ properties: { lifecyclestage: 'no such stage' } }) as object,
    },
  ]);
});

it('writes each by itself where HubSpot refuses the whole batch', async () => {
  await onBatch({
    kind: 'status',
    status: 400,
    body: { status: 'error', category: 'VALIDATION_ERROR', message: 'no' },
  });
  await handle(contacts.slice(0, 5).map((contact) => wish(contact, 'alone')));
  writer.start();
  await ended(UPDATED, 5);
  expect(await batches()).toHaveLength(1);
  expect(await single()).toHaveLength(5);
  for (const contact of contacts.slice(0, 5)) expect((await stored(contact))['jobtitle']).toBe('alone');
});

it('writes once more what a batch held whose answer was lost, and a newer wish after it', async () => {
  await onBatch({ kind: 'accept-then-hang' });
  await handle(contacts.map((contact) => wish(contact, 'first')));
  writer.start();
  await until('the first batch is under way', async () => (await batches()).length === 1);
  await handle(contacts.map((contact) => wish(contact, 'second', { number: 2 })));
  await ended(UPDATED, 60);
  for (const contact of contacts) {
    const { history } = await hubspot.control<{ history: Record<string, { value: string }[]> }>(
      'GET',
      `/objects/contacts/${contact}`,
    );
    expect(history['jobtitle']?.map(({ value }) => value)).toEqual(['second', 'first']);
  }
  // One that is left over alone is no batch.
  expect((await batches()).length + (await single()).length).toBeLessThan(contacts.length);
});
