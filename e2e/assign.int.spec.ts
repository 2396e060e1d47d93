import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HUBSPOT_RECEIVED, Topic } from '#libs/contracts';
import { moveReplay, replayItems, replayOf, requestReplay } from '#libs/event-store';
import { boundsOf, LogConsumer, LogProducer, readRange } from '#libs/log';
import { type ItemPlan, Process } from '#libs/process';
import { readRecipes, type Recipe, TableFolder } from '#libs/recipes';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { createTopics, testConnection } from '../libs/log/src/testing/log-fixture';
import { accountsFor, type AccountSettings } from './testing/accounts';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const OWNERS = ['701', '702'];
const text = `recipe: territory
trigger: { object: contact, property: hs_lead_status, becomes: [NEW] }
steps:
  - name: seller
    assign:
      rota: \${lookup("territories", record.country, "rota")}
      among: \${lookup("territories", record.country, "owners")}
  - write:
      properties:
        hubspot_owner_id: \${steps.seller.owner}
        city: \${steps.seller.rota}
  - name: label
    write: { properties: { jobtitle: '\${lookup("labels", "new", "text")}' } }
`;
const topics = [Topic.ingressHubspot, Topic.crm];
const secrets = newSecrets();
const watchdog = new Watchdog();
const lines = { info: () => undefined, warn: () => undefined };
let hubspot: Sandbox;
let connection: ReturnType<typeof testConnection>;
let db: TestDatabase;
let producer: LogProducer;
let folder: string;
let running: { stop(): Promise<void> }[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog);
  connection = testConnection('assign');
  const specs = topics.map((name) => ({ name, partitions: 3, retentionMs: 3_600_000, says: '' }));
  [db] = await Promise.all([testDatabase(), createTopics(connection, specs)]);
  producer = new LogProducer(connection);
  folder = mkdtempSync(join(tmpdir(), 'tables-'));
  put(
    'territories',
    `country,rota,owners\nAT,dach,"${OWNERS.join(', ')}"\nDE,dach,"${OWNERS.join(', ')}"\nSE,nordics,\n`,
  );
  put('labels', 'key,text\nnew,first label\n');
  await start();
});
afterAll(async () => {
  for (const each of running) await each.stop();
  await producer.close();
  await db.drop();
  await hubspot.child.stop();
  await watchdog.stop();
  rmSync(folder, { recursive: true });
  expect(errors).toEqual([]);
});

/** As an editor does it: another file takes the place. */
function put(table: string, csv: string): void {
  writeFileSync(join(folder, '.new'), csv);
  renameSync(join(folder, '.new'), join(folder, `${table}.csv`));
}

let tables: TableFolder;

async function start(): Promise<void> {
  tables = TableFolder.open(folder, { lines, everyMs: 10 });
  await tables.start();
  const recipes: readonly Recipe[] = readRecipes([{ file: 'territory.yaml', text }], undefined, { tables });
  const config = {
    HUBSPOT_BASE_URL: hubspot.url,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_PER_TEN_SECONDS: 190,
    HUBSPOT_PER_DAY: 625_000,
    HUBSPOT_TIME_ZONE: 'UTC',
  } as AccountSettings;
  const process = new Process(
    recordProcess(() => recipes, '1', undefined, { tables }),
    {
      pool: db.pool,
      produce: (records) => producer.publish(records),
      deadLetter: () => Promise.resolve(),
      effects: recordEffects(() => recipes, accountsFor(config)),
      concurrency: 5,
      log: {
        bounds: (range) => boundsOf(connection, range),
        read: (topic, bounds, onRecords) => readRange(connection, topic, bounds, onRecords),
      },
      onError: (error) => errors.push(error),
      onParked: (_key, error) => errors.push(error),
    },
  );
  process.start();
  const consumer = new LogConsumer(
    connection,
    { groupId: 'crm-writer' },
    new Map(topics.map((topic) => [topic, process.handlerFor(topic)])),
  );
  consumer.start();
  running = [{ stop: () => consumer.close() }, process, tables];
}

const made = async (properties: Record<string, string>) =>
  (await hubspot.control<{ id: string }>('POST', '/ui/contacts', { properties })).id;

let events = 0;
/** The contact becomes a new lead, as the gateway publishes it. */
async function becomesNew(contact: string, over: { number?: number } = {}): Promise<void> {
  events += 1;
  const { number = events } = over;
  const id = `event-${String(number)}`;
  const time = Date.UTC(2026, 10, 21, 10, number);
  const event = {
    eventId: number,
    subscriptionId: 25,
    portalId: 33,
    occurredAt: time,
    subscriptionType: 'contact.propertyChange',
    objectId: Number(contact),
    propertyName: 'hs_lead_status',
    propertyValue: 'NEW',
    changeSource: 'CRM_UI',
  };
  const envelope = {
    id,
    source: '/hubspot/default',
    type: HUBSPOT_RECEIVED,
    subject: `contact:${contact}`,
    time: new Date(time).toISOString(),
    tenant: 'default',
    correlationid: id,
  };
  const key = `default:contact:${contact}`;
  await producer.publish([{ topic: Topic.ingressHubspot, key, value: Buffer.from(JSON.stringify(event)), envelope }]);
}

/** What the outside world was told of a contact, call by call. */
const patches = async (contact: string) =>
  (await hubspot.calls())
    .filter(({ method, path }) => method === 'PATCH' && path.endsWith(`/${contact}`))
    .map(({ requestBody }) => (requestBody as { properties: Record<string, string> }).properties);
