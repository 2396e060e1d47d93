import { gates } from './gates';
import type { VendorLimit } from './kind-policy';
import { Ledger } from './ledger';
import type { ClaimedEffect } from './shapes';
import { effect, effects, owe, sure } from './testing/owing';
import { openPool } from './pool';
import { testDatabase, type TestDatabase } from './testing/test-database';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.drop());

const ledgerOf = (limits: VendorLimit[], over: { service?: string; kind?: string } = {}) =>
  new Ledger(db.pool, over.service ?? 'toy-service', [
    { kind: over.kind ?? 'toy.call', deadlineMs: 5_000, maxRepeats: 1, limits },
  ]);
const done = { state: 'done', answer: null } as const;
const now = async () =>
  Number((await db.pool.query<{ ms: string }>('select extract(epoch from refrain_now()) * 1000 as ms')).rows[0]?.ms);
const slots = (claimed: ClaimedEffect[]) => claimed.map((c) => c.slot);

// The vendor sees a call at any moment between its claim and its end. Whatever that moment is, no window of the
// vendor's may hold more calls than it allows.
it('never lets a vendor see more calls in any window than it allows, and uses what it allows', async () => {
  const most = 19;
  const perMs = 1_000;
  const replicas = [ledgerOf([{ name: 'second', most, perMs }]), ledgerOf([{ name: 'second', most, perMs }])];
  await owe(db.pool, effects(400));
  const seen: number[] = [];
  let flying: { call: ClaimedEffect; by: Ledger; seenIn: number; endsIn: number }[] = [];
  const begun = await now();
  for (let step = 0; seen.length < 150; step += 1) {
    await db.moveClock(Math.random() * 20);
    for (const by of replicas) {
      const calls = await by.claim('me', 1 + Math.floor(Math.random() * 10));
      const endsIn = Math.floor(Math.random() * 4);
      flying.push(...calls.map((call) => ({ call, by, endsIn, seenIn: Math.floor(Math.random() * (endsIn + 1)) })));
    }
    const at = await now();
    seen.push(...flying.filter((f) => f.seenIn === 0).map(() => at));
    await Promise.all(flying.filter((f) => f.endsIn === 0).map((f) => f.by.settle(f.call, done)));
    flying = flying.filter((f) => f.endsIn > 0).map((f) => ({ ...f, seenIn: f.seenIn - 1, endsIn: f.endsIn - 1 }));
  }
  for (const from of seen) {
    expect(seen.filter((at) => at >= from && at < from + perMs).length).toBeLessThanOrEqual(most);
  }
  // Calls that take 30 to 100 ms of a window of 1 s: what they take themselves is all that is lost.
  const windows = ((await now()) - begun) / perMs;
  expect(seen.length / (windows * most)).toBeGreaterThan(0.8);
});

it('admits no more than allowed when many replicas ask at once', async () => {
  const ledger = ledgerOf([{ name: 'burst', most: 25, perMs: 10_000 }]);
  await owe(db.pool, effects(1));
  expect(await ledger.claim('first', 1)).toHaveLength(1);
  const services = Array.from({ length: 6 }, (_, i) => `service-${String(i)}`);
  for (const service of services) await owe(db.pool, effects(20), { service });
  // Each replica is on a connection of its own that has planned the claim before, so that they meet at the gate.
  const pools = services.map((service) => openPool(db.url, service, 1));
  await Promise.all(
    pools.map((pool) =>
      pool.query('select * from claim_effects($1, 0, $1, $2, $3, $2, $2, $2, $3, $3, $3, $2, $3, $2, $3, $3)', [
        'none',
        [],
        [],
      ]),
    ),
  );
  const replicas = pools.map((pool, i) => new Ledger(pool, services[i] ?? '', ledger.policies));
  const claimed = await Promise.all(replicas.map((replica) => replica.claim('me', 20)));
  await Promise.all(pools.map((pool) => pool.end()));
  expect(claimed.flat().length).toBe(24);
});

it('uses up no attempt of what finds no room, and leaves it as it is', async () => {
  await owe(db.pool, effects(3));
  const ledger = ledgerOf([{ name: 'one', most: 1, perMs: 10_000 }]);
  expect(await ledger.claim('me', 10)).toHaveLength(1);
  expect(await ledger.claim('me', 10)).toHaveLength(0);
  const { rows } = await db.pool.query('select attempts, refusals from effect where state = $1', ['owed']);
  expect(rows).toEqual(Array(2).fill({ attempts: 0, refusals: 0 }));
});

it('keeps the share of a call that a crash cut until the vendor can no longer count it', async () => {
  await owe(db.pool, effects(2));
  const ledger = ledgerOf([{ name: 'one', most: 1, perMs: 3_000 }]);
  expect(await ledger.claim('gone', 10)).toHaveLength(1);
  await db.moveClock(10_000 + 2_500);
  expect(await ledger.claim('me', 10)).toHaveLength(0);
  await db.moveClock(600);
  expect(await ledger.claim('me', 10)).toHaveLength(1);
});

