import { Ledger, type VendorLimit } from '#libs/event-store';
import { effects, owe } from '../../../libs/event-store/src/testing/owing';
import { testDatabase, type TestDatabase } from '../../../libs/event-store/src/testing/test-database';
import { createProgram } from './program';

let db: TestDatabase;
let environment: jest.ReplaceProperty<NodeJS.ProcessEnv>;
beforeEach(async () => {
  db = await testDatabase();
  environment = jest.replaceProperty(process, 'env', { DATABASE_URL: db.url });
});
afterEach(async () => {
  environment.restore();
  await db.drop();
});

async function limits(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    await createProgram().parseAsync(['node', 'refrain', 'limits', ...args]);
  } finally {
    write.mockRestore();
  }
  return printed.join('');
}

it('says what is left of a daily quota, what waits for it, and when that will be done', async () => {
  await db.pool.query(`update clock set stopped_at = '2026-11-21T10:00:00Z'`);
  const daily: VendorLimit = { name: 'daily', most: 5, dayIn: 'UTC' };
  const ledger = new Ledger(db.pool, 'toy-service', [
    { kind: 'toy.call', deadlineMs: 1_000, maxRepeats: 0, limits: [daily] },
  ]);
  await owe(db.pool, effects(12));
  expect(await ledger.claim('test', 20)).toHaveLength(5);

  const { gates } = JSON.parse(await limits('--json')) as { gates: unknown[] };
  // Five a day: today's are used up, the other seven take tomorrow and the day after.
  expect(gates).toMatchObject([
    {
      vendor: 'toy',
      breaker: 'closed',
      limits: [{ name: 'daily', most: 5, free: 0, dayEnds: '2026-11-22T00:00:00.000Z' }],
      owed: { live: 7 },
      doneBy: '2026-11-23T00:00:00.000Z',
    },
  ]);
  const text = await limits();
  expect(text).toContain('0 of 5 left a day, until 2026-11-22T00:00:00.000Z');
  expect(text).toContain('waiting: 7 live; done by 2026-11-23T00:00:00.000Z');
});
