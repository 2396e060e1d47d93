import { budgetBooks, raiseBudget, setReplayBudget } from './budgets';
import { eraseEffects } from './erasure';
import { gathering } from './jobs';
import { Ledger } from './ledger';
import { openPool } from './pool';
import { moveReplay, requestReplay } from './replays';
import type { ClaimedEffect, NewEffect } from './shapes';
import type { Budgets } from './spend';
import { effect, owe, sure } from './testing/owing';
import { books, done, PAID } from './testing/spending';
import { testDatabase, type TestDatabase } from './testing/test-database';
import { until } from './testing/until';
import { transact } from './transaction';

// What a job carries costs half of what it costs by itself, and spends of the same budgets.

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
  await db.pool.query(`update clock set stopped_at = '2026-11-21T10:00:00Z'`);
});
afterEach(() => db.drop());

const policies = [PAID, { kind: 'paid.job', deadlineMs: 5_000, maxRepeats: 9 }];
const ledgerOf = (budgets: () => Budgets, pool = db.pool) => new Ledger(pool, 'toy-service', policies, budgets);
const perDay = (perTenant: number) => ledgerOf(() => ({ perTenant }));
const company = gathering('paid.job', 'default', 'm');
const spec = { kind: 'paid.job', most: 100, mostBytes: 100_000, afterMs: 0, rate: 0.5 };

let named = 0;
/** Owes calls of a dollar each that wait for a job. */
async function patient(n: number, over: Partial<NewEffect> = {}, recipe?: string): Promise<void> {
  const meta = { rootCause: 'cause', causedBy: 'cause', recipes: recipe ? [`${recipe}@1`] : undefined };
  const common = { kind: PAID.kind, lane: 'batch', gathers: company, spend: { usd: 1 }, meta } as const;
  const owed = Array.from({ length: n }, () => {
    named += 1;
    return effect({ ...common, slot: `patient-${String(named).padStart(4, '0')}`, ...over });
  });
  await owe(db.pool, owed);
}

/** The job that is claimed next, and what it carries. */
async function nextJob(ledger: Ledger): Promise<{ job: ClaimedEffect; carried: ClaimedEffect[] }> {
  const claimed = await ledger.claim('me', 10);
  expect(claimed.map(({ kind }) => kind)).toEqual(['paid.job']);
  const job = sure(claimed[0]);
  return { job, carried: await ledger.carriedBy(job) };
}

async function gathered(ledger: Ledger): Promise<{ job: ClaimedEffect; carried: ClaimedEffect[] }> {
  expect(await ledger.gather([spec])).toBe(1);
  return nextJob(ledger);
}

const later = { state: 'owed', code: 'expired', afterMs: 0, refused: true } as const;
const waiting = async () => (await budgetBooks(db.pool)).map((book) => book.waiting);

it('takes into a job what its budgets have room for at the price of a job, before anything is sent', async () => {
  const ledger = perDay(2);
  await patient(9);
  const { carried } = await gathered(ledger);
  expect(carried).toHaveLength(4);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 2, left: 0 } });
  expect(await waiting()).toEqual([5]);
  expect(await ledger.gather([spec])).toBe(0);
  expect(await ledger.claim('me', 10)).toEqual([]);
  expect((await ledger.sweep()).map(({ scope, waiting: n }) => [scope, n])).toEqual([['tenant', 5]]);
  expect(await ledger.sweep()).toEqual([]);
});

it('makes no job where there is room for nothing, and none waits in the way of what has room', async () => {
  const ledger = ledgerOf(() => ({ perTenant: 10, recipes: { dear: 0.4 } }));
  await patient(3, {}, 'dear');
  expect(await ledger.gather([spec])).toBe(0);
  await patient(3, {}, 'dear');
  await patient(1, {}, 'cheap');
  const { carried } = await gathered(ledger);
  expect(carried).toHaveLength(1);
  expect(await books(db.pool)).toEqual({
    default: { spent: 0, reserved: 0.5, left: 9.5 },
    'default/dear': { spent: 0, reserved: 0, left: 0.4 },
  });
});

it('never spends the same money twice, however many replicas gather and claim at once', async () => {
  await patient(40, {}, 'one');
  await owe(
    db.pool,
    Array.from({ length: 20 }, () => effect({ kind: PAID.kind, spend: { usd: 0.3 } })),
  );
  const pools = Array.from({ length: 4 }, () => openPool(db.url, 'toy-service', 1));
  const replicas = pools.map((pool) => ledgerOf(() => ({ perTenant: 7.7, recipes: { one: 6 } }), pool));
  // Each is on a connection of its own that has planned its statements before, so that they meet at the book.
  await Promise.all(replicas.map((replica) => Promise.all([replica.claim('warm', 0), replica.gather([])])));
  for (let round = 0; round < 6; round += 1) {
    const some = { ...spec, most: 5 };
    await Promise.all(replicas.flatMap((one) => [one.gather([some]), one.claim('me', 2)]));
  }
  await Promise.all(pools.map((pool) => pool.end()));
  const { default: tenant, 'default/one': recipe } = await books(db.pool);
  expect([tenant?.left, recipe?.left].every((left) => left !== undefined && left >= 0)).toBe(true);
  expect(sure(tenant).left).toBeLessThan(0.3);
  const { rows } = await db.pool.query(
    `select sum(micros)::int as micros from spend where (slot, generation) in (select slot, generation from effect
       where state = 'running' and kind = 'paid.call' or starts_with(waits_for, '#job|'))`,
  );
  expect(rows).toEqual([{ micros: sure(tenant).reserved * 1_000_000 }]);
});