it('lets a narrow limit of one kind take no room from another kind of the vendor', async () => {
  const wide: VendorLimit = { name: 'wide', most: 20, perMs: 10_000 };
  const both = new Ledger(db.pool, 'toy-service', [
    { kind: 'toy.search', deadlineMs: 5_000, maxRepeats: 0, limits: [wide, { name: 'search', most: 2, perMs: 1_000 }] },
    { kind: 'toy.read', deadlineMs: 5_000, maxRepeats: 0, limits: [{ ...wide, takes: 2 }] },
  ]);
  await owe(db.pool, [...effects(50, { kind: 'toy.search' }), ...effects(50, { kind: 'toy.read' })]);
  const kinds = (await both.claim('me', 50)).map((c) => c.kind).sort();
  expect(kinds).toEqual([...Array<string>(9).fill('toy.read'), ...Array<string>(2).fill('toy.search')]);
});

it('holds a job’s share until its end, beyond the call’s return', async () => {
  const ledger = ledgerOf([{ name: 'jobs', most: 2, jobMs: 3_600_000 }]);
  const [a, b, c, d] = effects(4);
  await owe(
    db.pool,
    [a, b, c, d].map((e) => e ?? effect()),
  );
  const first = await ledger.claim('me', 10);
  expect(first).toHaveLength(2);
  await ledger.settle(sure(first[0]), done);
  await ledger.settle(sure(first[1]), { state: 'dead', code: 'no', message: '' });
  // The refused order made no job; the accepted one did.
  const second = await ledger.claim('me', 10);
  expect(second).toHaveLength(1);
  await ledger.settle(sure(second[0]), done);
  await db.moveClock(60_000);
  expect(await ledger.claim('me', 10)).toHaveLength(0);
  await owe(db.pool, [], { released: [sure(first[0]).slot] });
  const third = await ledger.claim('me', 10);
  expect(third).toHaveLength(1);
  await ledger.settle(sure(third[0]), done);
  expect(new Set(slots([...first, ...second, ...third]))).toHaveProperty('size', 4);
});

it('gives a job’s share back by age when its end was never heard of', async () => {
  const ledger = ledgerOf([{ name: 'jobs', most: 1, jobMs: 60_000 }]);
  await owe(db.pool, effects(2));
  const [job] = await ledger.claim('me', 10);
  await ledger.settle(sure(job), done);
  await db.moveClock(59_000);
  expect(await ledger.claim('me', 10)).toHaveLength(0);
  await db.moveClock(1_100);
  expect(await ledger.claim('me', 10)).toHaveLength(1);
});

it('lets a job whose first call was lost be repeated on the share that it has', async () => {
  const ledger = ledgerOf([{ name: 'jobs', most: 1, jobMs: 3_600_000 }]);
  await owe(db.pool, effects(2));
  const [job] = await ledger.claim('me', 10);
  await ledger.settle(sure(job), { state: 'unknown', code: 'deadline', afterMs: 0 });
  await ledger.reconcile();
  const [again, ...others] = await ledger.claim('me', 10);
  expect([again?.slot, again?.attempt, others]).toEqual([job?.slot, 2, []]);
  // Refused as still under way: the first call made the job, so its share stays taken.
  await ledger.settle(sure(again), { state: 'owed', code: 'in-progress', afterMs: 60_000, refused: true });
  expect(await ledger.claim('me', 10)).toHaveLength(0);
});

it('pauses a limit for all replicas and services when the vendor says that it is used up', async () => {
  const limits: VendorLimit[] = [{ name: 'ten-secondly', most: 100, perMs: 10_000, pausedBy: ['TEN_SECONDLY'] }];
  const one = ledgerOf(limits);
  const other = ledgerOf(limits, { service: 'other-service' });
  await owe(db.pool, effects(2));
  await owe(db.pool, effects(2), { service: 'other-service' });
  const [call, second] = await one.claim('me', 2);
  await one.settle(sure(second), { state: 'owed', code: 'LOCKED', afterMs: 2_000, refused: true });
  expect(await other.claim('me', 1)).toHaveLength(1);
  await one.settle(sure(call), { state: 'owed', code: 'TEN_SECONDLY', afterMs: 7_000, refused: true });
  expect(await other.claim('me', 10)).toHaveLength(0);
  expect((await gates(db.pool)).gates[0]?.limits[0]?.pausedUntil).toBeInstanceOf(Date);
  await db.moveClock(7_100);
  expect(await other.claim('me', 10)).toHaveLength(1);
  expect(await one.claim('me', 10)).toHaveLength(2);
});

