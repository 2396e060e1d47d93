import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { SHAPE_ASKED, shapeSubject, SWEEP_ASKED, type SweepAsked, sweepSubject, Topic } from '#libs/contracts';
import { LogConsumer, LogProducer, type OutgoingRecord } from '#libs/log';
import { type EffectKind, Process, type ProcessDefinition, tell } from '#libs/process';
import { RecipeBook } from '#libs/recipes';
import { Schedule } from '../apps/crm-reader/src/schedule';
import { sweepEffects } from '../apps/crm-reader/src/sweep.effects';
import { sweepProcess } from '../apps/crm-reader/src/sweep.source';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { createTopics, testConnection } from '../libs/log/src/testing/log-fixture';
import { accountsFor, type AccountSettings } from './testing/accounts';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Call, type Sandbox, startSandbox } from './testing/vendors';

// crm-reader in two replicas, with crm-writer behind it, on the real log, the real store, and HubSpot's stand-in.

const DAY = 86_400_000;
const HOUR = 3_600_000;
const topics = [Topic.sweep, Topic.crm];
const account = accountOf({});
const secrets = newSecrets();
const watchdog = new Watchdog();
const lines = { info: () => undefined, warn: () => undefined };
const folder = mkdtempSync(join(tmpdir(), 'sweeps-'));
writeFileSync(
  join(folder, 'win-back.yaml'),
  `recipe: win-back
trigger: { object: contact, due: { date: notes_last_contacted, after: 90d } }
steps:
  - write: { properties: { ai_lead_summary: come back } }
`,
);
writeFileSync(
  join(folder, 'staged.yaml'),
  `recipe: staged
trigger: { object: contact, property: hs_lead_status, becomes: [OPEN] }
steps:
  - write: { properties: { ai_qualification_summary: is open } }
`,
);

let hubspot: Sandbox;
let db: TestDatabase;
let connection: ReturnType<typeof testConnection>;
let producer: LogProducer;
let old: string;
const published: OutgoingRecord[] = [];
const stops: (() => Promise<void>)[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, account, nowhere, {}, watchdog);
  connection = testConnection('sweeps');
  const specs = topics.map((name) => ({ name, partitions: 3, retentionMs: HOUR, says: '' }));
  [db] = await Promise.all([testDatabase(), createTopics(connection, specs)]);
  producer = new LogProducer(connection);
  for (const name of ['ai_lead_summary', 'ai_qualification_summary']) {
    const property = { name, label: name, type: 'string', fieldType: 'text', groupName: 'contactinformation' };
    await api('POST', '/crm/v3/properties/contacts', property);
  }
  // Its date stood there, and in the index, before anybody waited for it, and comes due in half a minute.
  await hubspot.control('PUT', '/settings', { searchLagMs: 0 });
  old = await contact({ notes_last_contacted: new Date(Date.now() - 90 * DAY + 30_000).toISOString() });
  await contact({ notes_last_contacted: new Date(Date.now() - 91 * DAY).toISOString() });
  await Promise.all([replica(), replica()]);
}, 120_000);
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await producer.close();
  await db.drop();
  await hubspot.child.stop();
  await watchdog.stop();
  rmSync(folder, { recursive: true });
  expect(errors).toEqual([]);
});

async function replica(): Promise<void> {
  const config = {
    HUBSPOT_BASE_URL: hubspot.url,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_PER_TEN_SECONDS: 190,
    HUBSPOT_PER_DAY: 625_000,
    HUBSPOT_TIME_ZONE: 'UTC',
  } as AccountSettings;
  const book = RecipeBook.fromFolder<TestDatabase['pool']>(folder);
  const hubspotEffects = sweepEffects(accountsFor(config));
  run(sweepProcess(book.current, ['default'], { reconcile: HOUR, due: DAY, shape: HOUR }) as never, hubspotEffects);
  run(recordProcess(book.current, String(account.appId)) as never, recordEffects(book.current, accountsFor(config)));
  const schedule = new Schedule(book, { tenants: ['default'] }, lines);
  await schedule.start(db.pool);
  stops.push(() => schedule.stop());
}

