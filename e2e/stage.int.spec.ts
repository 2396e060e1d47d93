import { HUBSPOT_RECEIVED, Topic } from '#libs/contracts';
import type { IncomingRecord } from '#libs/log';
import { Process } from '#libs/process';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { recipeOf } from '../libs/recipes/src/testing/recipe-of';
import { accountsFor, type AccountSettings } from './testing/accounts';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const secrets = newSecrets();
const watchdog = new Watchdog();
let db: TestDatabase;
let hubspot: Sandbox;
let writer: Process<never, never, never>;
let handle: (records: IncomingRecord[]) => Promise<void>;
const errors: unknown[] = [];

const recipe = recipeOf(`recipe: r
trigger: { object: deal, property: amount }
steps:
  - when: record.dealstage != stages["Risk"]
    write: { stage: "\${record.dealname}", task: { title: Look at it, due: 1d } }
`);

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
});
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
});
beforeEach(async () => {
  db = await testDatabase();
  await hubspot.control('DELETE', '/calls');
  const config = {
    HUBSPOT_BASE_URL: hubspot.url,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_PER_TEN_SECONDS: 190,
    HUBSPOT_PER_DAY: 625_000,
    HUBSPOT_TIME_ZONE: 'UTC',
  } as AccountSettings;
  const process = new Process(
    recordProcess(() => [recipe], '1'),
    {
      pool: db.pool,
      produce: () => Promise.resolve(),
      deadLetter: () => Promise.resolve(),
      effects: recordEffects(() => [recipe], accountsFor(config)),
      concurrency: 5,
      onError: (error) => errors.push(error),
      onParked: (_key, error) => errors.push(error),
    },
  );
  process.start();
  handle = process.handlerFor(Topic.ingressHubspot);
  writer = process as never;
});
afterEach(async () => {
  await writer.stop();
  await db.drop();
  expect(errors.splice(0)).toEqual([]);
});

const deal = async (properties: Record<string, string>) =>
  (await hubspot.control<{ id: string }>('POST', '/ui/deals', { properties: { pipeline: 'default', ...properties } }))
    .id;
const stored = (id: string) =>
  hubspot.control<{ properties: Record<string, string>; associations: { tasks?: string[] } }>(
    'GET',
    `/objects/deals/${id}`,
  );
const events = async (type: string) =>
  (
    await db.pool.query<{ data: Record<string, unknown> }>('select data from event where type = $1 order by position', [
      type,
    ])
  ).rows.map(({ data }) => data);

function change(id: string): IncomingRecord {
  const time = new Date().toISOString();
  const value = {
    subscriptionType: 'deal.propertyChange',
    eventId: 1,
    portalId: 62515,
    occurredAt: Date.parse(time),
    objectId: Number(id),
    propertyName: 'amount',
    propertyValue: '7',
    changeSource: 'CRM_UI',
  };
  return {
    topic: Topic.ingressHubspot,
    partition: 0,
    offset: '0',
    timestamp: Date.now(),
    key: `default:deal:${id}`,
    value: Buffer.from(JSON.stringify(value)),
    headers: {},
    envelope: {
      id: `change-${id}`,
      source: '/hubspot/default',
      type: HUBSPOT_RECEIVED,
      subject: `deal:${id}`,
      time,
      tenant: 'default',
      correlationid: `change-${id}`,
    },
  };
}

it('moves a deal to the stage of that name in its own pipeline, and says where it was', async () => {
  const id = await deal({ dealname: 'Risk', dealstage: 'contractsent' });
  await handle([change(id)]);
  await until('the deal has moved', async () => (await stored(id)).properties['dealstage'] === '4711');
  await until('the task is made', async () => (await stored(id)).associations.tasks?.length === 1);
  const [updated] = await until('the write has ended', async () => {
    const all = await events('refrain.record.updated.v1');
    return all.length > 0 ? all : undefined;
  });
  expect(updated).toMatchObject({
    properties: { dealstage: '4711' },
    before: { dealstage: { value: 'contractsent', at: expect.any(String) as string } },
  });
});

it('leaves a deal where it is whose pipeline has no such stage, and says which there are', async () => {
  const id = await deal({ dealname: 'Lost in space', dealstage: 'contractsent' });
  await handle([change(id)]);
  const [rejected] = await until('the step is rejected', async () => {
    const all = await events('refrain.record-step.rejected.v1');
    return all.length > 0 ? all : undefined;
  });
  expect(rejected).toMatchObject({ code: 'no-such-stage', reason: expect.stringContaining('Closed won') as string });
  expect((await stored(id)).properties['dealstage']).toBe('contractsent');
});

it('leaves alone a deal that is there already', async () => {
  const id = await deal({ dealname: 'Risk', dealstage: '4711' });
  await handle([change(id)]);
  await until('the step is rejected', async () => (await events('refrain.record-step.rejected.v1')).length === 1);
  expect((await hubspot.calls()).filter(({ method }) => method !== 'GET')).toEqual([]);
});
