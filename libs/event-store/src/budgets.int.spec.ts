import { randomUUID } from 'node:crypto';
import { budgetBooks, raiseBudget, setReplayBudget, tellExhausted } from './budgets';
import { eraseEffects } from './erasure';
import { Ledger } from './ledger';
import type { ClaimedEffect } from './shapes';
import { redo, resolveHeld } from './operations';
import { moveReplay, requestReplay } from './replays';
import type { Budgets } from './spend';
import { effect, effects, owe, sure } from './testing/owing';
import { books, owePaid, PAID, payer, settleAll } from './testing/spending';
import { testDatabase, type TestDatabase } from './testing/test-database';
import { openPool } from './pool';
import { transact } from './transaction';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
  await db.pool.query(`update clock set stopped_at = '2026-11-21T10:00:00Z'`);
});
afterEach(() => db.drop());

const perDay = (perTenant: number) => payer(db.pool, () => ({ perTenant }));
const tenants = (claimed: ClaimedEffect[]) => claimed.map(({ tenant }) => tenant).sort();
const settled = (call: ClaimedEffect, usd: number) =>
  owe(db.pool, [], { settledSpend: [{ slot: call.slot, generation: call.generation, usd }] });
const waiting = async () =>
  (await db.pool.query<{ slot: string }>('select slot from effect where waits_for is not null order by seq')).rows;

it('makes as many calls as a day’s budget has room for, and lets the rest wait, owed still', async () => {
  const ledger = perDay(2);
  await owePaid(db.pool, 9, 0.5);
  expect(await ledger.claim('me', 20)).toHaveLength(4);
  expect(await ledger.claim('me', 20)).toHaveLength(0);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 2, left: 0 } });
  const { rows } = await db.pool.query('select attempts, refusals, code from effect where state = $1', ['owed']);
  expect(rows).toEqual(Array(5).fill({ attempts: 0, refusals: 0, code: 'budget-exhausted' }));
});

it('never spends the same money twice, however many replicas of several services and vendors claim at once', async () => {
  const services = Array.from({ length: 6 }, (_, i) => `service-${String(i)}`);
  for (const [i, service] of services.entries()) {
    const owed = effects(20, { kind: `vendor${String(i % 3)}.call`, spend: { usd: 0.3 } });
    await owe(db.pool, owed, { service });
  }
  const pools = services.map((service) => openPool(db.url, service, 1));
  const replicas = pools.map((pool, i) => {
    const policy = { ...PAID, kind: `vendor${String(i % 3)}.call` };
    return new Ledger(pool, services[i] ?? '', [policy], () => ({ perTenant: 10 }));
  });
  // Each is on a connection of its own that has planned the claim before, so that they meet at the book.
  await Promise.all(replicas.map((replica) => replica.claim('warm', 0)));
  const claimed: ClaimedEffect[] = [];
  for (let round = 0; round < 5; round += 1)
    claimed.push(...(await Promise.all(replicas.map((replica) => replica.claim('me', 3)))).flat());
  await Promise.all(pools.map((pool) => pool.end()));
  expect(claimed).toHaveLength(33);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 9.9, left: 0.1 } });
});

it('goes on with other tenants and recipes, behind however many that wait', async () => {
  const budgets: Budgets = { tenants: { poor: 1 }, recipes: { dear: 2 } };
  const ledger = payer(db.pool, () => budgets);
  await owePaid(db.pool, 300, 1, { tenant: 'poor' });
  await owePaid(db.pool, 300, 1, { tenant: 'rich', recipe: 'dear' });
  await owePaid(db.pool, 3, 1, { tenant: 'rich', recipe: 'cheap' });
  const claimed = [await ledger.claim('me', 5), await ledger.claim('me', 5), await ledger.claim('me', 5)].flat();
  expect(tenants(claimed)).toEqual(['poor', ...Array<string>(5).fill('rich')]);
  expect(Object.keys(await books(db.pool))).toEqual(['poor', 'rich/dear']);
});

it('holds a recipe’s budget for each tenant by itself, within the tenant’s own', async () => {
  const ledger = payer(db.pool, () => ({ perTenant: 3, recipes: { one: 2 } }));
  await owePaid(db.pool, 5, 1, { tenant: 'a', recipe: 'one' });
  await owePaid(db.pool, 5, 1, { tenant: 'a', recipe: 'two' });
  await owePaid(db.pool, 5, 1, { tenant: 'b', recipe: 'one' });
  expect(tenants(await ledger.claim('me', 20))).toEqual(['a', 'a', 'a', 'b', 'b']);
  expect(await books(db.pool)).toMatchObject({
    a: { left: 0 },
    'a/one': { left: 0 },
    b: { left: 1 },
    'b/one': { left: 0 },
  });
});