const said = async (contact: string) => Object.assign({}, ...(await patches(contact))) as Record<string, string>;
const owned = (contact: string) =>
  until('the contact has an owner', async () => (await said(contact))['hubspot_owner_id']);
const told = async (type: string) =>
  (
    await db.pool.query<{ subject: string; data: Record<string, unknown> }>(
      'select subject, data from event where type = $1 order by position',
      [`refrain.${type}.v1`],
    )
  ).rows;
const quiet = () =>
  until('nothing is left to do', async () => {
    const { rows } = await db.pool.query<{ open: number }>(
      `select (select count(*) from effect where state in ('owed', 'running', 'unknown'))::int
         + (select count(*) from mailbox)::int + (select count(*) from unpublished)::int as open`,
    );
    const [wanted, taken, assigned] = await Promise.all(['owner.wanted', 'turn.taken', 'owner.assigned'].map(told));
    return rows[0]?.open === 0 && wanted?.length === taken?.length && taken?.length === assigned?.length;
  });

async function replay(topic: string, declared?: object[]): Promise<string[]> {
  const id = await requestReplay(db.pool, { service: 'crm-writer', topic, selection: {}, by: 'test', declared });
  const reaches = (state: string) =>
    until(`the replay is ${state}`, async () => {
      const found = await replayOf(db.pool, id);
      if (found?.state === 'failed') throw new Error(found.error);
      return found?.state === state;
    });
  await reaches('planned');
  const items = await replayItems(db.pool, id, { limit: 1_000 });
  if (!declared) {
    await moveReplay(db.pool, id, ['planned'], 'applying');
    await reaches('done');
  }
  const said = items.map(({ plan }) => {
    const { then, events, effects } = plan as ItemPlan;
    return [then, ...events, ...effects.map(({ kind, verdict }) => `${kind} ${verdict}`)].join(', ');
  });
  return said.sort();
}

it('gives records in turn to those whom a table names, and writes the owner and the territory', async () => {
  const contacts = await Promise.all(['AT', 'DE', ' at '].map((country) => made({ country })));
  for (const contact of contacts) {
    await becomesNew(contact);
    await owned(contact);
  }
  const owners = await Promise.all(contacts.map(async (contact) => (await said(contact))['hubspot_owner_id'] ?? ''));
  // Two in turn, and then the first of them again.
  expect([...owners.slice(0, 2)].sort()).toEqual(OWNERS);
  expect(owners[2]).toBe(owners[0]);
  expect(await said(contacts[0] ?? '')).toMatchObject({ city: 'dach', jobtitle: 'first label' });
  // From the record to its rota of the month and back, each under its own key.
  expect((await told('turn.taken')).map(({ subject }) => subject)).toEqual(Array(3).fill('rota:dach.2026-11'));
  expect((await told('owner.assigned')).map(({ subject }) => subject)).toEqual(contacts.map((id) => `contact:${id}`));
});

it('a second delivery, and another event of the same change, use no turn and change no owner', async () => {
  const contact = await made({ country: 'DE' });
  await becomesNew(contact);
  const owner = await owned(contact);
  const taken = (await told('turn.taken')).length;
  await becomesNew(contact, { number: events });
  await becomesNew(contact);
  await until('both events are decided', async () => {
    const { rows } = await db.pool.query<{ n: number }>('select count(*)::int as n from inbox where key like $1', [
      `%|contact:${contact}|%|hs_lead_status`,
    ]);
    return rows[0]?.n === 2;
  });
  await quiet();
  expect((await told('turn.taken')).length).toBe(taken);
  expect((await said(contact))['hubspot_owner_id']).toBe(owner);
});

it('says why nobody takes a record, and goes on with nothing', async () => {
  const contact = await made({ country: 'SE' });
  await becomesNew(contact);
  const rejected = await until('it is rejected', async () => (await told('owner.rejected'))[0]);
  expect(rejected).toMatchObject({ subject: `contact:${contact}`, data: { step: 'seller', code: 'nobody' } });
  await quiet();
  expect(await said(contact)).not.toHaveProperty('hubspot_owner_id');
});

it('replayed after the tables have changed shows no change and does nothing, turn for turn and call for call', async () => {
  await quiet();
  const before = { calls: (await hubspot.calls()).length, taken: await told('turn.taken') };
  put('territories', 'country,rota,owners\nAT,alps,702\nDE,alps,702\nSE,nordics,\n');
  put('labels', 'key,text\nnew,another label\n');
  await until(
    'the tables are taken over',
    () =>
      tables.get('territories', 'at')?.['rota'] === 'alps' && tables.get('labels', 'new')?.['text'] === 'another label',
  );
  const plans = await replay(Topic.ingressHubspot);
  expect(new Set(plans)).toEqual(new Set(['same, hubspot.read skipped', 'same']));
  expect(new Set(await replay(Topic.crm))).toEqual(new Set(['same']));
  // Neither does a preview of another version, which looks up the same.
  const declared = [{ file: 'territory.yaml', text: `${text}description: Another version.\n` }];
  expect(await replay(Topic.ingressHubspot, declared)).toEqual(plans);
  expect(new Set(await replay(Topic.crm, declared))).toEqual(new Set(['same']));
  await quiet();
  expect(await told('turn.taken')).toEqual(before.taken);
  expect((await hubspot.calls()).length).toBe(before.calls);

  // What comes from now on goes by the new tables.
  const contact = await made({ country: 'AT' });
  await becomesNew(contact);
  expect(await owned(contact)).toBe('702');
  expect(await said(contact)).toMatchObject({ city: 'alps', jobtitle: 'another label' });
});