it('tries a limit that the vendor has stopped with one call at a time, until one is done', async () => {
  const ledger = ledgerOf([{ name: 'jobs', most: 5, jobMs: 3_600_000, stoppedBy: ['NO_CREDIT'] }]);
  await owe(db.pool, effects(20));
  const poor = { state: 'owed', code: 'NO_CREDIT', afterMs: 300_000, refused: true } as const;
  for (const call of await ledger.claim('me', 10)) await ledger.settle(call, poor);
  for (let rounds = 0; rounds < 3; rounds += 1) {
    expect(await ledger.claim('me', 10)).toHaveLength(0);
    await db.moveClock(300_100);
    const [probe, ...others] = await ledger.claim('me', 10);
    expect(others).toEqual([]);
    expect(await ledger.claim('other', 10)).toHaveLength(0);
    await ledger.settle(sure(probe), poor);
  }
  await db.moveClock(300_100);
  const [odd] = await ledger.claim('me', 10);
  // A probe that says nothing of the credit leaves it to the next one.
  await ledger.settle(sure(odd), { state: 'dead', code: 'policy', message: '' });
  const [probe, ...others] = await ledger.claim('me', 10);
  expect(others).toEqual([]);
  await ledger.settle(sure(probe), done);
  expect(await ledger.claim('me', 10)).toHaveLength(4);
});

it('pauses a day that the vendor says is used up until it ends in the account’s time zone', async () => {
  const zone = 'Asia/Kolkata';
  const ledger = ledgerOf([{ name: 'daily', most: 100, dayIn: zone, spentBy: 'DAILY', pausedBy: ['REVOKED'] }]);
  await owe(db.pool, effects(2));
  const [call] = await ledger.claim('me', 1);
  await ledger.settle(sure(call), { state: 'owed', code: 'DAILY', afterMs: 1_000, refused: true });
  const { rows } = await db.pool.query<{ ms: number }>(
    `select extract(epoch from ((refrain_now() at time zone $1)::date + 1)::timestamp at time zone $1
       - refrain_now())::float8 * 1000 as ms`,
    [zone],
  );
  const left = rows[0]?.ms ?? 0;
  await db.moveClock(left - 1_000);
  expect(await ledger.claim('me', 10)).toHaveLength(0);
  await db.moveClock(left + 1_000);
  expect(await ledger.claim('me', 10)).toHaveLength(2);
});

it('counts a day until midnight of the account’s time zone, with what is under way at its turn', async () => {
  const zone = 'America/New_York';
  const ledger = ledgerOf([{ name: 'daily', most: 5, dayIn: zone }]);
  const { rows } = await db.pool.query<{ ms: number }>(
    `select extract(epoch from ((statement_timestamp() at time zone $1)::date + 2)::timestamp at time zone $1
       - statement_timestamp())::float8 * 1000 as ms`,
    [zone],
  );
  await db.moveClock((rows[0]?.ms ?? 0) - 3_600_000);
  await owe(db.pool, effects(20));
  const first = await ledger.claim('me', 20);
  expect(first).toHaveLength(5);
  for (const call of first.slice(0, 3)) await ledger.settle(call, done);
  await db.moveClock(3_590_000);
  expect(await ledger.claim('me', 20)).toHaveLength(0);
  const [limit] = (await gates(db.pool)).gates[0]?.limits ?? [];
  expect(limit).toMatchObject({ name: 'daily', most: 5, free: 0 });
  expect(Math.abs((limit?.dayEnds?.getTime() ?? 0) - (await now()) - 10_000)).toBeLessThan(2_000);
  // Two calls of yesterday are renewed as under way: the vendor may count them today.
  await db.pool.query(`update permit set until = refrain_now() + interval '20 seconds' where until > refrain_now()`);
  await db.pool.query(`update permit p set until = refrain_now() + interval '20 seconds' from effect e
    where e.slot = p.slot and e.state = 'running'`);
  await db.moveClock(10_500);
  expect(await ledger.claim('me', 20)).toHaveLength(3);
  expect(await ledger.claim('me', 20)).toHaveLength(0);
});

it('takes more of a limit for a later attempt, where that may have to look first', async () => {
  const ledger = ledgerOf([{ name: 'window', most: 4, takesAgain: 3, perMs: 10_000 }]);
  await owe(db.pool, effects(2));
  const [first, second] = await ledger.claim('me', 10);
  await ledger.settle(sure(first), { state: 'owed', code: 'later', afterMs: 0, refused: false });
  await ledger.settle(sure(second), done);
  await db.moveClock(10_100);
  await owe(db.pool, effects(3));
  const claimed = await ledger.claim('me', 10);
  expect(claimed.map(({ attempt }) => attempt).sort()).toEqual([1, 2]);
  expect((await gates(db.pool)).gates[0]?.limits[0]?.free).toBe(0);
});
