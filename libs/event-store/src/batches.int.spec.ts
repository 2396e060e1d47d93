import { BATCH_REFUSED } from '#libs/contracts';
import { gates } from './gates';
import type { KindPolicy } from './kind-policy';
import { Ledger } from './ledger';
import { effect, effects, owe, sure } from './testing/owing';
import { testDatabase, type TestDatabase } from './testing/test-database';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.drop());

const ledgerOf = (over: Partial<KindPolicy> = {}) =>
  new Ledger(db.pool, 'toy-service', [
    { kind: 'toy.call', deadlineMs: 5_000, maxRepeats: 1, mostInBatch: 5, limits: [window(3)], ...over },
  ]);
const window = (most: number) => ({ name: 'window', most, perMs: 10_000 });
const done = { state: 'done', answer: null } as const;
const free = async () => (await gates(db.pool)).gates[0]?.limits[0]?.free;

it('claims what one call carries, as one use of a limit', async () => {
  await owe(db.pool, effects(12));
  const ledger = ledgerOf();
  const claimed = [];
  for (let call = 0; call < 4; call += 1) claimed.push((await ledger.claim('me', 10)).length);
  expect(claimed).toEqual([5, 5, 2, 0]);
  expect(await free()).toBe(0);
});

it('gives the limit back when the call has ended, whatever else it carried', async () => {
  await owe(db.pool, effects(5));
  const ledger = ledgerOf();
  const claimed = await ledger.claim('me', 10);
  expect(await free()).toBe(2);
  await Promise.all(claimed.map((one) => ledger.settle(one, done)));
  await db.moveClock(10_100);
  expect(await free()).toBe(3);
});

it('carries only what is of one tenant, lane and type of subject', async () => {
  await owe(db.pool, [
    ...effects(2, { subject: 'contact:1' }),
    ...effects(2, { subject: 'deal:1' }),
    ...effects(2, { tenant: 'other', subject: 'contact:1' }),
    ...effects(2, { lane: 'backfill', subject: 'contact:1' }),
  ]);
  const ledger = ledgerOf();
  const batches = new Map<string, number>();
  for (let call = 0; call < 3; call += 1) {
    const seen = new Map<string, number>();
    for (const { tenant, lane, subject } of await ledger.claim('me', 10)) {
      const key = `${tenant} ${lane} ${subject}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    for (const [key, count] of seen) batches.set(key, Math.max(count, batches.get(key) ?? 0));
  }
  expect(Object.fromEntries(batches)).toEqual({
    'default live contact:1': 2,
    'default live deal:1': 2,
    'other live contact:1': 2,
    'default backfill contact:1': 2,
  });
});

it('never carries two of one order key, nor one whose order key is under way', async () => {
  const orderKey = 'contact:1';
  const first = effects(1, { orderKey });
  await owe(db.pool, first);
  const ledger = ledgerOf();
  const [running] = await ledger.claim('me', 1);
  await owe(db.pool, [...effects(2, { orderKey }), ...effects(2, { orderKey: 'contact:2' }), ...effects(1)]);
  const claimed = await ledger.claim('me', 10);
  expect(claimed).toHaveLength(2);
  await ledger.settle(sure(running), done);
  expect(await ledger.claim('me', 10)).toHaveLength(1);
});

it('calls alone what a refused batch had carried', async () => {
  await owe(db.pool, effects(3));
  const ledger = ledgerOf({ limits: [window(100)] });
  const claimed = await ledger.claim('me', 10);
  expect(claimed).toHaveLength(3);
  const refused = { state: 'owed', code: BATCH_REFUSED, afterMs: 0, refused: true } as const;
  await Promise.all(claimed.map((one) => ledger.settle(one, refused)));
  await owe(db.pool, effects(2));
  const sizes = [];
  for (let call = 0; call < 5; call += 1) sizes.push((await ledger.claim('me', 10)).length);
  // The refused ones wait in another lane by now, one call each.
  expect(sizes).toEqual([3, 1, 1, 0, 0]);
});

it('lets a tenant have limits of its own', async () => {
  const limits = [window(2), { ...window(4), tenant: 'large' }];
  const ledger = ledgerOf({ mostInBatch: 1, limits });
  await owe(db.pool, [...effects(6, { tenant: 'large' }), ...effects(6, { tenant: 'small' })]);
  const claimed = await ledger.claim('me', 12);
  const of = (tenant: string) => claimed.filter((one) => one.tenant === tenant).length;
  expect({ large: of('large'), small: of('small') }).toEqual({ large: 4, small: 2 });
});

it('holds nobody to a limit that only another tenant has', async () => {
  const ledger = ledgerOf({ mostInBatch: 1, limits: [{ ...window(1), tenant: 'small' }] });
  await owe(db.pool, [effect({ tenant: 'small' }), ...effects(3, { tenant: 'large' })]);
  expect(await ledger.claim('me', 10)).toHaveLength(4);
});

it('shares a batch between claimers: no effect goes out twice', async () => {
  await owe(db.pool, effects(40));
  const ledgers = Array.from({ length: 4 }, () => ledgerOf({ limits: [] }));
  const claimed = (await Promise.all(ledgers.map((ledger, i) => ledger.claim(`r${String(i)}`, 10)))).flat();
  expect(claimed).toHaveLength(20);
  expect(new Set(claimed.map(({ slot }) => slot)).size).toBe(20);
});
