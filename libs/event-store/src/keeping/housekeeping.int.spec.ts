import { emptyOutcome, type Outcome } from '../batch-statements';
import { Ledger } from '../ledger';
import type { NewEffect } from '../shapes';
import { append, eventsOf } from '../testing/appending';
import { effect, owe } from '../testing/owing';
import { testDatabase, type TestDatabase } from '../testing/test-database';
import { until } from '../testing/until';
import { writeBatch } from '../transaction';
import { Housekeeping, type HousekeepingOptions } from './housekeeping';

const DAY = 86_400_000;
const days = { inbox: 14, receipts: 90 };

let db: TestDatabase;
let running: Housekeeping[] = [];
const errors: unknown[] = [];
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await Promise.all(running.map((h) => h.stop()));
  running = [];
  expect(errors.splice(0)).toEqual([]);
  await db.drop();
});

function housekeeping(over: Partial<HousekeepingOptions> = {}): Housekeeping {
  const made = new Housekeeping({
    pool: db.pool,
    days,
    owner: 'me',
    check: () => Promise.resolve(),
    onError: (error) => errors.push(error),
    intervalMs: 5,
    ...over,
  });
  running.push(made);
  return made;
}

/** Resolves when housekeeping has nothing more to do. */
async function kept(): Promise<void> {
  const all = housekeeping();
  while (await all.turn());
}

const names = async (text: string) => (await db.pool.query<{ name: string }>(text)).rows.map((row) => row.name);
const partitions = () =>
  names(`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'inbox'::regclass order by 1`);
const marks = (table = 'inbox') => names(`select key as name from ${table} order by 1`);
const today = async (offset = 0) =>
  (
    await db.pool.query<{ day: string }>(`select ((refrain_now() at time zone 'utc')::date + $1::int)::text as day`, [
      offset,
    ])
  ).rows[0]?.day ?? '';
const partitionOf = (day: string) => `inbox_${day.replaceAll('-', '')}`;

async function mark(key: string, day: string): Promise<void> {
  const outcome = { ...emptyOutcome(), marks: [{ key, day, decided: [] }] };
  await writeBatch(db.pool, 'toy-service', outcome, { open: [key], parked: [] });
}

it('makes a partition for each day ahead, and drops a day as a whole once all its marks are old', async () => {
  await kept();
  const first = await today();
  expect(await partitions()).toEqual([
    ...(await Promise.all([0, 1, 2, 3].map(async (n) => partitionOf(await today(n))))),
    'inbox_rest',
  ]);
  await mark('on its day', first);
  expect(await marks(partitionOf(first))).toEqual(['on its day']);
  await db.moveClock(10 * DAY);
  // An input of that day that comes ten days late: a repeat of it may come for as long again.
  await mark('late', first);
  await db.moveClock(5 * DAY);
  await kept();
  expect(await marks()).toEqual(['late', 'on its day']);
  await db.moveClock(10 * DAY);
  await kept();
  expect(await partitions()).not.toContain(partitionOf(first));
  expect(await marks()).toEqual([]);
  expect(await partitions()).toContain(partitionOf(await today(3)));
});

it('lets marks without a partition of their day grow old one by one', async () => {
  const far = '2020-01-01';
  await mark('before housekeeping began', await today());
  await kept();
  await mark('of long ago', far);
  expect(await marks('inbox_rest')).toEqual(['before housekeeping began', 'of long ago']);
  await db.moveClock(13 * DAY);
  await mark('of long ago, younger', far);
  await kept();
  expect(await marks('inbox_rest')).toHaveLength(3);
  await db.moveClock(2 * DAY);
  await kept();
  expect(await marks()).toEqual(['of long ago, younger']);
});

it('goes on while batches write and a reader holds the inbox', async () => {
  await kept();
  await mark('old', await today());
  await db.moveClock(20 * DAY);
  const client = await db.pool.connect();
  await client.query('begin; select from inbox');
  housekeeping({ onError: () => undefined }).start();
  await Promise.all(Array.from({ length: 20 }, async (_, i) => mark(`m${String(i)}`, await today())));
  await client.query('commit');
  client.release();
  await until(async () => !(await marks()).includes('old'));
  expect(await marks()).toHaveLength(20);
});

it('drops nothing before it is certain that the topics keep records no longer than that', async () => {
  await mark('m', await today());
  await db.moveClock(40 * DAY);
  const reasons: unknown[] = [];
  const check = () => Promise.reject(new Error('the log is away'));
  await housekeeping({ check, onError: (error) => reasons.push(error) }).turn();
  expect(reasons).toEqual([new Error('the log is away')]);
  expect(await marks()).toEqual(['m']);
});