function run(definition: ProcessDefinition<never, never, never>, effects: Record<string, EffectKind>): void {
  const process = new Process(definition, {
    pool: db.pool,
    produce: async (records) => {
      await producer.publish(records);
      published.push(...records);
    },
    deadLetter: () => Promise.resolve(),
    effects,
    concurrency: 5,
    onError: (error) => errors.push(error),
    onParked: (_key, error) => errors.push(error),
  });
  process.start();
  const read = topics.filter((topic) => topic in definition.routes);
  const handlers = new Map(read.map((topic) => [topic, process.handlerFor(topic)]));
  const consumer = new LogConsumer(connection, { groupId: definition.service }, handlers);
  consumer.start();
  stops.push(
    () => process.stop(),
    () => consumer.close(),
  );
}

async function api(method: string, path: string, body?: object): Promise<void> {
  const authorization = `Bearer ${secrets.hubspotAccessToken}`;
  const sent = body && { headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(hubspot.url + path, { method, headers: { authorization }, ...sent });
  if (!answer.ok) throw new Error(await answer.text());
}

const contact = async (properties: Record<string, string>) =>
  (await hubspot.control<{ id: string }>('POST', '/ui/contacts', { properties })).id;

/** What happened to a record or a sweep, without repeats of the relay. */
function events(type: string, subject?: string) {
  const all = published.filter(({ envelope }) => envelope.type === `refrain.${type}.v1`);
  const about = all.filter(({ envelope }) => subject === undefined || envelope.subject === subject);
  const once = new Map(about.map((record) => [record.envelope.id, record]));
  return [...once.values()].map(({ value, envelope }) => ({
    envelope,
    data: JSON.parse(value.toString()) as Record<string, unknown>,
  }));
}

const swept = (type: string, origin: string, sweep?: number) =>
  events(type).filter(({ data }) => data['origin'] === origin && (sweep === undefined || data['sweep'] === sweep));

function tellReader(type: string, subject: string, value: object): Promise<void> {
  const id = randomUUID();
  const time = new Date().toISOString();
  const envelope = { id, source: '/test', type, subject, time, tenant: 'default', correlationid: id };
  return tell(db.pool, 'crm-reader', { topic: Topic.sweep, envelope, value });
}

async function ask(asked: SweepAsked): Promise<number> {
  const sweep = swept('sweep.began', asked.origin).length + 1;
  await tellReader(SWEEP_ASKED, sweepSubject(asked), asked);
  return sweep;
}

const end = (origin: string, sweep: number) =>
  until(`${origin} ${String(sweep)} has ended`, () => swept('sweep.ended', origin, sweep)[0]?.data, 60_000);

const searches = async (): Promise<Call[]> => (await hubspot.calls()).filter(({ path }) => path.endsWith('/search'));

it('begins each sweep by schedule once, although there are two replicas', async () => {
  await Promise.all([end('reconcile', 1), end('due', 1)]);
  expect(swept('sweep.began', 'reconcile')).toHaveLength(1);
  expect(swept('sweep.began', 'due')).toHaveLength(1);
  expect(events('completeness.reached')).toMatchObject([{ data: { object: 'contact' } }]);
});

it('reaches a date that was there before the recipe once, however often it is found, and none that was due long ago', async () => {
  await until('it is reached', () => events('record-date.reached').length > 0, 60_000);
  await end('reconcile', await ask({ object: 'contact', origin: 'reconcile' }));
  await end('due', await ask({ object: 'contact', origin: 'due', recipe: 'win-back' }));
  await end('backfill', await ask({ object: 'contact', origin: 'backfill' }));
  await until('it is written', async () => {
    const { properties } = await hubspot.control<{ properties: object }>('GET', `/objects/contacts/${old}`);
    return 'ai_lead_summary' in properties;
  });
  expect(events('record-date.reached').map(({ envelope }) => envelope.subject)).toEqual([`contact:${old}`]);
  expect(new Set(events('record.found', `contact:${old}`).map(({ data }) => data['origin']))).toEqual(
    new Set(['due', 'reconcile', 'backfill']),
  );
  // What a date sets off is no backfill: it does not give way.
  expect(events('record-date.reached')[0]?.envelope.lane).toBeUndefined();
}, 120_000);

it('reads on through refusals, error pages and cut connections, and past a record that is deleted meanwhile', async () => {
  const since = new Date().toISOString();
  const made: string[] = [];
  for (let n = 0; n < 120; n += 1) made.push(await contact({ hs_lead_status: 'OPEN', lastname: String(n) }));
  const [gone = '', ...left] = made;
  const search = { pathPrefix: '/crm/objects/2026-09/0-1/search' };
  const reading = { pathPrefix: '/crm/objects/2026-09/0-1/batch/read' };
  const plan = (match: object, fault: object, times = 1) => hubspot.control('POST', '/faults', { match, fault, times });
  await plan(search, { kind: 'status', code: 'SECONDLY', status: 429, body: { policyName: 'SECONDLY' } });
  await plan(search, { kind: 'html' });
  await plan(search, { kind: 'reset' });
  await plan(search, { kind: 'delay', delayMs: 1_500 });
  await plan(reading, { kind: 'status', status: 503, body: {} }, 1);
  const before = (await searches()).length;
  const sweep = await ask({ object: 'contact', origin: 'backfill', from: since });
  await until('a page was found and is not shown yet', async () =>
    (await searches()).slice(before).some(({ fault, status }) => fault === 'delay' && status === null),
  );
  await hubspot.control('DELETE', `/ui/contacts/${gone}`);
  const ended = await end('backfill', sweep);
  expect(ended).not.toHaveProperty('code');
  const found = swept('record.found', 'backfill', sweep).map(({ data }) => data['id'] as string);
  expect(found.filter((id) => left.includes(id)).sort()).toEqual(left.sort());
  expect(new Set(found).size).toBe(found.length);
  expect(found).not.toContain(gone);
  await until(
    'all are written',
    async () => {
      const { objects } = await hubspot.control<{ objects: { id: string; properties: object }[] }>(
        'GET',
        '/objects/contacts',
      );
      const written = objects.filter(({ properties }) => 'ai_qualification_summary' in properties);
      return left.every((id) => written.some((one) => one.id === id));
    },
    60_000,
  );
  const writes = () =>
    events('record.updated').filter(({ envelope }) => left.includes(envelope.subject.slice('contact:'.length)));
  await until('all writes are said', () => writes().length >= left.length);
  expect(writes()).toHaveLength(left.length);
  expect(new Set(writes().map(({ envelope }) => envelope.lane))).toEqual(new Set(['backfill']));
}, 180_000);

it('keeps of a page what it says of each record with that record, and nowhere else', async () => {
  const kept = await db.pool.query(`select from effect where kind = 'hubspot.search' and answer is not null`);
  const read = await db.pool.query(`select from effect where kind = 'hubspot.search' and state = 'done'`);
  expect([kept.rowCount, (read.rowCount ?? 0) > 3]).toEqual([0, true]);
});

it('reads a window once more where HubSpot counts more in it than were found, and is complete then', async () => {
  // Here the index lags, as HubSpot's does: what it counts is what it shows.
  await hubspot.control('PUT', '/settings', { searchLagMs: 2_000 });
  await hubspot.control('PATCH', `/ui/contacts/${old}`, { properties: { lastname: 'Newer' } });
  const match = { pathPrefix: '/crm/objects/2026-09/0-1/search', bodyIncludes: '"limit":1,' };
  const body = { total: 999, results: [] };
  await hubspot.control('POST', '/faults', { match, fault: { kind: 'status', status: 200, body } });
  const sweep = await ask({ object: 'contact', origin: 'reconcile' });
  const ended = await end('reconcile', sweep + 1);
  const [differed] = swept('sweep.differed', 'reconcile', sweep);
  expect(differed?.data['counted']).toMatchObject({ hubspot: 999 });
  expect(swept('sweep.ended', 'reconcile', sweep)).toEqual([]);
  const { hubspot: all, found } = ended['counted'] as { hubspot: number; found: number };
  expect(found).toBeGreaterThanOrEqual(all);
  const complete = events('completeness.reached').map(({ data }) => data['at'] as string);
  expect(complete.at(-1)).toBe(ended['upTo']);
  expect(complete).toEqual([...complete].sort());
}, 120_000);

describe('the portal', () => {
  const said = (type: string, part: string) =>
    events(`portal-shape.${type}`, shapeSubject(part)).map(({ data }) => data);
  const looks = (part: string) => said('looked', part).length;
  const lookedAgain = async (part: string) => {
    const before = looks(part);
    await tellReader(SHAPE_ASKED, shapeSubject(part), { part });
    await until(`${part} was looked at`, () => looks(part) > before, 60_000);
    return said('looked', part).at(-1);
  };
  const changes = (part: string) => said('changed', part).flatMap((data) => data['changes'] as object[]);
  const property = { name: 'seats', label: 'Seats', type: 'number', fieldType: 'number' };
  const car = { name: 'car', labels: { singular: 'Car', plural: 'Cars' }, requiredProperties: ['seats'] };

  it('is looked at by schedule, once by two replicas, and what there is is kept', async () => {
    const parts = ['types', 'owners', 'contact'];
    await until('all was looked at', () => parts.every((part) => looks(part) > 0), 60_000);
    expect(parts.map((part) => said('kept', part).length)).toEqual([1, 1, 1]);
    expect(said('kept', 'contact')[0]?.['entries']).toMatchObject({ 'property email': 'string (text)' });
    const [owners] = said('kept', 'owners');
    expect(Object.keys(owners?.['entries'] as object).every((name) => /^owner \d+$/.test(name))).toBe(true);
    expect(changes('contact')).toEqual([]);
  });

  it('shows a property that is new, of another type, and gone', async () => {
    await api('POST', '/crm/v3/properties/contacts', { ...property, groupName: 'contactinformation' });
    await lookedAgain('contact');
    const added = { name: 'property seats', to: 'number (number)' };
    expect(changes('contact')).toEqual([added]);
    await api('PATCH', '/crm/v3/properties/contacts/seats', { type: 'string', fieldType: 'text' });
    await lookedAgain('contact');
    const other = { name: 'property seats', from: 'number (number)', to: 'string (text)' };
    expect(changes('contact')).toEqual([added, other]);
    await api('DELETE', '/crm/v3/properties/contacts/seats');
    await lookedAgain('contact');
    await lookedAgain('contact');
    expect(changes('contact')).toEqual([added, other, { name: 'property seats', from: 'string (text)' }]);
  }, 120_000);

  it('shows a type of its own that is new, with its properties', async () => {
    await api('POST', '/crm-object-schemas/v3/schemas', {
      ...car,
      properties: [property],
      associatedObjects: ['CONTACT'],
    });
    await lookedAgain('types');
    const names = changes('types').map((change) => (change as { name: string }).name);
    expect(names).toContainEqual(expect.stringMatching(/^type 2-\d+$/));
    expect(names).toContainEqual(expect.stringMatching(/^property 2-\d+\.seats$/));
  });

  it('takes nothing for gone where HubSpot refuses, says why, and looks again', async () => {
    const before = changes('contact').length;
    const match = { pathPrefix: '/crm/properties/2026-09/0-1' };
    const body = { status: 'error', category: 'VALIDATION_ERROR', message: 'Unable to infer object type' };
    await hubspot.control('POST', '/faults', { match, fault: { kind: 'status', status: 400, body } });
    const look = await lookedAgain('contact');
    expect(look).toMatchObject({ code: 'VALIDATION_ERROR', next: expect.any(String) });
    expect(await lookedAgain('contact')).not.toHaveProperty('code');
    expect(changes('contact')).toHaveLength(before);
  }, 120_000);
});
