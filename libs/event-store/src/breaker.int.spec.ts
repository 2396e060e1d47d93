import { BREAKER } from './breaker';
import { gates } from './gates';
import { Ledger } from './ledger';
import { effects, owe, sure } from './testing/owing';
import { testDatabase, type TestDatabase } from './testing/test-database';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.drop());

const replica = () => new Ledger(db.pool, 'toy-service', [{ kind: 'toy.call', deadlineMs: 5_000, maxRepeats: 1 }]);
const stateOf = async () => (await gates(db.pool)).gates.find((g) => g.tenant === 'default')?.breaker;

/** Claims and performs up to `n` calls that all end alike; resolves to how many there were. */
async function perform(ledger: Ledger, n: number, ok: boolean): Promise<number> {
  const calls = await ledger.claim('me', n);
  for (const call of calls) {
    ledger.note(call, ok);
    await ledger.settle(
      call,
      ok ? { state: 'done', answer: null } : { state: 'owed', code: 'http-500', afterMs: 0, refused: false },
    );
  }
  await ledger.sweep();
  return calls.length;
}

it('opens for all replicas on the share of failures, lets one probe through, and closes on its success', async () => {
  const [one, other] = [replica(), replica()];
  await owe(db.pool, effects(100));
  await perform(one, 8, true);
  await perform(other, 7, false);
  expect(await stateOf()).toBe('closed');
  await perform(other, 1, false);
  expect(await stateOf()).toBe('open');
  await owe(db.pool, effects(3, { tenant: 'second' }));
  expect((await one.claim('me', 50)).map((c) => c.tenant)).toEqual(['second', 'second', 'second']);
  const { rows } = await db.pool.query(
    `select from effect where tenant = 'default' and state = 'owed' and attempts = 0`,
  );
  expect(rows.length).toBeGreaterThan(80);

  await db.moveClock(BREAKER.shutMs + 10);
  expect(await stateOf()).toBe('half-open');
  const probes = await Promise.all([one.claim('me', 20), other.claim('me', 20), one.claim('me', 20)]);
  expect(probes.flat()).toHaveLength(1);
  const [probe] = probes.flat();
  one.note(sure(probe), false);
  await one.settle(sure(probe), { state: 'unknown', code: 'deadline', afterMs: 60_000 });
  await one.sweep();
  expect(await stateOf()).toBe('open');
  expect(await other.claim('me', 20)).toHaveLength(0);

  await db.moveClock(BREAKER.shutMs + 10);
  expect(await perform(other, 20, true)).toBe(1);
  expect(await stateOf()).toBe('closed');
  expect(await one.claim('me', 20)).toHaveLength(20);
});

it('lets another probe through when the first one never came back', async () => {
  const ledger = replica();
  await owe(db.pool, effects(40));
  await perform(ledger, 12, false);
  await db.moveClock(BREAKER.shutMs + 10);
  expect(await ledger.claim('gone', 20)).toHaveLength(1);
  expect(await ledger.claim('me', 20)).toHaveLength(0);
  await db.moveClock(10_100);
  expect(await ledger.claim('me', 20)).toHaveLength(1);
});

it('judges by the calls of the window alone', async () => {
  const ledger = replica();
  await owe(db.pool, effects(40));
  await perform(ledger, 9, false);
  await db.moveClock(BREAKER.windowMs + 10);
  await perform(ledger, 9, false);
  expect(await stateOf()).toBe('closed');
});