async function settled(over: Partial<NewEffect>): Promise<NewEffect> {
  const made = effect(over);
  await owe(db.pool, [made]);
  const ledger = new Ledger(db.pool, 'toy-service', [{ kind: made.kind, deadlineMs: 1_000, maxRepeats: 0 }]);
  const [claimed] = await ledger.claim('me', 1);
  if (!claimed) throw new Error('nothing was claimed');
  await ledger.settle(claimed, { state: 'done', answer: 1 });
  return made;
}

it('drops receipts that are old, by whole slots, and nothing that is open', async () => {
  await settled({ slot: 'old' });
  await settled({ slot: 'old, redone later', subject: 'contact:2' });
  await settled({ slot: 'old, behind a parked key', subject: 'contact:3' });
  await db.pool.query(
    `insert into parked_key (service, input_key, code, reason) values ('toy-service', 'default:contact:3', 'c', 'r')`,
  );
  for (const state of ['owed', 'running', 'unknown', 'held']) {
    await owe(db.pool, [effect({ slot: state, kind: 'toy.other' })]);
    await db.pool.query('update effect set state = $1 where slot = $1', [state]);
  }
  await db.moveClock(91 * DAY);
  await owe(db.pool, [effect({ slot: 'old, redone later', generation: 2, kind: 'toy.other', subject: 'contact:2' })]);
  await settled({ slot: 'young' });
  await kept();
  expect(await names(`select slot || ' ' || generation as name from effect order by 1`)).toEqual(
    ['old, redone later 1', 'old, redone later 2', 'old, behind a parked key 1', 'young 1', 'owed 1', 'running 1']
      .concat(['unknown 1', 'held 1'])
      .sort(),
  );
  // Their outcomes, not decided yet, are mail: it stays.
  expect(await names('select key as name from mailbox')).toHaveLength(4);
});

it('drops old receipts in batches until none is left', async () => {
  await db.pool.query(
    `insert into effect (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, request,
       request_hash, meta, state, settled_at)
     select 's', 'slot-' || n, 1, 't', 'x:1', 'st', 'k', 'p', 'c', 'null', 'h', '{}', 'done', refrain_now()
     from generate_series(1, 2500) n`,
  );
  await db.moveClock(91 * DAY);
  await kept();
  expect(await names('select slot as name from effect')).toEqual([]);
});

it('drops what else has ended, and keeps events, what is unpublished, parked mail and callbacks that wait', async () => {
  await append(db.pool, eventsOf('s', 1, 2));
  const outcome: Outcome = {
    ...emptyOutcome(),
    marks: [{ key: 'undated', received: new Date().toISOString(), decided: [] }],
    mail: [{ inputKey: 'k', kind: 'record', key: 'parked', body: {}, parked: true }],
    correlated: [{ tenant: 't', vendor: 'v', externalId: 'matched', streamId: 's', inputKey: 'k' }],
    unmatched: [{ tenant: 't', vendor: 'v', externalId: 'unmatched', waiting: { callback: 1 } }],
  };
  await writeBatch(db.pool, 'toy-service', outcome, { open: [], parked: [] });
  await db.pool.query(
    `insert into replay (id, service, topic, selection, state, requested_by, ended_at) values
       ('ended', 's', 't', '{}', 'done', 'me', refrain_now()), ('open', 's', 't', '{}', 'planned', 'me', null)`,
  );
  await db.pool.query(
    `insert into replay_item (replay_id, seq, source, subject, body, plan)
     select id, 1, 'x', 'x', '{}', '{}' from replay`,
  );
  await db.moveClock(89 * DAY);
  await kept();
  expect(await names('select external_id as name from correlation order by 1')).toEqual(['matched', 'unmatched']);
  expect(await marks('inbox_undated')).toEqual([]);
  await db.moveClock(2 * DAY);
  await kept();
  expect(await names('select external_id as name from correlation')).toEqual(['unmatched']);
  expect(await names('select replay_id as name from replay_item')).toEqual(['open']);
  expect(await names('select id as name from replay order by 1')).toEqual(['ended', 'open']);
  expect(await names('select key as name from mailbox')).toEqual(['parked']);
  expect(await names('select stream_id as name from event')).toEqual(['s', 's']);
  expect(await names('select position::text as name from unpublished')).toHaveLength(2);
});
