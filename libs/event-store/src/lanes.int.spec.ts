import type { VendorLimit } from './kind-policy';
import { Ledger } from './ledger';
import type { ClaimedEffect } from './shapes';
import type { Lane } from './shapes';
import { effects, owe, sure } from './testing/owing';
import { testDatabase, type TestDatabase } from './testing/test-database';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
  await db.stopClock();
});
afterEach(() => db.drop());

const limits: VendorLimit[] = [{ name: 'window', most: 9, perMs: 1_000 }];
const ledger = (service = 'toy-service', kind = 'toy.call') =>
  new Ledger(db.pool, service, [{ kind, deadlineMs: 5_000, maxRepeats: 1, limits }]);
const settle = (by: Ledger, claimed: ClaimedEffect[]) =>
  Promise.all(claimed.map((c) => by.settle(c, { state: 'done', answer: null })));
const laneOf = async ({ slot }: ClaimedEffect) =>
  (await db.pool.query<{ lane: Lane }>('select lane from effect where slot = $1', [slot])).rows[0]?.lane;

async function lanesOf(claimed: ClaimedEffect[]): Promise<Record<string, number>> {
  const count: Record<string, number> = {};
  for (const lane of await Promise.all(claimed.map(laneOf))) count[lane ?? ''] = (count[lane ?? ''] ?? 0) + 1;
  return count;
}

it('lets a live effect pass a backlog of 10,000', async () => {
  const l = ledger();
  await owe(db.pool, effects(10_000, { lane: 'backfill' }));
  await settle(l, await l.claim('me', 10));
  await owe(db.pool, effects(1, { lane: 'live' }));
  await db.moveClock(1_001);
  const next = await l.claim('me', 10);
  expect(next).toHaveLength(9);
  expect(await laneOf(sure(next[0]))).toBe('live');
});

it('shares a limit by weights while all lanes ask, so that none starves, however small the batches are', async () => {
  const l = ledger();
  for (const lane of ['live', 'retry', 'replay', 'backfill'] as const) await owe(db.pool, effects(200, { lane }));
  const claimed: ClaimedEffect[] = [];
  for (let i = 0; i < 150; i += 1) {
    const batch = await l.claim('me', 1);
    await settle(l, batch);
    claimed.push(...batch);
    await db.moveClock(200);
  }
  expect(claimed).toHaveLength(150);
  const shares = await lanesOf(claimed);
  expect(shares['live']).toBeGreaterThanOrEqual(78);
  expect(shares['live']).toBeLessThanOrEqual(82);
  expect(shares['retry']).toBeGreaterThanOrEqual(38);
  expect(shares['replay']).toBeGreaterThanOrEqual(18);
  expect(shares['backfill']).toBeGreaterThanOrEqual(9);
});

it('leaves a service that asks seldom its share beside one that asks all the time', async () => {
  const busy = ledger();
  const seldom = ledger('other-service', 'toy.other');
  await owe(db.pool, effects(500, { lane: 'backfill' }));
  await owe(db.pool, effects(600, { kind: 'toy.other' }), { service: 'other-service' });
  const got = { busy: 0, seldom: 0 };
  for (let i = 0; i < 60; i += 1) {
    for (let n = 0; n < 4; n += 1) {
      const calls = await busy.claim('me', 10);
      got.busy += calls.length;
      await settle(busy, calls);
      await db.moveClock(50);
    }
    const calls = await seldom.claim('me', 10);
    got.seldom += calls.length;
    await settle(seldom, calls);
  }
  expect(got.busy).toBeGreaterThan(5);
  expect(got.seldom).toBeGreaterThan(4 * got.busy);
});

it('holds nothing for a service that asks no more', async () => {
  const alive = ledger();
  const gone = ledger('other-service', 'toy.other');
  await owe(db.pool, effects(500, { kind: 'toy.other' }), { service: 'other-service' });
  await owe(db.pool, effects(500, { lane: 'backfill' }));
  await settle(gone, await gone.claim('me', 20));
  await gone.claim('me', 20);
  await db.moveClock(1_100);
  expect(await alive.claim('me', 20)).toHaveLength(9);
});

it('puts what was refused or failed into lane retry', async () => {
  const l = ledger();
  await owe(db.pool, effects(2));
  const [a, b] = await l.claim('me', 2);
  await l.settle(sure(a), { state: 'owed', code: 'rate', afterMs: 0, refused: true });
  await l.settle(sure(b), { state: 'owed', code: 'http-500', afterMs: 0, refused: false });
  expect([await laneOf(sure(a)), await laneOf(sure(b))]).toEqual(['retry', 'retry']);
});
