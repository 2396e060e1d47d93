import { Topic } from '#libs/contracts';
import type { IncomingRecord } from '#libs/log';
import { type EffectKind, Process } from '#libs/process';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';
import { judging } from '../libs/recipes/src/testing/recipe-of';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { accountsFor, type AccountSettings } from './testing/accounts';
import { Watchdog } from './testing/children';
import { HoldingLine } from './testing/holding-line';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const secrets = newSecrets();
const watchdog = new Watchdog();
let db: TestDatabase;
let hubspot: Sandbox;
let line: HoldingLine;
let contact: string;
let writer: Process<never, never, never>;
let handle: (records: IncomingRecord[]) => Promise<void>;
const errors: unknown[] = [];

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
  line = await HoldingLine.to(hubspot.url);
});
afterAll(async () => {
  await line.close();
  await hubspot.child.stop();
  await watchdog.stop();
});

const recipe = judging('r', ['jobtitle'], '  - write: { properties: { jobtitle: "${steps.lead.jobtitle}" } }');

beforeEach(async () => {
  db = await testDatabase();
  const lead = { properties: { email: `${String(Date.now())}@example.com` } };
  contact = (await hubspot.control<{ id: string }>('POST', '/ui/contacts', lead)).id;
  await hubspot.control('DELETE', '/calls');
  const config = {
    HUBSPOT_BASE_URL: line.url,
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
      effects: { ...effects, 'hubspot.update': { ...(effects['hubspot.update'] as EffectKind), deadlineMs: 1_000 } },
      concurrency: 5,
      onError: (error) => errors.push(error),
      onParked: (_key, error) => errors.push(error),
    },
  );
  process.start();
  handle = process.handlerFor(Topic.enrichment);
  writer = process as never;
});
afterEach(async () => {
  await writer.stop();
  await db.drop();
  expect(errors.splice(0)).toEqual([]);
});

/** An enrichment of the contact that wants one property; later numbers are newer. */
function wish(number: number, jobtitle: string): IncomingRecord {
  const time = new Date(Date.UTC(2026, 10, 21, 10, number)).toISOString();
  const about = { recipe: 'r', recipeVersion: '1', enrichment: number, triggeredAt: time };
  const tokens = { input: 1, output: 1 };
  const data = { ...about, ask: 'lead', model: 'm', answer: { jobtitle }, tokens };
  return {
    topic: Topic.enrichment,
    partition: 0,
    offset: '0',
    timestamp: Date.now(),
    key: `default:contact:${contact}`,
    value: Buffer.from(JSON.stringify(data)),
    headers: {},
    envelope: {
      id: `wish-${String(number)}`,
      source: '/enrichment-service',
      type: 'refrain.enrichment.completed.v1',
      subject: `contact:${contact}`,
      time,
      tenant: 'default',
      correlationid: `cause-${String(number)}`,
    },
  };
}

const jobtitle = async () =>
  (await hubspot.control<{ properties: Record<string, string> }>('GET', `/objects/contacts/${contact}`)).properties[
    'jobtitle'
  ];
const callsOf = async (method: string) => (await hubspot.calls()).filter((call) => call.method === method);
const written = async () =>
  (await callsOf('PATCH')).map((call) => (call.requestBody?.['properties'] as Record<string, string>)['jobtitle']);
const events = async (type: string) =>
  (
    await db.pool.query<{ data: Record<string, unknown> }>('select data from event where type = $1 order by position', [
      type,
    ])
  ).rows.map(({ data }) => data);
const updates = (n: number) =>
  until(`${String(n)} updates`, async () => (await events('refrain.record.updated.v1')).length === n);
const readBack = () => until('the record is read back', async () => (await events('refrain.record.read-back.v1'))[0]);

/** A write whose first call is on the line still when it was repeated with success, and then a newer write. */
async function lateWrite(): Promise<void> {
  line.holdNext((bytes) => bytes.startsWith('PATCH'));
  await handle([wish(1, 'old')]);
  await updates(1);
  expect(line.holds).toBeGreaterThan(0);
  await handle([wish(2, 'new')]);
  await updates(2);
  expect(await jobtitle()).toBe('new');
}

it('puts right what an old write did that came after the newer one', async () => {
  await lateWrite();
  line.letGo();
  await until('the old write arrives', async () => (await jobtitle()) === 'old');
  await db.moveClock(25_000);
  await updates(3);
  expect(await jobtitle()).toBe('new');
  expect(await readBack()).toEqual({ write: 2, undone: { jobtitle: 'old' }, others: [] });
  expect(await written()).toEqual(['old', 'new', 'old', 'new']);
  // One look, and no other after the repair.
  await db.moveClock(60_000);
  await handle([wish(3, 'newest')]);
  await updates(4);
  expect(await callsOf('GET')).toHaveLength(1);
});

it('leaves alone what a person has written meanwhile', async () => {
  await lateWrite();
  await hubspot.control('PATCH', `/ui/contacts/${contact}`, { properties: { jobtitle: 'by hand' } });
  await db.moveClock(25_000);
  expect(await readBack()).toEqual({ write: 2, undone: {}, others: ['jobtitle'] });
  expect(await jobtitle()).toBe('by hand');
  expect(await written()).toEqual(['old', 'new']);
  line.letGo();
});

it('reads nothing where no outcome was unknown', async () => {
  await handle([wish(1, 'old')]);
  await updates(1);
  await db.moveClock(25_000);
  await handle([wish(2, 'new')]);
  await updates(2);
  await db.moveClock(25_000);
  const { rows } = await db.pool.query(`select from mailbox union all select from effect where kind = 'hubspot.read'`);
  expect(rows).toEqual([]);
  expect(await callsOf('GET')).toEqual([]);
});