it('takes nothing for wanting room that another replica is about to reserve for it', async () => {
  const budgets = () => ({ perTenant: 2.5 });
  await patient(1);
  await gathered(ledgerOf(budgets));
  await patient(4);
  const pools = Array.from({ length: 2 }, () => openPool(db.url, 'toy-service', 1));
  const holder = await db.pool.connect();
  await holder.query('begin; select from spend_book for update');
  let ended = 0;
  // Of four for which there is room, bytes let two into a job.
  const two = { ...spec, mostBytes: 2 * JSON.stringify({ slot: 'patient-0001' }).length };
  const gathering = pools.map((pool) =>
    ledgerOf(budgets, pool)
      .gather([two])
      .finally(() => (ended += 1)),
  );
  await until(async () => {
    const { rows } = await db.pool.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return ended + (rows[0]?.n ?? 0) === 2;
  });
  await holder.query('commit');
  holder.release();
  expect((await Promise.all(gathering)).sort()).toEqual([0, 1]);
  await Promise.all(pools.map((pool) => pool.end()));
  expect([await waiting(), await ledgerOf(budgets).sweep()]).toEqual([[0], []]);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 1.5, left: 1 } });
});

it('books what an answer cost, and lets as many go on as there is room for, in company, when that was less', async () => {
  const ledger = perDay(1);
  await patient(6);
  const { job, carried } = await gathered(ledger);
  expect(carried).toHaveLength(2);
  for (const one of carried)
    await ledger.settleCarried(job, one, { ...done, cost: { usd: 0.1 } } as typeof done, { company });
  await ledger.settle(job, done);
  expect(await books(db.pool)).toEqual({ default: { spent: 0.2, reserved: 0, left: 0.8 } });
  // However often it is looked, no more are let go than there is room for.
  for (let n = 0; n < 3; n += 1) await ledger.sweep();
  expect(await waiting()).toEqual([3]);
  // It waits for company anew, else each half dollar that comes free would be a job.
  expect(await ledger.gather([{ ...spec, afterMs: 60_000 }])).toBe(0);
  await db.moveClock(61_000);
  expect((await gathered(ledger)).carried).toHaveLength(1);
  expect(await raiseBudget(db.pool, { tenant: 'default', usd: 5, by: 'ada' })).toBe(true);
  await ledger.sweep();
  expect(await waiting()).toEqual([0]);
  expect(await ledger.claim('me', 10)).toEqual([]);
  expect((await gathered(ledger)).carried).toHaveLength(3);
  expect(await books(db.pool)).toEqual({ default: { spent: 0.2, reserved: 2, left: 3.8 } });
});

it('gives back what was certainly not asked, and reserves it once more for the next job, of the day that is then', async () => {
  const ledger = perDay(1);
  await patient(2);
  const { job, carried } = await gathered(ledger);
  expect(await books(db.pool)).toMatchObject({ default: { reserved: 1 } });
  const [expired, dead] = carried;
  await ledger.settleCarried(job, sure(dead), { state: 'dead', code: 'no', message: '' }, { company });
  expect(await books(db.pool)).toMatchObject({ default: { reserved: 0.5 } });
  await db.moveClock(14 * 3_600_000);
  await ledger.settleCarried(job, sure(expired), later, { company });
  await ledger.settle(job, done);
  const next = await gathered(ledger);
  expect(next.carried.map(({ slot }) => slot)).toEqual([expired?.slot]);
  const { rows } = await db.pool.query<{ day: string; reserved: string }>(
    `select day::text, reserved from spend_book order by day`,
  );
  expect(rows).toEqual([
    { day: '2026-11-21', reserved: '0' },
    { day: '2026-11-22', reserved: '500000' },
  ]);
});

