import { emptyOutcome, type Outcome } from './batch-statements';
import { Conflict } from './errors';
import { eventsOf } from './testing/appending';
import { testDatabase, type TestDatabase } from './testing/test-database';
import { until } from './testing/until';
import { transact, writeBatch } from './transaction';

const service = 'toy-service';
const key = 'default:contact:1';
const mark = { key: 'input', day: '2026-11-21', decided: [] };
const parkedMail: Outcome['mail'] = [{ inputKey: key, kind: 'record', key: 'input', body: {}, parked: true }];

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.drop());

const outcome = (over: Partial<Outcome> = {}): Outcome => ({
  ...emptyOutcome(),
  marks: [mark],
  events: eventsOf('stream', 1, 1),
  ...over,
});
const write = (over: Partial<Outcome> = {}, keys: { open: string[]; parked: string[] } = { open: [key], parked: [] }) =>
  writeBatch(db.pool, service, outcome(over), keys);
const park = () => transact(db.pool, service, [key], (tx) => tx.park(key, 'TypeError', 'a bug'));
const count = async (table: string): Promise<number> =>
  (await db.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n ?? -1;

/** What did not hold leaves nothing behind. */
async function isRefused(writing: Promise<void>): Promise<void> {
  await expect(writing).rejects.toThrow(Conflict);
  expect([await count('inbox'), await count('event'), await count('unpublished'), await count('mailbox')]).toEqual([
    0, 0, 0, 0,
  ]);
}

it('writes nothing for a key that was parked after the batch was read', async () => {
  await park();
  await isRefused(write());
});

it('waits for a parking that is under way, and sees it although its own snapshot is older', async () => {
  const underWay = Promise.withResolvers<void>();
  const parked = Promise.withResolvers<void>();
  const parking = transact(db.pool, service, [key], async (tx) => {
    await tx.park(key, 'TypeError', 'a bug');
    underWay.resolve();
    await parked.promise;
  });
  await underWay.promise;
  const writing = isRefused(write());
  await until(async () => {
    const { rows } = await db.pool.query(
      `select from pg_locks where locktype = 'advisory' and not granted
         and database = (select oid from pg_database where datname = current_database())`,
    );
    return rows.length > 0;
  });
  parked.resolve();
  await Promise.all([parking, writing]);
});

it('puts nothing behind a key that was freed after the batch was read', async () => {
  const keys = { open: [], parked: [key] };
  await isRefused(write({ events: [], mail: parkedMail }, keys));
  await park();
  await write({ events: [], mail: parkedMail }, keys);
  expect(await count('mailbox')).toBe(1);
});

it.each<[string, Partial<Outcome>]>([
  ['mail was taken', { taken: ['17'] }],
  ['mail to be parked was taken', { parkedMail: ['17'] }],
  ['a version has moved', { marks: [{ ...mark, key: 'other' }], events: eventsOf('moved', 1, 1) }],
])('writes nothing where %s meanwhile', async (_case, over) => {
  await write({ marks: [], events: eventsOf('moved', 1, 1) });
  const before = [await count('inbox'), await count('event')];
  await expect(write(over)).rejects.toThrow(Conflict);
  expect([await count('inbox'), await count('event')]).toEqual(before);
});

it('claims an undated input once in 24 hours', async () => {
  const received = (time: string): Partial<Outcome> => ({
    marks: [{ key: 'undated', received: time, decided: [] }],
    events: [],
  });
  await write(received('2026-11-21T00:00:00Z'));
  await expect(write(received('2026-11-21T23:00:00Z'))).rejects.toThrow(Conflict);
  await write(received('2026-11-22T01:00:00Z'));
});

it('hands a callback to its stream, whichever of the two came first, or both at once', async () => {
  const id = { tenant: 'default', vendor: 'toy', externalId: 'job' };
  const correlated = [{ ...id, streamId: 'stream', inputKey: key }];
  const unmatched = [{ ...id, waiting: { callback: 1 } }];
  await write({ marks: [], events: [], correlated, unmatched });
  expect(await count('mailbox')).toBe(1);
  await expect(write({ marks: [], events: [], unmatched })).rejects.toThrow(Conflict);
});
