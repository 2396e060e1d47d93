import { moveReplay, requestReplay } from '#libs/event-store';
import { owePaid, payer, settleAll } from '../libs/event-store/src/testing/spending';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { refrain as command } from './testing/command';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.drop());

const refrain = (...args: string[]) => command(args, { DATABASE_URL: db.url });

it('says what is spent, reserved and left of today, what waits, and what the day comes to', async () => {
  expect((await refrain('budgets')).said).toContain('Nothing was asked of a budget today');
  const ledger = payer(db.pool, () => ({ perTenant: 2 }));
  await owePaid(db.pool, 5, 0.75);
  await settleAll(ledger, await ledger.claim('me', 10));
  await db.pool.query(`update spend_book set ends = now() + interval '2 hours'`);

  const { said } = await refrain('budgets');
  expect(said).toMatch(/^default {2}all recipes {2}\d{4}-\d\d-\d\d\n/);
  expect(said).toContain('  $0.50 of $2.00 left: $0.00 spent, $1.50 reserved\n');
  expect(said).toMatch(/forecast for the day \$4\.(50|49), by the last hour\n/);
  expect(said).toContain('  3 calls wait until ');

  const raised = await refrain('budgets', 'raise', '1.5', '--tenant', 'default', '--by', 'ada');
  expect(raised.said).toBe('Added $1.50 for the tenant default, until the day ends.\n');
  const { budgets } = JSON.parse((await refrain('budgets', '--json')).said) as { budgets: unknown[] };
  expect(budgets).toMatchObject([{ tenant: 'default', scope: 'tenant', limitUsd: 3.5, reservedUsd: 1.5, waiting: 3 }]);
});

it('says what it cannot raise, and what is no amount', async () => {
  expect((await refrain('budgets', 'raise', '5', '--tenant', 'nobody')).failure).toMatch(
    /nothing was asked today of a budget of the tenant nobody/,
  );
  for (const no of ['ten', '-5', '0'])
    expect((await refrain('budgets', 'raise', '--tenant', 'default', '--', no)).failure).toMatch(
      /is no amount in US dollars|changes nothing/,
    );
});

it('shows a replay’s budget beside its plan, and raises it, also of one that goes by batches', async () => {
  const asked = { service: 'toy-service', topic: 't', selection: {}, by: 'ada', batch: true };
  const id = await requestReplay(db.pool, asked);
  await moveReplay(db.pool, id, ['requested'], 'planned');
  await refrain('replay', 'apply', id, '--budget', '1', '--no-wait');
  const ledger = payer(db.pool, () => ({}));
  await owePaid(db.pool, 3, 1, { replayId: id, lane: 'replay' });
  await ledger.claim('me', 10);
  const { said } = await refrain('replay', 'show', id);
  expect(said).toContain('budget     this replay $0.00 of $1.00 left\n');
  expect(said).toContain(`2 calls wait for its budget: refrain replay budget ${id} <usd> raises it`);
  expect((await refrain('replay', 'budget', id, '3')).said).toBe(`${id} may spend $3.00.\n`);
  await ledger.sweep();
  expect(await ledger.claim('me', 10)).toHaveLength(2);
  expect((await refrain('replay', 'budget', 'replay-none', '3')).failure).toMatch(/no replay/);
});
