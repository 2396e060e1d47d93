import { createHash } from 'node:crypto';
import {
  replayItems,
  moveReplay,
  replayOf,
  requestReplay,
  type ReplaySelection,
  type ReplayState,
} from '#libs/event-store';
import { boundsOf, LogProducer, readRange } from '#libs/log';
import { testDatabase, type TestDatabase } from '../../../event-store/src/testing/test-database';
import { createTopics, testConnection, testRecord } from '../../../log/src/testing/log-fixture';
import { Process } from '../process';
import { greeter, type GreeterCode, greeterEffects, GREETER_TOPIC } from '../testing/greeter';
import { Published } from '../testing/toy';
import type { ItemPlan } from './simulation';

const connection = testConnection('replay');
const names = ['Ada', 'Bob', 'Charlie', 'Dorothy', 'Eve', 'Frances'];
const shortNames = names.filter((name) => name.length < 4);

let db: TestDatabase;
let producer: LogProducer;
let calls: string[];
const running: Process<never, never, never>[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  await createTopics(connection, [{ name: GREETER_TOPIC, partitions: 3, retentionMs: 3_600_000, says: 'wishes' }]);
  producer = new LogProducer(connection);
  await producer.publish(
    names.map((name, i) => {
      const record = testRecord(GREETER_TOPIC, `contact:${String(i)}`, JSON.stringify({ who: name }));
      return { ...record, envelope: { ...record.envelope, id: `wish-${name}`, correlationid: `wish-${name}` } };
    }),
  );
});
beforeEach(async () => {
  db = await testDatabase();
  calls = [];
});
afterEach(async () => {
  await stopAll();
  await db.drop();
  expect(errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await producer.close();
});

const stopAll = () => Promise.all(running.splice(0).map((p) => p.stop()));

function start(code: GreeterCode) {
  const process = new Process(greeter('greeter', code), {
    pool: db.pool,
    produce: new Published().produce,
    deadLetter: () => Promise.resolve(),
    effects: greeterEffects(calls),
    concurrency: 10,
    log: {
      bounds: (range) => boundsOf(connection, range),
      read: (topic, bounds, onRecords) => readRange(connection, topic, bounds, onRecords),
    },
    onError: (error) => errors.push(error),
    onParked: () => undefined,
  });
  process.start();
  running.push(process as never);
  return process.handlerFor(GREETER_TOPIC);
}

const settled = `select count(*)::int as open from (
  select 1 from effect where state in ('owed', 'running', 'unknown') union all select 1 from mailbox) as open`;

async function untilSettled(): Promise<void> {
  for (;;) {
    const { rows } = await db.pool.query<{ open: number }>(settled);
    if (rows[0]?.open === 0) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Yesterday: every record is handled by the code with the bug. */
async function liveYesterday(code: GreeterCode): Promise<void> {
  const handle = start(code);
  const bounds = await boundsOf(connection, { topic: GREETER_TOPIC });
  await readRange(connection, GREETER_TOPIC, bounds, handle);
  await untilSettled();
  await stopAll();
  calls.length = 0;
}

async function until(id: string, state: ReplayState): Promise<void> {
  for (;;) {
    const replay = await replayOf(db.pool, id);
    if (replay?.state === state) return;
    if (replay?.state === 'failed') throw new Error(replay.error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function plan(selection: ReplaySelection = {}) {
  const id = await requestReplay(db.pool, { service: 'greeter', topic: GREETER_TOPIC, selection, by: 'test' });
  await until(id, 'planned');
  const items = await replayItems(db.pool, id, { limit: 100 });
  return { id, items, plans: items.map((item) => item.plan as ItemPlan) };
}

async function apply(id: string, redo = false) {
  expect(await moveReplay(db.pool, id, ['planned'], 'applying', { redo })).toBe(true);
  await until(id, 'done');
  await untilSettled();
  return replayItems(db.pool, id, { limit: 100 });
}

const verdicts = (plans: ItemPlan[]) =>
  plans.flatMap((p) => p.effects.map((e) => `${e.kind.slice(8)} ${e.verdict}`)).sort();

/** Everything but the plan's own tables (and who holds a lease), as one fingerprint. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const table of [
    'event',
    'unpublished',
    'inbox',
    'inbox_undated',
    'effect',
    'mailbox',
    'parked_key',
    'correlation',
  ]) {
    const { rows } = await db.pool.query<{ row: string }>(`select t::text as row from ${table} t order by 1`);
    hash.update(JSON.stringify([table, rows]));
  }
  return hash.update(JSON.stringify(calls)).digest('hex');
}

it('plans what a fix would do, performs nothing, and then does exactly that', async () => {
  await liveYesterday({ refusesShortNames: true });
  start({});
  const before = await fingerprint();
  const { id, items, plans } = await plan();
  expect(await fingerprint()).toBe(before);
  expect(items).toHaveLength(names.length);
  expect(plans.map((p) => p.then)).toEqual(names.map(() => 'same'));
  expect(verdicts(plans)).toEqual([
    ...names.map(() => 'look skipped'),
    ...shortNames.map(() => 'send new'),
    ...names.filter((name) => name.length > 3).map(() => 'send skipped'),
  ]);
  expect(plans.flatMap((p) => p.effects.map((e) => e.cost?.credits ?? 0)).reduce((a, b) => a + b)).toBe(3);
  expect(plans.some((p) => p.assumed)).toBe(false);

  const applied = await apply(id);
  expect(applied.map((item) => item.state)).toEqual(names.map(() => 'applied'));
  expect([...calls].sort()).toEqual(shortNames.map((name) => `send Hi ${name}`));
  expect(await moveReplay(db.pool, id, ['planned'], 'applying')).toBe(false);
  const again = await plan();
  expect(new Set(verdicts(again.plans))).toEqual(new Set(['look skipped', 'send skipped']));
});

it('shows what would be changed, and changes it only when asked to', async () => {
  await liveYesterday({});
  start({ polite: true });
  const { id, plans } = await plan();
  expect(verdicts(plans)).toEqual([...names.map(() => 'look skipped'), ...names.map(() => 'send changed')]);
  await apply(id);
  expect(calls).toEqual([]);
  const second = await plan();
  await apply(second.id, true);
  expect([...calls].sort()).toEqual(names.map((name) => `send Dear ${name}`));
});

it('selects by subject, expression and offsets; an expression that does not parse fails the plan', async () => {
  await liveYesterday({});
  start({});
  expect((await plan({ subject: 'contact:2' })).items.map((item) => item.subject)).toEqual(['default:contact:2']);
  expect((await plan({ filter: `value.who == 'Eve' && tenant == 'default'` })).items).toHaveLength(1);
  expect((await plan({ filter: `value.nobody == 'Eve'` })).items).toEqual([]);
  expect((await plan({ tenant: 'other' })).items).toEqual([]);
  expect((await plan({ from: new Date(Date.now() + 60_000).toISOString() })).items).toEqual([]);
  const id = await requestReplay(db.pool, {
    service: 'greeter',
    topic: GREETER_TOPIC,
    selection: { filter: 'value.who ==' },
    by: 'test',
  });
  await expect(until(id, 'planned')).rejects.toThrow();
});

it('knows no then for records that were never decided, and says where it guesses', async () => {
  start({});
  const { plans } = await plan();
  expect(plans.map((p) => p.then)).toEqual(names.map(() => 'no then'));
  expect(plans.map((p) => p.assumed)).toEqual(names.map(() => 'greeter.look'));
  expect(verdicts(plans)).toEqual(names.map(() => 'look new'));
});

it('does exactly the planned set when it is killed half way', async () => {
  await liveYesterday({ refusesShortNames: true });
  start({});
  const { id } = await plan();
  await moveReplay(db.pool, id, ['planned'], 'applying');
  for (;;) {
    const done = await replayItems(db.pool, id, { state: 'applied', limit: 100 });
    if (done.length >= 2) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stopAll();
  start({});
  await until(id, 'done');
  await untilSettled();
  expect([...calls].sort()).toEqual(shortNames.map((name) => `send Hi ${name}`));
});

it('holds an item that would now do something else than the operator saw', async () => {
  await liveYesterday({ refusesShortNames: true });
  start({});
  const [first, second] = [await plan(), await plan()];
  await apply(first.id);
  const items = await apply(second.id);
  expect(
    items.filter((item) => item.state === 'held').map((item) => (item.plan as ItemPlan).effects[1]?.verdict),
  ).toEqual(shortNames.map(() => 'new'));
  expect([...calls].sort()).toEqual(shortNames.map((name) => `send Hi ${name}`));
});