it('reserves once for all repeats of a call, also over midnight', async () => {
  const ledger = perDay(1);
  await owePaid(db.pool, 2, 1);
  const [call] = await ledger.claim('me', 10);
  await ledger.settle(sure(call), { state: 'unknown', code: 'deadline', afterMs: 0 });
  await db.moveClock(14 * 3_600_000);
  await ledger.sweep();
  await ledger.reconcile();
  const again = await ledger.claim('me', 10);
  // Yesterday's call is repeated on what it reserved yesterday; the one that waited reserves of today's.
  expect(again.map(({ attempt }) => attempt).sort()).toEqual([1, 2]);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 1, left: 0 } });
});

it('gives back what was certainly not made, and keeps what may have been', async () => {
  const ledger = perDay(4);
  await owePaid(db.pool, 4, 1);
  const [refused, dead, unknown, crashed] = (await ledger.claim('me', 10)).map((call) => call);
  await ledger.settle(sure(refused), { state: 'owed', code: '429', afterMs: 60_000, refused: true });
  await ledger.settle(sure(dead), { state: 'dead', code: 'no', message: '' });
  await ledger.settle(sure(unknown), { state: 'unknown', code: 'deadline', afterMs: 600_000 });
  expect(crashed).toBeDefined();
  await db.moveClock(11_000);
  await ledger.expire();
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 2, left: 2 } });
});

it('books what a dead call cost all the same: an answer of no use is paid for', async () => {
  const ledger = perDay(1);
  await owePaid(db.pool, 1, 1);
  const [call] = await ledger.claim('me', 10);
  await ledger.settle(sure(call), { state: 'dead', code: 'schema', message: '', cost: { usd: 0.4 } });
  expect(await books(db.pool)).toEqual({ default: { spent: 0.4, reserved: 0, left: 0.6 } });
});

it('reserves and books a call once that several owners share, in the budgets of the first', async () => {
  const ledger = payer(db.pool, () => ({ perTenant: 3, recipes: { one: 1, two: 1 } }));
  const asks = (recipe: string) =>
    effect({
      // In one batch they are owed in the order of their slots.
      slot: `${recipe}-${randomUUID()}`,
      kind: PAID.kind,
      shares: 'default|paid.call|content',
      spend: { usd: 1 },
      meta: { rootCause: 'cause', causedBy: 'cause', recipes: [`${recipe}@1`] },
    });
  await owe(db.pool, [asks('one'), asks('two')]);
  const [call, other] = await ledger.claim('me', 10);
  expect(other).toBeUndefined();
  expect(await books(db.pool)).toMatchObject({ default: { reserved: 1 }, 'default/one': { reserved: 1 } });
  await ledger.settle(sure(call), { state: 'done', answer: null, cost: { usd: 0.25 } });
  await owe(db.pool, [asks('two')]);
  expect(await ledger.claim('me', 10)).toEqual([]);
  expect(await books(db.pool)).toEqual({
    default: { spent: 0.25, reserved: 0, left: 2.75 },
    'default/one': { spent: 0.25, reserved: 0, left: 0.75 },
  });
});

it('keeps what a call reserved that was unknown once, whatever its repeat is answered, until a person knows', async () => {
  const ledger = perDay(1);
  const [slot] = await owePaid(db.pool, 1, 1);
  const [call] = await ledger.claim('me', 10);
  await ledger.settle(sure(call), { state: 'unknown', code: 'deadline', afterMs: 0 });
  await ledger.reconcile();
  const [again] = await ledger.claim('me', 10);
  await ledger.settle(sure(again), { state: 'owed', code: '429', afterMs: 0, refused: true });
  const [third] = await ledger.claim('me', 10);
  await ledger.settle(sure(third), { state: 'unknown', code: 'deadline', afterMs: 0 });
  await ledger.reconcile();
  expect(await books(db.pool)).toMatchObject({ default: { reserved: 1 } });
  await resolveHeld(db.pool, { slot: sure(slot), generation: 1 }, { state: 'dead', code: 'not made' });
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 0, left: 1 } });
});