it('keeps what may be paid for, whatever comes next, and asks again only where there is room once more', async () => {
  const ledger = perDay(1.2);
  await patient(2);
  const first = await gathered(ledger);
  for (const one of first.carried)
    await ledger.settleCarried(first.job, one, { ...later, refused: false }, { company, mayBePaid: true });
  await ledger.settle(first.job, done);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 1, left: 0.2 } });
  expect(await ledger.gather([spec])).toBe(0);
  expect(await waiting()).toEqual([2]);
  await raiseBudget(db.pool, { tenant: 'default', usd: 0.3, by: 'ada' });
  await ledger.sweep();
  const { job, carried } = await gathered(ledger);
  expect(carried).toHaveLength(1);
  // Nothing of it gives the first one's back.
  await ledger.settleCarried(job, sure(carried[0]), { state: 'dead', code: 'no', message: '' }, { company });
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 1, left: 0.5 } });
});

it('reserves the full price for what leaves its job to go by itself, and lets it wait for that', async () => {
  const ledger = perDay(1.5);
  await patient(3);
  const { job, carried } = await gathered(ledger);
  expect(carried).toHaveLength(3);
  for (const one of carried) await ledger.settleCarried(job, one, later, {});
  await ledger.settle(job, done);
  expect(await books(db.pool)).toMatchObject({ default: { reserved: 0 } });
  expect(await ledger.claim('me', 10)).toHaveLength(1);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 1, left: 0.5 } });
  // Half a dollar is room for none of them, and they do not go back to a job.
  await ledger.sweep();
  expect(await ledger.gather([spec])).toBe(0);
  expect(await waiting()).toEqual([2]);
  await raiseBudget(db.pool, { tenant: 'default', usd: 0.5, by: 'ada' });
  await ledger.sweep();
  expect(await ledger.claim('me', 10)).toHaveLength(1);
});

it('reserves in full for a live call that takes one out of its company, or out of its wait for a budget', async () => {
  const ledger = perDay(1);
  const shared = (content: string, over: Partial<NewEffect> = {}) =>
    patient(1, { shares: `default|paid.call|${content}`, ...over });
  const live = { lane: 'live', gathers: undefined } as const;
  await shared('x');
  await shared('x', live);
  const [x] = await ledger.claim('me', 10);
  expect(await books(db.pool)).toMatchObject({ default: { reserved: 1 } });
  await shared('y');
  expect(await ledger.gather([spec])).toBe(0);
  await shared('y', live);
  await ledger.settle(sure(x), { state: 'done', answer: null, cost: { usd: 0.5 } });
  await ledger.sweep();
  // Half a dollar is left: room in a job, but somebody waits for it now.
  expect([await ledger.gather([spec]), await ledger.claim('me', 10)]).toEqual([0, []]);
  await raiseBudget(db.pool, { tenant: 'default', usd: 0.5, by: 'ada' });
  await ledger.sweep();
  expect((await ledger.claim('me', 10)).map(({ slot }) => slot)).toEqual(['default|paid.call|y']);
  expect(await books(db.pool)).toEqual({ default: { spent: 0.5, reserved: 1, left: 0 } });
});

it('bounds what a replay by jobs spends, and lets it go on when that is raised', async () => {
  const selection = { service: 'toy-service', topic: 't', selection: {}, by: 'ada', batch: true };
  const id = await requestReplay(db.pool, selection);
  await moveReplay(db.pool, id, ['requested'], 'planned');
  expect(await setReplayBudget(db.pool, id, 1)).toBe(true);
  const ledger = ledgerOf(() => ({}));
  await patient(3, { meta: { rootCause: 'cause', causedBy: 'cause', replayId: id } });
  await patient(1);
  expect((await gathered(ledger)).carried).toHaveLength(3);
  expect(await ledger.sweep()).toMatchObject([{ scope: 'replay', name: id }]);
  await setReplayBudget(db.pool, id, 3);
  await ledger.sweep();
  expect((await gathered(ledger)).carried).toHaveLength(1);
});

it('keeps what was reserved for an erased call under way; its content, asked by somebody else, reserves anew', async () => {
  const ledger = perDay(3);
  const shares = 'default|paid.call|content';
  await patient(1, { shares });
  const { job } = await gathered(ledger);
  const erasing = { service: 'toy-service', tenant: 'default', subject: 'contact:1', inputKeys: [] };
  await transact(db.pool, 'toy-service', [], (tx) => eraseEffects(tx, erasing));
  expect(await ledger.carriedBy(job)).toEqual([]);
  await ledger.settle(job, done);
  await patient(1, { shares, lane: 'live', gathers: undefined, subject: 'contact:2' });
  expect(await ledger.claim('me', 10)).toHaveLength(1);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 1.5, left: 1.5 } });
});

it('reserves nothing where no budget is for it', async () => {
  for (const budgets of [{}, { tenants: { other: 1 } }]) {
    const ledger = ledgerOf(() => budgets);
    await patient(2);
    const { job, carried } = await gathered(ledger);
    for (const one of carried)
      await ledger.settleCarried(job, one, { state: 'done', answer: null, cost: { usd: 1 } }, { company });
    await ledger.settle(job, done);
  }
  expect((await db.pool.query('select from spend union all select from spend_book')).rows).toEqual([]);
});