it('books what a call cost really: what is left grows or shrinks by it, however often it is told', async () => {
  const ledger = perDay(3);
  await owePaid(db.pool, 3, 1);
  const [shorter, longer, failed] = await ledger.claim('me', 10);
  await settleAll(ledger, [sure(shorter), sure(longer), sure(failed)]);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 3, left: 0 } });
  await settled(sure(shorter), 0.25);
  await settled(sure(shorter), 0.25);
  expect(await books(db.pool)).toEqual({ default: { spent: 0.25, reserved: 2, left: 0.75 } });
  await settled(sure(longer), 1.5);
  await settled(sure(failed), 0);
  expect(await books(db.pool)).toEqual({ default: { spent: 1.75, reserved: 0, left: 1.25 } });
  // It was said to have failed, and came after all.
  await settled(sure(failed), 1);
  expect(await books(db.pool)).toEqual({ default: { spent: 2.75, reserved: 0, left: 0.25 } });
});

it('books at once what the answer of a call says that it cost', async () => {
  const ledger = perDay(1);
  await owePaid(db.pool, 1, 1);
  const [call] = await ledger.claim('me', 10);
  await ledger.settle(sure(call), { state: 'done', answer: null, cost: { usd: 0.000123, inputTokens: 5 } });
  expect(await books(db.pool)).toEqual({ default: { spent: 0.000123, reserved: 0, left: 0.999877 } });
});

it('thinks of a call as of the dearest of the last ten like it', async () => {
  const ledger = perDay(100);
  await owePaid(db.pool, 3, 5, { like: 'template' });
  const known = await ledger.claim('me', 10);
  for (const [i, call] of known.entries()) await settled(call, [0.25, 0.5, 0][i] ?? 0);
  await owePaid(db.pool, 1, 5, { like: 'template' });
  await owePaid(db.pool, 1, 5, { like: 'other' });
  await ledger.claim('me', 10);
  expect(await books(db.pool)).toMatchObject({ default: { spent: 0.75, reserved: 5.5 } });
});

it('lets what waits go on when the day turns in the tenant’s own time zone', async () => {
  const ledger = payer(db.pool, () => ({ perTenant: 1, zones: { east: 'Asia/Tokyo' } }));
  await owePaid(db.pool, 2, 1, { tenant: 'east' });
  await owePaid(db.pool, 2, 1, { tenant: 'west' });
  expect(tenants(await ledger.claim('me', 10))).toEqual(['east', 'west']);
  // 10:00 UTC is 19:00 in Tokyo.
  await db.moveClock(5 * 3_600_000 + 1_000);
  await ledger.sweep();
  expect(tenants(await ledger.claim('me', 10))).toEqual(['east']);
  await db.moveClock(9 * 3_600_000);
  await ledger.sweep();
  expect(tenants(await ledger.claim('me', 10))).toEqual(['west']);
  const days = (await budgetBooks(db.pool)).map(({ tenant, day }) => [tenant, day]);
  expect(days).toEqual([
    ['east', '2026-11-22'],
    ['west', '2026-11-22'],
  ]);
});

it('lets as many go on as there is room for, the oldest first, when the budget is declared higher or raised', async () => {
  let perTenant = 1;
  const ledger = payer(db.pool, () => ({ perTenant }));
  // In one batch they are owed in the order of their slots.
  const slots = (await owePaid(db.pool, 5, 1)).sort();
  await settleAll(ledger, await ledger.claim('me', 10));
  await ledger.sweep();
  expect(await ledger.claim('me', 10)).toHaveLength(0);
  perTenant = 2;
  await ledger.sweep();
  expect((await ledger.claim('me', 10)).map(({ slot }) => slot)).toEqual([slots[1]]);
  expect(await raiseBudget(db.pool, { tenant: 'default', usd: 2, by: 'ada' })).toBe(true);
  expect(await raiseBudget(db.pool, { tenant: 'nobody', usd: 2, by: 'ada' })).toBe(false);
  await ledger.sweep();
  expect((await waiting()).map(({ slot }) => slot)).toEqual([slots[4]]);
  expect(await ledger.claim('me', 10)).toHaveLength(2);
});

it('lets what waits go on when it is settled that earlier calls were cheaper, or a budget is declared no more', async () => {
  let budgets: Budgets = { perTenant: 1 };
  const ledger = payer(db.pool, () => budgets);
  await owePaid(db.pool, 4, 0.6);
  const [first] = await ledger.claim('me', 10);
  expect(await waiting()).toHaveLength(3);
  await settled(sure(first), 0.4);
  await ledger.sweep();
  expect(await ledger.claim('me', 10)).toHaveLength(1);
  budgets = {};
  await ledger.sweep();
  expect(await ledger.claim('me', 10)).toHaveLength(2);
});

it('says once for each budget and day, on the log, that it is exhausted', async () => {
  const ledger = payer(db.pool, () => ({ perTenant: 1, recipes: { one: 0.5 } }));
  await owePaid(db.pool, 3, 0.5, { recipe: 'one' });
  await owePaid(db.pool, 3, 0.5);
  await ledger.claim('me', 10);
  const told = [await ledger.sweep(), await ledger.sweep(), await tellExhausted(db.pool, 'toy-service')].flat();
  expect(told.map(({ scope, name }) => [scope, name])).toEqual(
    expect.arrayContaining([
      ['tenant', undefined],
      ['recipe', 'one'],
    ]),
  );
  await raiseBudget(db.pool, { tenant: 'default', usd: 0.5, by: 'ada' });
  await ledger.sweep();
  await ledger.claim('me', 10);
  expect(await ledger.sweep()).toEqual([]);
  const events = async () =>
    (await db.pool.query(`select stream_id, type, data from event order by stream_id`)).rows as {
      stream_id: string;
      data: unknown;
    }[];
  expect(await events()).toMatchObject([
    { stream_id: 'budget-default:budget:recipe-one:2026-11-21', type: 'refrain.budget.exhausted.v1' },
    {
      stream_id: 'budget-default:budget:tenant:2026-11-21',
      data: {
        ...{ scope: 'tenant', day: '2026-11-21', limitUsd: 1, spentUsd: 0, reservedUsd: 1, waiting: 2 },
        goesOnAt: '2026-11-22T00:00:00.000Z',
        remedy: 'wait for the next day, or raise it: refrain budgets raise --tenant default <usd>',
      },
    },
  ]);
  await db.moveClock(24 * 3_600_000);
  await ledger.sweep();
  await ledger.claim('me', 10);
  await ledger.sweep();
  expect((await events()).length).toBeGreaterThan(2);
});

it('bounds what a replay spends, and lets it go on when that is raised', async () => {
  const id = await requestReplay(db.pool, { service: 'toy-service', topic: 't', selection: {}, by: 'ada' });
  await moveReplay(db.pool, id, ['requested'], 'planned');
  expect(await setReplayBudget(db.pool, id, 1)).toBe(true);
  const ledger = payer(db.pool, () => ({}));
  await owePaid(db.pool, 3, 1, { replayId: id, lane: 'replay' });
  await owePaid(db.pool, 1, 1);
  expect(await ledger.claim('me', 10)).toHaveLength(2);
  expect(await ledger.sweep()).toMatchObject([
    { tenant: '', scope: 'replay', name: id, remedy: `raise it: refrain replay budget ${id} <usd>` },
  ]);
  await setReplayBudget(db.pool, id, 3);
  await ledger.sweep();
  expect(await ledger.claim('me', 10)).toHaveLength(2);
});

it('asks nothing of calls that no budget is for', async () => {
  const ledger = payer(db.pool, () => ({ tenants: { other: 1 } }));
  await owePaid(db.pool, 3, 1);
  await owe(db.pool, effects(2, { kind: PAID.kind }));
  await settleAll(ledger, await ledger.claim('me', 10));
  const { rows } = await db.pool.query(
    'select (select count(*)::int from spend) + (select count(*)::int from spend_book) as n',
  );
  expect([rows, await waiting()]).toEqual([[{ n: 0 }], []]);
});

it('reserves anew for a redo, which costs once more', async () => {
  const ledger = perDay(3);
  const [slot] = await owePaid(db.pool, 1, 1);
  await settleAll(ledger, await ledger.claim('me', 10));
  await redo(db.pool, sure(slot));
  await ledger.claim('me', 10);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 2, left: 1 } });
});

it('forgets of an erased subject what waited, and keeps what was reserved', async () => {
  const ledger = perDay(1);
  await owePaid(db.pool, 3, 1);
  await ledger.claim('me', 10);
  const erasing = { service: 'toy-service', tenant: 'default', subject: 'contact:1', inputKeys: [] };
  await transact(db.pool, 'toy-service', [], (tx) => eraseEffects(tx, erasing));
  expect((await budgetBooks(db.pool)).map((b) => [b.reservedUsd, b.waiting])).toEqual([[1, 0]]);
});
